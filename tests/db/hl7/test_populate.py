"""Generated traffic in a real PostgreSQL, through a loader that keeps the envelope."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from tasks.control.errors import Refused
from tasks.hl7 import contract, interfaces, populate


END = datetime(2026, 11, 23, 6, tzinfo=UTC)


def query(server, text, *parameters):
    """Return the rows of a statement."""
    with server.connect(statement_timeout_s=30) as connection:
        return connection.execute(text, parameters).fetchall()


def load_envelopes(server, stream):
    """Put each message with its transport into the platform, and count them."""
    put = (
        "insert into hl7.messages (received_at, processed_at, sent_at, connection_id, direction,"
        " status, ack_code, error_code, error_category, attempts, size_bytes, message_type,"
        " content_sha256, raw) values (%s, %s, %s, (select id from hl7.connections where name ="
        " %s), %s, %s, %s, %s, %s, %s, %s, 'ADT', %s, %s)"
    )
    rows = [
        (
            g.received_at, g.processed_at, g.sent_at, g.connection, g.direction, g.status,
            g.ack_code, g.error_code, g.error_category, g.attempts, len(g.raw),
            hashlib.sha256(g.raw).digest(), g.raw,
        )
        for g in stream
    ]  # fmt: skip
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.executemany(put, rows)
    return len(rows)


def count_only(_server, stream):
    """Load nothing."""
    return sum(1 for _ in stream)


@pytest.fixture
def populated(platform):
    """Bring 3,000 messages of 60 days."""
    contract.install_views(platform)
    populate.populate(platform, load_envelopes, 3000, seed=7, end=END, days=60)
    return platform


def test_a_run_reports_what_it_brought(platform):
    """The loader's report, and one event for so many messages."""
    done = populate.populate(platform, count_only, 3000, seed=7, end=END, days=60)
    assert (done.loaded, done.audit_events, done.login_events) == (3000, 150, 60)
    assert done.seconds > 0


def test_a_second_run_brings_no_event_again(platform):
    """Who and when is what an event is known by."""
    for expected in (150, 0):
        done = populate.populate(platform, count_only, 3000, seed=7, end=END, days=60)
        assert done.audit_events == expected
    assert query(platform, "select count(*) from hl7.login_events") == [(60,)]


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
        populate.populate(platform, count_only, -1, seed=7, end=END)
    assert query(platform, "select count(*) from hl7.connections") == [(0,)]
