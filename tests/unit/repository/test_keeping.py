"""What keeps backups from removal: pins that may expire, legal holds, locks of the store."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tasks.control import settings
from tasks.control.errors import Corrupt, Refused
from tasks.postgres.embedded import Home
from tasks.postgres.owner import Owner
from tasks.repository import keeping
from tasks.repository.catalogue import Catalogue
from tasks.repository.keys import Keyring
from tasks.repository.legal import LegalHold
from tasks.repository.local import LocalStorage
from tasks.repository.model import BackupId, Damaged
from tasks.repository.pins import Pin
from tasks.repository.stanza import Stanza


AT = datetime(2026, 11, 23, 2, tzinfo=UTC)

BOTH, ONE = BackupId("full-20261123T020000Z"), BackupId("full-20261122T020000Z")


class Locking(LocalStorage):
    """A directory that keeps some objects locked, as a bucket may."""

    def locked_until(self, name):
        """Return a date for whatever is called `base.tar.zst`."""
        return AT if name.endswith("base.tar.zst") else None


@pytest.fixture
def site(tmp_path, backup):
    """Open a stanza of two repositories: both have one backup, the first has another one."""
    home = Home(tmp_path / "home", tmp_path, Owner(os.getuid(), os.getgid()))
    keyring = Keyring(tmp_path / "keys")
    places = {
        name: Catalogue(LocalStorage(tmp_path / name), "main", keyring) for name in ("local", "s3")
    }
    for name, catalogue in places.items():
        catalogue.claim("7", 16 << 20)
        for made in (BOTH, ONE) if name == "local" else (BOTH,):
            put(catalogue, backup(made))
    return Stanza(settings.load(), home, places, "local")


def put(catalogue, made):
    """Put a backup with its objects into a catalogue."""
    for item in made.objects:
        catalogue.storage.put(f"{catalogue.prefix(made.id)}{item.name}", b"x")
    catalogue.add(made)


def held(site):
    """Return in which repositories what is held."""
    return {name: set(each.legal.ids()) for name, each in site.repositories.items()}


def hold(backup=BOTH, reason="case 7"):
    """Return a legal hold."""
    return LegalHold(backup, reason, "a lawyer", AT)


def test_a_pin_counts_in_every_repository_that_has_the_backup(site):
    """And is taken back in all of them."""
    keeping.pin(site, Pin(BOTH, "audit", AT))
    keeping.pin(site, Pin(ONE, "audit", AT))
    pins = {name: each.pins.ids() for name, each in site.repositories.items()}
    assert pins == {"local": {BOTH, ONE}, "s3": {BOTH}}
    keeping.unpin(site, BOTH)
    assert site.repositories["s3"].pins.ids() == set()
    with pytest.raises(Refused, match=f"not pinned; .*expected: {ONE}"):
        keeping.unpin(site, BOTH)


def test_a_pin_may_expire_and_a_new_one_takes_its_place(site):
    """From the moment that it names on it keeps nothing."""
    pins, until = site.catalogue.pins, AT + timedelta(days=1)
    keeping.pin(site, Pin(BOTH, "audit", AT, until))
    assert pins.expired(until - timedelta(seconds=1)) == []
    assert pins.expired(until) == [BOTH]
    keeping.pin(site, Pin(BOTH, "longer", AT))
    assert pins.expired(until) == []
    assert pins.reasons() == {BOTH: "longer"}


def test_a_pin_in_anothers_place_holds_without_an_end(site):
    """Else a copy of one that has expired would let another backup go."""
    catalogue = site.catalogue
    catalogue.pin(Pin(BOTH, "audit", AT, AT))
    catalogue.storage.put(f"main/pins/{ONE}.json", catalogue.storage.get(f"main/pins/{BOTH}.json"))
    assert catalogue.pins.reasons()[ONE] == "its pin is damaged: look at it"
    assert catalogue.pins.expired(AT) == [BOTH]


def test_a_held_backup_is_not_removed_by_anything(site):
    """Nothing of it goes, not even what nobody would miss."""
    keeping.hold(site, hold())
    before = site.catalogue.objects(BOTH)
    with pytest.raises(Refused, match=rf"under legal hold; seen: {BOTH}: case 7 \(a lawyer\)"):
        site.catalogue.discard(BOTH)
    assert site.catalogue.objects(BOTH) == before


def test_unpinning_does_not_end_a_legal_hold(site):
    """A pin beside it may go; the hold stays, and says how it is ended."""
    keeping.hold(site, hold())
    keeping.pin(site, Pin(BOTH, "audit", AT))
    keeping.unpin(site, BOTH)
    with pytest.raises(Refused, match=f"under legal hold; .*hl7ops release {BOTH}"):
        keeping.unpin(site, BOTH)
    assert held(site) == {"local": {BOTH}, "s3": {BOTH}}


def test_a_release_leaves_a_signed_record_of_who_ended_the_hold_and_why(site):
    """Afterwards the backup may go; the record does not go with it."""
    keeping.hold(site, hold())
    done = keeping.release(site, BOTH, "settled", "a judge")
    assert len(done) == 2
    assert held(site) == {"local": set(), "s3": set()}
    for catalogue in site.repositories.values():
        catalogue.discard(BOTH)
        (record,) = catalogue.legal.released()
        assert (record.released_by, record.reason) == ("a judge", "settled")
        assert record.hold == hold()


def test_an_edited_record_of_a_release_is_found(site):
    """It is evidence."""
    keeping.hold(site, hold())
    keeping.release(site, BOTH, "settled", "a judge")
    (item,) = site.catalogue.storage.objects("main/legal/released/")
    data = site.catalogue.storage.get(item.name)
    site.catalogue.storage.put(item.name, data.replace(b"a judge", b"a thief"))
    with pytest.raises(Corrupt, match="a document was edited"):
        site.catalogue.legal.released()


def test_what_is_not_held_is_not_released(site):
    """It says what is."""
    keeping.hold(site, hold(ONE))
    with pytest.raises(Refused, match=f"not under legal hold; seen: {BOTH}; expected: {ONE}"):
        keeping.release(site, BOTH, "settled", "a judge")


def test_a_second_hold_does_not_take_the_place_of_the_first(site):
    """Releasing it would end both; a copy that is not held yet is held, though."""
    site.repositories["s3"].pin(hold())
    keeping.hold(site, hold())
    assert held(site) == {"local": {BOTH}, "s3": {BOTH}}
    with pytest.raises(Refused, match=r"already; seen: .*: case 7 \(a lawyer\)"):
        keeping.hold(site, hold(reason="case 8"))


def test_a_damaged_hold_still_holds_and_can_be_released(site):
    """The record says that nobody can tell what it said."""
    keeping.hold(site, hold(ONE))
    site.catalogue.storage.put(f"main/legal/held/{ONE}.json", b"{}")
    assert site.catalogue.legal.reasons() == {ONE: "its legal hold is damaged: look at it"}
    with pytest.raises(Refused, match="its legal hold is damaged"):
        site.catalogue.discard(ONE)
    (record,) = keeping.release(site, ONE, "looked at", "the administrator")
    assert record.hold is None


def test_a_hold_in_anothers_place_is_a_damaged_one(site):
    """A copied document says nothing of the backup that it lies at."""
    keeping.hold(site, hold())
    storage = site.catalogue.storage
    storage.put(f"main/legal/held/{ONE}.json", storage.get(f"main/legal/held/{BOTH}.json"))
    assert site.catalogue.legal.known()[ONE] is None


def test_a_held_backup_that_is_gone_is_damaged(site):
    """Whoever removed it was not the cleanup."""
    keeping.hold(site, hold(ONE))
    for name, _ in site.catalogue.objects(ONE):
        site.catalogue.storage.delete(name)
    (lost,) = [each for each in site.catalogue.entries() if isinstance(each, Damaged)]
    assert lost.id == ONE


def test_what_is_not_there_is_neither_pinned_nor_held(site):
    """It would look like safety."""
    gone = BackupId("full-20200101T000000Z")
    for act in (
        lambda: keeping.pin(site, Pin(gone, "x", AT)),
        lambda: keeping.hold(site, hold(gone)),
    ):
        with pytest.raises(Refused, match="there is no such backup"):
            act()


def test_a_backup_that_is_being_removed_is_not_pinned(site):
    """The pin would outlive it."""
    storage = site.catalogue.storage
    with (
        storage.hold(f"read-{ONE}", shared=False, stanza="main"),
        pytest.raises(Refused, match="in use"),
    ):
        keeping.pin(site, Pin(ONE, "audit", AT))
    assert site.catalogue.pins.ids() == set()


def test_of_a_backup_that_is_locked_in_part_nothing_goes(site, tmp_path):
    """A removal is never half done."""
    catalogue = replace(site.catalogue, storage=Locking(tmp_path / "local"))
    before = catalogue.objects(BOTH)
    with pytest.raises(Refused, match=r"keeps an object locked; seen: .*base.tar.zst in .*2026"):
        catalogue.discard(BOTH)
    assert catalogue.objects(BOTH) == before
