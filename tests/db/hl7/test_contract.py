"""The contract on a real PostgreSQL: each kind of finding, produced."""

import pytest

from tasks.control.errors import OpsError, Refused
from tasks.hl7.platform import contract
from tasks.hl7.platform.contract import Finding


def run(server, *statements):
    """Carry out statements."""
    with server.connect(statement_timeout_s=10) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def contracted(platform):
    """Install the platform with one connection, patient, encounter and message, and the views."""
    contract.install_views(platform)
    run(
        platform,
        "insert into hl7.connections (name, system, direction) values ('North', 'emr', 'inbound')",
        "insert into hl7.patients (identifier, sex) values ('4711', 'F')",
        "insert into hl7.encounters (patient_id, visit_number, patient_class, admitted_at)"
        " values (1, 'V1', 'I', '2026-11-20')",
        "insert into hl7.messages (received_at, connection_id, size_bytes, direction, status,"
        " message_type, content_sha256, raw)"
        " values ('2026-11-20', 1, 3, 'inbound', 'S', 'ADT', '\\x01', 'MSH')",
    )
    return platform


def redefine(server, view, columns):
    """Define a view anew, as another platform would."""
    run(server, f"drop view hl7_contract.{view}", f"create view hl7_contract.{view} as {columns}")


def kinds(findings):
    """Return kind, view and column of each finding."""
    return [(finding.kind, finding.view, finding.column) for finding in findings]


def test_the_embedded_platform_keeps_the_contract(contracted):
    """No findings is the good answer."""
    assert contract.check(contracted) == []


def test_an_empty_platform_keeps_the_contract_too(platform):
    """No rows is no breach."""
    contract.install_views(platform)
    assert contract.check(platform) == []


def test_installing_the_views_again_changes_nothing(contracted):
    """The install is idempotent."""
    contract.install_views(contracted)
    assert contract.check(contracted) == []


def test_views_over_a_missing_platform_are_not_installed_at_all(server):
    """The transaction takes back the schema too."""
    with pytest.raises(OpsError, match=r'relation "hl7.connections" does not exist'):
        contract.install_views(server)
    with server.connect() as connection:
        assert connection.execute("select to_regnamespace('hl7_contract')").fetchone() == (None,)


def test_a_server_without_the_schema_misses_the_required_views(server):
    """Optional views are not asked for, unless somebody needs them."""
    assert contract.check(server) == [
        Finding("missing view", name, None, f"there is no such view: {meaning}")
        for name, meaning in (
            ("connections", "interfaces to the connected systems"),
            ("messages", "one row a message, without its text"),
        )
    ]


def test_an_optional_view_may_be_missing_until_it_is_needed(contracted):
    """Whoever reads it names it, and then its absence is a finding."""
    run(contracted, "drop view hl7_contract.diagnoses")
    assert contract.check(contracted) == []
    assert kinds(contract.check(contracted, ["diagnoses"])) == [("missing view", "diagnoses", None)]


def test_a_view_that_is_not_of_the_contract_cannot_be_asked_for(contracted):
    """A misspelt name must not pass for a kept contract."""
    with pytest.raises(Refused, match="no such view; seen: mesages"):
        contract.check(contracted, ["mesages"])


def test_a_missing_column_is_found_with_what_it_should_hold(contracted):
    """The text is what whoever writes the view needs."""
    redefine(
        contracted,
        "login_events",
        "select id as event_id, occurred_at, username, outcome, reason from hl7.login_events",
    )
    assert [str(finding) for finding in contract.check(contracted)] == [
        (
            "hl7_contract.login_events.source_address: there is no such column;"
            " it holds: network address that it came from (text)"
        )
    ]


def test_a_timestamp_without_a_zone_is_a_wrong_type(contracted):
    """What hour it means would depend on who asks."""
    redefine(
        contracted,
        "login_events",
        "select id as event_id, occurred_at::timestamp, username, outcome, reason, source_address"
        " from hl7.login_events",
    )
    assert [str(finding) for finding in contract.check(contracted)] == [
        (
            "hl7_contract.login_events.occurred_at: it is timestamp without time zone;"
            " expected: timestamp with time zone"
        )
    ]


