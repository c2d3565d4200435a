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
    """A mark of the byte order and empty lines do not matter."""
    text = f"{name},value\n2026-01-05 00:00:00,3\n\n2026-01-06,4\n"
    series = read(written(text.encode("utf-8-sig")))
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
        ("", "other columns"),
        ("timestamp,count\n2026-01-05,1\n", "other columns"),
        ("timestamp,value\n", "no observations"),
        ("timestamp,value\nMiller,1\n", "line 2 .* seen: no time"),
        ("timestamp,value\n2026-01-05,1\n2026-01-06,Miller\n", "line 3 .* no finite number"),
        ("timestamp,value\n2026-01-05,nan\n", "line 2 .* no finite number"),
        ("timestamp,value\n2026-01-05,\n", "line 2 .* no finite number"),
        ("timestamp,value\n2026-01-05,1,Miller\n", "line 2 .* 3 cells"),
        ("timestamp,value\n2026-01-05,1\n2026-01-04,1\n", "line 3 .* before the line above"),
        ("timestamp,value\n2026-01-05,1\n2026-01-06T00:00Z,1\n", "line 3 .* kind of time"),
        (b"timestamp,value\n2026-01-05,\xff\n", "UnicodeDecodeError"),
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
        with pytest.raises(Refused, match="cannot be read"):
            read(path)
