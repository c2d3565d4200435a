"""The damage matrix: whatever happens to a repository is found, with the right name."""

import json
import re
import shutil

import pytest

from tasks.control.errors import Corrupt, WrongKey
from tasks.recovery.proving.verify import verify
from tasks.repository.check import check
from tasks.repository.keys import Keyring


FULL, INCREMENTAL, LATER, SNAPSHOT = range(4)


def place(kept, number, name=""):
    """Return where something of a backup lies; a name is looked up without its suffixes."""
    folder = kept.root / "main" / "backups" / kept.made[number].id
    if not name:
        return folder
    return next(path for path in folder.iterdir() if path.name.startswith(name))


def wal_of(kept):
    """Return the archived segments in their order."""
    return sorted((kept.root / "main" / "wal").rglob("0*-*.zst*"))


def segments_of(kept, number):
    """Return the paths of the segments that a backup needs, first to last."""
    from tasks.postgres import lsn

    backup = kept.made[number]
    ends = (lsn.parse(backup.start_lsn), lsn.parse(backup.seal.lsn))
    first, last = (lsn.segment_at(1, at, backup.segment_bytes).name for at in ends)
    return [path for path in wal_of(kept) if first <= path.name[:24] <= last]


def flip(path, at=0.5):
    """Change one bit."""
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 1
    path.write_bytes(data)


def cut(path, to=0.7):
    """Cut off the end."""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * to)])


def lengthen(path):
    """Write on behind the end."""
    with path.open("ab") as file:
        file.write(b"x")


def swap(one, other):
    """Let two files change places."""
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def resign(kept, number, **changes):
    """Change a document and sign it again, as somebody with our key could."""
    path = place(kept, number, "backup.json")
    document = json.loads(path.read_bytes())["document"] | changes
    path.write_bytes(kept.keyring.sign(document))


def forge(kept, tmp_path):
    """Change a seal and sign it with a key of one's own."""
    path = place(kept, LATER, "backup.json")
    document = json.loads(path.read_bytes())["document"]
    document["seal"]["rows"] += 1
    path.write_bytes(Keyring(tmp_path / "forger").sign(document))


def unfinish(kept):
    """Leave data without a document, as somebody who deletes one does."""
    place(kept, LATER, "backup.json").unlink()


def emptied(kept):
    """Leave a document without data."""
    for path in place(kept, LATER).iterdir():
        if path.is_file() and path.name != "backup.json":
            path.unlink()


def other_document(kept):
    """Put another backup's document in the place of one."""
    shutil.copy(place(kept, FULL, "backup.json"), place(kept, LATER, "backup.json"))


def copied_proof(kept):
    """Copy a proof from a backup that has one."""
    proof = next((place(kept, INCREMENTAL) / "proofs").iterdir())
    (place(kept, LATER) / "proofs").mkdir()
    shutil.copy(proof, place(kept, LATER) / "proofs" / proof.name)


def edited_proof(kept):
    """Turn a verdict."""
    path = next((place(kept, INCREMENTAL) / "proofs").iterdir())
    path.write_bytes(path.read_bytes().replace(b'"pass"', b'"fail"', 1))


def renamed_proof(kept):
    """Give a proof the name of an older one."""
    path = next((place(kept, INCREMENTAL) / "proofs").iterdir())
    path.rename(path.with_name(f"2020{path.name[4:]}"))


def entries_of(kept):
    """Return the entries of the journal in their order."""
    return sorted((kept.root / "main" / "journal").rglob("*.json"))


def replaced_parent(kept):
    """Put another full backup, under our signature, in the place of a parent."""
    shutil.rmtree(place(kept, FULL))
    shutil.copytree(place(kept, LATER), place(kept, FULL))
    resign(kept, FULL, id=kept.made[FULL].id)


def reordered(kept):
    """Let an increment be built on the later full backup."""
    later = kept.made[LATER]
    resign(kept, INCREMENTAL, parent=later.id, parent_manifest=later.manifest.sha256)


def beheaded(kept):
    """Let an increment say that it is the beginning."""
    resign(kept, INCREMENTAL, parent=None, parent_manifest=None)


def duplicated(kept):
    """Keep other bytes of a segment under its name too."""
    path = wal_of(kept)[0]
    shutil.copy(wal_of(kept)[1], path.with_name(f"{path.name[:25]}{'0' * 64}{path.name[89:]}"))


