"""The journal: what happens is entered, what is lost is named, and no kill is called tampering."""

import hashlib
import json
import logging
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.control.errors import Corrupt, Refused
from tasks.repository import journal as journals
from tasks.repository.catalogue import Catalogue
from tasks.repository.check import check
from tasks.repository.findings import Inspection
from tasks.repository.journal import HOLD
from tasks.repository.journal_chain import flaws
from tasks.repository.journal_check import JournalCheck
from tasks.repository.journal_reader import PER_FOLDER, StoredEntry
from tasks.repository.journal_state import Entry, State, folded, folder_of
from tasks.repository.keys import Keyring
from tasks.repository.legal import LegalHold
from tasks.repository.losses import accept_losses
from tasks.repository.model import Damaged
from tasks.repository.pins import Pin


NEW, OLD = "full-20261123T020000Z", "full-20261122T020000Z"


def put(catalogue, made):
    """Put a backup with its objects into a catalogue."""
    for item in made.objects:
        catalogue.storage.put(f"{catalogue.prefix(made.id)}{item.name}", b"x" * item.stored_bytes)
    catalogue.add(made)


@pytest.fixture
def kept(catalogue, backup, proof):
    """Keep two backups: the old one proven and then failed, pinned and held; the new one proven."""
    catalogue.claim("7", 16 << 20)
    old, new = backup(OLD), backup(NEW)
    put(catalogue, old)
    put(catalogue, new)
    early, late = (old.started_at + timedelta(hours=n) for n in (1, 2))
    catalogue.record(proof(old, at=early))
    catalogue.record(proof(old, "fail", at=late))
    catalogue.record(proof(new, at=late))
    catalogue.pin(Pin(old.id, "audit", old.started_at))
    catalogue.pin(LegalHold(old.id, "case 7", "a lawyer", old.started_at))
    return catalogue


def looked(catalogue):
    """Hold the journal against the repository; return the findings: damage, and notes."""
    found = Inspection()
    JournalCheck(catalogue, found).run()
    return [[f"{each}" for each in told] for told in (found.damage, found.notes)]


def entries(catalogue):
    """Return the entries of the journal."""
    return [each.entry for each in catalogue.journal.entries()]


def stranger(catalogue, tmp_path):
    """Open the same repository on a machine that knows its key and never saw its journal."""
    other = Keyring(tmp_path / f"machine-{len(list(tmp_path.iterdir()))}")
    other.folder.mkdir()
    (other.folder / "seal.key").write_bytes((catalogue.keyring.folder / "seal.key").read_bytes())
    return Catalogue(catalogue.storage, "main", other)


def proofs(catalogue, backup):
    """Return the names of the proofs of a backup, oldest first."""
    return [item.name for item in catalogue.storage.objects(f"main/backups/{backup}/proofs/")]


def test_all_that_happens_is_entered_in_its_order(kept):
    """Each entry names its document and the hash of its bytes, and follows the one before."""
    kept.pins.remove(OLD)
    kept.legal.release(OLD, "settled", "a judge")
    kept.discard(OLD)
    told = entries(kept)
    assert [each.kind for each in told] == [
        *("taken", "taken", "verified", "verified", "verified"),
        *("pinned", "held", "unpinned", "released", "removed"),
    ]
    assert [each.verdict for each in told[2:5]] == ["proven", "failed", "proven"]
    assert [each.number for each in told] == list(range(1, 11))
    assert set(told[-1].gone) == {f"main/backups/{OLD}/backup.json", *told[2].documents} | set(
        told[3].documents
    )
    assert flaws(kept.journal.entries()) == []
    assert looked(kept) == [[], []]


def test_a_sound_repository_raises_no_alarm(kept, tmp_path):
    """On the machine that wrote it, and on one that sees it for the first time."""
    for catalogue in (kept, stranger(kept, tmp_path)):
        for _ in range(2):
            assert looked(catalogue) == [[], []]


def test_a_proof_lies_under_the_name_that_is_signed(kept):
    """Renamed, it would count as another one's elder."""
    first, second = proofs(kept, OLD)
    kept.storage.put(second.replace(".json", "9.json"), kept.storage.get(first))
    with pytest.raises(Corrupt, match=r"a proof has another's name; .*expected: 2026\d+T\d+Z-0+"):
        kept.proofs(OLD)


