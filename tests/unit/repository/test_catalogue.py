"""The catalogue: what is listed, in which order, and what becomes of a damaged document."""

import json
from datetime import timedelta

import pytest

from tasks.control.errors import Corrupt, Refused
from tasks.repository.catalogue import Catalogue
from tasks.repository.keys import Keyring
from tasks.repository.model import Backup, BackupId, Damaged
from tasks.repository.pins import Pin


@pytest.fixture
def kept(catalogue, backup):
    """Put two backups into the catalogue, the newer one first."""
    catalogue.claim("7", 16 << 20)
    found = [backup("full-20261123T020000Z"), backup("full-20261122T020000Z")]
    for made in found:
        for item in made.objects:
            catalogue.storage.put(f"{catalogue.prefix(made.id)}{item.name}", b"x")
        catalogue.add(made)
    return found


def path_of(catalogue, made):
    """Return where a backup's document lies."""
    return catalogue.storage.root / catalogue.prefix(made.id) / "backup.json"


def test_a_backup_comes_back_as_it_was(catalogue, kept):
    """Facts and documents are equal."""
    assert catalogue.get(kept[0].id) == kept[0]


def test_backups_are_listed_by_age(catalogue, kept):
    """The latest is the youngest, whatever was written last."""
    assert [entry.id for entry in catalogue.entries()] == [kept[1].id, kept[0].id]
    assert catalogue.get("latest") == kept[0]


def test_an_empty_catalogue_says_how_to_fill_it(catalogue):
    """There is no latest backup."""
    with pytest.raises(Refused, match="there is no backup; next: hl7ops backup full"):
        catalogue.get("latest")


@pytest.mark.parametrize("wanted", ["full-20200101T000000Z", "../other", "", "full"])
def test_a_backup_that_is_not_there_is_refused_with_those_that_are(catalogue, kept, wanted):
    """Nothing else is read, wherever a name might lead."""
    with pytest.raises(Refused, match=r"there is no such backup; .*full-20261122T020000Z, full-"):
        catalogue.get(wanted)


def test_data_without_a_document_is_a_leftover_and_not_a_backup(catalogue, kept):
    """An interrupted take is not listed; cleanup finds it."""
    catalogue.storage.put("main/backups/full-20261124T020000Z/base.tar.zst", b"x")
    assert len(catalogue.entries()) == 2
    assert catalogue.leftovers() == ["full-20261124T020000Z"]


def test_what_has_another_name_is_not_ours(catalogue, kept):
    """It is neither listed nor removed."""
    for name in ("lost+found/x", "notes/backup.json", "stray.txt", "mine/precious"):
        catalogue.storage.put(f"main/backups/{name}", b"x")
    assert catalogue.entries() == [kept[1], kept[0]]
    assert catalogue.leftovers() == []


def test_a_proven_backup_whose_document_is_gone_is_damaged_and_not_a_leftover(
    catalogue, kept, proof
):
    """Its proofs say that it was whole; it is not passed over for an older one."""
    catalogue.record(proof(kept[0]))
    catalogue.storage.delete(f"{catalogue.prefix(kept[0].id)}backup.json")
    assert [type(entry) for entry in catalogue.entries()] == [Backup, Damaged]
    assert catalogue.leftovers() == []
    for wanted in (kept[0].id, "latest"):
        with pytest.raises(Corrupt, match=f"missing from the repository; .*{kept[0].id}/backup"):
            catalogue.get(wanted)


def test_a_pinned_backup_that_is_gone_is_damaged(catalogue, kept):
    """Somebody wanted it kept; whoever removed it was not the cleanup."""
    catalogue.pin(Pin(kept[0].id, "before the upgrade", kept[0].started_at))
    for name, _ in catalogue.objects(kept[0].id):
        catalogue.storage.delete(name)
    assert [type(entry) for entry in catalogue.entries()] == [Backup, Damaged]


def test_a_proof_in_anothers_place_proves_nothing(catalogue, kept, proof):
    """A copied record does not make a backup proven."""
    catalogue.record(proof(kept[0]))
    (item,) = catalogue.storage.objects(f"{catalogue.prefix(kept[0].id)}proofs/")
    name = f"{catalogue.prefix(kept[1].id)}proofs/{item.name.rpartition('/')[2]}"
    catalogue.storage.put(name, catalogue.storage.get(item.name))
    with pytest.raises(Corrupt, match=f"a proof stands in another's place; .*of {kept[0].id}"):
        catalogue.proofs(kept[1].id)
    assert isinstance(catalogue.last_proof(kept[1].id), Damaged)


def test_the_last_proof_is_that_of_the_last_look(catalogue, kept, proof):
    """A backup that was proven once and failed since is not proven."""
    assert catalogue.last_proof(kept[0].id) is None
    early, late = (proof(kept[0], at=kept[0].started_at + timedelta(hours=n)) for n in (1, 2))
    catalogue.record(late)
    catalogue.record(early)
    assert catalogue.last_proof(kept[0].id) == late


def test_a_pin_that_was_edited_still_holds(catalogue, kept):
    """Retention must not take a damaged pin for none."""
    catalogue.pin(Pin(kept[0].id, "before the upgrade", kept[0].started_at))
    path = catalogue.storage.root / "main" / "pins" / f"{kept[0].id}.json"
    path.write_bytes(b"{}")
    assert catalogue.pins.reasons() == {kept[0].id: "its pin is damaged: look at it"}


