"""The cleanup of a real repository: what random worlds left, and who meddles meanwhile."""

import os
import random
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.backup.cleanup import cleanup, policy_of
from tasks.backup.policy import Policy
from tasks.control import settings
from tasks.postgres.embedded import Home
from tasks.postgres.lsn import Segment
from tasks.postgres.owner import Owner
from tasks.repository.catalogue import Catalogue
from tasks.repository.keys import Keyring
from tasks.repository.legal import LegalHold
from tasks.repository.local import LocalStorage
from tasks.repository.pins import Pin
from tasks.repository.proof import Check, Proof
from tasks.repository.stanza import Stanza
from tests.unit.backup.laws import Hands, clean
from tests.unit.backup.made import NOW, SEGMENT, backup
from tests.unit.backup.operations import happen, new_world
from tests.unit.backup.world import PASSED


BAD = {"differs": ("contents", "fail"), "corrupt": ("structure", "fail")}
"""What came out of a proof of which some tier did not pass, after those that did."""


def opened(path, storage=None, **known):
    """Open a stanza with one repository in a directory."""
    places = {
        "local": Catalogue(storage or LocalStorage(path / "repository"), "main", Keyring(path))
    }
    home = Home(path, path, Owner(os.getuid(), os.getgid()))
    stanza = Stanza(settings.load(**known), home, places, "local")
    stanza.catalogue.claim("1", SEGMENT)
    return stanza


def put(stanza, *backups):
    """Put backups with their objects into the repository."""
    for made in backups:
        for item in made.objects:
            stanza.catalogue.storage.put(f"{stanza.catalogue.prefix(made.id)}{item.name}", b"x")
        stanza.catalogue.add(made)


def archive(stanza, system, segment):
    """Put a segment into the archive, under its name."""
    folder = f"main/wal/{system}/{segment.timeline:08X}"
    stanza.catalogue.storage.put(f"{folder}/{segment.name}-{'0' * 64}.zst", b"x")


def names(stanza):
    """Return the names of all objects."""
    return {item.name for item in stanza.catalogue.storage.objects("main/")}


def checks_of(found):
    """Return the checks of a proof that found something."""
    passed = [Check(tier, "looked at", "pass") for tier in PASSED.get(found, ())]
    failed = ("manifest", "fail") if found == "failed" else BAD.get(found)
    missing = [("boot", "error")] if found == "error" else [failed] if failed else []
    return passed + [Check(tier, "looked at", outcome) for tier, outcome in missing]


def built(world, store, path):
    """Return a real repository that holds what a store of a world does."""
    policy = store.policy
    stanza = opened(
        path,
        retention_days=policy.days,
        retention_minimum=policy.minimum,
        retention_proven=policy.proven,
        wal_retention_days=policy.wal_days,
    )
    catalogue = stanza.catalogue
    for name, made in store.backups.items():
        put(stanza, made.document)
        for number, found in enumerate(store.proofs.get(name, ())):
            at = world.now + timedelta(seconds=number)
            catalogue.record(Proof(name, "main", at, at, checks_of(found)))
        if name in store.pins:
            catalogue.pin(Pin(name, "audit", world.now, store.pins[name]))
        if name in store.held:
            catalogue.pin(LegalHold(name, "case 7", "a lawyer", world.now))
        if name in store.damaged:
            catalogue.storage.put(f"{catalogue.prefix(name)}backup.json", b"{}")
    for system, segment in store.wal:
        archive(stanza, system, segment)
    return stanza


def in_use(world, store, stanza):
    """Hold what is being read, and what is being taken, while the block runs."""
    held = ExitStack()
    parent = world.taking and world.taking[1]
    for name in {*store.read.intersection(store.backups), *([parent.id] if parent else [])}:
        held.enter_context(stanza.catalogue.reading(name))
    if world.taking:
        hold = stanza.catalogue.storage.hold
        held.enter_context(hold("backup", shared=False, stanza="main"))
    return held


@pytest.mark.parametrize("seed", range(16))
def test_the_real_cleanup_leaves_what_the_model_does(seed, tmp_path):
    """Backups, WAL and pins; its dry run says the same, and a second run changes nothing."""
    rng, never = random.Random(seed), random.Random(7)
    world = new_world(rng)
    for _ in range(20):
        happen(world, rng)
    store = world.stores[seed % 2]
    stanza = built(world, store, tmp_path)
    store.pins = {name: until for name, until in store.pins.items() if name in store.backups}
    before = names(stanza)
    with in_use(world, store, stanza):
        dry = cleanup(stanza, dry_run=True, now=world.now)
        assert names(stanza) == before
        real = cleanup(stanza, now=world.now)
        after = names(stanza)
        assert cleanup(stanza, now=world.now).plan.drop == []
        assert names(stanza) == after
    assert replace(dry, is_dry_run=False) == real
    clean(world, store, Hands(), Steady(never), Counter())
    assert {each.id for each in stanza.catalogue.entries()} == set(store.backups)
    assert stanza.catalogue.pins.ids() == set(store.pins)
    wal = {name.partition("/wal/")[2] for name in after if "/wal/" in name}
    assert wal == {f"{of}/{s.timeline:08X}/{s.name}-{'0' * 64}.zst" for of, s in store.wal}


class Steady:
    """Chance that never breaks a cleanup off."""

    def __init__(self, rng):
        """Take the order of samples from a generator."""
        self.sample = rng.sample

    def random(self):
        """Return what is always enough."""
        return 0.99


