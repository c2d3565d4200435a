"""The plan of a recovery: every command can be typed as it stands, and gaps come first."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from typer.main import get_command

from flows.__main__ import app
from reports.recovery_plan import gaps, report
from tasks.recovery.bearings import Bearings, Source
from tests.unit.reports.stood import NOW, standing


WINDOW = standing().window

LOCAL = Source("local", "/srv/backup", [("BACKUP_DIR", "/srv/backup")], WINDOW, None)

BUCKET = Source(
    "s3",
    "s3://far/hl7 at https://s3.example",
    [("S3_BUCKET", "far"), ("S3_PREFIX", "hl7"), ("S3_ENDPOINT_URL", "https://s3.example")],
    WINDOW,
    "snapshot-20261122T060000Z",
)


def bearings(**more):
    """Return bearings of a stanza whose losses are all covered."""
    known = {
        "stanza": "main",
        "now": NOW,
        "server": "host=db.example port=5432 user=hl7 dbname=hl7",
        "database": "hl7",
        "home": Path("/srv/hl7ops"),
        "programs": Path("/usr/lib/postgresql/18/bin"),
        "commands": Path("/opt/hl7ops/.venv/bin"),
        "keys": Path("/srv/hl7ops/keys"),
        "identity": Path("/srv/identity.txt"),
        "is_encrypted": True,
        "sources": [LOCAL, BUCKET],
        "standing": standing(),
        "prefect": "http://127.0.0.1:4200",
    } | more
    return Bearings(**known)


def commands(page):
    """Return the command lines of a page."""
    blocks = re.findall(r"```bash\n(.+?)\n +```", page, re.DOTALL)
    lines = (line.strip() for block in blocks for line in block.splitlines())
    return [part.strip() for line in lines for part in line.split("&&")]


def ours(page):
    """Return those that are of this project, as words."""
    return [shlex.split(each)[1:] for each in commands(page) if each.startswith("hl7ops ")]


def is_known(words):
    """Tell whether the command line takes some words."""
    command = get_command(app)
    while (below := getattr(command, "commands", None)) is not None:
        if not words or words[0] not in below:
            return False
        command, words = below[words[0]], words[1:]
    try:
        command.make_context("hl7ops", list(words))
    except Exception:  # noqa: BLE001 - whatever it does not take
        return False
    return True


@pytest.mark.parametrize("sources", [[LOCAL], [BUCKET], [LOCAL, BUCKET]])
def test_every_command_can_be_typed_as_it_stands(sources):
    """Verbs, options and arguments exist."""
    words = ours(report(bearings(sources=sources)))
    assert len(words) > 10
    assert [each for each in words if not is_known(each)] == []


@pytest.mark.parametrize(
    "words", [["restore-all"], ["restore", "--fast"], ["wal"], ["verify", "a", "b"]]
)
def test_a_command_that_there_is_not_would_be_found(words):
    """Or the test above could not fail."""
    assert not is_known(words)


def test_every_loss_has_its_part_with_places_and_times():
    """What was lost, how long it takes, and where everything is."""
    page = report(bearings())
    assert page.startswith("# RECOVERY PLAN: stanza main, every loss is covered\n")
    for title in (
        "A table, or a database, is lost or spoiled",
        "The primary is lost",
        "The region is lost: the server and all beside it",
        "A repository is lost",
        "Prefect is lost",
        "Where everything is",
    ):
        assert f"\n## {title}\n" in page
    assert "| the whole cluster | 1 min 40 s (p95 1 min 40 s) | 30 s (p95 30 s) |" in page
    assert "export S3_BUCKET=far" in page
    assert (
        "snapshot restore snapshot-20261122T060000Z --table hl7.SCHEMA.TABLE --repository s3"
        in page
    )
    assert "last rehearsed 2026-11-21" in page


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"sources": [LOCAL]}, "no second repository"),
        ({"sources": [replace(LOCAL, window=None)]}, "nothing can be restored"),
        ({"sources": [LOCAL, replace(BUCKET, window=None, problem="gone")]}, "repository s3: gone"),
        ({"identity": None}, "no identity here"),
        ({"standing": None}, "no drill has shown"),
        ({"standing": standing(days=())}, "no drill has shown"),
        ({"standing": standing(noticed=False)}, "no drill has shown"),
    ],
)
def test_a_loss_that_nothing_covers_stands_in_the_first_line(more, said):
    """And its part says so, too."""
    known = bearings(**more)
    assert any(said in each for each in gaps(known))
    assert said in report(known).partition("\n")[0]
    has_times = bool(known.standing and known.standing.drills)
    assert ("| the whole cluster | not known |" in report(known)) is not has_times
    assert report(known).startswith("# RECOVERY PLAN WITH GAPS: ")


def test_without_a_bucket_the_region_is_not_covered():
    """It says what to do about that."""
    page = report(bearings(sources=[LOCAL]))
    part = page.partition("## The region is lost")[2].partition("\n## ")[0]
    assert "**Not covered.**" in part
    assert commands(part) == []
