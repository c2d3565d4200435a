"""Exactness: after a recovery all commits up to the target are there, and none after it."""

import random
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tasks.backup import wal
from tasks.control.errors import Refused
from tasks.postgres import lsn
from tests.db.ledger import found


ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Auckland")


def moments(ledger, seed, count):
    """Draw moments at which order is plain: of commits, and in between."""
    chance = random.Random(seed)
    drawn = []
    while len(drawn) < count:
        entry = chance.choice(ledger.entries[40:-1])
        moment = entry.at + timedelta(microseconds=chance.choice([0, 0, 1, -1, 137]))
        if ledger.is_plain(moment):
            drawn.append(moment)
    return drawn


@pytest.mark.parametrize("inclusive", [True, False], ids=["inclusive", "exclusive"])
@pytest.mark.parametrize("number", range(2))
def test_a_time(scene, inclusive, number):
    """To the microsecond, in whatever zone it is said."""
    (moment,) = moments(scene.ledger, seed=number, count=1)
    zone = ZoneInfo(ZONES[number + 2 * inclusive])
    said = moment.astimezone(zone).isoformat()
    assert scene.copies.rows(said, inclusive=inclusive) == scene.ledger.at(
        moment, inclusive=inclusive
    )


@pytest.mark.parametrize("inclusive", [True, False], ids=["inclusive", "exclusive"])
def test_a_transaction(scene, inclusive):
    """With it, or all that was before it."""
    entry = scene.ledger.entries[-30 if inclusive else -60]
    rows = scene.copies.rows(f"xid:{entry.xid}", inclusive=inclusive)
    assert rows == scene.ledger.until(entry.position, inclusive=inclusive)


@pytest.mark.parametrize("inclusive", [True, False], ids=["inclusive", "exclusive"])
def test_a_position(scene, inclusive):
    """Of a commit itself."""
    entry = scene.ledger.entries[-80]
    rows = scene.copies.rows(f"lsn:{lsn.spell(entry.position)}", inclusive=inclusive)
    assert rows == scene.ledger.until(entry.position, inclusive=inclusive)


def test_a_position_between_two_records(scene):
    """Nothing of what begins after it, though PostgreSQL would take one record more."""
    entry = scene.ledger.entries[-50]
    rows = scene.copies.rows(f"lsn:{lsn.spell(entry.position + 8)}")
    assert rows == scene.ledger.until(entry.position, inclusive=True)


def test_a_restore_point(scene):
    """By its name."""
    rows = scene.copies.rows("name:after incremental")
    assert rows == scene.ledger.until(scene.ledger.names["after incremental"], inclusive=True)


@pytest.mark.parametrize("number", range(3))
def test_the_seal_of_a_backup(scene, number):
    """Full, incremental and differential."""
    backup = scene.backups[number]
    rows = scene.copies.rows(backup.id)
    assert rows == scene.ledger.until(lsn.parse(backup.seal.lsn), inclusive=False)


def test_all_that_is_archived(scene):
    """The latest, and it says when its last commit was."""
    done = scene.copies.restore("latest")
    last = scene.ledger.entries[-1]
    assert done.last_transaction_at >= last.at
    scene.copies.clear(done)
    assert scene.copies.rows("latest") == scene.ledger.rows(lambda _: True)


def test_as_soon_as_it_is_consistent(scene):
    """The stop of the newest backup."""
    rows = scene.copies.rows("immediate")
    stop = lsn.parse(scene.backups[-1].stop_lsn)
    assert rows == scene.ledger.until(stop, inclusive=False)


def test_f10_a_commit_is_reached_once_it_is_archived_and_not_before(scene):
    """F10: refused with what is there, not recovered to less; then told where it ended."""
    server = scene.stanza.server()
    scene.ledger.write(server, 5, writers=1, seed=99)
    scene.ledger.read(server, scene.stanza.home.primary)
    last = scene.ledger.entries[-1]
    for target in (f"xid:{last.xid}", last.at.isoformat()):
        with pytest.raises(Refused, match=r"no such point in what is archived.*expected: .* to "):
            scene.copies.restore(target)
    wal.pull(scene.stanza, server)
    done = scene.copies.restore(f"xid:{last.xid}")
    assert done.last_transaction_at == last.at
    assert lsn.parse(done.lsn) > last.position
    assert found(done.server.database("hl7")) == scene.ledger.rows(lambda _: True)
    scene.copies.clear(done)


def test_the_ledger_can_find_an_error(scene):
    """The oracle itself: one commit more or less is another set."""
    entry = scene.ledger.entries[-30]
    before = scene.ledger.until(entry.position, inclusive=False)
    assert before != scene.ledger.until(entry.position, inclusive=True)
    assert before | entry.rows == scene.ledger.until(entry.position, inclusive=True)
