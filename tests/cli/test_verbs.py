"""What a person types at 03:00: each verb's document, its text and its exit code, in order."""

import json
import os
import signal
import time

import psutil
import pytest


MESSAGE = (
    "MSH|^~\\&|ADT|HOSP|HUB|HOSP|20261120080000||ADT^A01|{}|P|2.5\r"
    "PID|1||77^^^HOSP||Doe^Jane||19800203|F\r"
)

BACKUP_KEYS = {
    "id",
    "type",
    "parent",
    "status",
    "bytes_source",
    "bytes_stored",
    "started_at",
    "finished_at",
    "start_lsn",
    "stop_lsn",
    "timeline",
    "system_identifier",
    "server_version",
    "phases",
    "seal",
}


@pytest.fixture(scope="module")
def taken(hl7ops):
    """Load some messages and take a backup."""
    loaded = hl7ops.json("generate", "--messages", "300", "--seed", "4", "--days", "5")
    assert loaded["accepted"] == 300
    return hl7ops.json("backup", "full")


def test_what_is_offered_on_standard_input_adds_up(hl7ops, tmp_path):
    """The documented keys are there; a kind that does not occur is not listed."""
    text = MESSAGE.format(1) + MESSAGE.format(1) + "MSH|^~\\&|LAB\r"
    told = hl7ops.json("ingest", "-", input=text)
    assert told == {
        "offered": 3,
        "accepted": 1,
        "duplicates": 1,
        "quarantined": 1,
        "by_type": {"ADT^A01": 1},
        "reasons": {"truncated_header": 1},
        "notes": {},
        "passed_over": 0,
    }


def test_people_read_the_same_as_programs(hl7ops):
    """In a sentence and tables."""
    done = hl7ops("ingest", "-", input=MESSAGE.format(2))
    assert "1 offered = 1 accepted + 0 duplicates + 0 quarantined" in done.stdout
    assert "ADT^A01" in done.stdout


def test_a_path_that_is_not_there_is_refused(hl7ops):
    """With exit code 3 and one line."""
    done = hl7ops("ingest", "nowhere.hl7")
    assert done.returncode == 3
    assert done.stderr.strip() == (
        "Refused: no such file or directory; seen: nowhere.hl7; next: correct the path"
    )
    assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments", [("ingest",), ("backup", "half"), ("nonsense",), ("generate", "--messages", "x")]
)
def test_a_mistake_in_the_call_is_exit_code_2(hl7ops, arguments):
    """As every command line has it."""
    done = hl7ops(*arguments)
    assert done.returncode == 2
    assert "Usage" in done.stderr


def test_a_backup_tells_what_it_is(taken):
    """The documented keys, and nothing of a patient."""
    assert set(taken) == BACKUP_KEYS
    assert (taken["type"], taken["parent"], taken["status"]) == ("full", None, "complete")
    assert taken["bytes_source"] > taken["bytes_stored"] > 0
    assert taken["seal"]["mode"] == "locked"
    assert taken["seal"]["rows"] > 300


def test_a_proof_tells_each_tier_and_each_check(hl7ops, taken):
    """And the list of backups has its verdict afterwards."""
    (before,) = hl7ops.json("backups")
    assert (before["id"], before["verdict"], before["verified_at"]) == (
        taken["id"],
        "unproven",
        None,
    )
    told = hl7ops.json("verify", "latest")
    assert {"id", "verdict", "tiers", "checks", "failed"} <= set(told)
    assert (told["id"], told["verdict"], told["failed"]) == (taken["id"], "proven", [])
    assert [tier["tier"] for tier in told["tiers"]] == [
        "objects",
        "manifest",
        "boot",
        "structure",
        "contents",
    ]
    (after,) = hl7ops.json("backups")
    assert after["verdict"] == "proven"
    assert set(after) >= BACKUP_KEYS | {"verdict", "tiers", "passed", "verified_at", "pinned"}
    assert (before["tiers"], before["passed"]) == ([], "-")
    assert after["tiers"] == [tier["tier"] for tier in told["tiers"]]


