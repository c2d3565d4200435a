"""How exact a recovery is: many random targets of every kind, each held against a ledger."""

import os
import random
import shutil
import statistics
import time
from collections import Counter
from datetime import timedelta
from zoneinfo import ZoneInfo

from tasks.backup import wal
from tasks.backup.take import take
from tasks.postgres import lsn
from tasks.recovery.planning.target import parse
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore
from tests.db.house import House
from tests.db.ledger import Ledger, found


TARGETS = int(os.environ.pop("HL7OPS_BENCH_TARGETS", "300"))

ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Auckland")


def main() -> None:
    """Write a history with a promotion in it, and restore to many of its points."""
    house, ledger = House(), Ledger()
    try:
        site = _history(house, ledger)
        _targets(site, house, ledger)
    finally:
        house.close()


def _history(house: House, ledger: Ledger) -> object:
    """Let there be commits, backups of three types, restore points, and a promotion among them."""
    with house.server(house.primary).connect() as connection:
        connection.execute("alter system set track_commit_timestamp = on")
        connection.execute("alter system set wal_keep_size = '2GB'")
    house.primary.stop()
    house.primary.start()
    server = house.server(house.primary)
    ledger.prepare(server)
    for number, kind in enumerate(("full", "incremental", "differential")):
        take(house.stanza, kind)
        _busy(ledger, server, number)
    standby = house.standby("standby", wal_keep_size="2GB")
    wal.pull(house.stanza, house.stanza.server())
    _busy(ledger, server, 3)
    house.sync(house.primary, standby)
    ledger.read(server, house.primary)
    house.fail_over(standby)
    site, server = house.at(standby), house.server(standby)
    _busy(ledger, server, 4)
    take(site, "full")
    _busy(ledger, server, 5)
    ledger.read(server, standby)
    wal.pull(site, site.server())
    return site


def _busy(ledger: Ledger, server: object, number: int) -> None:
    for part in range(3):
        ledger.write(server, 30, writers=4, seed=100 * number + part)
        with server.connect() as connection:
            connection.execute("select pg_create_restore_point(%s)", [f"point-{number}-{part}"])


def _targets(site: object, house: House, ledger: Ledger) -> None:
    chance = random.Random(4)  # noqa: S311 - a seed is the point
    exact, wrong, spent = Counter(), [], []
    first = next(i for i, each in enumerate(ledger.entries) if each.position > _earliest(site))
    for number in range(TARGETS):
        kind = ("time", "lsn", "xid", "name")[number % 4]
        inclusive = bool(number // 4 % 2) or kind == "name"
        text, rows = _drawn(chance, ledger, first, kind, inclusive=inclusive)
        path = house.path / "copy"
        began = time.monotonic()
        done = restore(site, parse(text, inclusive=inclusive), Destination(path))
        spent.append(time.monotonic() - began)
        is_exact = found(done.server.database("hl7")) == rows
        exact[f"{kind}, {'inclusive' if inclusive else 'exclusive'}"] += is_exact
        wrong += [] if is_exact else [(text, inclusive)]
        done.cluster.stop("immediate")
        shutil.rmtree(path)
        shutil.rmtree(done.beside)
    total = sum(exact.values())
    print(f"  {total} of {TARGETS} exact, over {len(ledger.entries)} commits: {dict(exact)}")
    print(f"  {statistics.median(spent):.2f} s each, {max(spent):.2f} s at most")
    for each in wrong:
        print(f"  WRONG: {each}")


def _earliest(site: object) -> int:
    return min(lsn.parse(each.stop_lsn) for each in site.catalogue.backups())


def _drawn(
    chance: random.Random, ledger: Ledger, first: int, kind: str, *, inclusive: bool
) -> tuple[str, set[int]]:
    """Draw a target and the rows that must be there."""
    entry = ledger.entries[chance.randrange(first + 5, len(ledger.entries) - 1)]
    if kind == "xid":
        return f"xid:{entry.xid}", ledger.until(entry.position, inclusive=inclusive)
    if kind == "lsn":
        shift = chance.choice((0, 0, 8, -8))
        at = entry.position + shift
        return f"lsn:{lsn.spell(at)}", ledger.until(at, inclusive=inclusive)
    if kind == "name":
        name = chance.choice([each for each in ledger.names if each.startswith("point-")])
        return f"name:{name}", ledger.until(ledger.names[name], inclusive=True)
    moment = entry.at + timedelta(microseconds=chance.choice((0, 0, 1, -1, 500)))
    if not ledger.is_plain(moment):
        return _drawn(chance, ledger, first, kind, inclusive=inclusive)
    zone = ZoneInfo(chance.choice(ZONES))
    return moment.astimezone(zone).isoformat(), ledger.at(moment, inclusive=inclusive)
