"""The oracle of recovery: a ledger of commits, each with its position, id and time.

What a copy must hold after a recovery follows from it and from nothing of ours: times are those
that the server itself kept of its commits, positions are read from all of its own WAL.
"""

import random
import re
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.postgres import lsn, programs


COMMIT = re.compile(r"tx:\s+(\d+), lsn: (\S+), .* desc: COMMIT ")

NAMED = re.compile(r"lsn: (\S+), .* desc: RESTORE_POINT (.+)")


@dataclass(frozen=True)
class Entry:
    """One commit: where its record begins, its id, when it was, and the rows that it added."""

    position: int
    xid: int
    at: datetime
    rows: frozenset[int]


class Ledger:
    """Commits of one platform, in the order of its WAL, and its restore points."""

    def __init__(self):
        """Begin with none."""
        self.entries = []
        self.names = {}
        self._numbers = iter(range(1, 1_000_000))
        self._lock = threading.Lock()

    @staticmethod
    def prepare(server):
        """Make the table; the server must keep the times of commits."""
        with server.connect() as connection:
            connection.execute("create table ledger (id int primary key, xid xid8 not null)")

    def write(self, server, commits, writers=3, seed=1):
        """Let some clients commit side by side; every fifth transaction is rolled back."""
        threads = [
            threading.Thread(target=self._write, args=(server, commits, random.Random(seed + n)))
            for n in range(writers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _write(self, server, commits, chance):
        with server.connect(autocommit=False) as connection:
            for number in range(commits):
                with self._lock:
                    ids = [next(self._numbers) for _ in range(chance.randint(1, 3))]
                for each in ids:
                    connection.execute(
                        "insert into ledger values (%s, pg_current_xact_id())", [each]
                    )
                connection.rollback() if number % 5 == 4 else connection.commit()
                if chance.random() < 0.2:
                    connection.execute("select pg_sleep(0.01)")
                    connection.rollback()

    def read(self, server, cluster):
        """Enter what a server has committed since it was last read."""
        with server.connect() as connection:
            rows = connection.execute(
                "select xid::text::bigint, pg_xact_commit_timestamp(xid::xid), array_agg(id)"
                " from ledger group by 1, 2, xid"
            ).fetchall()
        positions = self._positions(cluster)
        known = {entry.xid for entry in self.entries}
        self.entries += [
            Entry(positions[xid], xid, at, frozenset(ids))
            for xid, at, ids in rows
            if xid not in known
        ]
        self.entries.sort(key=lambda entry: entry.position)

    def _positions(self, cluster):
        """Read where commits stand in the WAL that a cluster still has, and restore points."""
        found = {}
        for path in sorted((cluster.data / "pg_wal").glob("0000*")):
            if len(path.name) != 24:
                continue
            said = programs.run(
                cluster.programs,
                "pg_waldump",
                ["--path", path.parent, path.name, path.name],
                timeout_s=60,
                accept=(0, 1),
            ).stdout
            found |= {int(xid): lsn.parse(at) for xid, at in COMMIT.findall(said)}
            self.names |= {name: lsn.parse(at) for at, name in NAMED.findall(said)}
        return found

    def rows(self, holds):
        """Return the rows of all commits that something holds of."""
        return {row for entry in self.entries if holds(entry) for row in entry.rows}

    def until(self, position, *, inclusive):
        """Return the rows that are there at a position."""
        return self.rows(lambda e: e.position <= position if inclusive else e.position < position)

    def at(self, moment, *, inclusive):
        """Return the rows that are there at a time."""
        return self.rows(lambda e: e.at <= moment if inclusive else e.at < moment)

    def of(self, xid):
        """Return the entry of a transaction."""
        return next(entry for entry in self.entries if entry.xid == xid)

    def is_plain(self, moment):
        """Tell whether the order of times about a moment is that of the WAL.

        A commit takes its time before it takes its place, so that two that end within some
        microseconds may stand the other way round; no prefix of the WAL is exact between them.
        """
        about = timedelta(milliseconds=20)
        near = [entry.at for entry in self.entries if abs(entry.at - moment) < about]
        return near == sorted(near)


def found(server):
    """Return the rows that a copy holds."""
    with server.connect() as connection:
        if connection.execute("select to_regclass('ledger')").fetchone()[0] is None:
            return set()
        return {row[0] for row in connection.execute("select id from ledger")}