def test_wal_is_pulled_and_its_standing_told(hl7ops, taken):
    """Keys as documented; after a pull nothing is behind."""
    pulled = hl7ops.json("wal", "pull")
    assert set(pulled) == {"segments", "reaches", "streaming", "coverage"}
    told = hl7ops.json("wal", "status")
    assert set(told) == {
        "slot",
        "slot_status",
        "held_bytes",
        "safe_bytes",
        "advice",
        "streaming",
        "partial",
        "archived_to",
        "written_to",
        "behind_bytes",
        "coverage",
    }
    assert told["slot"] == "hl7ops_main"
    assert (told["advice"], told["streaming"], told["partial"]) == (None, False, None)
    assert len(told["coverage"]) == 1
    assert set(told["coverage"][0]) == {
        "timeline",
        "from",
        "to",
        "segments",
        "continues",
        "gap",
    }
    assert "WAL coverage" in hl7ops("wal", "status").stdout


def test_wal_is_streamed_for_some_seconds_and_told(hl7ops, taken):
    """Keys as documented; what is not finished is kept, too."""
    hl7ops.json("generate", "--messages", "5", "--seed", "7", "--days", "1")
    streamed = hl7ops.json("wal", "stream", "--seconds", "2")
    assert set(streamed) == {"segments", "reaches", "partial", "breaks"}
    told = hl7ops.json("wal", "status")
    assert told["streaming"] is False
    assert {"segment", "reaches", "kept_at", "age_seconds"} == set(told["partial"] or ())
    assert "streaming is off" in hl7ops("wal", "status").stdout
    assert "streamed, up to" in hl7ops("wal", "stream", "--seconds", "1").stdout


def test_a_stream_ends_well_at_ctrl_c(hl7ops, taken):
    """It is the way to end it."""
    process = hl7ops.begin("wal", "stream")
    while not hl7ops.json("wal", "status")["streaming"]:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert hl7ops.json("wal", "pull")["streaming"] is False


def test_a_dry_cleanup_says_why_each_backup_stays(hl7ops, taken):
    """And so does the real one."""
    dry = hl7ops.json("cleanup", "--dry-run")
    assert dry["dry_run"] is True
    assert [each["keep"] for each in dry["decisions"]] == [True]
    assert "younger than 30 days" in dry["decisions"][0]["reason"]
    assert "keep" in hl7ops("cleanup").stdout


def test_a_pin_is_listed_until_it_is_taken_off(hl7ops, taken):
    """With its reason."""
    assert hl7ops("pin", taken["id"], "--reason", "for the audit").returncode == 0
    assert hl7ops.json("backups")[0]["pinned"] == "for the audit"
    assert "for the audit" in hl7ops("backups").stdout
    assert hl7ops("unpin", taken["id"]).returncode == 0
    assert hl7ops.json("backups")[0]["pinned"] is None


def test_the_latest_can_be_pinned_by_that_name(hl7ops, taken):
    """What is kept is the backup, not a name that means another one tomorrow."""
    assert hl7ops.json("pin", "latest", "--reason", "x")["backup"] == taken["id"]
    (line,) = hl7ops.json("backups")
    assert (line["id"], line["pinned"]) == (taken["id"], "x")
    assert hl7ops.json("unpin", "latest") == {"backup": taken["id"]}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["../../etc", "--reason", "x"], 3),
        (["full-20200101T000000Z", "--reason", "x"], 3),
        (["latest", "--reason", "x", "--days", "99999999999"], 2),
    ],
)
def test_a_pin_of_nothing_or_for_ever_is_refused(hl7ops, taken, arguments, code):
    """Each by its exit code, and none with a traceback."""
    done = hl7ops("pin", *arguments)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_a_pin_for_some_days_and_a_legal_hold_are_listed(hl7ops, taken):
    """Also in what a cleanup says; only a release ends the hold."""
    told = hl7ops.json("pin", taken["id"], "--reason", "audit", "--days", "3")
    hl7ops.json("hold", taken["id"], "--reason", "case 7", "--by", "a lawyer")
    (line,) = hl7ops.json("backups")
    assert line["pinned_until"] == told["expires_at"] is not None
    assert line["held"] == "case 7 (a lawyer)"
    (decision,) = hl7ops.json("cleanup", "--dry-run")["decisions"]
    assert (decision["held"], decision["pinned"]) == (line["held"], "audit")
    assert "legal hold: case 7 (a lawyer); pinned until" in hl7ops("backups").stdout
    assert hl7ops("unpin", taken["id"]).returncode == 0
    done = hl7ops("unpin", taken["id"])
    assert done.returncode == 3
    assert "under legal hold" in done.stderr
    (record,) = hl7ops.json("release", taken["id"], "--reason", "settled", "--by", "a judge")
    assert (record["released_by"], record["hold"]["held_by"]) == ("a judge", "a lawyer")
    assert hl7ops.json("backups")[0]["held"] is None


