"""No trigger of a source fires for what we do to its copy."""

import random

import pytest

from tasks.backup import wal
from tasks.backup.take import take
from tasks.recovery.drill import faults
from tasks.recovery.planning.target import parse
from tasks.recovery.proving import amcheck
from tasks.recovery.proving.verify import verify
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore


GUARD = """
create function guard() returns event_trigger language plpgsql as $$
begin
  raise exception 'no DDL here';
end $$
"""

LOGIN = """
create function noticed() returns event_trigger language plpgsql security definer as $$
begin
  if session_user = 'postgres' then
    copy (select 1) to program 'cat > {ran}';
    perform pg_sleep(1200);
  end if;
end $$
"""

CHANGED = """
create function changed() returns trigger language plpgsql as $$
begin
  copy (select 1) to program 'cat > {ran}';
  return null;
end $$
"""


@pytest.mark.parametrize("version", ["15", "18"])
@pytest.mark.parametrize("enabled", ["enable", "enable replica", "enable always"])
def test_a_guard_against_ddl_hinders_no_proof(make_source, version, enabled):
    """However it is enabled, the extension that walks the tables is added to the copy."""
    source = make_source(version)
    source.run(
        GUARD,
        "create event trigger starts on ddl_command_start execute function guard()",
        "create event trigger ends on ddl_command_end execute function guard()",
        "create event trigger drops on sql_drop execute function guard()",
        *(f"alter event trigger {name} {enabled}" for name in ("starts", "ends", "drops")),
    )
    proof = verify(source.stanza, take(source.stanza).id)
    assert proof.verdict == "proven", proof.checks
    done = restore(source.stanza, parse("latest"), Destination(source.path / "copy"), promote=True)
    source.copies.append(done.cluster)
    assert [check.outcome for check in amcheck.check(done.server, done.cluster.programs)] == [
        "pass"
    ]


@pytest.mark.parametrize("enabled", ["enable", "enable always"])
def test_a_trigger_at_login_neither_writes_nor_sleeps_in_a_copy(make_source, enabled):
    """It is for people who work with the source; they exist from 17 on."""
    source = make_source("18")
    ran = source.outside.path / "ran"
    with source.cluster.server("main", "app", "keeper").connect() as connection:
        connection.execute(LOGIN.format(ran=ran))
        connection.execute("create event trigger logins on login execute function noticed()")
        connection.execute(f"alter event trigger logins {enabled}")
    stanza = source.stanza
    proof = verify(stanza, take(stanza).id)
    assert proof.verdict == "proven", proof.checks
    wal.pull(stanza, stanza.server())
    done = restore(stanza, parse("latest"), Destination(source.path / "copy"), promote=True)
    source.copies.append(done.cluster)
    with done.server.database("app").connect() as connection:
        assert connection.execute("select count(*) from counted").fetchone() == (500,)
    assert not ran.exists()


@pytest.mark.parametrize("enabled", ["enable", "enable replica", "enable always"])
def test_a_trigger_on_rows_does_not_fire_in_a_copy(make_source, enabled):
    """What a drill changes in a copy runs none of its functions, and leaves them as they were."""
    source = make_source("15")
    ran = source.outside.path / "ran"
    source.run(
        CHANGED.format(ran=ran),
        "create trigger changes after delete on counted execute function changed()",
        f"alter table counted {enabled} trigger changes",
    )
    take(source.stanza)
    place = Destination(source.path / "copy")
    done = restore(source.stanza, parse("immediate"), place, promote=True)
    source.copies.append(done.cluster)
    state = "select tgenabled::text from pg_trigger where tgname = 'changes'"
    with done.server.database("app").connect() as connection:
        before = connection.execute(state).fetchone()
        assert faults.KINDS["a row is gone"](connection, random.Random(1)) == "public.counted"
        assert connection.execute("select count(*) from counted").fetchone() == (499,)
        assert connection.execute(state).fetchone() == before
    assert not ran.exists()
    source.run("set session_replication_role = replica; delete from counted where n = 1")
    assert ran.exists() == (enabled != "enable")
