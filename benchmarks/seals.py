"""What a seal costs those who write: how long they are kept out, and how much less they write."""

import statistics
import time
from collections import Counter

from benchmarks import users
from benchmarks.equality import WRITERS, WRITTEN, rate, writing
from benchmarks.place import place
from benchmarks.scale import MESSAGES, ROUNDS
from tasks.backup import seal
from tasks.backup.seal_options import PLAIN, SealOptions
from tasks.control import clock
from tasks.hl7.generator import bulk
from tasks.hl7.platform import installation
from tasks.repository.model import BackupId
from tasks.repository.stanza import Stanza


SEALS = 100
"""Moments that are caught, to say what the slowest of a hundred is."""

CALM_S = 5.0


def main() -> None:
    """Fill a cluster, let clients write, and seal it again and again."""
    with place() as stanza:
        installation.install(stanza.server())
        filled = bulk.fill(stanza.server(), MESSAGES, seed=1)
        with stanza.server().connect() as connection:
            connection.execute(WRITTEN)
        print(f"  {filled.megabytes:,.0f} MB of traffic, {WRITERS} writers")
        _locks(stanza)
        _throughput(stanza)
    for title, chosen in (("ample locks", users.AMPLE), ("scarce locks", users.SCARCE)):
        with place() as stanza:
            users.measure(stanza, title, chosen, lambda: _sealed(stanza, SealOptions()))


def _locks(stanza: Stanza) -> None:
    """Catch many moments, whose digests are broken off at once."""
    with writing(stanza) as report:
        seals = [_sealed(stanza, SealOptions(seconds=0.001)) for _ in range(SEALS)]
    held = sorted(each.held_ms for each in seals if each.held_ms is not None)
    modes = dict(Counter(each.mode for each in seals))
    p50, p99 = held[len(held) // 2], held[len(held) * 99 // 100]
    tries = statistics.mean(each.attempts for each in seals)
    print(f"  locks at {rate(report):,.0f} tps: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    print(f"    of {SEALS} moments {modes}, {tries:.2f} attempts on average")


def _throughput(stanza: Stanza) -> None:
    """Let them write with and without a seal, in turn."""
    calm, beside, seconds = [], [], []
    for _ in range(ROUNDS):
        with writing(stanza) as report:
            time.sleep(CALM_S)
        calm.append(rate(report))
        with writing(stanza) as report:
            seconds.append(_sealed(stanza, PLAIN).seconds)
        beside.append(rate(report))
    ratio = statistics.median(beside) / statistics.median(calm)
    print(f"  seal beside them: {statistics.median(seconds):.2f} s, {max(seconds):.2f} s at most")
    print(
        f"    {statistics.median(calm):,.0f} tps alone, {statistics.median(beside):,.0f} tps beside"
        f" a seal: {100 * ratio:.0f} %"
    )


def _sealed(stanza: Stanza, options: SealOptions) -> seal.Seal:
    name = BackupId(f"full-{clock.stamp(clock.now())}")
    made, _ = seal.take(stanza.server(), stanza.programs, name, options)
    return made