@pytest.mark.parametrize("said", ["", "  "])
def test_a_reason_that_says_nothing_is_refused(hl7ops, taken, said):
    """Whoever finds the pin in a year must learn something."""
    done = hl7ops("pin", taken["id"], "--reason", said)
    assert done.returncode == 3
    assert "--reason says nothing" in done.stderr


@pytest.mark.parametrize("verb", [("verify",), ("pin", "--reason", "x")])
def test_a_backup_that_is_not_there_is_refused_with_those_that_are(hl7ops, taken, verb):
    """Exit code 3; the ids are told."""
    done = hl7ops(*verb, "full-20200101T000000Z")
    assert done.returncode == 3
    assert taken["id"] in done.stderr


def test_the_contract_is_checked_in_words(hl7ops, taken):
    """Kept at first; a view that is gone is named, with exit code 3 also for programs."""
    assert hl7ops.json("contract", "check") == {"findings": []}
    assert "the contract is kept" in hl7ops("contract", "check").stdout


def test_what_runs_is_told_and_stopped(hl7ops, taken):
    """And started again by the next verb that needs it."""
    told = hl7ops.json("status")
    assert told["home"] == str(hl7ops.home)
    assert told["operated"] == "embedded"
    assert isinstance(told["primary"], int)
    assert told["prefect"] is None
    assert "stopped the primary cluster" in hl7ops("down").stdout
    assert hl7ops.json("status")["primary"] is None
    assert hl7ops.json("verify")["verdict"] == "proven"
    assert hl7ops.json("status")["primary"] is None
    assert hl7ops.json("wal", "status")["slot"] == "hl7ops_main"


def test_a_record_that_was_edited_hides_no_backup(hl7ops, taken):
    """Its backup is listed as unproven, with the reason."""
    path = max(hl7ops.home.glob(f"repository/main/backups/{taken['id']}/proofs/*.json"))
    before = path.read_bytes()
    path.write_bytes(before.replace(b'"fail"', b'"pass"').replace(b'"pass"', b'"error"', 1))
    (line,) = hl7ops.json("backups")
    path.write_bytes(before)
    assert line["verdict"] == "unproven"
    assert "a document was edited" in line["problem"]


def test_a_pin_that_is_not_there_is_not_taken_off(hl7ops, taken):
    """A slip of the finger does not go unnoticed."""
    done = hl7ops("unpin", "full-20200101T000000Z")
    assert done.returncode == 3
    assert "not pinned" in done.stderr


def test_a_verification_that_is_told_to_end_leaves_nothing(hl7ops, taken):
    """A service manager sends SIGTERM; the scratch cluster goes with its verification."""
    home = str(hl7ops.home)
    process = hl7ops.begin("verify")
    while not (scratch := list(hl7ops.home.glob("scratch/*/data/postmaster.pid"))):
        assert process.poll() is None
        time.sleep(0.01)
    process.terminate()
    assert process.wait(60) == 128 + signal.SIGTERM
    assert not scratch[0].exists()
    lines = [each.info["cmdline"] or [] for each in psutil.process_iter(["cmdline"])]
    assert [line for line in lines if any(f"{home}/scratch" in word for word in line)] == []


def test_older_programs_are_refused_before_anything_is_sent(hl7ops, taken, tmp_path):
    """They could not speak with the server."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pg_receivewal").write_text("#!/bin/sh\necho 'pg_receivewal (PostgreSQL) 15.9'\n")
    (programs / "pg_receivewal").chmod(0o755)
    done = hl7ops("wal", "pull", env={"HL7OPS_PROGRAMS": str(programs)})
    assert done.returncode == 3
    assert "the programs are older than the server; seen: PostgreSQL 15" in done.stderr


@pytest.mark.parametrize("name", ["BACKUP_DIR", "HL7OPS_HOME"])
def test_a_directory_that_cannot_be_is_refused_by_its_setting(hl7ops, name):
    """A file stands in its place."""
    done = hl7ops("cleanup", env={name: "/etc/passwd/x"})
    assert done.returncode == 3
    assert f"correct {name}" in done.stderr


def test_what_a_killed_up_left_is_not_taken_for_a_running_one(hl7ops):
    """Its number may be somebody else's by now, who must not be stopped."""
    note = hl7ops.home / "up.json"
    note.write_text(json.dumps({"pid": os.getpid(), "begun": 1.0, "url": "x"}))
    assert hl7ops.json("status")["prefect"] is None
    assert hl7ops("down").returncode == 0
    note.unlink()


