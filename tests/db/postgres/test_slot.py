"""The slot that keeps WAL: made, found, moved on, and lost."""

from dataclasses import replace

import pytest

from tasks.postgres import lsn, slot
from tasks.postgres.slot import Slot


@pytest.fixture
def stanza(cluster_server):
    """Use a stanza of its own, and drop its slot afterwards."""
    server = replace(cluster_server, stanza="slot-test")
    yield server
    with server.connect() as connection:
        connection.execute(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots"
            " where slot_name = 'hl7ops_slot_test'"
        )


def test_a_slot_is_named_as_postgresql_allows():
    """No hyphens."""
    assert slot.name_for("north-2") == "hl7ops_north_2"


def test_a_slot_that_was_made_is_found_and_keeps_wal(stanza):
    """From its creation on."""
    assert slot.find(stanza) is None
    made = slot.create(stanza)
    assert made == slot.find(stanza)
    assert made.name == "hl7ops_slot_test"
    assert made.wal_status == "reserved"
    assert not made.is_lost


def test_a_slot_moves_on_and_never_back(stanza):
    """What is archived may be removed by the server."""
    begin = lsn.parse(slot.create(stanza).restart_lsn)
    at = slot.written(stanza, switch=True)
    slot.advance(stanza, at.position)
    assert lsn.parse(slot.find(stanza).restart_lsn) == at.position
    slot.advance(stanza, begin)
    assert lsn.parse(slot.find(stanza).restart_lsn) == at.position


@pytest.mark.parametrize(
    ("position", "status", "is_lost"),
    [
        ("0/1", "reserved", False),
        ("0/1", "extended", False),
        ("0/1", "lost", True),
        ("0/1", "unreserved", False),
        (None, "lost", True),
        (None, None, True),
    ],
)
def test_a_slot_whose_wal_is_gone_is_lost(position, status, is_lost):
    """As the server says."""
    assert Slot("hl7ops_x", position, status).is_lost == is_lost


def test_a_switch_begins_a_new_segment(stanza):
    """Where something was written, and only then."""
    before = slot.written(stanza, switch=False)
    with stanza.connect() as connection:
        connection.execute("select pg_logical_emit_message(false, 'test', 'something')")
    after = slot.written(stanza, switch=True)
    assert after.segment.number == before.segment.number + 1
    assert after.position == after.segment.start
    assert slot.written(stanza, switch=True).segment == after.segment