def test_a_discarded_backup_leaves_the_catalogue_before_its_data_go(
    catalogue, kept, proof, monkeypatch
):
    """Whatever instant a crash comes at, nothing is listed without its data."""
    catalogue.record(proof(kept[0]))
    deleted = []
    real = type(catalogue.storage).delete
    monkeypatch.setattr(
        type(catalogue.storage),
        "delete",
        lambda self, name: (deleted.append(name.rpartition("/")[2]), real(self, name)),
    )
    catalogue.discard(kept[0].id)
    assert deleted[0].startswith("20")
    assert deleted[1] == "backup.json"
    assert set(deleted[2:]) == {"base.tar.zst", "m"}
    assert [entry.id for entry in catalogue.entries()] == [kept[1].id]


def test_a_damaged_document_is_listed_with_its_problem_and_hides_no_other(catalogue, kept):
    """A person decides what becomes of it."""
    path = path_of(catalogue, kept[0])
    path.write_bytes(path.read_bytes().replace(b'"timeline": 1', b'"timeline": 2'))
    older, newer = catalogue.entries()
    assert older == kept[1]
    assert isinstance(newer, Damaged)
    assert "a document was edited" in newer.problem
    assert catalogue.backups() == [kept[1]]
    with pytest.raises(Corrupt, match="edited"):
        catalogue.get("latest")


def test_a_document_in_anothers_place_is_found(catalogue, kept):
    """A signature holds wherever the document lies; its id must be that of the place."""
    path_of(catalogue, kept[0]).write_bytes(path_of(catalogue, kept[1]).read_bytes())
    with pytest.raises(Corrupt, match=f"in another's place; .* is of {kept[1].id}"):
        catalogue.get(kept[0].id)


def resigned(catalogue, name, change):
    """Change a document and sign it again, as an older or a newer version might have written."""
    document = json.loads(catalogue.storage.get(name))["document"]
    change(document)
    catalogue.storage.put(name, catalogue.keyring.sign(document))


def test_a_document_of_another_version_is_refused_and_not_called_damaged(catalogue, kept):
    """What a newer version wrote, it can read."""
    name = f"{catalogue.prefix(kept[0].id)}backup.json"
    resigned(catalogue, name, lambda document: document.update(format=99))
    with pytest.raises(Refused, match=r"another version; seen: .*: format 99; expected: 1"):
        catalogue.get(kept[0].id)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("objects"),
        lambda document: document.update(surprise=1),
        lambda document: document["seal"].update(mode="guessed"),
        lambda document: document.update(started_at="yesterday"),
    ],
)
def test_a_document_that_is_not_complete_is_corrupt(catalogue, kept, change):
    """A field too few, one too many, or a value that cannot be, is named."""
    resigned(catalogue, f"{catalogue.prefix(kept[0].id)}backup.json", change)
    with pytest.raises(Corrupt, match=r"not complete; seen: .*backup\.json: \w+"):
        catalogue.get(kept[0].id)


def test_a_repository_belongs_to_one_cluster(catalogue):
    """Another one is refused, with both identifiers."""
    catalogue.claim("7", 16 << 20)
    assert catalogue.claim("7", 16 << 20).system_identifier == "7"
    with pytest.raises(Refused, match="another cluster; seen: system identifier 8; expected: 7"):
        catalogue.claim("8", 16 << 20)


def test_an_empty_repository_belongs_to_nobody(catalogue):
    """It is claimed on first use."""
    assert catalogue.claimed() is None


def test_a_machine_without_keys_reads_the_catalogue(catalogue, kept, tmp_path):
    """On the day of a disaster the repository is all that there is."""
    bare = Catalogue(catalogue.storage, "main", Keyring(tmp_path / "bare"))
    assert bare.get("latest") == kept[0]


def test_proofs_are_kept_beside_their_backup_in_order(catalogue, kept, proof):
    """Each look at a backup is one more record, and a signed one."""
    late, early = (proof(kept[0], at=kept[0].started_at + timedelta(hours=n)) for n in (2, 1))
    catalogue.record(late)
    catalogue.record(early)
    assert catalogue.proofs(kept[0].id) == [early, late]
    assert catalogue.proofs(kept[1].id) == []
    path = next((catalogue.storage.root / catalogue.prefix(kept[0].id) / "proofs").iterdir())
    path.write_bytes(path.read_bytes().replace(b'"pass"', b'"fail"', 1))
    with pytest.raises(Corrupt, match="a document was edited"):
        catalogue.proofs(kept[0].id)


def test_a_pin_is_of_a_backup_that_is_there(catalogue, kept):
    """Pinning what is gone would look like safety."""
    pin = Pin(kept[0].id, "before the upgrade", kept[0].started_at)
    catalogue.pin(pin)
    assert catalogue.pins.reasons() == {pin.backup: pin.reason}
    with pytest.raises(Refused, match=f"not pinned; seen: full-2020.*expected: {kept[0].id}"):
        catalogue.pins.remove(BackupId("full-20200101T000000Z"))
    catalogue.pins.remove(kept[0].id)
    assert catalogue.pins.reasons() == {}
    with pytest.raises(Refused, match="none is pinned"):
        catalogue.pins.remove(kept[0].id)
    with pytest.raises(Refused, match="there is no such backup"):
        catalogue.pin(Pin(BackupId("full-20200101T000000Z"), "x", kept[0].started_at))


def test_stanzas_do_not_see_each_other(catalogue, kept):
    """Two clusters may share a repository."""
    other = Catalogue(catalogue.storage, "other", catalogue.keyring)
    assert other.entries() == []
    assert other.claim("8", 16 << 20).system_identifier == "8"
