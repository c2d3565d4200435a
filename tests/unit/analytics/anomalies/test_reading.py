"""Files of series: what is read, and what is refused by its line."""

# ruff: noqa: DTZ001 - series come without a time zone

from datetime import datetime

import pytest

from tasks.analytics.anomalies.reading import read
from tasks.control.errors import Refused


@pytest.fixture
def written(tmp_path):
    """Return what writes a file."""

    def write(text):
        path = tmp_path / "series.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize("name", ["timestamp", "date", "Timestamp"])
def test_either_column_names_the_time(written, name):
    """In any order, beside others."""
    series = read(written(f"﻿value,{name},more\n3,2026-01-05 00:00:00,x\n\n4,2026-01-06,y\n"))
    assert series.values == [3, 4]
    assert series.spelled[datetime(2026, 1, 5)] == "2026-01-05 00:00:00"
    assert series.spelled[datetime(2026, 1, 6)] == "2026-01-06"


def test_equal_timestamps_and_the_end_of_summer_time_are_taken(written):
    """Clocks do that."""
    rows = ["2026-10-25 02:59:00", "2026-10-25 02:59:00", "2026-10-25 02:00:00"]
    assert len(read(written("timestamp,value\n" + "".join(f"{r},1\n" for r in rows))).values) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1"),
        ("timestamp,count\n2026-01-05,1\n", "line 1"),
        ("timestamp,value\n", "no observation"),
        ("timestamp,value\nMiller,1\n", "line 2 has no timestamp"),
        ("timestamp,value\n2026-01-05,1\n2026-01-06,Miller\n", "line 3 has no number"),
        ("timestamp,value\n2026-01-05,nan\n", "line 2 has no number"),
        ("timestamp,value\n2026-01-05,\n", "line 2 has no number"),
        ("timestamp,value\n2026-01-05,1,Miller\n", "line 2 is of another shape"),
        ("timestamp,value\n2026-01-05,1\n2026-01-04,1\n", "line 3 lies before"),
        ("timestamp,value\n2026-01-05,1\n2026-01-06T00:00Z,1\n", "line 3 differs in time zone"),
        (b"timestamp,value\n2026-01-05,\xff\n", "no CSV in UTF-8"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_line(written, text, said):
    """The line is named, and what stands in it is not repeated."""
    with pytest.raises(Refused, match=said) as refused:
        read(written(text))
    assert "Miller" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    """As is a directory."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(Refused, match="cannot read the file"):
            read(path)
