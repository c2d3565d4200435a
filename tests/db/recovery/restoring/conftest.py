"""A platform whose commits are in a ledger, with a chain of backups, and copies of it."""

import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from tasks.backup import wal
from tasks.backup.take import take
from tasks.control import settings
from tasks.recovery.planning.target import parse
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore
from tasks.repository.stanza import open_stanza
from tests.db.ledger import Ledger, found


class Copies:
    """Restores copies of a stanza, one after the other."""

    def __init__(self, stanza):
        """Put them beside its home."""
        self.stanza = stanza
        self.folder = Path(tempfile.mkdtemp(prefix="hl7ops-copies-"))
        self.folder.chmod(0o755)
        self.path = self.folder / "copy"

    def restore(self, target="latest", *, inclusive=True, timeline=None, **more):
        """Restore the stanza to a target."""
        wanted = parse(target, inclusive=inclusive, timeline=timeline)
        how = {name: more.pop(name, False) for name in ("replace", "delta")}
        destination = Destination(self.path, **how)
        return restore(self.stanza, wanted, destination, **more)

    def rows(self, target="latest", **more):
        """Return the rows of the ledger in a copy, which is taken away again."""
        done = self.restore(target, **more)
        try:
            return found(done.server.database("hl7"))
        finally:
            self.clear(done)

    def clear(self, done):
        """Take a copy away, with all that lies beside it."""
        done.cluster.stop("immediate")
        for path in self.folder.iterdir():
            shutil.rmtree(path)

    def close(self):
        """Take the folder away."""
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def scene():
    """Write a history: a full backup, an incremental and a differential one, commits all along."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-restore-"))
    home.chmod(0o755)
    stanza = open_stanza(settings.load(hl7ops_home=home))
    server, ledger, backups = stanza.server(), Ledger(), []
    with server.connect() as connection:
        connection.execute("alter system set track_commit_timestamp = on")
        connection.execute("alter system set wal_keep_size = '1GB'")
    stanza.home.primary.stop()
    server = stanza.server()
    ledger.prepare(server)
    ledger.write(server, 10, seed=1)
    for number, kind in enumerate(("full", "incremental", "differential"), 2):
        backups.append(take(stanza, kind))
        ledger.write(server, 20, seed=10 * number)
        with server.connect() as connection:
            connection.execute("select pg_create_restore_point(%s)", [f"after {kind}"])
        ledger.write(server, 20, seed=10 * number + 5)
    ledger.read(server, stanza.home.primary)
    wal.pull(stanza, server)
    copies = Copies(stanza)
    yield SimpleNamespace(stanza=stanza, ledger=ledger, backups=backups, copies=copies)
    copies.close()
    stanza.home.primary.stop("immediate")
    shutil.rmtree(home)
