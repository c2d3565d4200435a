"""The rules of the platform: each, in a copy that breaks it once more than the source did."""

import pytest

from tasks.recovery.proving import expectations
from tasks.repository import facts
from tasks.repository.seal import Fact


SOME_MESSAGE = "(select min(id) from hl7.messages where connection_id is not null)"

BREAKS = {
    "control ids used twice by one sender": (
        "insert into hl7.messages select (jsonb_populate_record(m, jsonb_build_object('id',"
        " nextval('hl7.messages_id_seq')))).* from hl7.messages m"
        " where id = (select min(id) from hl7.messages where control_id <> '')"
    ),
    "messages of an unknown status": "update hl7.messages set status = 'Z' where id = "
    + SOME_MESSAGE,
    "messages with an unknown acknowledgement": "update hl7.messages set ack_code = 'ZZ'"
    f" where id = {SOME_MESSAGE}",
    "messages processed before they were received": "update hl7.messages set processed_at ="
    f" received_at - interval '1 hour' where id = {SOME_MESSAGE}",
    "messages without a key, or with one used twice": (
        "insert into hl7.messages select m.* from hl7.messages m where id = " + SOME_MESSAGE
    ),
    "messages of an unknown connection": "update hl7.messages set connection_id = 999999"
    f" where id = {SOME_MESSAGE}",
    "patients without a key, or with one used twice": (
        'insert into hl7.patients select (jsonb_populate_record(p, \'{"identifier": "X"}\')).*'
        " from hl7.patients p limit 1"
    ),
    **{
        f"{table.replace('_', ' ')} without a patient": (
            f"update hl7.{table} set patient_id = 999999 where id ="
            f" (select min(id) from hl7.{table})"
        )
        for table in ("encounters", "diagnoses", "medications", "lab_results")
    },
}

FREE = """
do $$ declare c record; begin
  for c in select conrelid::regclass as t, conname from pg_constraint k
           join pg_namespace n on n.oid = k.connamespace
           where n.nspname = 'hl7' and contype in ('c', 'f') and conparentid = 0 loop
    execute format('alter table %s drop constraint if exists %I cascade', c.t, c.conname);
  end loop;
  for c in select conrelid::regclass as t, conname from pg_constraint k
           join pg_namespace n on n.oid = k.connamespace
           where n.nspname = 'hl7' and contype in ('p', 'u') and conparentid = 0 loop
    execute format('alter table %s drop constraint if exists %I cascade', c.t, c.conname);
  end loop;
end $$
"""
"""Lets the copy be wrong: the platform's own constraints would not."""


@pytest.fixture(scope="module")
def freed(copy):
    """Take the constraints off the copy, and return its database."""
    server = copy.database("hl7")
    with server.connect() as connection:
        connection.execute(FREE)
    return server


def sealed(server):
    """Count how often each rule is broken now."""
    with server.connect() as connection:
        return facts.of(connection, "hl7")[1]


def bound(server, before):
    """Hold the copy against counts that were sealed."""
    return expectations.Suite().bound(server, before)


def test_every_rule_has_a_case(freed):
    """A rule that nobody has seen fail is not a check."""
    assert {fact.check for fact in sealed(freed)} == set(BREAKS)


@pytest.mark.parametrize("rule", BREAKS)
def test_a_rule_that_is_broken_once_more_is_found(freed, rule):
    """The others are not; and by the new count it passes."""
    before = sealed(freed)
    with freed.connect() as connection:
        assert connection.execute(BREAKS[rule]).rowcount >= 1
    assert rule in {check.name for check in bound(freed, before) if check.outcome == "fail"}
    assert {check.outcome for check in bound(freed, sealed(freed))} == {"pass"}


def test_a_rule_that_cannot_be_asked_is_an_error(freed):
    """A view that is gone makes nothing pass."""
    before = sealed(freed)
    with freed.connect() as connection:
        connection.execute("alter view hl7_contract.messages rename to hidden")
        checks = bound(freed, before)
        connection.execute("alter view hl7_contract.hidden rename to messages")
    errors = {check.name for check in checks if check.outcome == "error"}
    assert "messages of an unknown status" in errors
    assert "encounters without a patient" not in errors


def test_facts_name_no_patient(freed):
    """Subjects are connections, statuses and types."""
    with freed.connect() as connection:
        found, _ = facts.of(connection, "hl7")
    assert {fact.check for fact in found} == {count.name for count in facts.COUNTED}
    assert Fact("messages of each status", "hl7: S", 0).subject in {f.subject for f in found}


def test_each_count_is_that_of_a_query_of_its_own(freed):
    """Messages are read once for all of them; nothing is counted otherwise for that."""
    with freed.connect() as connection:
        found, broken = facts.of(connection, "hl7")
        expected = connection.execute(
            "select 'hl7: ' || coalesce(c.name, '(none)'), count(*) from hl7_contract.messages m"
            " left join hl7_contract.connections c using (connection_id) group by 1"
        ).fetchall()
        alone = [connection.execute(rule.query).fetchone()[0] for rule in facts.RULES]
    seen = {(f.subject, f.value) for f in found if f.check == "messages of each connection"}
    assert seen == set(expected)
    assert [fact.value for fact in broken] == alone
    everything = message_total(freed)
    for check in {fact.check for fact in found}:
        assert sum(fact.value for fact in found if fact.check == check) == everything


def message_total(server):
    """Count all messages."""
    with server.connect() as connection:
        return connection.execute("select count(*) from hl7_contract.messages").fetchone()[0]
