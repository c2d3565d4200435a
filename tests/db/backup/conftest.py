"""A stanza with a small table, for the tests of backups."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tasks.control import settings
from tasks.repository.stanza import open_stanza


@pytest.fixture(scope="module")
def stanza():
    """Open a stanza with an embedded cluster of its own."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-backup-"))
    home.chmod(0o755)
    opened = open_stanza(settings.load(hl7ops_home=home))
    with opened.server().connect() as connection:
        connection.execute("create table counted (id bigint generated always as identity, n int)")
        connection.execute("insert into counted (n) select * from generate_series(1, 1000)")
    yield opened
    opened.home.primary.stop("immediate")
    shutil.rmtree(home)