def test_an_integer_key_a_varchar_and_a_domain_are_taken(contracted):
    """Another platform's types count by what they can hold."""
    run(contracted, "create domain hl7.account as varchar(80)")
    redefine(
        contracted,
        "login_events",
        "select id::integer as event_id, occurred_at, username::hl7.account, outcome::varchar(7),"
        " reason::char(10), source_address from hl7.login_events",
    )
    assert contract.check(contracted) == []


def test_a_view_that_the_role_may_not_read_is_found(contracted):
    """The check asks as the role that will read."""
    run(
        contracted,
        "drop role if exists contract_reader",
        "create role contract_reader login",
        "grant usage on schema hl7_contract to contract_reader",
        "grant select on all tables in schema hl7_contract to contract_reader",
        "revoke select on hl7_contract.audit_events from contract_reader",
    )
    reader = type(contracted)(contracted.stanza, f"{contracted.address} user=contract_reader")
    try:
        assert [str(finding) for finding in contract.check(reader)] == [
            "hl7_contract.audit_events: this role may not read it"
        ]
    finally:
        run(contracted, "drop owned by contract_reader", "drop role contract_reader")


def test_a_value_outside_its_set_is_counted_and_not_quoted(contracted):
    """The finding lists what is allowed, never what was seen."""
    run(
        contracted,
        "alter table hl7.patients drop constraint patients_sex_check",
        "update hl7.patients set sex = 'weiblich'",
    )
    assert [str(finding) for finding in contract.check(contracted)] == [
        (
            "hl7_contract.patients.sex: 1 lie outside the value set F, M, O, U, A, N, X,"
            " among 1 rows read"
        )
    ]


def test_a_null_where_a_value_is_promised_is_found(contracted):
    """A message without a time of receipt cannot be counted by hours."""
    redefine(
        contracted,
        "connections",
        "select id as connection_id, null::text as name, system, direction, is_active,"
        " sending_application, sending_facility, version from hl7.connections",
    )
    assert [str(finding) for finding in contract.check(contracted)] == [
        "hl7_contract.connections.name: 1 are NULL among 1 rows read"
    ]


def test_a_join_that_doubles_rows_is_found_by_the_key(contracted):
    """A view over a one-to-many join counts everything twice."""
    redefine(
        contracted,
        "connections",
        "select id as connection_id, name, system, direction, is_active, sending_application,"
        " sending_facility, version from hl7.connections, generate_series(1, 2)",
    )
    assert [str(finding) for finding in contract.check(contracted)] == [
        "hl7_contract.connections.connection_id: the key is not unique: 1 values among 2 rows read"
    ]


def test_a_view_that_fails_when_read_is_a_finding(contracted):
    """What the planner accepts can still fail on the rows."""
    redefine(
        contracted,
        "login_events",
        "select 1 / 0 as event_id, now() as occurred_at, ''::text as username,"
        " 'success'::text as outcome, ''::text as reason, ''::text as source_address",
    )
    assert [str(finding) for finding in contract.check(contracted)] == [
        (
            "hl7_contract.login_events: reading it fails: stanza main: the database did not do it;"
            " seen: DivisionByZero (22012)"
        )
    ]


def test_a_reference_to_no_row_is_found(contracted):
    """A join would drop such an encounter without a word."""
    run(
        contracted,
        "alter table hl7.encounters drop constraint encounters_patient_id_fkey",
        "update hl7.encounters set patient_id = 99",
    )
    assert [str(finding) for finding in contract.check(contracted)] == [
        "hl7_contract.encounters.patient_id: 1 refer to no row of hl7_contract.patients"
    ]


def test_only_as_many_rows_are_read_as_asked_for(contracted):
    """The text says how many rows it speaks of."""
    run(
        contracted,
        "alter table hl7.patients drop constraint patients_sex_check",
        "insert into hl7.patients (identifier, sex) select 'n' || i, 'x'"
        " from generate_series(1, 50) i",
        "delete from hl7.encounters",
        "delete from hl7.patients where sex = 'F'",
    )
    (finding,) = contract.check(contracted, ["patients"], sample=10)
    assert finding.text.startswith("10 lie outside the value set")
    assert finding.text.endswith("among 10 rows read")