def renamed(kept):
    """Let a segment stand under the name of the next."""
    first, second = wal_of(kept)[:2]
    digest = first.name[25:89]
    second.with_name(f"{second.name[:25]}{digest}{second.name[89:]}").write_bytes(
        first.read_bytes()
    )
    second.unlink()


def foreign_segment(kept):
    """Put another cluster's segment under the name of ours."""
    theirs = next((kept.stranger.root / "main" / "wal").rglob("0*-*.zst"))
    ours = wal_of(kept)[0]
    ours.unlink()
    ours.with_name(f"{ours.name[:25]}{theirs.name[25:]}").write_bytes(theirs.read_bytes())


def foreign_archive(kept):
    """Put the archive of another cluster beside ours."""
    shutil.copytree(
        kept.stranger.root / "main" / "wal", kept.root / "main" / "wal", dirs_exist_ok=True
    )


def foreign_claim(kept):
    """Let the repository belong to another cluster."""
    shutil.copy(kept.stranger.root / "main" / "stanza.json", kept.root / "main" / "stanza.json")


def foreign_object(kept):
    """Put another cluster's data in the place of ours."""
    theirs = next((kept.stranger.root / "main" / "backups").rglob("base.tar.zst"))
    shutil.copy(theirs, place(kept, LATER, "base"))


def without(numbers):
    """Return what removes some of the segments that the later full backup needs."""

    def damage(kept):
        needed = segments_of(kept, LATER)
        needed[numbers].unlink()

    return damage


def gap(kept):
    """Remove a segment between two backups, that none of them needs."""
    needed = {path for number in (FULL, INCREMENTAL, LATER) for path in segments_of(kept, number)}
    names = sorted(path.name for path in needed)
    between = [p for p in wal_of(kept) if p not in needed and names[0] < p.name < names[-1]]
    between[0].unlink()