def rename(catalogue):
    """Give the newest failing proof an older name."""
    first, second = proofs(catalogue, OLD)
    data = catalogue.storage.get(second)
    catalogue.storage.delete(second)
    catalogue.storage.put(first.replace("T03", "T01"), data)


def gone(pattern):
    """Return what deletes all objects whose name holds something."""

    def delete(catalogue):
        for item in catalogue.storage.objects("main/"):
            if pattern in item.name:
                catalogue.storage.delete(item.name)

    return delete


def delete_proof(number):
    """Return what deletes one proof of the old backup."""
    return lambda catalogue: catalogue.storage.delete(proofs(catalogue, OLD)[number])


def replay_pin(catalogue):
    """Put back a pin that was replaced by another one."""
    name = f"main/pins/{OLD}.json"
    before = catalogue.storage.get(name)
    catalogue.pin(Pin(OLD, "for ever", catalogue.get(OLD).started_at))
    catalogue.storage.put(name, before)


def resign(catalogue):
    """Change a document and sign it, as somebody with our key could."""
    name = f"main/backups/{NEW}/backup.json"
    document = json.loads(catalogue.storage.get(name))["document"] | {"timeline": 2}
    catalogue.storage.put(name, catalogue.keyring.sign(document))


LOSSES = {
    "the newest failing proof renamed": (
        rename,
        rf"{OLD}: its newest proof is missing: entry 4 .*failed",
    ),
    "the newest failing proof deleted": (delete_proof(1), rf"{OLD}: its newest proof is missing"),
    "an older proof deleted": (
        delete_proof(0),
        rf"{OLD}: a proof is missing: entry 3 .*\(proven\)",
    ),
    "a pin deleted": (gone("/pins/"), f"{OLD}: its pin is missing: entry 6"),
    "a legal hold deleted": (gone("/legal/held/"), f"{OLD}: its legal hold is missing: entry 7"),
    "a pin replaced by an earlier one": (replay_pin, f"{OLD}: an earlier document was put back"),
    "the newest backup removed": (gone(f"/backups/{NEW}/"), f"{NEW}: is gone as a whole.*entry 2"),
    "a document signed anew": (resign, f"{NEW}: another document stands in its place.*entry 2"),
}
"""What is done to documents, and the one thing that is said of it."""


@pytest.mark.parametrize("loss", LOSSES)
def test_what_is_lost_is_named_and_nothing_else(kept, loss, tmp_path):
    """By any machine that knows the key."""
    work, said = LOSSES[loss]
    work(kept)
    for catalogue in (kept, stranger(kept, tmp_path)):
        damage, notes = looked(catalogue)
        assert len(damage) == 1, damage
        assert re.match(said, damage[0]), damage
        assert notes == []


def names(catalogue):
    """Return the names of the entries, by number."""
    return [each.name for each in catalogue.journal.entries()]


def drop(*numbers):
    """Return what deletes entries."""

    def damage(catalogue):
        every = names(catalogue)
        for number in numbers:
            catalogue.storage.delete(every[number - 1])

    return damage


def edit_entry(catalogue):
    """Turn a verdict in an entry."""
    name = names(catalogue)[3]
    data = catalogue.storage.get(name).replace(b'"failed"', b'"proven"')
    catalogue.storage.put(name, data)


def swap_entries(catalogue):
    """Let two entries change places."""
    one, two = names(catalogue)[3:5]
    first, second = catalogue.storage.get(one), catalogue.storage.get(two)
    catalogue.storage.put(one, second)
    catalogue.storage.put(two, first)


def fork(catalogue):
    """Append two entries of one number, as two writers that know nothing of each other would."""
    other = replace(catalogue, storage=catalogue.storage)
    told = catalogue.journal.read().told
    for reason in ("a", "b"):
        other.journal._write(told, Entry("accepted", reason=reason))  # noqa: SLF001


def forge(catalogue):
    """Write an entry anew, as somebody with our key could, under a name that fits it."""
    name = names(catalogue)[3]
    document = json.loads(catalogue.storage.get(name))["document"] | {"verdict": "proven"}
    data = catalogue.keyring.sign(document)
    catalogue.storage.delete(name)
    digits = hashlib.sha256(data).hexdigest()[:16]
    catalogue.storage.put(f"main/journal/00000/00000004-{digits}.json", data)


