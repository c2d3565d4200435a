"""What all tests share: the public data beside the checkout."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data():
    """Return where the public data lies; without it a test is skipped, and fails in CI."""
    path = Path(__file__).parents[2] / "shared" / "data"
    if not path.is_dir():
        if os.environ.get("CI"):
            pytest.fail("the public data is missing beside the checkout")
        pytest.skip("the public data is not beside the checkout")
    return path
