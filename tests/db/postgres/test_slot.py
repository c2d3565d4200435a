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
    found = slot.find(stanza)
    assert (made.name, made.restart_lsn) == (found.name, found.restart_lsn)
    assert found.held_bytes >= 0
    assert (found.keep_bytes, found.safe_bytes > 0) == (8 << 30, True)
    assert slot.advice(found) is None
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


GIB = 1 << 30


@pytest.mark.parametrize(
    ("status", "safe", "keep", "said"),
    [
        ("reserved", 7 * GIB, 8 * GIB, None),
        ("reserved", 2 * GIB, 8 * GIB, None),
        ("reserved", GIB, 8 * GIB, "holds back 512 MiB of WAL, and after 1,024 MiB more it loses"),
        ("reserved", None, None, "up to a full disk: set max_slot_wal_keep_size"),
        ("extended", None, None, "up to a full disk: set max_slot_wal_keep_size"),
        ("extended", 7 * GIB, 8 * GIB, "512 MiB of WAL, more than max_wal_size"),
        (
            "unreserved",
            7 * GIB,
            8 * GIB,
            "about to lose it: pull now; raise max_slot_wal_keep_size",
        ),
        ("lost", None, 8 * GIB, "has lost WAL: hl7ops backup full begins anew"),
    ],
)
def test_what_to_change_is_said_in_a_sentence_before_it_is_too_late(status, safe, keep, said):
    """What was seen and the setting; nothing where all is well."""
    found = slot.advice(Slot("hl7ops_x", "0/1", status, safe, 512 << 20, keep))
    assert (found is None) if said is None else (said in found and "slot hl7ops_x" in found)
    assert slot.advice(None) is None


def test_a_slot_without_a_bound_is_found_as_such(stanza):
    """As PostgreSQL is installed."""
    slot.create(stanza)
    with stanza.connect() as connection:
        connection.execute("alter system set max_slot_wal_keep_size = -1")
        connection.execute("select pg_reload_conf()")
    try:
        while (found := slot.find(stanza)).keep_bytes is not None:
            pass
        assert found.safe_bytes is None
        assert "set max_slot_wal_keep_size to a bound" in slot.advice(found)
    finally:
        with stanza.connect() as connection:
            connection.execute("alter system set max_slot_wal_keep_size = '8GB'")
            connection.execute("select pg_reload_conf()")


def test_the_segments_that_the_server_has_are_listed(stanza):
    """The one that is written among them."""
    with stanza.connect() as connection:
        connection.execute("select pg_logical_emit_message(true, 'test', 'something')")
    assert slot.written(stanza, switch=False).segment.name in slot.present(stanza)


def test_a_switch_begins_a_new_segment(stanza):
    """Where something was written, and only then."""
    before = slot.written(stanza, switch=False)
    with stanza.connect() as connection:
        connection.execute("select pg_logical_emit_message(false, 'test', 'something')")
    after = slot.written(stanza, switch=True)
    assert after.segment.number == before.segment.number + 1
    assert after.position == after.segment.start
    assert slot.written(stanza, switch=True).segment == after.segment
