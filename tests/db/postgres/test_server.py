"""What a server says when it does not do what was asked: no values, and whether to retry."""

import os
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from psycopg import conninfo

from tasks.control.errors import OpsError, Refused, Transient
from tasks.postgres import server as module
from tasks.postgres.server import Server, identify


NAME = "Jonathan-4711"


@pytest.fixture
def people(server):
    """Make a table with every kind of constraint."""
    with server.connect() as connection:
        connection.execute(
            "create table people (name text not null, born date, age int check (age < 150),"
            " constraint one_name unique (name));"
            f" insert into people values ('{NAME}', '1980-02-03', 40);"
            " create table visits (name text references people (name))"
        )
    return server


def ask(server, statement, **deadlines):
    """Run a statement in a connection of its own."""
    with server.connect(**deadlines) as connection:
        connection.execute(statement)


def test_options_of_an_address_hold_but_for_deadlines(server):
    """A later one of the same setting wins, which is ours."""
    options = "-c work_mem=7MB -c lock_timeout=1 -c search_path=a,b"
    address = conninfo.make_conninfo(server.address, options=options)
    with Server("main", address).connect(lock_timeout_ms=50) as connection:
        found = [
            connection.execute(f"show {name}").fetchone()[0]
            for name in ("work_mem", "lock_timeout", "search_path", "timezone")
        ]
    assert found == ["7MB", "50ms", "a,b", "UTC"]


def refused(server, statement):
    """Return the error of a statement."""
    with pytest.raises(OpsError) as told:
        ask(server, statement)
    assert told.type is OpsError
    return str(told.value)


FORBIDDEN = {
    "a duplicate": (f"insert into people values ('{NAME}')", "people.one_name"),
    "a value out of range": (f"insert into people values ('{NAME}x', null, 4711)", "people_age"),
    "a missing value": (f"insert into people (born) values (null) -- {NAME}", "people.name"),
    "a missing parent": (f"insert into visits values ('{NAME}y')", "visits_name_fkey"),
    "a text that is no date": (f"select '{NAME}'::date", "InvalidDatetimeFormat (22007)"),
    "a text that is no number": (f"select '{NAME}'::int", "InvalidTextRepresentation (22P02)"),
    "an exception of a function": (
        f"do $$ begin raise exception 'no room for {NAME}'; end $$",
        "RaiseException (P0001)",
    ),
}


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_an_error_names_the_object_and_no_value(people, kind):
    """PostgreSQL quotes rows in its messages; none of that is passed on."""
    statement, named = FORBIDDEN[kind]
    said = refused(people, statement)
    assert named in said
    assert NAME not in said


def test_a_mistake_in_a_statement_is_told_in_words(people):
    """Where a message cannot hold a row, it helps."""
    assert 'relation "nowhere" does not exist' in refused(people, "select * from nowhere")


def test_what_a_role_may_not_do_is_refused_with_what_to_do(people):
    """Trying it again would not help."""
    with people.connect() as connection:
        connection.execute("drop role if exists nobody; create role nobody login")
    at = conninfo.make_conninfo(people.address, user="nobody")
    with pytest.raises(Refused, match=r"InsufficientPrivilege.*connect as a superuser"):
        ask(Server("main", at), "show data_directory")
    with people.connect() as connection:
        connection.execute("drop role nobody")


@pytest.mark.parametrize("name", ["PGTZ", "PGDATESTYLE", "PGGEQO"])
def test_the_environment_changes_nothing_of_our_sessions(name):
    """What it says would win over what a session is told when it begins."""
    script = f"import os, tasks.postgres.server; assert '{name}' not in os.environ"
    subprocess.run([sys.executable, "-c", script], env=os.environ | {name: "x"}, check=True)


def test_our_own_servers_are_reached_whatever_is_demanded_of_others(cluster_server, monkeypatch):
    """No socket of theirs binds a channel, or is encrypted."""
    monkeypatch.setenv("PGCHANNELBINDING", "require")
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("PGTARGETSESSIONATTRS", "standby")
    with cluster_server.connect() as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_deadline_of_the_server_may_be_tried_again(server):
    """It is the server that keeps it, so that nothing runs on."""
    with pytest.raises(Transient, match=r"QueryCanceled \(57014\)"):
        ask(server, "select pg_sleep(10)", statement_timeout_s=0.1)


def test_a_lock_that_is_not_had_in_time_may_be_tried_again(people):
    """Who holds it will let go."""
    with people.connect(autocommit=False) as holder:
        holder.execute("lock table people")
        with pytest.raises(Transient, match=r"LockNotAvailable \(55P03\)"):
            ask(people, "select * from people", lock_timeout_ms=50)


def test_a_server_that_is_not_there_may_be_tried_again(tmp_path):
    """The error says what to look at, and holds no password."""
    away = Server("main", f"host={tmp_path} user=x password={NAME} dbname=y")
    with pytest.raises(Transient, match="see that the server runs") as told, away.connect():
        pass
    assert NAME not in str(told.value)


def test_a_session_that_is_ended_may_be_tried_again(server):
    """As where a server is restarted under us."""
    with pytest.raises(Transient):
        ask(server, "select pg_terminate_backend(pg_backend_pid())")


def test_times_are_read_in_utc(cluster_server):
    """Whatever zone the server lives in."""
    with cluster_server.connect() as connection:
        assert connection.execute("show timezone").fetchone() == ("UTC",)


def test_times_and_intervals_are_read_however_the_database_writes_them(cluster_server):
    """The client reads one style of each; a database, or a role, may have set another."""
    with cluster_server.connect() as connection:
        connection.execute("create database otherwise")
        connection.execute("alter database otherwise set datestyle = 'German, DMY'")
        connection.execute("alter database otherwise set intervalstyle = 'sql_standard'")
    try:
        with cluster_server.database("otherwise").connect() as connection:
            found = connection.execute(
                "select timestamptz '2026-11-28 01:02:03.5+00', date '2026-11-28',"
                " interval '1 day 2 hours', '01.02.2026'::date"
            ).fetchone()
    finally:
        with cluster_server.connect() as connection:
            connection.execute("drop database otherwise")
    at = datetime(2026, 11, 28, 1, 2, 3, 500_000, tzinfo=UTC)
    assert found == (at, at.date(), timedelta(days=1, hours=2), date(2026, 2, 1))


def test_a_cluster_is_told_from_others_by_its_identifier(cluster_server, home):
    """Version and directory are the server's own words."""
    found = identify(cluster_server)
    assert found.system_identifier.isdigit()
    assert found.major == 18
    assert found.data_directory == str(home.primary.data)


@pytest.mark.parametrize(("oldest", "newest"), [(19, 20), (15, 17)])
def test_a_version_that_is_not_operated_is_refused(cluster_server, monkeypatch, oldest, newest):
    """Too old and too new; the range is told."""
    monkeypatch.setattr(module, "OLDEST", oldest)
    monkeypatch.setattr(module, "NEWEST", newest)
    with pytest.raises(Refused, match=f"seen: 18; expected: {oldest} to {newest}"):
        identify(cluster_server)


def test_many_connections_at_once_do_no_harm(server):
    """Steps of several runs share a server."""
    seen = []

    def ask():
        with server.connect() as connection:
            seen.append(connection.execute("select 1").fetchone())

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [(1,)] * 10
