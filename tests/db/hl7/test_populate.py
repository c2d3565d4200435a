"""Generated traffic in a real PostgreSQL, through the parser and the loader."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.control.errors import Refused
from tasks.hl7 import ingest
from tasks.hl7.generator import interfaces, populate
from tasks.hl7.platform import contract


END = datetime(2026, 11, 23, 6, tzinfo=UTC)


def query(server, text, *parameters):
    """Return the rows of a statement."""
    with server.connect(statement_timeout_s=30) as connection:
        return connection.execute(text, parameters).fetchall()


def bring(server, messages, seed=7):
    """Bring messages of 60 days."""
    return populate.populate(server, ingest.load_generated, messages, seed=seed, end=END, days=60)


@pytest.fixture
def populated(platform):
    """Bring 3,000 messages of 60 days."""
    contract.install_views(platform)
    bring(platform, 3000)
    return platform


def test_a_run_reports_what_it_brought(platform):
    """Every message is accepted, none is quarantined, and nothing about one is odd."""
    done = bring(platform, 3000)
    assert (done.loaded.offered, done.loaded.accepted) == (3000, 3000)
    assert done.loaded.notes == {}
    assert (done.audit_events, done.login_events) == (150, 60)
    assert done.seconds > 0


def test_a_second_run_brings_nothing_again(populated):
    """A message is known by its content, an event by who and when."""
    done = bring(populated, 3000)
    assert (done.loaded.accepted, done.loaded.duplicates) == (0, 3000)
    assert (done.audit_events, done.login_events) == (0, 0)


def test_another_seed_brings_other_patients(populated):
    """No record number of the first run is one of the second."""
    ((before,),) = query(populated, "select count(*) from hl7.patients")
    done = bring(populated, 1000, seed=8)
    ((after,),) = query(populated, "select count(*) from hl7.patients")
    assert done.loaded.accepted == 1000
    assert after > before + 50
    assert query(
        populated, "select count(*) from hl7.patients where starts_with(identifier, '0008')"
    ) == [(after - before,)]


def test_every_generated_outcome_fits_the_platform(populated):
    """Statuses, acknowledgements and categories pass the constraints, and the contract."""
    assert contract.check(populated) == []
    assert query(populated, "select count(*) from hl7.messages") == [(3000,)]


def test_every_message_has_its_month(populated):
    """Partitions are made before the load; nothing goes to the default one."""
    assert query(populated, "select count(*) from hl7.messages_default") == [(0,)]
    assert query(
        populated,
        "select count(distinct tableoid) from hl7.messages where received_at < %s",
        END + timedelta(days=1),
    ) == [(3,)]


def test_every_message_belongs_to_one_of_the_systems(populated):
    """The loader finds the connection by the name that the generator gives."""
    assert query(populated, "select count(*) from hl7.messages where connection_id is null") == [
        (0,)
    ]
    assert query(populated, "select count(distinct connection_id) from hl7.messages") == [(7,)]


def test_visits_become_encounters_that_end_after_they_begin(populated):
    """Inpatients stay for days, the others for hours; nearly all have gone by now."""
    rows = query(
        populated,
        "select patient_class, count(*) > 20, bool_and(discharged_at > admitted_at),"
        " percentile_cont(0.5) within group (order by discharged_at - admitted_at)"
        "   between interval '1 hour' and interval '7 days',"
        " count(discharged_at)::numeric / count(*) > 0.8"
        " from hl7.encounters where not is_cancelled group by 1 order by 1",
    )
    assert rows == [(name, True, True, True, True) for name in ("E", "I", "O")]


def test_results_belong_to_visits_of_patients_who_were_born(populated):
    """Nothing hangs in the air, and nothing was measured before a birth."""
    ((results, loose, early),) = query(
        populated,
        "select count(*), count(*) filter (where encounter_id is null), count(*) filter (where"
        " observed_at < birth_date) from hl7.lab_results r join hl7.patients p"
        " on p.id = r.patient_id",
    )
    assert (results > 500, loose, early) == (True, 0, 0)


def test_diabetics_have_more_sugar_in_their_blood(populated):
    """Analytics has something to find: by more than 40 mg/dL on average."""
    ((with_it, without_it),) = query(
        populated,
        "select avg(value_number) filter (where sick), avg(value_number) filter (where not sick)"
        " from (select value_number, exists (select from hl7.diagnoses d where d.code = 'E11.9'"
        " and d.patient_id = r.patient_id) as sick from hl7.lab_results r"
        " where r.code = '2345-7') v",
    )
    assert with_it > without_it + 40


def test_merged_patients_point_to_whom_they_are(populated):
    """By name and birth date they were the same."""
    rows = query(
        populated,
        "select count(*), bool_and(a.birth_date = b.birth_date and a.family_name = b.family_name)"
        " from hl7.patients a join hl7.patients b on b.id = a.merged_into",
    )
    assert rows[0][0] > 0
    assert rows[0][1] is True


def test_names_arrive_with_their_accents(populated):
    """Both character sets are decoded as they were meant."""
    found = query(
        populated,
        "select distinct assigning_authority from hl7.patients where family_name ~ '[éÜäö]'"
        " or given_name ~ '[éëö]' order by 1",
    )
    assert {("HARBORSIDE",), ("NORTHGATE",)} <= set(found)


def test_the_generated_systems_are_connections(populated):
    """By name, with the application and facility of each end."""
    assert query(
        populated,
        "select name, sending_application, receiving_application, version, charset"
        " from hl7.connections where name in ('Northgate EMR', 'Pharmacy') order by 1",
    ) == [
        ("Northgate EMR", "CAREBOOK", "HL7HUB", "2.3", "8859/1"),
        ("Pharmacy", "HL7HUB", "DOSEWELL", "2.5", "UNICODE UTF-8"),
    ]


def test_what_an_operator_changed_in_a_connection_stays(populated):
    """Registering again does not undo it."""
    with populated.connect() as connection:
        connection.execute("update hl7.connections set is_active = false where name = 'Pharmacy'")
        ids = interfaces.register(connection)
    assert len(ids) == 7
    assert query(populated, "select name from hl7.connections where not is_active") == [
        ("Pharmacy",)
    ]


def test_numbers_that_make_no_sense_are_refused_before_anything_is_changed(platform):
    """Not even a connection is registered."""
    with pytest.raises(Refused, match="this traffic cannot be generated"):
        bring(platform, -1)
    assert query(platform, "select count(*) from hl7.connections") == [(0,)]
