"""Time stamps of HL7: every precision, every zone, and days that never were."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.hl7.parser.times import day, moment


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("202611", datetime(2026, 11, 1, tzinfo=UTC)),
        ("20261123", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026112314", datetime(2026, 11, 23, 14, tzinfo=UTC)),
        ("202611231405", datetime(2026, 11, 23, 14, 5, tzinfo=UTC)),
        ("20261123140506", datetime(2026, 11, 23, 14, 5, 6, tzinfo=UTC)),
        ("20261123140506.7", datetime(2026, 11, 23, 14, 5, 6, 700000, tzinfo=UTC)),
        ("20261123140506.1234", datetime(2026, 11, 23, 14, 5, 6, 123400, tzinfo=UTC)),
        ("20261123140506.12345678", datetime(2026, 11, 23, 14, 5, 6, 123456, tzinfo=UTC)),
        ("20261123140506-0500", datetime(2026, 11, 23, 19, 5, 6, tzinfo=UTC)),
        ("202611231405+0530", datetime(2026, 11, 23, 8, 35, tzinfo=UTC)),
        ("20240229", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_a_stamp_is_a_moment_in_utc(text, meant):
    """A part that is left out counts as its lowest."""
    assert moment(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "202",
        "20261",
        "20261301",
        "20260229",
        "20261131",
        "2026112325",
        "202611231460",
        "20261123140560",
        "2026-11-23",
        "20261123 1405",
        "20261123140506Z",
        "20261123140506+2500",
        "20261123140506+05",
        "00000000",
        "00010101000000+1400",
        "99991231235959-1400",
        "tomorrow",
    ],
)
def test_what_names_no_moment_is_none(text):
    """It is never an exception, and never another day."""
    assert moment(text) is None


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)))  # noqa: DTZ001
def test_every_moment_is_read_as_it_was_written(at):
    """To the microsecond."""
    at = at.replace(tzinfo=UTC)
    text = f"{at.year:04}{at:%m%d%H%M%S}.{at.microsecond:06}"
    assert moment(text) == at
    assert moment(f"{text}+0200") == at - timedelta(hours=2)


@given(st.text(max_size=30))
def test_nothing_raises(text):
    """Whatever a field holds."""
    moment(text)


def test_a_day_is_the_one_that_was_written():
    """A birth date does not move with a zone."""
    assert day("19800203233000-0800") == date(1980, 2, 3)
    assert day("1980") == date(1980, 1, 1)
    assert day("19801303") is None