CHAINS = {
    "an entry removed": (drop(4), ["lost entries: 4"]),
    "several entries removed": (drop(2, 3, 5), ["lost entries: 2 to 3", "lost entries: 5"]),
    "an entry edited": (edit_entry, ["a document was edited; seen: main/journal/00000/00000004"]),
    "two entries swapped": (swap_entries, ["another's place.*is entry 5", "place.*is entry 4"]),
    "an entry forged": (forge, ["entry 5 does not follow the one before it"]),
    "forked": (fork, ["entry 8 is there 2 times: it was forked"]),
}
"""What is done to the journal, and what is said of it."""


@pytest.mark.parametrize("damage", CHAINS)
def test_a_broken_chain_is_named_and_nothing_else(kept, damage, tmp_path):
    """The documents are all there; that entries on them are lost is said once."""
    work, said = CHAINS[damage]
    other = stranger(kept, tmp_path)
    work(kept)
    for catalogue in (kept, other):
        found = looked(catalogue)[0]
        assert len(found) == len(said), found
        for line, pattern in zip(found, said, strict=True):
            assert re.search(pattern, line), line


def test_an_end_that_was_cut_off_is_seen_by_who_saw_more(kept, tmp_path):
    """And names what the lost entries told of; elsewhere proofs tell how many there were."""
    other = stranger(kept, tmp_path)
    drop(7)(kept)
    gone("/legal/held/")(kept)
    first, second = looked(kept)[0]
    assert first == "journal: ends with entry 6, though this machine saw entry 7"
    assert second.startswith(f"{OLD}: its legal hold is missing: this machine saw an entry on main")
    assert looked(other) == [[], []]
    drop(3, 4, 5, 6)(kept)
    (said,) = looked(stranger(kept, tmp_path))[0]
    assert "lost its end: main/backups/" in said
    assert "was signed when there were 4 entries" in said


def test_an_end_that_was_cut_off_and_grew_again_is_seen(kept, tmp_path, proof):
    """Its new entries tell of proofs that were signed when there were more."""
    other = stranger(kept, tmp_path)
    drop(2, 3, 4, 5, 6, 7)(kept)
    for n in range(3, 9):
        other.record(proof(other.get(OLD), at=other.get(OLD).started_at + timedelta(days=n)))
    assert "lost its end" in looked(other)[0][0]
    assert looked(kept)[0][0] == "journal: entry 7 is not the one that this machine saw"


def test_a_journal_that_is_gone_is_missed(kept, tmp_path):
    """By who saw it, and by what was signed while it was there."""
    other = stranger(kept, tmp_path)
    gone("/journal/")(kept)
    assert looked(kept)[0] == ["journal: ends with entry 0, though this machine saw entry 7"]
    assert looked(other)[0] == [] or "lost its end" in looked(other)[0][0]


def test_how_far_wal_reached_tells_how_many_entries_there_were(kept, tmp_path):
    """It is signed each minute."""
    from tasks.postgres.lsn import Segment

    kept.reaches.note(Segment(1, 5, 16 << 20))
    drop(7)(kept)
    (said,) = looked(stranger(kept, tmp_path))[0]
    assert said == "journal: lost its end: reach.json was signed when there were 7 entries"


def test_the_last_proof_is_doubtful_where_the_newest_is_lost(kept, tmp_path):
    """An older good one does not count; a new verification does."""
    assert kept.last_proof(OLD).verdict == "failed"
    delete_proof(1)(kept)
    for catalogue in (kept, stranger(kept, tmp_path)):
        last = catalogue.last_proof(OLD)
        assert isinstance(last, Damaged)
        assert "its newest proof is missing" in last.problem
        assert catalogue.last_proof(NEW).verdict == "proven"


def test_a_lost_proof_is_made_good_by_a_new_one(kept, proof):
    """The check goes on to name what is lost."""
    delete_proof(1)(kept)
    again = proof(kept.get(OLD), at=kept.get(OLD).started_at + timedelta(hours=9))
    kept.record(again)
    assert kept.last_proof(OLD) == again
    assert len(looked(kept)[0]) == 1


def test_a_machine_that_saw_more_is_not_fooled_by_a_shorter_journal(kept):
    """Not even where the entry went together with the proof."""
    drop(4, 5, 6, 7)(kept)
    delete_proof(1)(kept)
    assert isinstance(kept.last_proof(OLD), Damaged)