MATRIX = {
    "data: one bit flipped": (lambda k: flip(place(k, LATER, "base")), "{2}: .*base.tar.zst"),
    "data: cut off": (lambda k: cut(place(k, LATER, "base")), "{2}: .*another size.*base"),
    "data: emptied": (lambda k: cut(place(k, LATER, "base"), 0), "{2}: .*another size.*base"),
    "data: longer": (
        lambda k: lengthen(place(k, LATER, "base")),
        "{2}: .*another size.*base",
    ),
    "data: deleted": (lambda k: place(k, LATER, "base").unlink(), "{2}: .*missing.*base.tar.zst"),
    "data: two objects swapped": (
        lambda k: swap(place(k, LATER, "base"), place(k, LATER, "backup_manifest")),
        "{2}: .*base.tar.zst",
    ),
    "data: swapped with an earlier backup's": (
        lambda k: swap(place(k, LATER, "base"), place(k, FULL, "base")),
        "{2}: .*base.tar.zst",
    ),
    "data: a stale copy": (
        lambda k: shutil.copy(place(k, FULL, "base"), place(k, LATER, "base")),
        "{2}: .*base.tar.zst",
    ),
    "data: another cluster's": (foreign_object, "{2}: .*base"),
    "data: of a parent flipped": (lambda k: flip(place(k, FULL, "base")), "{0}: .*base.tar.zst"),
    "manifest: one bit flipped": (
        lambda k: flip(place(k, LATER, "backup_manifest")),
        "{2}: .*backup_manifest.zst",
    ),
    "manifest: deleted": (
        lambda k: place(k, LATER, "backup_manifest").unlink(),
        "{2}: .*missing.*backup_manifest",
    ),
    "manifest: an earlier one": (
        lambda k: shutil.copy(place(k, FULL, "backup_man"), place(k, LATER, "backup_man")),
        "{2}: .*backup_manifest",
    ),
    "seal: one bit flipped": (lambda k: flip(place(k, LATER, "measure")), "{2}: .*measure.json"),
    "seal: deleted": (lambda k: place(k, LATER, "measure").unlink(), "{2}: .*missing.*measure"),
    "seal: an earlier one": (
        lambda k: shutil.copy(place(k, FULL, "measure"), place(k, LATER, "measure")),
        "{2}: .*measure.json",
    ),
    "seal: forged": (forge, "{2}: .*signed by a key that is not trusted"),
    "catalogue: edited": (
        lambda k: place(k, LATER, "backup.json").write_bytes(
            place(k, LATER, "backup.json").read_bytes().replace(b'"timeline": 1', b'"timeline": 2')
        ),
        "{2}: a document was edited",
    ),
    "catalogue: cut off": (
        lambda k: cut(place(k, LATER, "backup.json")),
        "{2}: a document cannot be read",
    ),
    "catalogue: emptied": (
        lambda k: cut(place(k, LATER, "backup.json"), 0),
        "{2}: a document cannot be read",
    ),
    "catalogue: deleted": (unfinish, "{2}: data without a document"),
    "catalogue: deleted, of a proven one": (
        lambda k: place(k, INCREMENTAL, "backup.json").unlink(),
        "{1}: an object is missing.*backup.json",
    ),
    "catalogue: without data": (emptied, "{2}: .*missing.*base"),
    "catalogue: another backup's": (other_document, "{2}: a document stands in another's place"),
    "catalogue: a parent that is gone": (
        lambda k: shutil.rmtree(place(k, FULL)),
        "{1}: .*chain .*broken",
    ),
    "catalogue: a parent replaced": (replaced_parent, "{1}: .*another backup stands in the place"),
    "catalogue: a chain beheaded": (beheaded, "{1}: .*has no parent"),
    "catalogue: an object that nobody knows": (
        lambda k: (place(k, LATER) / "more.tar.zst").write_bytes(b"x"),
        "{2}: holds an object that it does not know: more.tar.zst",
    ),
    "claim: deleted": (lambda k: (k.root / "main" / "stanza.json").unlink(), "stanza.json: .*miss"),
    "claim: another cluster's": (foreign_claim, "not trusted"),
    "proof: edited": (edited_proof, "{1}: a document was edited"),
    "proof: another backup's": (copied_proof, "{2}: a proof stands in another's place"),
    "proof: the newest renamed": (
        renamed_proof,
        "{1}: its newest proof is missing: entry .*proven",
    ),
    "proof: deleted": (
        lambda k: shutil.rmtree(place(k, SNAPSHOT) / "proofs"),
        "{3}: its newest proof is missing: entry .*proven",
    ),
    "journal: an entry removed": (lambda k: entries_of(k)[2].unlink(), "journal: lost entries: 3"),
    "journal: an entry edited": (
        lambda k: flip(entries_of(k)[2]),
        "journal: a document .*00000003",
    ),
    "journal: two entries swapped": (
        lambda k: swap(*entries_of(k)[2:4]),
        "journal: an entry stands in another's place.*is entry 4",
    ),
    "journal: its end cut off": (
        lambda k: [path.unlink() for path in entries_of(k)[4:]],
        "journal: lost its end",
    ),
    "journal: gone": (
        lambda k: shutil.rmtree(k.root / "main" / "journal"),
        "journal: lost its end",
    ),
    "backup: the newest one gone": (
        lambda k: shutil.rmtree(place(k, SNAPSHOT)),
        "{3}: is gone as a whole, and was never removed: entry",
    ),
    "pin: deleted": (
        lambda k: shutil.rmtree(k.root / "main" / "pins"),
        "{0}: its pin is missing: entry",
    ),
    "legal hold: deleted": (
        lambda k: shutil.rmtree(k.root / "main" / "legal"),
        "{1}: its legal hold is missing: entry",
    ),
    "pin: edited": (
        lambda k: flip(next((k.root / "main" / "pins").iterdir()), 0.2),
        "{0}: .*damaged",
    ),
    "WAL: missing at the start": (without(0), "{2}: WAL that it needs is missing"),
    "WAL: missing at the end": (without(-1), "{2}: WAL that it needs is missing"),
    "WAL: missing between backups": (gap, "missing before it"),
    "WAL: the newest deleted": (lambda k: wal_of(k)[-1].unlink(), "WAL: reached 0.*now ends with"),
    "WAL: how far it reached, edited": (
        lambda k: flip(k.root / "main" / "reach.json", 0.3),
        "reach.json: a document",
    ),
    "WAL: how far it reached, deleted": (
        lambda k: (k.root / "main" / "reach.json").unlink(),
        "reach.json: is missing",
    ),
    "WAL: one bit flipped": (lambda k: flip(wal_of(k)[1]), "0000000100000.*"),
    "WAL: cut off": (lambda k: cut(wal_of(k)[1]), "00000001000.*"),
    "WAL: emptied": (lambda k: cut(wal_of(k)[1], 0), "00000001000.*"),
    "WAL: two segments swapped": (lambda k: swap(*wal_of(k)[:2]), "00000001000.*other contents"),
    "WAL: two copies of a segment": (duplicated, "WAL: .*two copies of a segment"),
    "WAL: a segment under the next one's name": (renamed, "not that WAL segment"),
    "WAL: another cluster's segment": (foreign_segment, "of another cluster|not that WAL segment"),
    "WAL: another cluster's archive": (foreign_archive, "WAL of another cluster"),
}
"""What is done to a repository, and what is said of it: which backup, and what is wrong."""


