"""Recovery across a promotion: along the new timeline, the old one, and after another restore."""

import pytest

from tasks.backup import wal
from tasks.backup.take import take
from tasks.control.errors import Refused
from tasks.postgres import lsn
from tests.db.house import House
from tests.db.ledger import Ledger, found
from tests.db.recovery.restoring.conftest import Copies


@pytest.fixture(scope="module")
def promoted():
    """Let a standby take over between commits, and archive both sides of the switch."""
    house, ledger = House(), Ledger()
    with house.server(house.primary).connect() as connection:
        connection.execute("alter system set track_commit_timestamp = on")
        connection.execute("alter system set wal_keep_size = '1GB'")
    house.primary.stop()
    house.primary.start()
    ledger.prepare(house.server(house.primary))
    take(house.stanza)
    standby = house.standby("standby")
    ledger.write(house.server(house.primary), 20, seed=1)
    house.sync(house.primary, standby)
    ledger.read(house.server(house.primary), house.primary)
    house.fail_over(standby)
    switch = len(ledger.entries)
    ledger.write(house.server(standby), 20, seed=2)
    ledger.read(house.server(standby), standby)
    site = house.at(standby)
    wal.pull(site, site.server())
    copies = Copies(site)
    yield site, ledger, switch, copies
    copies.close()
    house.close()


@pytest.mark.parametrize("offset", [-10, -1, 0, 10])
def test_f12_a_transaction_before_and_after_the_switch(promoted, offset):
    """F12: by its id, in the order of both timelines."""
    _, ledger, switch, copies = promoted
    entry = ledger.entries[switch + offset]
    rows = copies.rows(f"xid:{entry.xid}")
    assert rows == ledger.until(entry.position, inclusive=True)


def test_a_time_after_the_switch(promoted):
    """From a backup that was taken before it."""
    _, ledger, switch, copies = promoted
    entry = ledger.entries[switch + 5]
    rows = copies.rows(entry.at.isoformat(), inclusive=False)
    assert rows == ledger.at(entry.at, inclusive=False)


def test_the_old_timeline_is_gone_along_where_it_is_wanted(promoted):
    """Nothing of the new one is there; and a point that it does not reach is refused."""
    _, ledger, switch, copies = promoted
    rows = copies.rows("latest", timeline=1)
    assert rows <= ledger.until(ledger.entries[switch - 1].position, inclusive=True)
    beyond = lsn.spell(ledger.entries[-1].position + (64 << 20))
    with pytest.raises(Refused, match="there is no such point"):
        copies.restore(f"lsn:{beyond}", timeline=1)
    with pytest.raises(Refused, match="nothing is known of this timeline"):
        copies.restore("latest", timeline=7)


def test_f11_a_copy_takes_a_timeline_of_its_own_and_archives_nothing(promoted):
    """F11: promoted on the old timeline, it goes neither along the new one nor into the archive."""
    site, ledger, switch, copies = promoted
    before = {name for name, _ in _objects(site)}
    done = copies.restore("latest", timeline=1, promote=True)
    with done.server.database("hl7").connect() as connection:
        connection.execute("insert into ledger values (0, '3')")
        connection.execute("select pg_switch_wal()")
        (timeline,) = connection.execute(
            "select timeline_id from pg_control_checkpoint()"
        ).fetchone()
        (mode,) = connection.execute("show archive_mode").fetchone()
    assert (timeline, mode) == (3, "off")
    rows = found(done.server.database("hl7"))
    assert rows <= {0, *ledger.until(ledger.entries[switch - 1].position, inclusive=True)}
    assert 0 in rows
    assert {name for name, _ in _objects(site)} == before
    copies.clear(done)


def _objects(site):
    return [(each.name, each.bytes) for each in site.catalogue.storage.objects("main/")]