def test_a_document_without_an_entry_is_adopted_by_the_next_writer(kept, proof, caplog):
    """A kill between the two leaves it; it is no damage meanwhile, and loses nothing."""
    made = proof(kept.get(NEW), "fail", at=kept.get(NEW).started_at + timedelta(hours=5))
    name = f"main/backups/{NEW}/proofs/{made.name}"
    kept.documents.put(name, made)
    assert looked(kept) == [[], [f"{NEW}: {name} is not in the journal yet"]]
    assert kept.last_proof(NEW) == made
    kept.pins.remove(OLD)
    adopted, last = entries(kept)[-2:]
    assert (adopted.kind, list(adopted.documents), last.kind) == ("adopted", [name], "unpinned")
    assert looked(kept) == [[], []]


def test_what_cannot_be_believed_is_not_adopted(kept):
    """Else a forger would only have to wait."""
    kept.storage.put(f"main/pins/{NEW}.json", b"{}")
    kept.storage.put(f"main/backups/{NEW}/proofs/x.json", kept.storage.get(proofs(kept, OLD)[0]))
    kept.pins.remove(OLD)
    assert [each.kind for each in entries(kept)[-2:]] == ["held", "unpinned"]


def test_a_repository_without_a_journal_is_adopted(kept, tmp_path):
    """Earlier versions wrote none; nothing of what they wrote is condemned."""
    gone("/journal/")(kept)
    kept.journal.cache.path.unlink()
    for name in proofs(kept, OLD) + proofs(kept, NEW):
        document = json.loads(kept.storage.get(name))["document"]
        del document["journal"]
        kept.storage.put(name, kept.keyring.sign(document))
    assert looked(kept) == [[], ["journal: there is none yet; what is written next begins it"]]
    assert kept.last_proof(OLD).verdict == "failed"
    kept.pins.remove(OLD)
    first, second = entries(kept)
    assert (first.kind, len(first.documents), second.kind) == ("adopted", 6, "unpinned")
    assert looked(kept) == looked(stranger(kept, tmp_path)) == [[], []]


def test_who_cannot_have_the_journal_keeps_the_backup_all_the_same(
    kept, backup, monkeypatch, caplog
):
    """A later entry adopts it."""
    monkeypatch.setattr(journals, "ADDING_S", 0.1)
    made = backup("full-20261124T020000Z")
    with (
        kept.storage.hold(HOLD, shared=False, stanza="main"),
        caplog.at_level(logging.WARNING),
    ):
        put(kept, made)
    assert "is not in the journal yet; the next entry adopts it" in caplog.text
    assert kept.get(made.id) == made
    assert len(looked(kept)[1]) == 1
    kept.pins.remove(OLD)
    assert looked(kept) == [[], []]


@pytest.mark.parametrize(
    "work",
    [
        lambda c: c.pins.remove(OLD),
        lambda c: c.legal.release(OLD, "settled", "a judge"),
        lambda c: c.discard(NEW),
    ],
)
def test_nothing_goes_while_the_journal_cannot_be_written(kept, monkeypatch, work):
    """It would look like a loss."""
    monkeypatch.setattr(journals, "REMOVING_S", 0.1)
    before = {item.name for item in kept.storage.objects("main/")}
    with (
        kept.storage.hold(HOLD, shared=False, stanza="main"),
        pytest.raises(Refused, match="journal is in use"),
    ):
        work(kept)
    assert {i.name for i in kept.storage.objects("main/") if "/released/" not in i.name} == before
    assert looked(kept)[0] == []


def test_data_whose_document_is_lost_is_not_removed(kept):
    """A leftover of a kill never had one; this may be all that is left of a backup."""
    kept.storage.delete(f"main/backups/{NEW}/backup.json")
    for name in proofs(kept, NEW):
        kept.storage.delete(name)
    assert NEW in kept.leftovers()
    with pytest.raises(Refused, match=r"a backup has lost its document; .*copy the backup here"):
        kept.discard(NEW)
    found = [str(each) for each in check(kept, quick=True).damage]
    assert f"{NEW}: data without a document, of which the journal tells" in found


def test_a_loss_that_somebody_accepts_is_no_alarm_any_more(kept, tmp_path):
    """Who did, and why, is signed; the journal goes on behind it, and what is lost next is told."""
    with pytest.raises(Refused, match="nothing is lost"):
        accept_losses(kept, by="an operator", reason="none")
    other = stranger(kept, tmp_path)
    gone(f"/backups/{NEW}/")(kept)
    drop(3, 7)(kept)
    assert len(looked(kept)[0]) == 3
    with pytest.raises(Refused, match="needs a name and a reason"):
        accept_losses(kept, by="", reason="a disk")
    accept_losses(kept, by="an operator", reason="a disk broke")
    for catalogue in (kept, other):
        damage, notes = looked(catalogue)
        assert damage == []
        assert all("accepted by an operator" in each and "a disk broke" in each for each in notes)
    gone("/pins/")(kept)
    assert len(looked(kept)[0]) == 1


