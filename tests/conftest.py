"""What all tests share: the public data beside the checkout, and which go to one worker."""

import itertools
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from xdist.scheduler import LoadScopeScheduling

from tasks.repository.s3.server import serving


_numbers = itertools.count(1)

ROOMS = ("/ui", "/flow", "/cli", "/recovery")
"""Directories whose tests share a server that is slow to start."""


@pytest.fixture(scope="session")
def shared_data():
    """Return where the public data lies; without it a test is skipped, and fails in CI."""
    path = Path(__file__).parents[2] / "shared" / "data"
    if not path.is_dir():
        if os.environ.get("CI"):
            pytest.fail("the public data is missing beside the checkout")
        pytest.skip("the public data is not beside the checkout")
    return path


BUCKET = "backups"


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    """Run a real S3 server that checks signatures; its buckets are directories of `folder`."""
    folder = tmp_path_factory.mktemp("s3")
    with serving(folder, BUCKET) as server:
        server_and_folder = SimpleNamespace(server=server, folder=folder, bucket=BUCKET)
        yield server_and_folder


@pytest.fixture
def s3_settings(s3):
    """Return the settings of a repository of its own in the bucket."""
    return s3.server.settings | {"s3_prefix": f"place-{next(_numbers)}"}


class ByRoom(LoadScopeScheduling):
    """Gives the tests of a file, and all tests of a room, to one worker."""

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        folder = file.rpartition("/")[0]
        return folder if folder.endswith(ROOMS) else file


def pytest_xdist_make_scheduler(config, log):
    """Return the scheduler; it goes by the order of the files."""
    config.option.loadscopereorder = False
    return ByRoom(config, log)
