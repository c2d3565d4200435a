"""Whatever is changed in a restored copy is found, and named by table or object."""

import pytest

from tasks.recovery.proving import expectations, holding
from tasks.recovery.proving.comparison import Part, comparisons


PATIENTS = "hl7.hl7.patients"

SWAP = """
update hl7.patients p set {column} = q.{column}
from hl7.patients q
where (p.id, q.id) in (
  select a.id, b.id from pair, lateral (values (pair.one, pair.other), (pair.other, pair.one))
  x (id, other), lateral (select x.id) a, lateral (select x.other as id) b)
"""

PAIR = """
with pair as (
  select min(id) as one, max(id) as other from (
    select distinct on ({column}) id, {column} from hl7.patients
    where {column} is not null order by {column}, id limit 2) x)
"""


def swap(column):
    """Return what swaps a column's values between two patients who differ in it."""
    return (PAIR + SWAP).format(column=column)


MUTATIONS = {
    "a deleted row": (
        "delete from hl7.lab_results where id = (select min(id) from hl7.lab_results)",
        "hl7.hl7.lab_results",
    ),
    "a row twice": (
        (
            "insert into hl7.audit_events (occurred_at, actor, action, object_type, outcome)"
            " select occurred_at, actor, action, object_type, outcome from hl7.audit_events limit 1"
        ),
        "hl7.hl7.audit_events",
    ),
    "a changed value": (
        (
            "update hl7.patients set city = city || 'x' where id ="
            " (select min(id) from hl7.patients where city is not null)"
        ),
        PATIENTS,
    ),
    "a lost value": (
        (
            "update hl7.patients set phone = null where id ="
            " (select min(id) from hl7.patients where phone is not null)"
        ),
        PATIENTS,
    ),
    "swapped birth dates": (swap("birth_date"), PATIENTS),
    "swapped sexes": (swap("sex"), PATIENTS),
    "swapped columns": (
        (
            "update hl7.patients set family_name = given_name, given_name = family_name where id ="
            " (select min(id) from hl7.patients where family_name <> given_name)"
        ),
        PATIENTS,
    ),
    "an emptied table": ("truncate hl7.login_events", "hl7.hl7.login_events"),
    "a dropped table": ("drop table hl7.medications cascade", "hl7.hl7.medications"),
    "a time moved by an hour": (
        (
            "update hl7.encounters set admitted_at = admitted_at + interval '1 hour' where id ="
            " (select min(id) from hl7.encounters where admitted_at is not null)"
        ),
        "hl7.hl7.encounters",
    ),
    "a changed status": (
        (
            "update hl7.messages set status = 'E' where id ="
            " (select min(id) from hl7.messages where status = 'S')"
        ),
        "hl7.hl7.messages_2026_11",
    ),
    "a message on another connection": (
        (
            "update hl7.messages m set connection_id = c.id from hl7.connections c where m.id ="
            " (select min(id) from hl7.messages where connection_id is not null)"
            " and c.id = (select max(id) from hl7.connections where id <> m.connection_id)"
        ),
        "hl7.hl7.messages_2026_11",
    ),
    "a dropped index": (
        "drop index hl7.lab_results_code_observed_at_idx",
        "hl7: index hl7.lab_results_code_observed_at_idx",
    ),
    "a dropped constraint": (
        "alter table hl7.patients drop constraint patients_sex_check",
        "hl7: table hl7.patients",
    ),
    "a grant": (
        "grant select on hl7.patients to public",
        "hl7: acl table hl7.patients",
    ),
    "a changed default": (
        "alter table hl7.messages alter attempts set default 2",
        "hl7: table hl7.messages",
    ),
    "a sequence set back": (
        "select setval('hl7.messages_id_seq', 1)",
        "hl7.hl7.messages_id_seq",
    ),
    "a sequence that ran on": (
        "select setval('hl7.messages_id_seq', last_value + 100) from hl7.messages_id_seq",
        "hl7.hl7.messages_id_seq",
    ),
    "a comment": ("comment on table hl7.patients is 'seen'", "hl7: comment table hl7.patients"),
    "a role": ("create role clerk", "all databases: role clerk"),
    "a database that takes no connections": (
        "alter database template0 connection limit 7",
        "all databases: database template0",
    ),
}


@pytest.fixture(scope="module")
def failed(copy, stanza, backup):
    """Look at the copy as a proof does, and hold it against its seal; return what does not pass."""
    part = Part(stanza.catalogue.fingerprint(backup))

    def checked():
        found = holding.look(copy, stanza.programs, backup, part)
        del found.definitions["all databases: database kept"]
        suite = expectations.Suite()
        checks = [suite.compare(each) for each in comparisons(part, found)]
        checks += holding.not_compared(part, found)
        return [check for check in checks if check.outcome != "pass"]

    return checked


def as_it_was(copy, name):
    """Let the copy's database be one that was kept aside."""
    with copy.database("postgres").connect() as connection:
        connection.execute("drop database if exists hl7 with (force)")
        connection.execute("drop role if exists clerk")
        connection.execute("alter database template0 connection limit -1")
        connection.execute(f"create database hl7 template {name} strategy file_copy")


@pytest.fixture(scope="module")
def kept(copy):
    """Keep the copy's database aside, where nothing is compared."""
    with copy.database("postgres").connect() as connection:
        connection.execute("alter database hl7 rename to kept")
        connection.execute("alter database kept is_template true")
    return "kept"


def test_an_unchanged_copy_passes(copy, kept, failed):
    """Without a mutation nothing is found: there is no false alarm."""
    as_it_was(copy, kept)
    assert failed() == []


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_is_found_and_named(copy, kept, failed, mutation):
    """Each change of data or structure fails a check that names where it is."""
    statement, name = MUTATIONS[mutation]
    as_it_was(copy, kept)
    with copy.database("hl7").connect() as connection:
        changed = connection.execute(statement)
        assert changed.rowcount != 0
    found = failed()
    assert [check.outcome for check in found] == ["fail"] * len(found)
    assert any(name in check.seen for check in found), found