def test_a_repository_that_was_begun_anew_is_another_one(kept, backup):
    """The journal of the one before is no longer expected, though it lay in the same place."""
    gone("/")(kept)
    kept.claim("7", 16 << 20)
    put(kept, backup(OLD))
    assert looked(kept) == [[], []]
    assert [each.kind for each in entries(kept)] == ["taken"]


def test_what_was_removed_in_part_only_is_no_damage(kept, monkeypatch):
    """The entry is there, and what it tells of is there still: the next cleanup removes it."""
    monkeypatch.setattr(type(kept.storage), "delete", lambda *_: None)
    kept.discard(NEW)
    kept.pins.remove(OLD)
    monkeypatch.undo()
    damage, notes = looked(kept)
    assert damage == []
    assert len([each for each in notes if "its removal was begun and not finished" in each]) == 2
    assert len([each for each in notes if "its end was begun and not finished" in each]) == 1
    before = len(entries(kept))
    kept.discard(NEW)
    kept.pins.remove(OLD)
    assert looked(kept) == [[], []]
    assert len(entries(kept)) == before


def test_a_replaced_document_can_be_accepted(kept):
    """What is there is what is expected from then on."""
    resign(kept)
    accept_losses(kept, by="an operator", reason="it was ours")
    assert looked(kept) == [[], []]


def test_a_removal_whose_entry_is_lost_is_remembered_by_who_saw_it(kept):
    """There the entry is all that is missing; nobody else can tell."""
    kept.discard(NEW)
    kept.pins.remove(OLD)
    drop(8)(kept)
    assert looked(kept)[0] == ["journal: lost entries: 8"]


def test_a_look_beside_writers_raises_no_alarm(catalogue, backup, proof):
    """Documents come, are replaced and go while it reads them."""
    from concurrent.futures import ThreadPoolExecutor

    catalogue.claim("7", 16 << 20)
    made = backup(OLD)
    put(catalogue, made)
    is_done = []

    def write():
        for n in range(25):
            other = backup(f"full-20261123T0200{n:02d}Z")
            put(catalogue, other)
            catalogue.record(proof(made, at=made.started_at + timedelta(hours=n)))
            catalogue.pin(Pin(OLD, f"{n}", made.started_at))
            if n % 3 == 0:
                catalogue.pins.remove(OLD)
            catalogue.discard(other.id)
        is_done.append(1)

    def look():
        times = 0
        while not is_done:
            damage = looked(catalogue)[0]
            assert damage == [], times
            times += 1
        return times

    with ThreadPoolExecutor(2) as pool:
        writing, looking = pool.submit(write), pool.submit(look)
        writing.result()
        assert looking.result() > 5


def test_writers_at_the_same_time_lose_and_fork_nothing(catalogue, backup, proof):
    """Eight at once, each with entries of its own."""
    from concurrent.futures import ThreadPoolExecutor

    catalogue.claim("7", 16 << 20)
    every = [backup(f"full-202611{day:02d}T020000Z") for day in range(1, 9)]

    def work(made):
        put(catalogue, made)
        for n in range(4):
            catalogue.record(proof(made, at=made.started_at + timedelta(hours=n)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, every))
    assert flaws(catalogue.journal.entries()) == []
    told = catalogue.journal.read().told.documents
    assert sorted(told) == sorted(catalogue.journal.document_names())
    assert looked(catalogue) == [[], []]


def test_a_long_journal_is_read_from_where_it_was_left(catalogue, backup, monkeypatch):
    """Whoever looked before reads only what is new, over the end of a folder too."""
    catalogue.claim("7", 16 << 20)
    made = backup(OLD)
    put(catalogue, made)
    journal, told = catalogue.journal, catalogue.journal.read().told
    for n in range(PER_FOLDER + 2):
        told = journal._write(told, Entry("taken", documents={f"main/x/{n}": "ab"}))  # noqa: SLF001
    reads = []
    real = type(catalogue.storage).get
    monkeypatch.setattr(
        type(catalogue.storage), "get", lambda self, name: (reads.append(name), real(self, name))[1]
    )
    assert journal.read().told == told
    assert reads == []
    told = journal._write(told, Entry("taken", documents={"main/y": "ab"}))  # noqa: SLF001
    assert told.number == PER_FOLDER + 4
    journal.cache.path.unlink()
    assert journal.read().told == told
    assert len([name for name in reads if "/journal/" in name]) == 4
    assert looked(catalogue)[1] == []


