"""The platform's schema on a real PostgreSQL: installing, value sets, partitions."""

import threading
from datetime import UTC, datetime

import pytest

from tasks.control.errors import OpsError
from tasks.hl7.platform import columns, partitions, schema


NOW = datetime(2026, 11, 23, tzinfo=UTC)

PUT = (
    "insert into hl7.messages (received_at, size_bytes, direction, status, message_type,"
    " content_sha256, raw) values (%s, 3, 'inbound', %s, 'ADT', '\\x01', 'MSH')"
)


def query(server, text, *parameters):
    """Return the rows of a statement."""
    with server.connect(statement_timeout_s=10) as connection:
        return connection.execute(text, parameters).fetchall()


def run(server, text, *parameters):
    """Carry out a statement."""
    with server.connect(statement_timeout_s=10) as connection:
        connection.execute(text, parameters)


def test_an_empty_database_has_no_platform(server):
    """`is_installed` says no where not a single table is there."""
    assert schema.is_installed(server) is False


def test_an_installed_platform_is_recognised(platform):
    """`is_installed` says yes after `install`."""
    assert schema.is_installed(platform) is True


def test_a_platform_that_lost_a_table_is_not_installed(platform):
    """One missing table is enough to say no."""
    run(platform, "drop table hl7.quarantine")
    assert schema.is_installed(platform) is False


def test_installing_again_brings_back_only_what_is_missing(platform):
    """A second install repairs a lost table and keeps the rows of the others."""
    run(
        platform, "insert into hl7.connections (name, system, direction) values ('A','B','inbound')"
    )
    run(platform, "drop table hl7.quarantine")
    schema.install(platform, now=NOW)
    assert schema.is_installed(platform) is True
    assert query(platform, "select name from hl7.connections") == [("A",)]


def test_two_installers_at_once_make_one_schema(server):
    """The advisory lock makes the second wait, and then find everything in place."""
    errors = []

    def install():
        try:
            schema.install(server, now=NOW)
        except OpsError as error:
            errors.append(error)

    installers = [threading.Thread(target=install) for _ in range(4)]
    for installer in installers:
        installer.start()
    for installer in installers:
        installer.join()
    assert errors == []
    assert schema.is_installed(server) is True


def test_an_install_that_fails_leaves_nothing(server):
    """A relation in the way breaks the install; the transaction takes all of it back."""
    run(server, "create schema hl7")
    run(server, "create view hl7.messages_2026_11 as select 1")
    with pytest.raises(OpsError, match="messages_2026_11"):
        schema.install(server, now=NOW)
    assert query(
        server, "select relname from pg_class where relnamespace = 'hl7'::regnamespace"
    ) == [("messages_2026_11",)]


def test_the_list_of_tables_is_the_metadata(platform):
    """No table of the metadata is forgotten by the installer."""
    assert set(schema.TABLES) == set(columns.metadata.tables.values())
    made = query(
        platform,
        "select relname from pg_class where relnamespace = 'hl7'::regnamespace"
        " and relkind in ('r', 'p') and not relispartition order by 1",
    )
    assert [name for (name,) in made] == [
        "audit_events",
        "connections",
        "diagnoses",
        "encounters",
        "lab_results",
        "login_events",
        "medications",
        "message_keys",
        "messages",
        "patients",
        "quarantine",
    ]


@pytest.mark.parametrize("table", [table.fullname for table in schema.TABLES])
def test_a_row_of_every_table_has_a_hash(platform, table):
    """A seal can digest every table without a text form."""
    probe = f"select hash_record_extended(jsonb_populate_record(null::{table}, '{{}}'), 0)"
    assert len(query(platform, probe)) == 1


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("update hl7.messages set status = 'Z'", "messages_status_check"),
        ("update hl7.messages set ack_code = 'OK'", "messages_ack_code_check"),
        ("update hl7.messages set direction = 'sideways'", "messages_direction_check"),
        ("update hl7.messages set error_category = 'bad'", "messages_error_category_check"),
        ("update hl7.patients set sex = 'female'", "patients_sex_check"),
        ("update hl7.encounters set patient_class = 'AMB'", "encounters_patient_class_check"),
        (
            (
                "insert into hl7.lab_results (patient_id, observed_at, code, result_status)"
                " select id, now(), '1', 'final' from hl7.patients"
            ),
            "lab_results_result_status_check",
        ),
        (
            (
                "insert into hl7.login_events (occurred_at, username, outcome)"
                " values (now(), 'u', 'maybe')"
            ),
            "login_events_outcome_check",
        ),
        (
            (
                "insert into hl7.audit_events (occurred_at, actor, action, object_type, outcome)"
                " values (now(), 'u', 'a', 'o', 'maybe')"
            ),
            "audit_events_outcome_check",
        ),
        (
            "insert into hl7.connections (name, system, direction) values ('A', 'B', 'both')",
            "connections_direction_check",
        ),
    ],
)
def test_a_value_outside_its_set_is_refused_by_name(platform, statement, constraint):
    """The constraint is named, so that the loader's mapping can be corrected."""
    run(platform, PUT, NOW, "S")
    run(platform, "insert into hl7.patients (identifier) values ('1')")
    run(
        platform,
        "insert into hl7.encounters (patient_id, visit_number, patient_class)"
        " select id, 'V1', 'I' from hl7.patients",
    )
    with pytest.raises(OpsError, match=constraint):
        run(platform, statement)


