"""The journal in S3: several machines append to one chain, and what is lost there is named."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tasks.control.errors import Transient
from tasks.repository import lease
from tasks.repository.catalogue import Catalogue
from tasks.repository.findings import Inspection
from tasks.repository.journal_chain import flaws
from tasks.repository.journal_check import JournalCheck
from tasks.repository.journal_reader import READERS
from tasks.repository.journal_state import Entry
from tasks.repository.keys import Keyring
from tasks.repository.model import Damaged
from tasks.repository.s3.storage import S3Storage


NAME = "full-20261123T020000Z"


def machine(address, folder):
    """Open the repository on a machine of its own."""
    return Catalogue(S3Storage(address), "main", Keyring(folder))


@pytest.fixture
def machines(address, tmp_path):
    """Open the repository on three machines that trust each other's keys."""
    found = [machine(address, tmp_path / str(number)) for number in range(3)]
    trusted = ""
    for each in found:
        each.keyring.sign({})
        trusted += f"main {key_of(each.keyring)}\n"
    for each in found:
        (each.keyring.folder / "trusted").write_text(trusted)
    found[0].claim("7", 16 << 20)
    return found


def key_of(keyring):
    """Return the public key of a machine."""
    return json.loads(keyring.sign({}))["key"]


def put(catalogue, made):
    """Put a backup with its objects into a catalogue."""
    for item in made.objects:
        catalogue.storage.put(f"{catalogue.prefix(made.id)}{item.name}", b"x" * item.stored_bytes)
    catalogue.add(made)


def damage(catalogue):
    """Hold the journal against the repository; return what is damaged, a line each."""
    found = Inspection()
    JournalCheck(catalogue, found).run()
    return [f"{each}" for each in found.damage]


def test_machines_that_write_at_once_append_to_one_chain(machines, backup, proof, monkeypatch):
    """None forks it, and nothing is lost."""
    monkeypatch.setattr(lease, "PAUSE_S", 0.02)

    def work(number):
        catalogue = machines[number]
        made = backup(f"full-2026112{number}T020000Z")
        put(catalogue, made)
        for n in range(3):
            catalogue.record(proof(made, at=made.started_at + timedelta(hours=n)))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    for catalogue in machines:
        assert flaws(catalogue.journal.entries()) == []
        assert damage(catalogue) == []
        told = catalogue.journal.read().told.documents
        unknown = set(catalogue.journal.document_names()) - told.keys()
        assert told.keys() <= set(catalogue.journal.document_names())
        assert len(unknown) <= 3  # what could not be entered in time is adopted by the next


@pytest.fixture
def kept(machines, backup, proof):
    """Keep a backup with a good and a failed proof."""
    made = backup(NAME)
    put(machines[0], made)
    for n, outcome in enumerate(("pass", "fail")):
        machines[0].record(proof(made, outcome, at=made.started_at + timedelta(hours=n)))
    return machines


def test_a_lost_proof_is_named_and_the_backup_is_in_doubt(kept):
    """On each machine, whether it wrote the proof or not."""
    newest = kept[0].storage.objects(f"main/backups/{NAME}/proofs/")[-1]
    assert damage(kept[1]) == []
    kept[0].storage.delete(newest.name)
    for catalogue in kept:
        (said,) = damage(catalogue)
        assert said.startswith(
            f"{NAME}: its newest proof is missing: entry 3 tells of {newest.name}"
        )
        assert isinstance(catalogue.last_proof(NAME), Damaged)


def test_a_lost_entry_and_a_lost_end_are_named(kept):
    """By whoever saw more."""
    names = [each.name for each in kept[0].journal.entries()]
    kept[0].storage.delete(names[1])
    assert damage(kept[1]) == ["journal: lost entries: 2"]
    kept[0].storage.delete(names[2])
    assert damage(kept[0])[0] == "journal: ends with entry 1, though this machine saw entry 3"
    assert "lost its end" in damage(kept[2])[0]


def test_a_lease_that_was_lost_while_appending_loses_no_backup(kept, backup, monkeypatch):
    """Whoever appended meanwhile forked the chain; that is named, and both entries count."""
    told = kept[0].journal.read().told
    for number, catalogue in enumerate(kept[:2]):
        documents = {f"main/backups/{NAME}/proofs/{number}.json": "ab"}
        catalogue.journal._write(told, Entry("adopted", documents=documents))  # noqa: SLF001
    assert damage(kept[2])[0] == "journal: entry 4 is there 2 times: it was forked"
    assert len(kept[2].journal.read().told.documents) == len(told.documents) + 2
    assert kept[2].journal.length == 4


def test_a_store_that_breaks_while_an_entry_is_written_keeps_the_backup(
    kept, backup, monkeypatch, caplog
):
    """The next entry adopts it."""

    def broken(self, told, entry):
        raise Transient("the store is busy")

    monkeypatch.setattr(type(kept[0].journal), "_write", broken)
    made = backup("full-20261124T020000Z")
    put(kept[0], made)
    assert "is not in the journal yet" in caplog.text
    monkeypatch.undo()
    assert kept[1].get(made.id) == made
    assert damage(kept[1]) == []
    kept[1].discard(NAME)
    assert [each.entry.kind for each in kept[1].journal.entries()[-2:]] == ["adopted", "removed"]
    assert damage(kept[2]) == []


def test_who_looked_before_asks_for_what_is_new_only(kept, proof, monkeypatch):
    """Many requests go at once, and only the first time."""
    made = kept[0].get(NAME)
    told = kept[0].journal.read().told
    for n in range(READERS * 2):
        told = kept[0].journal._write(told, Entry("taken", documents={f"main/x{n}": "a"}))  # noqa: SLF001
    gets = []
    opened = S3Storage.open

    def opening(self, name):
        gets.append(name)
        return opened(self, name)

    monkeypatch.setattr(S3Storage, "open", opening)
    assert kept[1].journal.read().told == told
    assert len([name for name in gets if "/journal/" in name]) == READERS * 2 + 3
    gets.clear()
    assert kept[1].last_proofs([made.id])[made.id].verdict == "failed"
    assert len(gets) == 1