def test_generated_traffic_goes_to_a_file_but_not_over_one(hl7ops, tmp_path):
    """The same seed gives the same bytes."""
    one, two = tmp_path / "one.hl7", tmp_path / "two.hl7"
    for path in (one, two):
        arguments = ("--messages", "50", "--seed", "9", "--end", "2026-11-23", "--to", str(path))
        assert hl7ops.json("generate", *arguments)["messages"] == 50
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--to", "/dev/null"), 3, "cannot write there; seen: /dev/null: File exists"),
        (("--to", "/nowhere/x"), 3, "cannot write there; seen: /nowhere/x: No such file"),
        (("--to", "x.hl7", "--fast"), 2, "--fast fills tables; it writes no file"),
        (("--to", "x.hl7", "--days", "nan"), 3, "cannot be generated"),
        (("--to", "x.hl7", "--end", "0001-01-01"), 3, "cannot be generated"),
    ],
)
def test_traffic_that_cannot_be_written_is_refused_in_words(hl7ops, arguments, code, said):
    """And no file is left."""
    done = hl7ops("generate", "--messages", "5", *arguments)
    assert done.returncode == code
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert not (hl7ops.home / "x.hl7").exists()


def test_invented_patients_do_not_go_into_a_server_of_yours(hl7ops):
    """Unless that is said in so many words."""
    env = {"DATABASE_URL": "postgresql://localhost:1/hl7"}
    done = hl7ops("generate", env=env)
    assert done.returncode == 3
    assert "DATABASE_URL is a server of yours" in done.stderr
    assert hl7ops("generate", "--on-my-server", env=env).returncode == 5


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HL7OPS_HOEM", "x", "unknown setting in the environment; seen: HL7OPS_HOEM"),
        ("RETENTION_DAYS", "none", "settings do not hold; seen: retention_days"),
        ("S3_ACCESS_KEY_ID", "a", "one half of the keys of S3 is missing"),
        ("RETENTION_DAYS", "99999999999", "settings do not hold; seen: retention_days"),
        ("HL7OPS_CONFIG", "/nowhere/x", "the file of HL7OPS_CONFIG is not there; seen: /nowhere/x"),
    ],
)
def test_settings_that_do_not_hold_are_refused_by_name(hl7ops, name, value, said):
    """Exit code 3, before anything is done."""
    done = hl7ops("backups", env={name: value})
    assert done.returncode == 3
    assert said in done.stderr


def test_an_address_in_the_settings_is_not_shown(hl7ops):
    """It may hold a password."""
    env = {"DATABASE_URL": "postgresql://ops:open-sesame@localhost:1/hl7"}
    assert "open-sesame" not in hl7ops("settings", env=env).stdout
    assert hl7ops.json("settings", env=env)["DATABASE_URL"]["value"] == "**********"


def test_a_server_that_is_not_there_is_exit_code_5(hl7ops):
    """It may come back; no password is told."""
    env = {"DATABASE_URL": "postgresql://ops:open-sesame@127.0.0.1:1/hl7"}
    done = hl7ops("backup", "full", env=env)
    assert done.returncode == 5
    assert done.stderr.startswith("Transient: ")
    assert "open-sesame" not in done.stdout + done.stderr


def test_an_address_that_is_none_is_refused_and_not_quoted(hl7ops):
    """A password with a character that must be escaped is the usual case."""
    env = {"DATABASE_URL": "postgresql://ops:open sesame@[localhost/hl7"}
    done = hl7ops("wal", "status", env=env)
    assert done.returncode == 3
    assert "DATABASE_URL is not an address" in done.stderr
    assert "sesame" not in done.stdout + done.stderr


def test_the_demo_does_not_write_into_a_server_of_yours(hl7ops):
    """It is refused before anything is started."""
    done = hl7ops("demo", env={"DATABASE_URL": "postgresql://localhost:1/hl7"})
    assert done.returncode == 3
    assert "DATABASE_URL is a server of yours" in done.stderr
