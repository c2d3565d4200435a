"""Observations from a CSV file."""

import math
from datetime import datetime

import pytest

from tasks.analytics.observations import read
from tasks.control.errors import Refused


@pytest.fixture
def file(tmp_path):
    """Return what writes a file and gives its path."""

    def written(text):
        path = tmp_path / "series.csv"
        path.write_bytes(text.encode())
        return path

    return written


def test_lines_in_any_order_come_in_the_order_of_time(file):
    """The line of each is kept, for whoever has to correct it."""
    found = read(file("date,value\n2026-11-02,5\n2026-11-01,4.5\n")).found
    assert [(each.line, each.at, each.value) for each in found] == [
        (3, datetime.fromisoformat("2026-11-01"), 4.5),
        (2, datetime.fromisoformat("2026-11-02"), 5.0),
    ]


def test_an_empty_value_is_missing_and_not_zero(file):
    """So is `nan`, as pandas writes it."""
    found = read(file("date,value\n2026-11-01,\n2026-11-02,nan\n2026-11-03,0\n")).found
    assert [math.isnan(each.value) for each in found] == [True, True, False]


def test_a_byte_order_mark_carriage_returns_and_blank_lines_do_no_harm(file):
    """Spreadsheets write them."""
    found = read(file("\ufeffDate, Value\r\n2026-11-01,4\r\n\r\n")).found
    assert [each.value for each in found] == [4.0]


def test_a_month_is_its_first_day_and_an_offset_stays_local(file):
    """A day is the day of whoever wrote the file."""
    assert read(file("date,value\n2026-11,4\n")).found[0].at == datetime.fromisoformat("2026-11-01")
    made = read(file("timestamp,value\n2026-11-01T23:00:00+05:00,4\n"))
    assert (made.kind, made.found[0].at) == (
        "timestamp",
        datetime.fromisoformat("2026-11-01 23:00"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "other columns"),
        ("date,value\n", "no observations"),
        ("date,value,ward\n2026-11-01,4,A\n", "other columns"),
        ("day,count\n2026-11-01,4\n", "date, timestamp or value missing"),
        ("date,value\n2026-11-01,4\n2026-13-45,SECRET\n", "line 3"),
        ("date,value\n2026-11-01,SECRET\n", "line 2"),
        ("date,value\n2026-11-01,inf\n", "line 2"),
        ("date,value\n2026-11-01,4,SECRET\n", "line 2"),
        ("date,value\n2026-11-01,4\n2026-11-01,5\n", "lines 2 and 3"),
        ("date,value\n2026-11-01T05:00:00+01:00,4\n2026-11-01T05:00:00Z,5\n", "lines 2 and 3"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_but_not_repeated(file, text, said):
    """What stands in a line may be a patient's."""
    with pytest.raises(Refused, match=said) as raised:
        read(file(text))
    assert "SECRET" not in str(raised.value)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    """In words, and without a traceback."""
    with pytest.raises(Refused, match="cannot be read"):
        read(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"date,value\n\xff\xfe")
    with pytest.raises(Refused, match="UTF-8"):
        read(tmp_path / "bytes.csv")
