"""The report of a look at whole repositories: the verdict first, then each thing that is wrong."""

from datetime import UTC, datetime

from reports.repository import MOST, Look, report
from tasks.repository.findings import Inspection


BEGUN = datetime(2026, 11, 23, 5, 15, tzinfo=UTC)


def look(*, is_quick=True, **found):
    """Return a look at some repositories."""
    return Look("main", BEGUN, is_quick=is_quick, found=found)


def inspection(*damage, notes=()):
    """Return what was found in a repository of three backups."""
    found = Inspection(backups=3, objects=9, segments=40, bytes=1_500_000)
    for said in damage:
        found.bad("full-20261123T020000Z", said)
    for said in notes:
        found.note("full-20261123T020000Z", said)
    return found


def test_what_is_sound_says_so_and_how_it_was_looked_at():
    """A quick look is never taken for a whole one."""
    page = report(look(local=inspection(), s3=inspection()))
    assert page.startswith("# SOUND: 6 backups in local and s3\n")
    assert "names and sizes, no data" in page
    assert "| local | 3 | 9 | 40 | 1.5 MB | 0 |" in page
    assert "every stored byte" in report(look(local=inspection(), is_quick=False))


def test_damage_is_told_first_and_named():
    """In whichever repository it is."""
    page = report(look(local=inspection(), s3=inspection("an object is missing", "is forged")))
    assert page.startswith("# DAMAGED: 2 findings in s3\n")
    assert "## Damage in s3" in page
    assert "| full-20261123T020000Z | an object is missing |" in page


def test_a_repository_that_does_not_answer_is_no_sound_one():
    """What was found in the other is shown."""
    seen = look(local=inspection())
    seen.error = "the bucket cannot be reached"
    page = report(seen)
    assert page.startswith("# ERROR: not every repository could be looked at\n")
    assert "> the bucket cannot be reached" in page
    assert "| local |" in page


def test_nothing_looked_at_is_no_verdict():
    """An interrupted run has found nothing."""
    assert report(look()).startswith("# ERROR")


def test_of_many_findings_the_first_are_listed():
    """A page stays readable; it says where the rest stands."""
    page = report(look(local=inspection(*[f"finding {n}" for n in range(MOST + 5)])))
    assert f"finding {MOST - 1} " in page
    assert f"finding {MOST} " not in page
    assert "5 more: `hl7ops repository check --repository local`" in page


def test_notes_are_folded_away():
    """They are no damage."""
    page = report(look(local=inspection(notes=["is being taken"])))
    assert page.startswith("# SOUND")
    assert "<details><summary>1 note on local</summary>" in page
