"""Every call to a store goes wrong once in every manner: it is retried, or it fails loudly."""

import os

import pytest

from tasks.control.errors import OpsError, Transient
from tests.faults.proxy import FAULTS


BIG = os.urandom(11 << 20)


def up(storage):
    """Write an object of several parts."""
    with storage.write("main/big") as file:
        file.write(BIG)


def put(storage):
    """Write a small object."""
    storage.put("main/small", b"small")


def down(storage):
    """Read both."""
    assert storage.get("main/big") == BIG
    assert storage.get("main/small") == b"small"


def listed(storage):
    """List what is there."""
    found = [(item.name, item.bytes) for item in storage.objects("main/")]
    assert found == [("main/big", len(BIG)), ("main/small", 5)]
    assert storage.exists("main/small")


def held(storage):
    """Hold a name."""
    with storage.hold("backup", shared=False, stanza="main"):
        pass
    assert not storage.held("backup", stanza="main")


def gone(storage):
    """Delete one."""
    storage.delete("main/small")
    assert not storage.exists("main/small")


WORK = {"up": up, "put": put, "down": down, "listed": listed, "held": held, "gone": gone}


def calls_of(work, troubled, storage, proxy):
    """Return how many calls some work makes, once the client knows the bucket."""
    for _ in range(2):
        up(storage)
        put(storage)
        proxy.heal()
        WORK[work](troubled)
    up(storage)
    put(storage)
    assert proxy.calls
    return len(proxy.calls)


def collected(storage):
    """Collect uploads of which the store's answer was lost, so that nobody knew their number."""
    for left in storage.leftovers("main/"):
        storage.delete(left.name)
    assert storage.leftovers("main/") == []


def test_an_error_that_is_cut_short_is_no_missing_object(troubled, storage, proxy):
    """Where the store says that there are no uploads, and half of that is lost."""
    storage.put("main/small", b"small")
    troubled.objects("main/")
    proxy.spoil("short", 1)
    with pytest.raises(Transient, match="cut short"):
        troubled.leftovers("main/")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("work", WORK)
def test_a_call_that_goes_wrong_once_is_made_again(troubled, storage, proxy, work, fault):
    """Whichever call it is: the work is done, and done right."""
    for number in range(1, calls_of(work, troubled, storage, proxy) + 1):
        proxy.spoil(fault, number)
        WORK[work](troubled)
        assert len(proxy.calls) >= number
        collected(storage)
        up(storage)
        put(storage)


@pytest.fixture
def impatient(troubled, monkeypatch):
    """Open the place through the proxy, and ask twice at most."""
    monkeypatch.setattr("tasks.repository.s3.address.ATTEMPTS", 2)
    monkeypatch.setattr("tasks.repository.s3.download.ATTEMPTS", 2)
    return troubled


@pytest.mark.parametrize("fault", ["503", "reset", "lost reply"])
@pytest.mark.parametrize("work", ["up", "down", "listed", "held"])
def test_a_store_that_stays_away_fails_loudly(impatient, storage, proxy, work, fault):
    """From whichever call on: never success with less; when it is back, all goes on."""
    for number in range(1, calls_of(work, impatient, storage, proxy) + 1):
        proxy.spoil(fault, number, on=True)
        with pytest.raises(OpsError) as raised:
            WORK[work](impatient)
        assert isinstance(raised.value, Transient), raised.value
        proxy.heal()
        WORK[work](impatient)
        down(storage)
