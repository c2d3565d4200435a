"""The bulk fill on a real PostgreSQL, at small scale."""

import itertools
from datetime import UTC, datetime, timedelta

import hl7
import pytest

from tasks.control.errors import Refused
from tasks.hl7.generator import bulk
from tasks.hl7.platform import contract


NOW = datetime(2026, 11, 23, tzinfo=UTC)


def query(server, text, *parameters):
    """Return the rows of a statement."""
    with server.connect(statement_timeout_s=30) as connection:
        return connection.execute(text, parameters).fetchall()


@pytest.fixture
def filled(platform):
    """Fill 2,000 messages."""
    contract.install_views(platform)
    bulk.fill(platform, 2000, seed=7, now=NOW)
    return platform


def test_a_fill_reports_what_it_has_brought(platform):
    """Rows by table, and the size that the schema has grown by."""
    filled = bulk.fill(platform, 2000, seed=7, now=NOW)
    assert filled.rows == {
        "patients": 101,
        "encounters": 251,
        "diagnoses": 155,
        "medications": 141,
        "lab_results": 753,
        "audit_events": 100,
        "login_events": 20,
        "messages": 2000,
    }
    assert 1 < filled.megabytes < 10
    assert filled.seconds > 0


def test_a_filled_platform_keeps_the_contract(filled):
    """Value sets, references and keys hold for what was filled."""
    assert contract.check(filled) == []


def test_a_fill_of_an_hour_lies_in_it(filled):
    """New traffic comes after what is there."""
    bulk.fill(filled, 500, seed=9, now=NOW + timedelta(hours=1), span=timedelta(hours=1))
    assert query(filled, "select count(*) from hl7.messages where received_at >= %s", NOW) == [
        (500,)
    ]
    assert query(filled, "select count(*) from hl7.messages") == [(2500,)]


def test_a_fill_brings_exactly_the_messages_asked_for(filled):
    """Each with its key, and no two alike."""
    assert query(filled, "select count(*), count(distinct id) from hl7.messages") == [(2000, 2000)]
    assert query(
        filled,
        "select count(*) from hl7.messages m join hl7.message_keys k"
        " on k.content_sha256 = sha256(m.raw) and k.message_id = m.id"
        " and k.received_at = m.received_at",
    ) == [(2000,)]


def test_filled_messages_are_those_of_the_last_ninety_days(filled):
    """None lies in the future, none in the default partition."""
    ((first, last),) = query(filled, "select min(received_at), max(received_at) from hl7.messages")
    assert NOW - timedelta(days=90) <= first < NOW - timedelta(days=89)
    assert NOW - timedelta(days=1) < last <= NOW
    assert query(filled, "select count(*) from hl7.messages_default") == [(0,)]


def test_filled_messages_are_hl7(filled):
    """Another parser reads what the server wrote, and the columns agree with it."""
    rows = query(
        filled, "select raw, control_id, message_type, patient_identifier from hl7.messages"
    )
    for raw, control_id, message_type, patient in rows[:200]:
        parsed = hl7.parse(raw.decode())
        assert str(parsed.segment("MSH")[10]) == control_id
        assert str(parsed.segment("MSH")[9]).split("^")[0] == message_type
        assert str(parsed.segment("PID")[3]).split("^")[0] == patient


def test_every_message_is_of_a_patient_that_exists(filled):
    """Joins by identifier find their rows."""
    orphans = (
        "select count(*) from hl7.messages m where not exists"
        " (select from hl7.patients p where p.identifier = m.patient_identifier)"
    )
    assert query(filled, orphans) == [(0,)]


def test_days_have_more_messages_than_nights(filled):
    """The hours follow the rhythm."""
    ((night, day),) = query(
        filled,
        "select count(*) filter (where hour = 3), count(*) filter (where hour = 10) from"
        " (select extract(hour from received_at) as hour from hl7.messages) h",
    )
    assert night * 5 < day


def test_about_one_message_in_128_failed(filled):
    """An error has a code and a category; a success has neither."""
    ((failed, coded),) = query(
        filled,
        "select count(*) filter (where status = 'E'), count(*) filter (where error_code = '102'"
        " and error_category = 'content' and ack_code = 'AE') from hl7.messages",
    )
    assert 5 < failed < 30
    assert coded == failed


def test_a_seed_determines_every_message(filled):
    """The digest of all bytes is the same each time, whichever worker was faster."""
    digest = (
        "select md5(string_agg(encode(content_sha256, 'hex'), '' order by id)) from hl7.messages"
    )
    assert query(filled, digest) == [("b8058dc471f7d5c844cc3987ea33c999",)]


def test_a_seed_is_filled_only_once(filled):
    """A second fill of it would collide with the first, and changes nothing."""
    with pytest.raises(Refused, match="filled already; seen: patients of seed 7"):
        bulk.fill(filled, 100, seed=7, now=NOW)
    assert query(filled, "select count(*) from hl7.messages") == [(2000,)]


def test_another_seed_comes_on_top(filled):
    """Ids go on where the sequences are; nothing collides."""
    bulk.fill(filled, 500, seed=8, now=NOW)
    assert query(filled, "select count(*), max(id) from hl7.messages") == [(2500, 2500)]


def test_a_row_can_be_inserted_after_a_fill(filled):
    """The sequences were moved on."""
    ((number,),) = query(
        filled, "insert into hl7.patients (identifier) values ('after') returning id"
    )
    assert number == 102


def test_batches_hold_every_message_once():
    """Numbers run on from hour to hour and from batch to batch."""
    found = list(bulk.batches(300_000, NOW - timedelta(days=90), NOW, seed=7))
    numbers = [
        (first, first + count)
        for batch in found
        for first, count in zip(batch.firsts, batch.counts, strict=True)
    ]
    assert len(found) == 6
    assert numbers[0][0] == 0
    assert numbers[-1][1] == 300_000
    assert all(before[1] == after[0] for before, after in itertools.pairwise(numbers))


def test_no_messages_make_no_batch_with_rows():
    """A fill of nothing is nothing."""
    found = list(bulk.batches(0, NOW - timedelta(days=1), NOW, seed=7))
    assert [sum(batch.counts) for batch in found] == [0]
