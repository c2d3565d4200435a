"""The ingest runbook under a real Prefect API."""

import pytest

from flows.ingest import ingest
from tasks.control.errors import Refused


GOOD = "MSH|^~\\&|ADT|HOSP|HUB|HOSP|20261120080000||ADT^A01|{}|P|2.5\rPID|1||77||Doe^Jane\r"

BAD = "MSH|^~\\&|LAB\r"


@pytest.fixture
def folder(tmp_path):
    """Write a directory with two messages, one of them twice, and one that is none."""
    (tmp_path / "a.hl7").write_text(GOOD.format(1) + GOOD.format(2), newline="")
    (tmp_path / "b.hl7").write_text(GOOD.format(2) + BAD, newline="")
    return tmp_path


def test_what_was_offered_is_accounted_for_in_the_report(platform, page, folder):
    """The verdict is the first line; the reasons follow, and no patient does."""
    assert ingest(paths=[str(folder)]) == 2
    text = page("ingest-report-main")
    assert text.splitlines()[0] == "# ACCOUNTED FOR: 4 offered, 1 quarantined"
    assert "| duplicates | 1 |" in text
    assert "| ADT^A01 | 2 |" in text
    assert "| truncated_header | 1 |" in text
    assert "Doe" not in text


def test_a_path_that_is_not_there_is_reported_as_not_loaded(platform, page):
    """The run fails, and its report says why."""
    with pytest.raises(Refused, match="no such file"):
        ingest(paths=["nowhere"])
    text = page("ingest-report-main")
    assert text.splitlines()[0] == "# NOT LOADED into main"
    assert "no such file or directory; seen: nowhere" in text


def test_an_unknown_connection_is_reported_as_not_loaded(platform, page, folder):
    """Those that are known are told."""
    with pytest.raises(Refused, match="does not know this connection"):
        ingest(paths=[str(folder)], connection="nobody")
    assert "does not know this connection; seen: nobody" in page("ingest-report-main")
