"""The verbs of recovery in processes of their own: exit codes, JSON, and what is left."""

import pytest

from tasks.control import clock, settings
from tasks.repository.proof import TIERS, Check, Proof
from tasks.repository.stanza import open_stanza
from tests.cli.conftest import command_line


@pytest.fixture(scope="module")
def hl7ops():
    """Open a command line over a home of its own, with messages and a backup."""
    with command_line() as run:
        run.json("generate", "--messages", "100", "--seed", "4", "--days", "5")
        run.json("backup", "full")
        yield run


@pytest.fixture(scope="module")
def kept(hl7ops):
    """Make a directory for copies."""
    folder = hl7ops.home / "copies"
    folder.mkdir()
    return folder


def test_a_plan_says_what_would_be_done_and_touches_nothing(hl7ops, kept):
    """As a table and as one document."""
    place = kept / "data"
    plan = hl7ops.json("restore", "latest", "--to", str(place), "--plan")
    assert plan["to"] == str(place)
    assert plan["chain"]
    assert plan["wal"]["segments"] >= 1
    assert plan["needed_bytes"] < plan["free_bytes"]
    text = hl7ops("restore", "latest", "--to", str(place), "--plan").stdout
    assert "nothing was touched" in text
    assert list(kept.iterdir()) == []


def record(hl7ops, **outcomes):
    """Record a proof of the newest backup in which some tiers did not end well."""
    catalogue = open_stanza(settings.load(hl7ops_home=hl7ops.home)).catalogue
    backup, at = catalogue.backups()[-1], clock.now()
    checks = [Check(t, f"what {t} says", outcomes.get(t, "pass"), "17") for t in TIERS]
    catalogue.record(Proof(backup.id, "main", at, at, checks))
    return backup.id


def test_a_failed_comparison_warns_in_the_first_line_of_a_plan(hl7ops, kept):
    """And in `warnings`; a proven backup warns of nothing, one that nobody verified of that."""
    place = ("--to", str(kept / "warned"), "--plan")
    (warning,) = hl7ops.json("restore", "latest", *place)["warnings"]
    assert "was never verified" in warning
    backup = record(hl7ops, contents="fail")
    (warning,) = hl7ops.json("restore", "latest", *place)["warnings"]
    text = hl7ops("restore", "latest", *place)
    assert text.returncode == 0
    assert text.stdout.startswith(f"WARNING: {warning}\n")
    assert f"{backup} differs from its seal: what contents says: 17" in warning
    (line,) = hl7ops.json("backups")
    assert (line["verdict"], line["tiers"]) == ("failed", list(TIERS[:-1]))
    record(hl7ops)
    record(hl7ops, boot="error")
    assert hl7ops.json("restore", "latest", *place)["warnings"] == []
    assert not hl7ops("restore", "latest", *place).stdout.startswith("WARNING")
    (line,) = hl7ops.json("backups")
    assert (line["verdict"], line["tiers"]) == ("proven", list(TIERS))
    assert "could not be finished" in line["problem"]


def test_failed_bytes_are_refused_until_somebody_accepts_them(hl7ops, kept):
    """Exit code 3 names the switch; with it the copy is there, and says what was accepted."""
    place = str(kept / "accepted")
    backup = record(hl7ops, objects="fail")
    refused = hl7ops("restore", "latest", "--to", place)
    assert refused.returncode == 3
    assert "--accept-failed-proof" in refused.stderr
    accepted = [f"{backup}: its bytes failed its last proof: what objects says: 17"]
    how = ("restore", "immediate", "--to", place, "--accept-failed-proof")
    assert hl7ops.json(*how, "--plan")["accepted"] == accepted
    assert hl7ops.json(*how)["accepted"] == accepted
    hl7ops("restored", "stop", place)
    text = hl7ops(*how, "--replace").stdout
    assert text.startswith(f"WARNING: {accepted[0]}\n")
    hl7ops("restored", "stop", place)
    record(hl7ops)
    assert hl7ops.json(*how, "--replace")["accepted"] == []
    hl7ops("restored", "stop", place)