def test_a_repository_in_s3_may_keep_for_other_times(tmp_path):
    """What is not set for it is as in the directory."""
    stanza = opened(tmp_path, retention_days=10, retention_proven=2, wal_retention_days=5)
    both = replace(stanza, repositories={**stanza.repositories, "s3": stanza.catalogue})
    assert policy_of(both) == policy_of(both.at("s3")) == Policy(10, 2, 2, 5)
    known = {"s3_retention_days": 90, "s3_retention_minimum": 4}
    wide = settings.load(s3_retention_proven=3, s3_wal_retention_days=8, **known)
    other = replace(both, settings=wide)
    assert policy_of(other) == Policy(30, 2, 1, None)
    assert policy_of(other.at("s3")) == Policy(90, 4, 3, 8)


@pytest.fixture
def old():
    """Return a backup that may go, and two that stay."""
    return [backup(90, start=1), backup(60, start=5), backup(1, start=9)]


def test_an_expired_pin_goes_with_what_it_kept(tmp_path, old):
    """Not before; and not the pin of a backup that is gone, which looks like a loss until then."""
    stanza = opened(tmp_path, retention_minimum=1)
    put(stanza, *old)
    gone = backup(100)
    for made in (old[0], gone):
        put(stanza, made)
        stanza.catalogue.pin(Pin(made.id, "audit", NOW, NOW))
    for name, _ in stanza.catalogue.objects(gone.id):
        stanza.catalogue.storage.delete(name)
    early = cleanup(stanza, now=NOW - timedelta(seconds=1))
    assert (early.expired_pins, early.plan.drop) == ([], [])
    done = cleanup(stanza, now=NOW)
    assert set(done.expired_pins) == {old[0].id, gone.id}
    assert done.plan.drop == [old[0].id]
    assert [each.id for each in stanza.catalogue.entries()] == [each.id for each in old[1:]]
    assert stanza.catalogue.pins.ids() == set()


class Meddling(LocalStorage):
    """A directory in which something happens just before a backup is held for removal."""

    meddle = None

    def hold(self, name, *, shared, **known):
        """Let it happen, once."""
        meddle = self.meddle
        if meddle and name.startswith("read-") and not shared:
            object.__setattr__(self, "meddle", None)
            meddle()
        return super().hold(name, shared=shared, **known)


@pytest.mark.parametrize("word", [Pin, LegalHold])
def test_what_is_pinned_or_held_while_a_cleanup_runs_stays(word, tmp_path, old):
    """With its WAL: the plan was made before, but nothing of it had gone."""
    storage = Meddling(tmp_path / "repository")
    stanza = opened(tmp_path, storage, retention_minimum=1)
    put(stanza, *old)
    for number in range(12):
        archive(stanza, "1", Segment(1, number))
    who = ["a lawyer"] if word is LegalHold else []
    made = word(old[0].id, "wanted", *who, NOW)
    object.__setattr__(storage, "meddle", lambda: stanza.catalogue.pin(made))
    before = stanza.catalogue.objects(old[0].id)
    done = cleanup(stanza, now=NOW)
    assert done.plan.drop == [old[0].id]
    assert stanza.catalogue.objects(old[0].id) == before
    assert len([name for name in names(stanza) if "/wal/" in name]) == len([1, *range(5, 12)])


class Locking(LocalStorage):
    """A directory that keeps what is called so locked for two days."""

    locked = "backup.json"

    def locked_until(self, name):
        """Return a date for what is locked."""
        return NOW + timedelta(days=2) if self.locked in name else None


def test_a_backup_whose_document_is_locked_is_kept_by_the_plan(tmp_path, old):
    """Until the lock ends; the reason is told."""
    stanza = opened(tmp_path, Locking(tmp_path / "repository"), retention_minimum=1)
    put(stanza, *old)
    done = cleanup(stanza, now=NOW)
    assert done.plan.drop == []
    assert "the store keeps it locked until 2026-11-25" in done.plan.decisions[0].reason


@pytest.mark.parametrize(("locked", "left"), [("base.tar.zst", 8), ("/wal/", 12)])
def test_what_is_locked_in_part_stays_whole(tmp_path, old, locked, left):
    """A locked object keeps its backup with its WAL; locked WAL stays by itself."""
    storage = Locking(tmp_path / "repository")
    object.__setattr__(storage, "locked", locked)
    stanza = opened(tmp_path, storage, retention_minimum=1)
    put(stanza, *old)
    for number in range(12):
        archive(stanza, "1", Segment(1, number))
    before = stanza.catalogue.objects(old[0].id)
    cleanup(stanza, now=NOW)
    assert stanza.catalogue.objects(old[0].id) == ([] if locked == "/wal/" else before)
    assert len([name for name in names(stanza) if "/wal/" in name]) == left


def test_while_a_backup_is_being_taken_no_wal_goes(tmp_path, old):
    """Nobody knows yet where its WAL begins; the next cleanup removes the rest (F5)."""
    stanza = opened(tmp_path, retention_minimum=1)
    put(stanza, *old)
    for number in range(12):
        archive(stanza, "1", Segment(1, number))
    with stanza.catalogue.storage.hold("backup", shared=False, stanza="main"):
        assert cleanup(stanza, now=NOW).wal_segments == 0
    assert cleanup(stanza, now=NOW).wal_segments == 5