def found_in(stanza):
    """Check a repository; return what is damaged, a line each."""
    inspection = check(stanza.catalogue)
    if inspection.damage:
        with pytest.raises(Corrupt):
            inspection.require("main", "there")
    return "\n".join(map(str, inspection.damage))


def test_a_sound_repository_raises_no_alarm(kept):
    """However often it is looked at: fifty times in all, whole and by names only."""
    stanza = kept.open()
    for _ in range(13):
        for quick in (True, False):
            inspection = check(stanza.catalogue, quick=quick)
            assert inspection.damage == []
            inspection.require("main", "there")
    assert (inspection.backups, inspection.objects) == (4, 15)


@pytest.mark.parametrize("damage", MATRIX)
def test_damage_is_found_and_named(kept, damage, tmp_path):
    """In a directory and in S3, encrypted and not."""
    work, said = MATRIX[damage]
    work(*([kept, tmp_path] if work is forge else [kept]))
    pattern = said.format(*(each.id for each in kept.made))
    found = found_in(kept.open())
    assert re.search(pattern, found, re.MULTILINE), found


STRAYS = {
    "of no kind": ("main/stray", "nothing that is kept here has such a name"),
    "of a system": ("main/.DS_Store", "nothing that is kept here has such a name"),
    "beside backups": ("main/backups/lost+found/x", "nothing that is kept here has such a name"),
    "beside pins": ("main/pins/.DS_Store", "nothing that is kept here has such a name"),
    "among proofs": ("main/backups/{1}/proofs/notes.txt", "an object that it does not know"),
    "in a backup, of an editor": ("main/backups/{1}/backup.json~", "that it does not know"),
    "among WAL": ("main/wal/notes.txt", "nothing that is kept here has such a name"),
}
"""Files that nobody wrote, and what is said of them."""


@pytest.mark.parametrize("stray", STRAYS)
def test_what_nobody_wrote_is_only_noted(kept, stray):
    """It stands in the way of nothing."""
    name, said = STRAYS[stray]
    path = kept.root / name.format(*(each.id for each in kept.made))
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(b"x")
    inspection = check(kept.open().catalogue)
    assert inspection.damage == []
    assert any(said in note.said for note in inspection.notes)


def test_a_chain_in_another_order_does_not_verify(kept):
    """Each link is signed and whole; only putting them together shows it."""
    reordered(kept)
    proof = verify(kept.open(), kept.made[INCREMENTAL].id)
    assert proof.verdict == "failed"
    assert "cannot be put together" in proof.failed[0].seen


def test_data_that_does_not_equal_its_seal_does_not_verify(kept):
    """Somebody with our key put an earlier seal in the place of another."""
    earlier = kept.made[FULL].object("measure.json")
    shutil.copy(place(kept, FULL, "measure"), place(kept, LATER, "measure"))
    path = place(kept, LATER, "backup.json")
    document = json.loads(path.read_bytes())["document"]
    document["objects"] = [
        vars(earlier) if item["name"].startswith("measure") else item
        for item in document["objects"]
    ]
    path.write_bytes(kept.keyring.sign(document))
    (said,) = found_in(kept.open()).splitlines()
    assert "another document stands in its place" in said
    proof = verify(kept.open(), kept.made[LATER].id)
    assert proof.verdict == "failed"
    assert any("hl7.public.kept" in check.seen for check in proof.failed)


def test_the_wrong_key_does_not_verify(kept):
    """What cannot be decrypted by the identity at hand is not called good."""
    if kept.kind == "plain":
        return
    assert "encrypted to another key" in found_in(kept.open(kept.other))
    known = len(kept.open().catalogue.proofs(kept.made[LATER].id))
    with pytest.raises(WrongKey, match=r"encrypted to another key; seen: base\.tar\.zst\.age"):
        verify(kept.open(kept.other), kept.made[LATER].id)
    assert len(kept.open().catalogue.proofs(kept.made[LATER].id)) == known


def test_without_the_key_data_is_checked_and_wal_is_told_to_be_closed(kept):
    """The backup host has the public key only: hashes are of what is stored."""
    inspection = check(kept.open(kept.closed).catalogue)
    assert inspection.damage == []
    assert bool(inspection.notes) == (kept.kind == "encrypted")
    flip(place(kept, LATER, "base"))
    assert "base.tar.zst" in found_in(kept.open(kept.closed))
