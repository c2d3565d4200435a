"""Killed between any two steps, a repository and its journal converge: no kill is tampering."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tasks.control import settings
from tasks.repository.check import check
from tasks.repository.journal_chain import flaws
from tasks.repository.model import Damaged
from tasks.repository.stanza import open_stanza
from tests.faults.killing import LOCAL, S3, killer


POINTS = {"local": 40, "s3": 20}

IMPORTED = (
    "tasks.backup.cleanup",
    "tasks.backup.streaming",
    "tasks.recovery.proving.verify",
    "tasks.repository.copying",
    "tests.unit.backup.made",
)
"""So that a death takes a tenth of a second."""


@pytest.fixture(params=POINTS)
def ground(request, tmp_path, s3_settings):
    """Yield a catalogue in a directory or in S3, what it is opened by, and where to die."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-journal-"))
    home.chmod(0o755)  # the user that servers run as looks whether it can enter
    known = {"hl7ops_home": home}
    known |= s3_settings if request.param == "s3" else {"backup_dir": tmp_path / "repository"}
    stanza = open_stanza(settings.load(**known))
    places = S3 if request.param == "s3" else LOCAL
    yield stanza.catalogue, known, places[:-1], POINTS[request.param]
    shutil.rmtree(home)


def told(catalogue):
    """Return what is damaged by a quick look, and see that it is what a kill may leave only."""
    found = check(catalogue, quick=True)
    left = [each for each in found.damage if "cleanup removes what a kill left" in each.said]
    assert found.damage == left, [*map(str, found.damage)]
    return found


def removed(catalogue):
    """End what was begun, and remove all that is there, as an operator and cleanups would."""
    for name in catalogue.pins.ids():
        catalogue.pins.remove(name)
    for name in catalogue.legal.ids():
        catalogue.legal.release(name, "settled", "a judge")
    for entry in catalogue.entries():
        assert not isinstance(entry, Damaged)
        catalogue.discard(entry.id)
    for name in catalogue.leftovers():
        catalogue.discard(name)


@pytest.mark.timeout(600)
def test_a_kill_anywhere_is_no_tampering_and_the_next_run_converges(ground):
    """Between document and entry, between entry and removal, and within each of them."""
    catalogue, known, places, points = ground
    with killer(*IMPORTED) as death:
        for _ in death.deaths("journal", places, points, **known):
            told(catalogue)
            assert flaws(catalogue.journal.entries()) == []
    removed(catalogue)
    found = told(catalogue)
    assert found.damage == []
    assert [each.said for each in found.notes if "not" in each.said] == []
    assert flaws(catalogue.journal.entries()) == []
    assert {name.split("/")[1] for name in catalogue.journal.read().told.documents} <= {"legal"}
