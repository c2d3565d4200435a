"""Houses for the tests of WAL across promotions."""

import pytest

from tests.db.house import House


@pytest.fixture
def house():
    """Open a house for one test, which may ruin it."""
    opened = House()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared_house():
    """Open a house for the tests of a file."""
    opened = House()
    yield opened
    opened.close()
