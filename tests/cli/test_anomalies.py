"""The verb `anomalies` over a file of a series."""

from datetime import datetime, timedelta

import pytest


@pytest.fixture
def series(tmp_path):
    """Return a file of a constant with one spike."""
    rows = [
        (datetime(2026, 1, 5) + number * timedelta(minutes=5), 45.5)  # noqa: DTZ001 - as files are
        for number in range(2000)
    ]
    rows[1500] = (rows[1500][0], 900.5)
    path = tmp_path / "series.csv"
    path.write_text("timestamp,value\n" + "".join(f"{at},{value}\n" for at, value in rows))
    return path


def test_episodes_are_told_in_the_spelling_of_the_file(hl7ops, series):
    """With the rule, and what it costs."""
    told = hl7ops.json("anomalies", str(series))
    (episode,) = told["episodes"]
    assert episode["start"] == "2026-01-10 05:00:00"
    assert episode["severity"] == "high"
    assert episode["score"] > 3
    assert {"end", "peak"} < set(episode)
    assert told["points"] == 2000
    assert {"method", "baseline", "expected_false_alarms"} < set(told)


def test_people_read_the_episodes_and_the_rule(hl7ops, series):
    """Without `--json` it is a table."""
    said = hl7ops("anomalies", str(series)).stdout
    assert "1 episodes in 2,000 buckets" in said
    assert "residual / scale" in said


def test_a_file_that_cannot_be_used_is_refused_by_its_line(hl7ops, series):
    """Exit code 3, and nothing of the line."""
    series.write_text("timestamp,value\n2026-01-05,Miller\n")
    done = hl7ops("anomalies", str(series), "--json")
    assert done.returncode == 3
    assert "line 2" in done.stderr
    assert "Miller" not in done.stderr


@pytest.mark.parametrize("verb", ["anomalies", "forecast"])
def test_what_a_file_does_not_have_is_not_passed_over(hl7ops, series, verb):
    """No page, and no moment; exit code 3, and nothing is written."""
    page = series.with_name("page.html")
    done = hl7ops(verb, str(series), "--html", str(page), "--as-of", "2026-01-05")
    assert done.returncode == 3
    assert "--as-of or --html with a file" in done.stderr
    assert not page.exists()
