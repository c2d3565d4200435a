"""Random histories: whatever happened, chains, differentials and snapshots equal their source.

The bench `histories` lives through a hundred of them; here are as many as a test has time for.
"""

import shutil
import tempfile
from pathlib import Path

import pyrage
import pytest

from benchmarks.histories import LINKS, live
from tasks.control import settings
from tasks.repository.stanza import open_stanza


@pytest.fixture(params=["local", "s3"])
def stanza(request, s3_settings):
    """Open a stanza: in a directory, or encrypted in S3."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-history-"))
    home.chmod(0o755)
    identity = pyrage.x25519.Identity.generate()
    keys = {"age_recipients": [str(identity.to_public())], "age_identity": str(identity)}
    chosen = s3_settings | keys if request.param == "s3" else {}
    opened = open_stanza(settings.load(hl7ops_home=home, snapshot_compression=1, **chosen))
    yield opened
    opened.home.primary.stop("immediate")
    shutil.rmtree(home)


def test_whatever_happened_the_backups_equal_their_source(stanza):
    """F15 and F16 of the failures: grown, shrunk, dropped, made anew under the same name."""
    found = live(stanza, seed=11)
    assert [backup.type for backup, _, _ in found] == list(LINKS[-3:])
    assert [(verdict, failed) for _, verdict, failed in found] == [("proven", "")] * 3