@pytest.mark.parametrize(
    "taken",
    [
        "occurred_at::timestamptz",
        "(occurred_at at time zone 'UTC') at time zone 'CET' as occurred_at",
    ],
)
def test_a_time_with_a_zone_is_taken(contracted, taken):
    """However the view comes by it."""
    redefine(contracted, "login_events", login_events(occurred_at=taken))
    assert contract.check(contracted, ["login_events"]) == []


def login_events(**changed):
    """Return the select of the view with some columns written in another way."""
    columns = {
        "event_id": "id as event_id",
        "occurred_at": "occurred_at",
        "username": "username",
        "outcome": "outcome",
        "reason": "reason",
        "source_address": "source_address",
    }
    return f"select {', '.join((columns | changed).values())} from hl7.login_events"


@pytest.mark.parametrize(
    ("column", "written", "seen"),
    [
        ("event_id", "id::text as event_id", "text"),
        ("event_id", "id::numeric as event_id", "numeric"),
        ("event_id", "gen_random_uuid() as event_id", "uuid"),
        ("occurred_at", "occurred_at::date", "date"),
        ("occurred_at", "extract(epoch from occurred_at) as occurred_at", "numeric"),
        ("username", "username::bytea", "bytea"),
        ("outcome", "(outcome = 'success') as outcome", "boolean"),
        ("reason", "to_jsonb(reason) as reason", "jsonb"),
        ("source_address", "source_address::inet", "inet"),
    ],
)
def test_a_wrong_type_is_named_with_what_is_expected(contracted, column, written, seen):
    """One finding for one column; the rows are not read before it is corrected."""
    redefine(contracted, "login_events", login_events(**{column: written}))
    (finding,) = contract.check(contracted)
    assert (finding.kind, finding.view, finding.column) == ("wrong type", "login_events", column)
    assert finding.text.startswith(f"it is {seen}; expected: ")


def test_several_faults_are_found_at_once(contracted):
    """Whoever writes the views corrects them in one go."""
    redefine(contracted, "login_events", login_events(reason="1 as reason"))
    run(contracted, "drop view hl7_contract.messages")
    redefine(contracted, "audit_events", "select id as event_id from hl7.audit_events")
    assert kinds(contract.check(contracted)) == [
        ("missing view", "messages", None),
        ("missing column", "audit_events", "occurred_at"),
        ("missing column", "audit_events", "actor"),
        ("missing column", "audit_events", "action"),
        ("missing column", "audit_events", "object_type"),
        ("missing column", "audit_events", "outcome"),
        ("wrong type", "login_events", "reason"),
    ]


def test_columns_beyond_the_contract_do_no_harm(contracted):
    """Another platform may show more."""
    redefine(contracted, "login_events", login_events(more="42 as more"))
    assert contract.check(contracted) == []


@pytest.mark.parametrize("kind", ["table", "materialized view"])
def test_a_table_or_a_materialized_view_serves_as_well(contracted, kind):
    """What matters is what can be read."""
    run(
        contracted,
        "drop view hl7_contract.login_events",
        f"create {kind} hl7_contract.login_events as {login_events()}",
    )
    assert contract.check(contracted) == []


def test_no_finding_quotes_a_value_of_a_row(contracted):
    """The check runs where its text is logged."""
    run(
        contracted,
        "alter table hl7.messages drop constraint messages_status_check",
        "alter table hl7.encounters drop constraint encounters_patient_class_check",
        "update hl7.messages set status = 'needle', control_id = 'needle'",
        "update hl7.encounters set patient_class = 'needle'",
    )
    found = contract.check(contracted)
    assert kinds(found) == [
        ("outside the set", "encounters", "patient_class"),
        ("outside the set", "messages", "status"),
    ]
    assert "needle" not in " ".join(map(str, found))
