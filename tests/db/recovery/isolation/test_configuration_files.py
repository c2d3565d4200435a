"""Configuration outside of the data directory is kept, and laid beside what is restored."""

import io
import stat
import tarfile
from pathlib import Path

import pytest

from flows.verbs.restore import of_plan
from reports.restore import plan_rows
from tasks.backup.configuration import CONTENTS
from tasks.backup.take import take
from tasks.postgres.owner import service_owner
from tasks.recovery.planning import survey
from tasks.recovery.planning.target import parse
from tasks.recovery.proving.verify import verify
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore
from tasks.repository.model import CONFIGURATION


@pytest.fixture
def debian(make_source):
    """Make a source as Debian lays it out, with files that include others."""
    source = make_source("15")
    etc = source.path / "etc"
    source.cluster.stop()
    (etc / "conf.d").mkdir(parents=True)
    data = source.cluster.data
    for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf"):
        (data / name).rename(etc / name)
    files = {
        "conf.d/10 memory.conf": "work_mem = '7MB'\n",
        "conf.d/20-more.conf": "include '../deep.conf' # which is optional\n",
        "conf.d/.hidden.conf": "work_mem = '1MB'\n",
        "deep.conf": "# \xe9 in LATIN1: primary_conninfo = 'password=open-sesame'\n",
        "people": "keeper, nobody_much\n",
    }
    for name, text in files.items():
        (etc / name).write_bytes(text.encode("latin-1"))
    with (etc / "postgresql.conf").open("a") as file:
        file.write("include_dir = 'conf.d'\ninclude_if_exists 'absent.conf'\n")
    with (etc / "pg_hba.conf").open("a") as file:
        file.write("local all @people trust\n")
    for path in (etc, *etc.rglob("*")):
        service_owner().take(path)
    start(source)
    return source


def start(source):
    """Start a source with its configuration elsewhere."""
    names = {"config_file": "postgresql.conf", "hba_file": "pg_hba.conf"}
    names["ident_file"] = "pg_ident.conf"
    source.cluster.start(
        {setting: str(source.path / "etc" / name) for setting, name in names.items()}
    )


KEPT = {
    "postgresql.conf",
    "pg_hba.conf",
    "pg_ident.conf",
    "conf.d/10 memory.conf",
    "conf.d/20-more.conf",
    "deep.conf",
    "people",
}


def test_what_is_elsewhere_is_kept_as_one_object_and_laid_beside_the_copy(debian):
    """Byte for byte, in whatever encoding, under their own paths; only the owner can read it."""
    etc, stanza = debian.path / "etc", debian.stanza
    made = take(stanza)
    assert made.configuration_problem == ""
    item = made.object(CONFIGURATION)
    data = stanza.catalogue.vault.read(stanza.catalogue.prefix(made.id), item)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        told = tar.extractfile(CONTENTS).read().decode()
    assert f"hba_file\t{etc}/pg_hba.conf\n" in told
    assert f"included by {etc}/pg_hba.conf\t{etc}/people\n" in told
    assert verify(stanza, made.id).verdict == "proven"

    plan = survey.plan(stanza, parse("latest"))
    destination = Destination(debian.path / "copy")
    assert of_plan(plan, destination, 0)["configuration"] == (
        "laid beside the copy, in restored-config/"
    )
    assert ("configuration", "laid beside the copy, in restored-config/") in plan_rows(plan)
    done = restore(stanza, parse("latest"), destination)
    debian.copies.append(done.cluster)
    laid = done.beside / "restored-config" / str(etc).lstrip("/")
    found = {str(path.relative_to(laid)) for path in laid.rglob("*") if path.is_file()}
    assert found == KEPT
    for name in KEPT:
        assert (laid / name).read_bytes() == (etc / name).read_bytes()
        assert stat.S_IMODE((laid / name).stat().st_mode) == 0o600
        assert (laid / name).stat().st_uid == service_owner().uid


def test_a_file_that_cannot_be_read_is_named_and_hinders_no_backup(debian, caplog):
    """Neither the backup nor its restore; the plan says what is missing."""
    (debian.path / "etc" / "people").unlink()
    made = take(debian.stanza)
    assert made.configuration_problem == f"{debian.path}/etc/people: there is none"
    assert "not kept" in caplog.text
    assert "open-sesame" not in caplog.text
    plan = survey.plan(debian.stanza, parse("latest"))
    assert plan.configuration.endswith(f"not kept: {debian.path}/etc/people: there is none")
    assert verify(debian.stanza, made.id).verdict == "proven"


def test_a_damaged_object_of_it_is_found(debian):
    """It is read and hashed like every other one."""
    stanza = debian.stanza
    made = take(stanza)
    path = Path(stanza.catalogue.storage.place, stanza.catalogue.prefix(made.id))
    path = path / made.object(CONFIGURATION).name
    path.write_bytes(path.read_bytes()[:-4] + b"evil")
    proof = verify(stanza, made.id)
    assert proof.verdict == "failed"
    assert CONFIGURATION in str(proof.checks)


def test_where_all_lies_in_the_data_directory_nothing_more_is_kept(make_source):
    """The files of the cluster hold it already."""
    source = make_source("18")
    made = take(source.stanza)
    assert not [item for item in made.objects if item.plain_name == CONFIGURATION]
    assert survey.plan(source.stanza, parse("latest")).configuration == "in the data directory"