def test_a_copy_is_restored_promoted_stopped_and_undone(hl7ops, kept):
    """Each verb leaves what the next one needs."""
    place = str(kept / "data")
    done = hl7ops.json("restore", "immediate", "--to", place)
    assert done["path"] == place
    assert done["connect"].startswith("psql -h ")
    again = hl7ops("restore", "immediate", "--to", place)
    assert again.returncode == 3
    assert "a server runs on it" in again.stderr
    assert hl7ops.json("restored", "promote", place)["is_promoted"] is True
    assert hl7ops.json("restored", "stop", place) == {"path": place, "ran": True}
    replaced = hl7ops.json("restore", "immediate", "--to", place, "--replace")
    assert replaced["previous"]
    copy = hl7ops.json("restored", "undo", place)["copy"]
    assert copy.startswith(f"{place}.undone-")
    assert hl7ops("restored", "undo", place).returncode == 3


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("2026-11-24 03:00", "a time needs its zone"),
        ("tomorrow", "that is no target"),
        ("2099-01-01T00:00:00Z", "there is no such point in what is archived"),
        ("2020-01-01T00:00:00Z", "no backup leads to this point"),
        ("xid:4000000000", "no end of this transaction is archived"),
        ("full-20200101T000000Z", "there is no such backup"),
    ],
)
def test_what_cannot_be_had_is_refused_with_what_can(hl7ops, kept, target, said):
    """Exit code 3, and nothing on standard output."""
    done = hl7ops("restore", target, "--to", str(kept / "data2"), "--json")
    assert (done.returncode, done.stdout) == (3, "")
    assert said in done.stderr
    assert "expected: " in done.stderr


def test_a_database_is_set_back_and_forth(hl7ops, kept):
    """Without a terminal it wants its name once more."""
    assert hl7ops("database", "restore", "hl7", "latest").returncode == 3
    assert hl7ops("database", "restore", "hl7", "latest", "--yes", "other").returncode == 3
    dry = hl7ops.json("database", "restore", "hl7", "latest", "--dry-run")
    assert dry["swapped"] is None
    done = hl7ops.json("database", "restore", "hl7", "latest", "--yes", "hl7")
    assert done["swapped"]["previous"].startswith("hl7_before_")
    assert {check["outcome"] for check in done["checks"]} == {"pass"}
    assert hl7ops.json("database", "rollback", "hl7")["previous"].startswith("hl7_undone_")


def test_a_drill_is_made_and_scored(hl7ops, kept):
    """Without one, nothing is called recoverable."""
    before = hl7ops.json("recoverability", code=4)
    assert before["problems"] == ["no drill was ever made"]
    (done,) = hl7ops.json("drill", "--seed", "5")
    assert (done["verdict"], done["seed"]) == ("passed", 5)
    assert hl7ops.json("recoverability")["recoverable"] is True
    kept_pages = {each.name for each in (hl7ops.home / "repository/main/reports").iterdir()}
    assert kept_pages == {"recoverability.html", "recovery-plan.html", "evidence.json"}
    export = kept / "evidence.json"
    export.write_text(hl7ops("evidence").stdout)
    assert hl7ops.json("evidence", "--check", str(export)) == {"entries": 1}
    export.write_text(export.read_text().replace("passed", "failed").replace("pass", "fail"))
    assert hl7ops("evidence", "--check", str(export)).returncode == 4
    page = kept / "plan.html"
    plan = hl7ops.json("recovery-plan", "--html", str(page))
    assert plan["gaps"] == ["no second repository"]
    assert "<h2>The primary is lost</h2>" in page.read_text()
    assert hl7ops.json("repository", "check")["verdict"] == "sound"
    assert hl7ops("recoverability").stdout.startswith("# RECOVERABLE: stanza main")


def test_down_stops_copies_as_well(hl7ops, kept):
    """Whatever runs under the home; status tells of them."""
    hl7ops.json("restore", "immediate")
    place = str(hl7ops.home / "restored")
    assert hl7ops.json("status")["copies"] == [place]
    assert f"stopped the copy {place}" in hl7ops("down").stdout
    assert hl7ops.json("status")["copies"] == []


def test_a_table_of_a_snapshot_is_loaded(hl7ops, kept):
    """After it was shown what there is, and what would be done; what is not there is refused."""
    made = hl7ops.json("backup", "snapshot")["id"]
    place = str(kept / "table")
    there = [each["table"] for each in hl7ops.json("snapshot", "show", made)["tables"]]
    assert "hl7.hl7.patients" in there
    wanted = ("--table", "hl7.hl7.patients", "--to", place)
    plan = hl7ops.json("snapshot", "restore", made, *wanted, "--plan")
    assert plan["tables"] == ["hl7.hl7.patients"]
    assert not (kept / "table").exists()
    done = hl7ops.json("snapshot", "restore", made, *wanted)
    assert done["differences"] == []
    assert hl7ops.json("restored", "stop", place)["ran"] is True
    wrong = hl7ops("snapshot", "restore", made, "--table", "hl7.hl7.patient", "--to", place)
    assert wrong.returncode == 3
    assert "hl7.hl7.patients" in wrong.stderr
    physical = hl7ops.json("backups")[0]["id"]
    assert hl7ops("snapshot", "restore", physical).returncode == 3
    refused = hl7ops("restore", made, "--to", place)
    assert refused.returncode == 3
    assert f"hl7ops snapshot restore {made}" in refused.stderr
