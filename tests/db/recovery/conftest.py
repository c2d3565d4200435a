"""A platform with traffic in it, and one backup of it, for all tests of recovery."""

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.backup import take
from tasks.control import settings
from tasks.hl7 import ingest
from tasks.hl7.generator import populate
from tasks.hl7.platform import installation
from tasks.recovery.copies import unpack
from tasks.recovery.copies.scratch import scratch
from tasks.recovery.proving import boot
from tasks.repository.model import FINGERPRINT
from tasks.repository.stanza import open_stanza
from tests.faults.killing import killer


END = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(scope="package")
def stanza():
    """Open a stanza whose platform holds 800 generated messages."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-recovery-"))
    home.chmod(0o755)
    opened = open_stanza(settings.load(hl7ops_home=home))
    server = opened.server()
    installation.install(server)
    populate.populate(server, ingest.load_generated, 800, seed=3, end=END, days=20)
    yield opened
    opened.home.primary.stop("immediate")
    shutil.rmtree(home)


@pytest.fixture(scope="package")
def backup(stanza):
    """Take one full backup of it."""
    return take.take(stanza)


@pytest.fixture(scope="module")
def copy(stanza, backup):
    """Restore the backup once, and yield a server of the copy."""
    archive = stanza.catalogue.archive(backup)
    with scratch(stanza.home, "for-tests", backup.bytes_source) as place:
        place.make(place.data)
        for item in backup.objects:
            if item.plain_name != FINGERPRINT:
                unpack.unpack(stanza.catalogue, backup, item, place)
        unpack.fetch_wal(archive, backup, place)
        unpack.link_tablespaces(backup, place)
        unpack.forget_map(place)
        with boot.booted(backup, place, backup.seal.points[-1]) as server:
            yield server


@pytest.fixture(scope="module")
def death():
    """Start what kills; the children need not import what takes them seconds."""
    with killer("great_expectations") as one:
        yield one
