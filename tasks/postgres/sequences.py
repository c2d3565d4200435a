"""How far sequences have run: in the server that writes, and in a copy that was recovered."""

from dataclasses import dataclass, field

import psycopg
from psycopg import sql
from pydantic import ConfigDict

from tasks.postgres.names import joined
from tasks.postgres.server import Connection


_SEQUENCES = """
select n.nspname::text, c.relname::text, s.seqincrement from pg_sequence s
  join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
where c.relpersistence::text = any(%s) and n.nspname <> 'information_schema'
  and n.nspname !~ '^pg_' order by 1, 2
"""

GONE = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)
"""What a server says of a sequence that went meanwhile."""

PORTION = 500
"""How many sequences one statement reads."""


@dataclass(frozen=True)
class SequenceState:
    """The row of a sequence, as `select last_value, log_cnt, is_called` gives it.

    A server logs a sequence some values ahead (32, PostgreSQL's `SEQ_LOG_VALS`), and a copy that
    replays the log has it there: `log_cnt` says how many values of those are not given out yet.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    last_value: int
    log_cnt: int
    is_called: bool
    increment: int

    @property
    def logged(self) -> int:
        """The value that stands in the log."""
        return self.last_value + self.increment * self.log_cnt

    @property
    def given(self) -> tuple[int, bool]:
        """What a dump carries: the last value, and whether it was given out."""
        return self.last_value * self._direction, self.is_called

    @property
    def replayed(self) -> tuple[int, bool]:
        """What a copy has that replayed the log, in the direction in which the sequence runs."""
        return self.logged * self._direction, self.is_called

    @property
    def _direction(self) -> int:
        return 1 if self.increment > 0 else -1


@dataclass(frozen=True)
class SequenceReadings:
    """The states of sequences by schema and name, and the names of those that cannot be read."""

    states: dict[str, SequenceState] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def states(connection: Connection, persistence: tuple[str, ...]) -> dict[str, SequenceState]:
    """Return the state of each sequence of a database that can be read, by schema and name."""
    return read(connection, persistence).states


def read(connection: Connection, persistence: tuple[str, ...]) -> SequenceReadings:
    """Read the state of each sequence of a database.

    They do not follow snapshots: each is read as it is now. One that goes meanwhile is left out.
    """
    found = SequenceReadings()
    listed = connection.execute(_SEQUENCES, [[*persistence]]).fetchall()
    for first in range(0, len(listed), PORTION):
        _read(found, connection, listed[first : first + PORTION])
    return found


def _read(
    found: SequenceReadings, connection: Connection, listed: list[tuple[str, str, int]]
) -> None:
    """Read sequences in one statement; where that fails, since one is gone or held, one by one."""
    one = sql.SQL("select {}::int, last_value, log_cnt, is_called from {}")
    parts = [
        one.format(sql.Literal(number), sql.Identifier(schema, name))
        for number, (schema, name, _) in enumerate(listed)
    ]
    try:
        with connection.transaction(force_rollback=True):
            rows = connection.execute(sql.SQL(" union all ").join(parts)).fetchall()
    except psycopg.Error as error:
        if connection.closed:
            raise
        if len(listed) > 1:
            for each in listed:
                _read(found, connection, [each])
        elif not isinstance(error, GONE):
            found.unread.append(joined(*listed[0][:2]))
        return
    for number, last, ahead, called in rows:
        schema, name, increment = listed[number]
        found.states[joined(schema, name)] = SequenceState(last, ahead, called, increment)
