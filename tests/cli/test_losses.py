"""What is lost is told by `repository check`, and accepted there by name: no server is needed."""

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.__main__ import app
from tasks.control import settings
from tasks.control.errors import Corrupt, Refused
from tasks.repository.stanza import open_stanza
from tests.unit.backup.made import backup


@pytest.fixture
def site(monkeypatch):
    """Keep two snapshots in the repository of a home, the older one whole, the newer one gone."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-losses-"))
    home.chmod(0o755)
    monkeypatch.setenv("HL7OPS_HOME", str(home))
    catalogue = open_stanza(settings.load()).catalogue
    catalogue.claim("1", 1 << 24)
    for made in (replace(backup(age, "snapshot"), objects=[]) for age in (2, 1)):
        catalogue.add(made)
    shutil.rmtree(catalogue.storage.root / catalogue.prefix(made.id))
    yield made.id
    shutil.rmtree(home)


def checked(*options):
    """Run `hl7ops repository check`; return its document, and what it raised."""
    done = CliRunner().invoke(app, ["repository", "check", "--quick", "--json", *options])
    return done.stdout and json.loads(done.stdout), done.exception


def test_a_lost_backup_is_damage_until_somebody_accepts_it(site):
    """With a name and a reason; nothing else is accepted."""
    told, error = checked()
    assert isinstance(error, Corrupt)
    assert [each["subject"] for each in told["damage"]] == [site]
    for options in (["--by", "an operator"], ["--accept-losses", "a disk broke"]):
        _, error = checked(*options)
        assert isinstance(error, Refused)
    told, error = checked("--accept-losses", "a disk broke", "--by", "an operator")
    assert (told["verdict"], error) == ("sound", None)
    _, error = checked("--accept-losses", "again", "--by", "an operator")
    assert "nothing is lost" in str(error)
