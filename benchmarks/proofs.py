"""What it costs to prove a backup: megabytes a second of each tier."""

import statistics
from typing import Any

from benchmarks.rivals.ours import Ours
from benchmarks.scale import ROUNDS


PROOFS = min(ROUNDS, 3)


def measure(ours: Ours) -> None:
    """Prove the newest backup some times, and print the medians."""
    megabytes = ours.told("backups")[-1]["bytes_source"] / 1e6
    proofs = [ours.told("verify", "latest") for _ in range(PROOFS)]
    print(f"  {ours.stanza}: verify {proofs[-1]['id']}: {proofs[-1]['verdict']}")
    spent = {
        tier["tier"]: statistics.median(_seconds(proof, tier["tier"]) for proof in proofs)
        for tier in proofs[-1]["tiers"]
    }
    for tier, seconds in (spent | {"all": sum(spent.values())}).items():
        print(f"    {tier:<12} {seconds:6.2f} s   {megabytes / max(seconds, 0.01):8,.0f} MB/s")


def _seconds(proof: dict[str, Any], name: str) -> float:
    return next(float(t["seconds"] or 0) for t in proof["tiers"] if t["tier"] == name)
