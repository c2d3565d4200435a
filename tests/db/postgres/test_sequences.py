"""How far sequences have run: where a dump has them, and where a copy that replays the log."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tasks.postgres import programs, sequences
from tasks.postgres.cluster import Cluster, socket_directory
from tasks.postgres.owner import service_owner
from tasks.postgres.sequences import SequenceState
from tasks.postgres.table_digest import PERMANENT, UNLOGGED


WRITTEN = "written_by_a_checkpoint"
"""A sequence of which the log tells nothing any more: the copy has what the page had."""

MADE = {
    WRITTEN: "create sequence {0}; select nextval('{0}'); checkpoint",
    "logged_before_a_checkpoint": (
        "create sequence {0}; select nextval('{0}'); checkpoint; select nextval('{0}')"
    ),
    "unused": "create sequence {0}",
    "used": "create sequence {0}; select nextval('{0}')",
    "used_often": "create sequence {0}; select nextval('{0}') from generate_series(1, 45)",
    "by_seven": "create sequence {0} increment 7; select nextval('{0}'), nextval('{0}')",
    "descending": "create sequence {0} increment -1; select nextval('{0}'), nextval('{0}')",
    "descending_by_five": (
        "create sequence {0} increment -5 minvalue -1000 start -3;"
        " select nextval('{0}') from generate_series(1, 50)"
    ),
    "cycling": (
        "create sequence {0} maxvalue 3 cycle; select nextval('{0}') from generate_series(1, 5)"
    ),
    "exhausted": (
        "create sequence {0} maxvalue 3; select nextval('{0}') from generate_series(1, 3)"
    ),
    "nearly_exhausted": "create sequence {0} maxvalue 10; select nextval('{0}')",
    "cached": "create sequence {0} cache 50; select nextval('{0}')",
    "cached_descending": "create sequence {0} increment -2 cache 10; select nextval('{0}')",
    "was_set": "create sequence {0}; select nextval('{0}'); select setval('{0}', 500)",
    "was_set_unused": "create sequence {0}; select setval('{0}', 500, false)",
    "set_and_used": "create sequence {0}; select setval('{0}', 500); select nextval('{0}')",
    "restarted": "create sequence {0}; select nextval('{0}'); alter sequence {0} restart 9",
    "altered": "create sequence {0}; select nextval('{0}'); alter sequence {0} increment 3",
    "small": "create sequence {0} as smallint; select nextval('{0}')",
    "large": (
        "create sequence {0} start 9223372036854775800;"
        " select nextval('{0}') from generate_series(1, 4)"
    ),
}


@pytest.fixture(scope="module")
def crashed(home):
    """Make sequences of all kinds, read them, and recover their server from a crash."""
    folder = Path(tempfile.mkdtemp(prefix="hl7ops-sequences-"))
    folder.chmod(0o755)
    cluster = Cluster(folder / "data", socket_directory(folder, 5443), 5443, home.programs)
    cluster.create(service_owner(), {})
    cluster.start()
    server = cluster.server("main")
    with server.connect() as connection:
        for name, statements in MADE.items():
            for statement in statements.format(name).split("; "):
                connection.execute(statement)
        before = sequences.states(connection, (PERMANENT,))
        connection.execute("select pg_logical_emit_message(true, 'test', 'flush')")
    dumped = dump(home, server)
    cluster.stop("immediate")
    cluster.start()
    with server.connect() as connection:
        after = sequences.states(connection, (PERMANENT,))
    yield before, after, dumped
    cluster.stop("immediate")
    shutil.rmtree(folder)


def dump(home, server):
    """Return what a dump says of each sequence: its last value, and whether it was given out."""
    with (
        programs.addressed(server) as (address, env),
        programs.piped(home.programs, "pg_dump", ["--no-password", *address], env=env) as file,
    ):
        script = file.read().decode()
    said = {}
    for line in script.splitlines():
        if line.startswith("SELECT pg_catalog.setval("):
            name, value, called = line.partition("(")[2].rstrip(");").split(", ")
            said[name.strip("'")] = (int(value), called == "true")
    return said


@pytest.mark.parametrize("name", MADE)
def test_a_copy_that_replays_the_log_has_a_sequence_where_it_is_expected(crashed, name):
    """Up to 32 values ahead, in its direction, as the server wrote it."""
    before, after, _ = crashed
    found = after[f"public.{name}"]
    assert found.replayed == before[f"public.{name}"].replayed
    assert (found.replayed == found.given) is (name != WRITTEN)


@pytest.mark.parametrize("name", MADE)
def test_a_dump_has_a_sequence_where_it_was(crashed, name):
    """The last value that was given out, or the first one that will be."""
    before, _, dumped = crashed
    state = before[f"public.{name}"]
    assert dumped[f"public.{name}"] == (state.last_value, state.is_called)


def test_sequences_are_read_in_the_direction_in_which_they_run(server):
    """One that was never used has given nothing."""
    with server.connect() as connection:
        connection.execute("create sequence up; create sequence down increment -1")
        connection.execute("create sequence unused; create unlogged sequence passing")
        connection.execute("create temporary sequence mine")
        connection.execute("select nextval('up'), nextval('up'), nextval('down')")
        found = sequences.states(connection, (PERMANENT,))
        more = sequences.states(connection, (PERMANENT, UNLOGGED))
    assert {name: state.given for name, state in found.items()} == {
        "public.down": (1, True),
        "public.up": (2, True),
        "public.unused": (1, False),
    }
    assert more.keys() - found.keys() == {"public.passing"}


def test_a_sequence_further_on_is_greater_whichever_way_it_runs():
    """So that bounds can be compared."""
    up = [SequenceState(value, 0, is_called=True, increment=2) for value in (1, 3)]
    down = [SequenceState(value, 0, is_called=True, increment=-2) for value in (-1, -3)]
    for first, second in (up, down):
        assert first.given < second.given
        assert first.replayed < second.replayed


def test_a_sequence_that_goes_while_they_are_read_is_left_out(server, monkeypatch):
    """The others are read one by one."""
    with server.connect() as connection:
        connection.execute('create sequence one; create sequence "Odd ""name"""')
        real = sequences._read  # noqa: SLF001

        def late(read, connection, listed):
            gone = [("public", "gone", 1), ("nowhere", "gone", 1)] if len(listed) > 1 else []
            real(read, connection, [*gone, *listed])

        monkeypatch.setattr(sequences, "_read", late)
        found = sequences.states(connection, (PERMANENT,))
    assert set(found) == {"public.one", 'public."Odd ""name"""'}


def test_more_sequences_than_one_statement_reads(server, monkeypatch):
    """Portion by portion."""
    monkeypatch.setattr(sequences, "PORTION", 3)
    with server.connect() as connection:
        for number in range(7):
            connection.execute(f"create sequence s{number} start {number + 1}")
        found = sequences.states(connection, (PERMANENT,))
    assert [state.last_value for state in found.values()] == [1, 2, 3, 4, 5, 6, 7]


def test_a_sequence_that_somebody_holds_is_named(server):
    """Nobody waits for it without an end, and the others are read."""
    with server.connect() as connection:
        connection.execute("create sequence held; create sequence free")
        with server.connect(autocommit=False) as holder:
            holder.execute("alter sequence held rename to other")
            connection.execute("set lock_timeout = 100")
            found = sequences.read(connection, (PERMANENT,))
    assert "public.held" in found.unread
    assert "public.free" in found.states
