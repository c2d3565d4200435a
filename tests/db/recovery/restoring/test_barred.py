"""What refuses a restore and what only warns: failed proofs tier by tier, and damaged bytes."""

import re
import shutil
import tarfile
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

from tasks.backup import parent, wal
from tasks.backup.take import take
from tasks.control import clock, settings
from tasks.control.errors import Corrupt, Refused
from tasks.postgres.server import identify
from tasks.recovery.planning import survey
from tasks.recovery.planning.target import parse
from tasks.recovery.restoring import restored
from tasks.repository.proof import BYTES, TIERS, Check, Proof
from tasks.repository.seal import unsealed
from tasks.repository.stanza import open_stanza
from tests.db.recovery.restoring.conftest import Copies


COMPARISON = [tier for tier in TIERS if tier not in BYTES]

LATEST = parse("latest")


def write(server, *numbers):
    """Commit some numbers, each in a segment of its own."""
    with server.connect() as connection:
        for number in numbers:
            connection.execute("insert into counted values (%s)", [number])
            connection.execute("select pg_switch_wal()")


@pytest.fixture(scope="module")
def history():
    """Write a history: two full backups, an incremental one, and seven numbers around them."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-barred-"))
    home.chmod(0o755)
    stanza = open_stanza(settings.load(hl7ops_home=home))
    server = stanza.server()
    with server.connect() as connection:
        connection.execute("create table counted (n int)")
    write(server, 1)
    first = take(stanza)
    write(server, 2, 3)
    second = take(stanza)
    write(server, 4)
    third = take(stanza, "incremental")
    write(server, 5, 6, 7)
    wal.pull(stanza, server)
    copies = Copies(stanza)
    yield SimpleNamespace(stanza=stanza, copies=copies, backups=[first, second, third])
    copies.close()
    stanza.home.primary.stop("immediate")
    shutil.rmtree(home)


def remembering(catalogue):
    """Return where the repository is, and where this machine remembers its journal."""
    return catalogue.storage.root, catalogue.documents.keyring.folder


@pytest.fixture
def place(history):
    """Put back what is kept and remembered when the test ends, and take the copies away."""
    catalogue = history.stanza.catalogue
    history.root = catalogue.storage.root
    places = [(each, each.with_name(f"aside-{each.name}")) for each in remembering(catalogue)]
    for each, aside in places:
        shutil.copytree(each, aside)
    yield history
    for each, aside in places:
        shutil.rmtree(each)
        aside.rename(each)
    for path in history.copies.folder.iterdir():
        restored.remove(path)
    for path in history.copies.folder.glob(".*"):
        shutil.rmtree(path)


def prove(place, backup, *, at=0, **found):
    """Record a proof in which tiers ended otherwise than well; after a failed one none is run."""
    checks = []
    for tier in TIERS:
        outcome = found.get(tier, "pass")
        checks.append(Check(tier, f"what {tier} says", outcome, "" if outcome == "pass" else "17"))
        if outcome in ("fail", "error") and tier in BYTES:
            break
    moment = clock.now() + timedelta(seconds=at)
    proof = Proof(backup.id, "main", moment, moment, checks)
    place.stanza.catalogue.record(proof)
    return proof


def plan(place, target="latest", **more):
    """Plan a restore."""
    return survey.plan(place.stanza, parse(target), **more)


def numbers(place, **more):
    """Restore a copy; return it, and the numbers that it holds."""
    done = place.copies.restore(more.pop("target", "latest"), **more)
    with done.server.database("hl7").connect() as connection:
        rows = connection.execute("select n from counted order by n").fetchall()
    done.cluster.stop("immediate")
    return done, [number for (number,) in rows]


def flip(path, share=0.5):
    """Change one bit."""
    data = bytearray(path.read_bytes())
    data[int(len(data) * share)] ^= 1
    path.write_bytes(data)


def alter(path):
    """Change one byte of a table's file in a tar, and compress it again to the same size."""
    stored = path.read_bytes()
    raw = bytearray(zstandard.ZstdDecompressor().stream_reader(stored).read())
    at = 0
    while True:
        member = tarfile.TarInfo.frombuf(raw[at : at + 512], "utf-8", "surrogateescape")
        if re.fullmatch(r"base/1/\d+", member.name) and member.size > 8192:
            break
        at += 512 + -(-member.size // 512) * 512
    raw[at + 512 + 8192 + 4000] ^= 0xFF
    packed = zstandard.ZstdCompressor(level=9).compress(bytes(raw))
    rest = len(stored) - len(packed) - 8
    path.write_bytes(packed + b"\x50\x2a\x4d\x18" + rest.to_bytes(4, "little") + bytes(rest))
    return member.name


def stored(place, backup, name):
    """Return where an object of a backup lies."""
    return place.root / place.stanza.catalogue.prefix(backup.id) / name


def segments(place):
    """Return the archived segments, in order."""
    return sorted(place.root.glob("main/wal/*/*/*.zst"))


def test_a_backup_that_is_named_leads_to_the_end_of_another_one(place):
    """As where the bytes of that one failed, which its restore point does not lie in."""
    first, second, _ = place.backups
    prove(place, second, objects="fail")
    with pytest.raises(Refused, match="are bad"):
        plan(place, second.id)
    made = plan(place, second.id, named=first.id)
    assert [each.id for each in made.chain] == [first.id]
    assert made.stop is not None


def test_what_can_only_be_read_is_restored_all_the_same(place, caplog):
    """Nothing keeps a cleanup elsewhere away from it, which is told."""
    holds = place.root / "main" / "holds"
    shutil.rmtree(holds)
    holds.write_text("no directory, so that nothing can be held")
    _, found = numbers(place)
    assert found
    assert "is read without keeping a cleanup away" in caplog.text


def test_a_backup_that_was_never_verified_warns_and_is_restored(place):
    """The document of the copy keeps the warning."""
    done, found = numbers(place)
    assert found == list(range(1, 8))
    (warning,) = done.warnings
    assert warning.startswith(f"{place.backups[2].id} was never verified")
    kept = restored.find(Path(done.path))
    assert (list(kept.warnings), list(kept.accepted)) == (done.warnings, [])


def test_a_proven_backup_warns_of_nothing(place):
    """And nothing is passed over."""
    prove(place, place.backups[2])
    made = plan(place)
    assert (made.warnings, made.accepted, list(made.passed_over)) == ([], [], [])
    assert made.backup.id == place.backups[2].id


@pytest.mark.parametrize("tier", COMPARISON)
@pytest.mark.parametrize("outcome", ["fail", "error"])
def test_a_failed_comparison_refuses_nothing_and_prefers_no_older_one(place, tier, outcome):
    """It is used, and warned of; of a proven older one it is said how that is begun with."""
    prove(place, place.backups[2], **{tier: outcome})
    prove(place, place.backups[1])
    made = plan(place)
    assert made.backup.id == place.backups[2].id
    assert made.passed_over == []
    is_named = f"--backup {place.backups[1].id}, which is proven, leads there as well"
    assert (is_named in made.warnings) is (outcome == "fail")
    if (tier, outcome) != ("structure", "error"):
        assert place.backups[2].id in made.warnings[0]
    if outcome == "fail":
        assert f"what {tier} says: 17" in made.warnings[0]
        assert (tier == "structure") is ("as its source did" in made.warnings[0])


def test_a_failed_comparison_is_restored(place):
    """Without a switch, and without a question."""
    prove(place, place.backups[2], contents="fail")
    done, found = numbers(place)
    assert found == list(range(1, 8))
    assert "differs from its seal" in done.warnings[0]
    assert done.accepted == []


def test_an_alternative_is_named_only_where_it_is_known_to_be_better(place):
    """Neither one that nobody verified, nor one that differs itself, nor one that leads nowhere."""
    prove(place, place.backups[2], contents="fail")
    prove(place, place.backups[1], contents="fail")
    assert not [each for each in plan(place).warnings if "--backup" in each]
    prove(place, place.backups[0])
    assert f"--backup {place.backups[0].id}, which is" in plan(place).warnings[1]
    assert not [each for each in plan(place, "immediate").warnings if "--backup" in each]


@pytest.mark.parametrize("tier", BYTES)
def test_failed_bytes_are_passed_over_where_another_one_leads_there(place, tier):
    """The plan says so; and where none does it is refused, with the switch."""
    first, second, third = place.backups
    prove(place, third, **{tier: "fail"})
    made = plan(place)
    assert made.backup.id == second.id
    assert f"what {tier} says: 17" in made.passed_over[0]
    for backup in (first, second):
        prove(place, backup, **{tier: "fail"})
    for named in (None, third.id):
        with pytest.raises(Refused, match="--accept-failed-proof") as refused:
            plan(place, named=named)
        assert f"{third.id}: its bytes failed its last proof: what {tier} says: 17" in str(
            refused.value
        )
    with pytest.raises(Refused, match="--accept-failed-proof"):
        plan(place, third.id)


@pytest.mark.parametrize("tier", BYTES)
def test_bytes_that_could_not_be_looked_at_are_not_bytes_that_failed(place, tier):
    """An error says nothing of them; what an earlier proof found still counts."""
    third = place.backups[2]
    prove(place, third, **{tier: "error"})
    made = plan(place)
    assert made.backup.id == third.id
    assert "could not run" in made.warnings[0]
    prove(place, third, at=1)
    prove(place, third, at=2, **{tier: "error"})
    assert plan(place).warnings == []
    assert place.stanza.catalogue.last_proof(third.id).verdict == "proven"
    prove(place, third, at=3, **{tier: "fail"})
    prove(place, third, at=4, **{tier: "error"})
    assert plan(place).backup.id == place.backups[1].id


def test_a_comparison_that_could_not_run_leaves_what_an_earlier_one_found(place):
    """The bytes that it recovered are the same, also where they had failed in between."""
    third = place.backups[2]
    prove(place, third, at=1, contents="fail")
    prove(place, third, at=2, contents="error")
    assert "differs from its seal" in plan(place).warnings[0]
    prove(place, third, at=3)
    prove(place, third, at=4, contents="error")
    assert plan(place).warnings == []
    prove(place, third, at=5, objects="fail")
    prove(place, third, at=6, contents="error")
    assert plan(place).warnings == []


def test_a_failed_proof_is_accepted_and_that_stays_known(place):
    """In the plan, and in the document of the copy; here the bytes are good: nothing is lost."""
    for backup in place.backups:
        prove(place, backup, objects="fail")
    made = plan(place, accept_failed_proof=True)
    accepted = [f"{place.backups[2].id}: its bytes failed its last proof: what objects says: 17"]
    assert list(made.accepted) == accepted
    done, found = numbers(place, accept_failed_proof=True)
    assert found == list(range(1, 8))
    assert list(restored.find(Path(done.path)).accepted) == accepted


def test_the_switch_prefers_a_sound_backup_all_the_same(place):
    """And says nothing where there is nothing to accept."""
    prove(place, place.backups[2], boot="fail")
    prove(place, place.backups[1])
    made = plan(place, accept_failed_proof=True)
    assert (made.backup.id, list(made.accepted)) == (place.backups[1].id, [])
    named = plan(place, named=place.backups[2].id, accept_failed_proof=True)
    assert named.backup.id == place.backups[2].id


def test_a_proof_that_cannot_be_read_warns(place):
    """Nobody knows what it said; that bars neither a restore nor a backup on top of it."""
    third = place.backups[2]
    prove(place, third)
    (proof,) = stored(place, third, "proofs").iterdir()
    proof.write_text("{}")
    made = plan(place)
    assert made.backup.id == third.id
    assert "the last proof of" in made.warnings[0]
    assert "cannot be read" in made.warnings[0]


@pytest.mark.parametrize("tier", TIERS)
def test_only_failed_bytes_keep_a_backup_from_being_built_on(place, tier):
    """Else a comparison would cost the next increments."""
    server = place.stanza.server()
    prove(place, place.backups[2], **{tier: "fail"})
    found = parent.find(place.stanza, server, identify(server), "incremental")
    assert (found.backup.id == place.backups[2].id) is (tier not in BYTES)


def test_a_damaged_object_is_refused_and_salvaged_where_that_is_accepted(place):
    """Files that differ are named, in the document too; another backup that leads there as well."""
    first = place.backups[0]
    name = alter(stored(place, first, "base.tar.zst"))
    with pytest.raises(Corrupt, match="--accept-failed-proof") as corrupt:
        numbers(place, named=first.id)
    assert f"--backup {place.backups[2].id} leads there without it" in str(corrupt.value)
    assert list(place.copies.folder.iterdir()) == []
    done, found = numbers(place, named=first.id, accept_failed_proof=True)
    assert found == list(range(1, 8))
    assert "base.tar.zst" in done.accepted[0]
    assert "bytes could be read" in done.accepted[0]
    assert f'{first.id}: checksum mismatch for file "{name}"' in done.accepted
    assert restored.find(Path(done.path)).accepted == done.accepted


@pytest.mark.parametrize("share", [0.05, 0.4, 0.7, 0.95])
def test_one_bit_is_salvaged_or_it_is_said_why_not(place, share):
    """Where a stream breaks it cannot be read on, and what comes last in it is lost."""
    first = place.backups[0]
    flip(stored(place, first, "base.tar.zst"), share)
    try:
        done, _ = numbers(place, named=first.id, accept_failed_proof=True)
    except Corrupt as error:
        assert re.search("no copy can be made of this backup|a server did not", str(error))  # noqa: PT017
        assert "base.tar.zst" in str(error)  # noqa: PT017
        assert list(place.copies.folder.iterdir()) == []
    else:
        assert "base.tar.zst" in done.accepted[0]


def test_an_object_whose_end_is_lost_says_why_no_server_starts(place):
    """The control file comes last."""
    first = place.backups[0]
    path = stored(place, first, "base.tar.zst")
    path.write_bytes(path.read_bytes()[:-60_000])
    with pytest.raises(Refused, match=r"base\.tar\.zst has another size; .*--accept-failed-proof"):
        plan(place, named=first.id)
    with pytest.raises(Corrupt, match="no copy can be made of this backup") as corrupt:
        numbers(place, named=first.id, accept_failed_proof=True)
    assert "global/pg_control is lost" in str(corrupt.value)
    assert f"--backup {place.backups[2].id} leads there without it" in str(corrupt.value)
    assert list(place.copies.folder.iterdir()) == []


def test_a_missing_base_cannot_be_accepted(place):
    """There is nothing to restore, and that is what is said."""
    first = place.backups[0]
    stored(place, first, "base.tar.zst").unlink()
    for accepted in (False, True):
        with pytest.raises(Refused, match=r"it lacks base\.tar\.zst"):
            plan(place, named=first.id, accept_failed_proof=accepted)


@pytest.mark.parametrize("damage", [flip, Path.unlink], ids=["flip", "delete"])
def test_a_damaged_manifest_is_left_out_where_that_is_accepted(place, damage):
    """A backup that stands alone is restored without it, but nobody can tell which files differ."""
    first = place.backups[0]
    damage(stored(place, first, "backup_manifest.zst"))
    with pytest.raises((Corrupt, Refused), match="--accept-failed-proof"):
        numbers(place, named=first.id)
    done, found = numbers(place, named=first.id, accept_failed_proof=True)
    assert found == list(range(1, 8))
    assert "nobody can tell which files differ" in done.accepted[-1]


@pytest.mark.parametrize("damage", [flip, Path.unlink], ids=["flip", "delete"])
def test_what_a_seal_measured_is_not_needed(place, damage):
    """It is compared with, and a comparison bars nothing."""
    first = place.backups[0]
    damage(stored(place, first, "measure.json.zst"))
    done, found = numbers(place, named=first.id)
    assert (found, done.accepted) == (list(range(1, 8)), [])


@pytest.mark.parametrize("damage", [flip, Path.unlink], ids=["flip", "delete"])
def test_missing_wal_ends_a_recovery_before_it_where_that_is_accepted(place, damage):
    """Else it is refused, or is corrupt, with the switch."""
    path = segments(place)[-3]
    damage(path)
    with pytest.raises((Corrupt, Refused), match="--accept-failed-proof"):
        numbers(place)
    for target in ("latest", f"lsn:0/{path.name[22:24]}000100"):
        done, found = numbers(place, target=target, accept_failed_proof=True)
        assert found == [1, 2, 3, 4]
        assert "the last record before WAL that is missing" in done.stop
        assert [each for each in done.accepted if "is missing: recovery ends at" in each]
        place.copies.clear(done)


def test_missing_wal_that_a_newer_backup_lies_behind_costs_nothing(place):
    """The newest backup leads there, and nothing has to be accepted."""
    segments(place)[2].unlink()
    for accepted in (False, True):
        made = plan(place, accept_failed_proof=accepted)
        assert (made.backup.id, list(made.accepted)) == (place.backups[2].id, [])


def test_wal_without_which_a_backup_is_not_consistent_cannot_be_missing(place):
    """That is said, with how far it reaches."""
    first = place.backups[0]
    segments(place)[1].unlink()
    for accepted in (False, True):
        with pytest.raises(Refused, match=f"{first.id}: WAL from its start on reaches nothing"):
            plan(place, named=first.id, accept_failed_proof=accepted)


def test_a_lost_end_of_the_archive_is_warned_of(place):
    """Nobody would see that it once reached further."""
    assert not [each for each in plan(place).warnings if "once reached" in each]
    segments(place)[-1].unlink()
    assert "once reached" in plan(place).warnings[-1]
    assert "once reached" not in str(plan(place, "immediate").warnings)


def test_a_damaged_increment_names_what_leads_there_without_it(place):
    """What it holds is put together as far as it can be read."""
    third = place.backups[2]
    flip(stored(place, third, "base.tar.zst"))
    with pytest.raises(Corrupt, match=f"--backup {place.backups[1].id} leads there"):
        numbers(place)
    flipped = stored(place, place.backups[1], "base.tar.zst")
    flip(flipped, 0.1)
    with pytest.raises(Corrupt, match=f"--backup {place.backups[0].id} leads there"):
        numbers(place)


def test_a_backup_without_a_seal_is_restored_as_soon_as_it_is_consistent(place):
    """It stays unproven in the plan; of the same backup with its seal nothing of that is said."""
    third = place.backups[2]
    prove(place, third)
    assert not [each for each in plan(place, third.id).warnings if "has no seal" in each]
    seal = unsealed(third.stop_lsn, third.seal.taken_at, "a test")
    place.stanza.catalogue.add(replace(third, seal=seal))
    made = plan(place, third.id)
    assert made.stop is None
    assert [each for each in made.warnings if "has no seal" in each]
    done, found = numbers(place, target=third.id)
    assert found == [1, 2, 3, 4]
    assert done.stop == "as soon as it was consistent"
    place.copies.clear(done)
    done, found = numbers(place)
    assert found == list(range(1, 8))
    assert "has no seal" in done.warnings[0]


def test_a_killed_restore_goes_on_and_still_knows_what_was_lost(place):
    """What was unpacked is not unpacked again, and its loss is noted beside it."""
    first = place.backups[0]
    alter(stored(place, first, "base.tar.zst"))

    def broken(phase, _done, _all):
        if phase == "replay":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        numbers(place, named=first.id, accept_failed_proof=True, progress=broken)
    done, found = numbers(place, named=first.id, accept_failed_proof=True)
    assert found == list(range(1, 8))
    assert "bytes could be read" in done.accepted[0]
