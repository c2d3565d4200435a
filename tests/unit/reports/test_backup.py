"""The report of the backup chain: its first line is the verdict, whatever happened."""

from dataclasses import replace
from datetime import UTC, datetime

from reports.backup import Chain, report
from tasks.backup.retention import Cleaned, Decision, Plan
from tasks.control.proof_pool import HandedOver
from tasks.postgres.lsn import Segment
from tasks.repository.coverage import Interval, intervals
from tasks.repository.cycle import Cycle
from tasks.repository.model import BackupId
from tasks.repository.proof import SHARE, Check


BEGUN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)

FAILED = Check("contents", "row counts: the copy equals the seal", "fail", "hl7.hl7.patients")

BROKEN = Check("structure", "tables and indexes are sound", "error", "pg_amcheck failed")


def lines(*parts, **known):
    """Return the lines of the page of a chain."""
    return report(Chain("main", BEGUN, *parts, **known)).splitlines()


def first(*parts, **known):
    """Return the verdict and the sentence below it."""
    said = lines(*parts, **known)
    return said[0], said[2]


def test_a_proven_backup_is_said_to_be_proven(backup, prove):
    """Every tier has a check, and every check passed."""
    assert first(backup, prove()) == (
        "# PROVEN: full-20261123T020000Z",
        "It was restored, and what was restored equals its seal.",
    )


def test_a_copy_that_differs_is_not_proven(backup, prove):
    """A failed check is named in the sentence below the verdict."""
    assert first(backup, prove(FAILED)) == (
        "# NOT PROVEN: full-20261123T020000Z",
        "What did not pass: row counts: the copy equals the seal.",
    )


def test_a_check_that_could_not_run_is_no_proof(backup, prove):
    """An error is told apart from a copy that differs."""
    assert first(backup, prove(BROKEN)) == (
        "# COULD NOT BE PROVEN: full-20261123T020000Z",
        "What did not pass: tables and indexes are sound.",
    )


def test_a_tier_without_a_check_is_no_proof(backup, prove):
    """Where nothing failed, but not everything was looked at, that is what is said."""
    assert first(backup, prove(Check("objects", "every object", "pass"))) == (
        "# COULD NOT BE PROVEN: full-20261123T020000Z",
        "What did not pass: checks are missing.",
    )


def test_a_backup_that_was_not_verified_is_only_taken(backup):
    """Nobody knows whether it restores, and the report says that."""
    assert first(backup) == (
        "# TAKEN, NOT PROVEN: full-20261123T020000Z",
        "It was taken, but not verified: nobody knows whether it restores.",
    )


def test_a_chain_that_broke_off_before_the_backup_says_there_is_none():
    """The stanza stands where the backup's name would, and the error below."""
    said = lines(error="stanza main: the server cannot be reached")
    assert said[0] == "# NO BACKUP: stanza main"
    assert said[2] == "There is no new backup."
    assert said[4] == "> stanza main: the server cannot be reached"


def test_a_cleanup_that_failed_stands_in_the_verdict(backup, prove):
    """The backup is proven all the same, but the run did not do all it should."""
    said = lines(backup, prove(), error="stanza main: cleanup is in use")
    assert said[0] == "# PROVEN, BUT NOT COPIED AND CLEANED UP: full-20261123T020000Z"
    assert "> stanza main: cleanup is in use" in said


def test_the_facts_of_the_backup_stand_in_a_table(backup, prove):
    """Size, time and seal can be read without opening anything else."""
    said = lines(backup, prove())
    for line in (
        "| Stanza | main |",
        "| Taken | 2026-11-23 02:00:00 UTC, in 1 min 15 s |",
        "| Size | 52.0 MB, stored as 9.4 MB |",
        "| Sealed | 2 tables, 1,234 rows (locked, writers kept out for 4 ms) |",
        "| Restore point | `full-20261123T020000Z-locked-1` at 0/5000110 |",
        "| Restored and checked | in 3.5 s |",
    ):
        assert line in said


def test_what_took_how_long_is_told_in_words_too(backup, prove):
    """The image of the timeline has its numbers as its text."""
    told = next(line for line in lines(backup, prove()) if line.startswith("!["))
    assert told.startswith(
        "![reserve WAL 0.3 s, copy 4.0 s, objects 1.0 s, boot 2.5 s](data:image/svg+xml;base64,"
    )


def test_the_checks_are_counted_by_tier(backup, prove):
    """Every tier has a row, also one that was never reached."""
    passed = Check("objects", "every object", "pass", "2 objects")
    said = lines(backup, prove(passed, BROKEN))
    begin = said.index("| tier | outcome | what |")
    assert said[begin + 2 : begin + 7] == [
        "| objects | pass | 1 check |",
        "| manifest | not run | - |",
        "| boot | not run | - |",
        "| structure | ERROR | tables and indexes are sound: pg_amcheck failed |",
        "| contents | not run | - |",
    ]