def test_the_same_bytes_are_ingested_once_whatever_their_month(platform):
    """The key of the content reaches across partitions."""
    put = "insert into hl7.message_keys values ('\\x01', %s, 1) on conflict do nothing returning 1"
    with platform.connect() as connection:
        assert connection.execute(put, ["2026-10-01"]).fetchall() == [(1,)]
        assert connection.execute(put, ["2026-11-01"]).fetchall() == []


def test_the_same_diagnosis_without_an_encounter_is_kept_once(platform):
    """A null encounter counts as a value in the natural key."""
    run(platform, "insert into hl7.patients (identifier) values ('1')")
    put = (
        "insert into hl7.diagnoses (patient_id, recorded_at, code)"
        " select id, now(), 'E11.9' from hl7.patients on conflict do nothing"
    )
    run(platform, put)
    run(platform, put)
    assert query(platform, "select count(*) from hl7.diagnoses") == [(1,)]


def test_a_patient_is_one_row_for_each_assigning_authority(platform):
    """The same number of two hospitals is two patients."""
    put = "insert into hl7.patients (identifier, assigning_authority) values ('1', %s)"
    run(platform, put, "NORTH")
    run(platform, put, "SOUTH")
    with pytest.raises(OpsError, match="patients_identifier_assigning_authority_key"):
        run(platform, put, "SOUTH")


def test_install_makes_this_month_and_the_next(platform):
    """There is a partition to write to when the month turns."""
    with platform.connect() as connection:
        assert partitions.existing(connection) == {
            "messages_default",
            "messages_2026_11",
            "messages_2026_12",
        }


def test_a_message_goes_to_its_month_and_to_the_default_without_one(platform):
    """Nothing offered is lost for want of a partition."""
    run(platform, PUT, "2026-11-30T23:59:59.999Z", "S")
    run(platform, PUT, "2026-12-01T00:00:00Z", "S")
    run(platform, PUT, "2019-01-01T00:00:00Z", "S")
    rows = query(platform, "select tableoid::regclass::text from hl7.messages order by received_at")
    assert rows == [
        ("hl7.messages_default",),
        ("hl7.messages_2026_11",),
        ("hl7.messages_2026_12",),
    ]


def test_a_month_takes_its_rows_out_of_the_default_partition(platform):
    """A month that is made late holds what came before it, and no other month's rows."""
    run(platform, PUT, "2025-02-28T23:00:00Z", "S")
    run(platform, PUT, "2025-03-05T12:00:00Z", "S")
    made = partitions.ensure(
        platform, NOW.replace(year=2025, month=3), NOW.replace(year=2025, month=3)
    )
    assert made == ["messages_2025_03"]
    rows = query(platform, "select tableoid::regclass::text from hl7.messages order by received_at")
    assert rows == [("hl7.messages_default",), ("hl7.messages_2025_03",)]


def test_months_that_exist_are_not_made_again(platform):
    """`ensure` names only what it made."""
    last = datetime(2027, 1, 2, tzinfo=UTC)
    assert partitions.ensure(platform, NOW, last) == ["messages_2027_01"]
    assert partitions.ensure(platform, NOW, last) == []


def test_a_late_month_has_the_indexes_of_the_others(platform):
    """Attaching builds what the partitioned table declares."""
    partitions.ensure(platform, NOW.replace(year=2025), NOW.replace(year=2025))
    count = "select count(*) from pg_index where indrelid = %s::regclass and indisvalid"
    assert query(platform, count, "hl7.messages_2025_11") == [(6,)]
    assert query(platform, count, "hl7.messages_2026_11") == [(6,)]


def test_a_question_for_a_day_reads_one_partition(platform):
    """The planner prunes by `received_at`."""
    plan = query(
        platform,
        "explain select count(*) from hl7.messages"
        " where received_at >= '2026-11-03' and received_at < '2026-11-04'",
    )
    text = "\n".join(line for (line,) in plan)
    assert "messages_2026_11" in text
    assert "messages_2026_12" not in text
