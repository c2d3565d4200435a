"""Targets: read strictly, with the readings that a doubtful one could have."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.control.errors import Refused
from tasks.recovery.planning.target import Target, parse


BERLIN = ZoneInfo("Europe/Berlin")

AT = datetime(2026, 11, 24, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T02:00:00Z",
        "2026-11-24 02:00:00+00",
        "2026-11-24T03:00:00+01:00",
        "2026-11-24 03:00 Europe/Berlin",
        "2026-11-24 02:00 UTC",
        "2026-11-23 21:00:00 America/New_York",
        "2026-11-24 07:45:00 Asia/Kathmandu",
        "2026-11-24 02:00:00.000000 UTC",
    ],
)
def test_a_time_is_the_same_instant_in_every_zone(text):
    """What is compared is UTC, whatever zone it was said in."""
    assert parse(text) == Target("time", "2026-11-24 02:00:00.000000+00", AT)


def test_f9_a_time_without_a_zone_is_refused_with_its_readings():
    """F9: it would be interpreted in the zone of some server."""
    with pytest.raises(Refused, match=r"needs its zone") as refused:
        parse("2026-11-24 03:00:00", BERLIN)
    assert "2026-11-24 03:00:00+00:00 or 2026-11-24 03:00:00+01:00" in _either_way(refused)


def _either_way(refused):
    said = str(refused.value)
    one, other = "2026-11-24 03:00:00+01:00", "2026-11-24 03:00:00+00:00"
    return said.replace(f"{one} or {other}", f"{other} or {one}")


def test_where_the_machine_is_in_utc_there_is_one_reading():
    """Nothing else can have been meant by its clock."""
    with pytest.raises(Refused, match=r"expected: 2026-11-24 03:00:00\+00:00;"):
        parse("2026-11-24 03:00:00")


def test_a_time_that_a_clock_shows_twice_is_refused_with_both():
    """The hour in which summer time ends: F9, and scenario 11 of those that were replayed."""
    with pytest.raises(Refused, match=r"twice") as refused:
        parse("2026-10-25 02:30 Europe/Berlin")
    assert "2026-10-25 02:30:00+02:00 or 2026-10-25 02:30:00+01:00" in str(refused.value)
    assert parse("2026-10-25 02:30+02:00").at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert parse("2026-10-25 02:30+01:00").at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_time_that_a_clock_never_shows_is_refused():
    """The hour that summer time leaves out."""
    with pytest.raises(Refused, match="never"):
        parse("2026-03-29 02:30 Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("latest", "latest", ""),
        ("immediate", "immediate", ""),
        ("lsn:0/5000060", "lsn", "0/5000060"),
        ("lsn:1A/f", "lsn", "1A/F"),
        ("xid:1234", "xid", "1234"),
        ("name:before the upgrade", "name", "before the upgrade"),
        ("full-20261124T020000Z", "backup", "full-20261124T020000Z"),
    ],
)
def test_other_targets_are_read(text, kind, value):
    """Each kind has its form."""
    assert parse(f" {text} ") == Target(kind, value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "lsn:",
        "lsn:5000060",
        "lsn:0/123456789",
        "xid:-1",
        "xid:2",
        "xid:12a",
        "name:",
        f"name:{'x' * 64}",
        "name:a\nb",
        "2026-13-01T00:00:00Z",
        "2026-11-24T25:00:00Z",
        "2026-11-24 03:00+01:00 Europe/Berlin",
        "2026-11-24 03:00 Europe/Berlim",
        "full-2026",
        "full-20261124T020000Z; drop",
    ],
)
def test_what_is_no_target_is_refused_with_the_forms(text):
    """The text is quoted, and what could be said instead is listed."""
    with pytest.raises(Refused, match="latest, immediate, a time with its zone"):
        parse(text)


def test_nothing_can_be_left_out_of_all():
    """`latest` and `immediate` have no exclusive form."""
    for text in ("latest", "immediate"):
        with pytest.raises(Refused, match="nothing that could be left out"):
            parse(text, inclusive=False)


def test_a_target_is_told_in_a_few_words():
    """As plans, reports and errors name it."""
    said = [parse(text, inclusive=False) for text in ("xid:7", "2026-11-24T02:00:00Z")]
    assert [str(each) for each in said] == [
        "just before xid 7",
        "just before 2026-11-24 02:00:00.000000+00",
    ]
    assert str(parse("latest")) == "latest"


@given(st.integers(0, 2_000_000_000), st.integers(0, 999_999), st.integers(-14 * 60, 14 * 60))
def test_no_offset_changes_the_instant(seconds, micros, minutes):
    """A property over two thirds of a century, all offsets, to the microsecond."""
    at = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=micros)
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    local = (at + timedelta(minutes=minutes)).replace(tzinfo=None)
    assert parse(f"{local.isoformat()}{offset}").at == at