def test_a_failed_tier_names_what_it_found(backup, prove):
    """The table of tiers holds the names of the objects, and every check stands in the fold."""
    said = lines(backup, prove(FAILED))
    assert ("| contents | FAIL | row counts: the copy equals the seal: hl7.hl7.patients |") in said
    assert "<details><summary>All 1 checks</summary>" in said
    assert "| contents | row counts: the copy equals the seal | fail | hl7.hl7.patients |" in said


def test_a_tier_with_an_error_and_a_failure_has_failed_and_tells_both(backup, prove):
    """What could not run does not hide what failed beside it, nor soften the verdict."""
    said = lines(backup, prove(FAILED, Check("contents", "rule", "error", "could not run")))
    assert (
        "| contents | FAIL | row counts: the copy equals the seal: hl7.hl7.patients;"
        " rule: could not run |"
    ) in said


def test_retention_gives_a_reason_for_each_backup(backup, prove):
    """What is kept and what went, why, and when the next one leaves."""
    decisions = [
        Decision(BackupId("full-20261001T020000Z"), keep=False, reason="older than 30 days"),
        Decision(
            BackupId("full-20261123T020000Z"),
            keep=True,
            reason="younger than 30 days; the newest proven one",
            expires_at=datetime(2026, 12, 23, 2, 1, 15, tzinfo=UTC),
        ),
    ]
    cleaned = Cleaned(Plan(decisions), 12, [], 3_200_000, is_dry_run=False)
    said = lines(backup, prove(), cleaned)
    assert "| full-20261001T020000Z | removed | older than 30 days | - |" in said
    assert (
        "| full-20261123T020000Z | keep | younger than 30 days; the newest proven one"
        " | 2026-12-23 02:01:15 UTC |"
    ) in said
    assert (
        "1 backup, 12 WAL segments and 0 leftovers removed, 3.2 MB freed."
        " The next expiry is on 2026-12-23 02:01:15 UTC."
    ) in said


def test_a_gap_in_the_wal_is_said(backup, prove):
    """Two intervals are two rows, and between them no point can be reached."""
    wal = intervals([Segment(1, number) for number in (3, 4, 5, 9)])
    said = lines(backup, prove(), wal=wal)
    assert "| 1 | 000000010000000000000003 | 000000010000000000000005 | 3 | - |" in said
    assert (
        "| 1 | 000000010000000000000009 | 000000010000000000000009 | 1"
        " | gap: 000000010000000000000006 to 000000010000000000000008, 3 segments missing |"
    ) in said
    assert "**1 gap**: no point in a gap can be reached." in said


def test_what_to_change_of_the_slot_is_said_under_the_coverage(backup, prove):
    """Before the disk fills up, or WAL is lost."""
    chain = Chain("main", backup.started_at, backup, prove(), wal_advice="slot x holds back WAL")
    said = report(chain)
    assert "> slot x holds back WAL" in said.partition("## WAL coverage")[2]


def test_wal_without_a_gap_is_said_to_be_whole(backup, prove):
    """One interval is the whole of it."""
    said = lines(backup, prove(), wal=[Interval(Segment(1, 3), Segment(1, 5))])
    assert not any("gap**" in line for line in said)
    assert any(line.startswith("No gap: every point") for line in said)


def test_a_proof_that_another_machine_makes_is_told_with_its_run(backup):
    """Nothing is proven yet; where to look is named."""
    handed = HandedOver("proofs", "brave-lynx", "0b5c")
    verdict, said = first(backup, handed_over=handed)
    assert verdict == "# TAKEN, TO BE PROVEN: full-20261123T020000Z"
    assert said.startswith("Its proof is made by run *brave-lynx* on work pool *proofs*; ")
    assert said.endswith(" in the report `verify-report-main`.")


def test_a_share_that_is_due_is_told_apart_from_what_could_not_be_compared(backup, prove):
    """The one is as it was wanted, the other is not."""
    due = Check("contents", SHARE, "partial", "2 of 22 tables are compared today")
    lacking = Check("contents", "everything was sealed and compared", "partial", "hl7.public.x")
    passed = prove().checks
    verdict, said = first(backup, prove(*passed, due))
    assert verdict.startswith("# PROVEN IN PART")
    assert "due today" in said
    assert "named below" in first(backup, prove(*passed, due, lacking))[1]


def test_how_much_of_the_cycle_is_compared_is_told(backup, prove):
    """And which shares are open."""
    done = Cycle(7, frozenset({0, 1}))
    assert "| Compared | 2 of 7 shares of the tables within 7 days; open: 3, 4, 5, 6, 7 |" in lines(
        backup, prove(), cycle=done
    )


def test_configuration_that_could_not_be_kept_is_named(backup, prove):
    """A restored cluster may not start without it."""
    lacking = replace(backup, configuration_problem="/etc/people: there is none")
    row = "| Configuration | not kept in full: /etc/people: there is none |"
    assert row in lines(lacking, prove())
    assert row not in lines(backup, prove())