def test_a_summary_shortens_reading_and_is_believed_only_where_it_fits(kept, monkeypatch, tmp_path):
    """One that was edited is passed over; one that goes on beyond the end tells that it was cut."""
    monkeypatch.setattr(journals, "PER_SUMMARY", 4)
    for reason in ("b", "c"):
        kept.pin(Pin(OLD, reason, kept.get(OLD).started_at))
    name = "main/journal-summaries/00000008.json"
    assert kept.storage.exists(name)
    bare = stranger(kept, tmp_path)
    assert bare.journal.read() == kept.journal.read()
    assert looked(bare) == looked(kept) == [[], []]
    signed = kept.storage.get(name)
    kept.storage.put(name, signed.replace(b'"number": 8', b'"number": 4'))
    bare = stranger(kept, tmp_path)
    assert bare.journal.read() == kept.journal.read()
    kept.storage.put(name, signed)
    drop(8, 9)(kept)
    assert f"journal: lost its end: {name} was" in looked(stranger(kept, tmp_path))[0][0]


def chained(kinds):
    """Return a whole chain of entries of some kinds, as it lies there."""
    found, before = [], ""
    for number, kind in enumerate(kinds, 1):
        entry = Entry(kind, number=number, before=before)
        before = f"{number:064x}"
        found.append(StoredEntry(f"{number}", number, before, entry))
    return found


KINDS = st.lists(st.sampled_from(["taken", "pinned", "removed"]), min_size=1, max_size=40)


@given(KINDS)
def test_a_whole_chain_has_no_flaw(kinds):
    """However long."""
    assert flaws(chained(kinds)) == []


@given(KINDS, st.data())
def test_any_entry_but_the_last_is_missed(kinds, data):
    """Once for each run of missing ones; the end is known elsewhere."""
    chain = chained(kinds)
    kept = data.draw(st.sets(st.integers(1, len(kinds))))
    left = [each for each in chain if each.number in kept or each.number == len(kinds)]
    missing = {each.number for each in chain} - {each.number for each in left}
    runs = [n for n in missing if n - 1 not in missing]
    assert len(flaws(left)) == len(runs)


@given(KINDS, st.data())
def test_an_entry_that_was_written_anew_does_not_fit_the_next(kinds, data):
    """Whoever has the key can sign, but not find the same hash again."""
    chain = chained(kinds)
    at = data.draw(st.integers(0, len(kinds) - 1))
    chain[at] = replace(chain[at], sha256="f" * 64)
    assert len(flaws(chain)) == (at < len(kinds) - 1)


NAMES = [
    f"main/backups/{each}/{name}"
    for each in (OLD, NEW)
    for name in ("backup.json", "proofs/1.json")
]

ENTRIES = st.lists(
    st.one_of(
        st.builds(
            lambda n, sha: Entry("taken", documents={n: sha}),
            st.sampled_from(NAMES),
            st.text("ab", min_size=1, max_size=2),
        ),
        st.builds(lambda n: Entry("removed", gone={n: "x"}), st.sampled_from(NAMES)),
        st.builds(lambda n: Entry("unpinned", gone={n: "x"}), st.just("main/pins/a.json")),
        st.builds(lambda n: Entry("pinned", documents={n: "x"}), st.just("main/pins/a.json")),
    ),
    max_size=20,
)


@given(ENTRIES, st.integers(0, 20))
def test_a_state_is_the_same_in_whatever_steps_it_is_reached(told, cut):
    """So that what a machine saw before need not be read again."""
    pairs = [(replace(each, number=n), str(n)) for n, each in enumerate(told, 1)]
    assert folded(folded(State(), pairs[:cut]), pairs[cut:]) == folded(State(), pairs)


@given(ENTRIES)
def test_nothing_is_there_and_gone_at_once(told):
    """A removed backup takes its proofs along; what comes again is not gone any more."""
    state = folded(State(), [(each, "") for each in told])
    assert not any(state.is_gone(name) for name in state.documents)
    for each in told[-1:]:
        for name in each.gone:
            assert name not in state.documents
        if each.kind == "removed":
            assert state.below(folder_of(next(iter(each.gone)))) == {}
