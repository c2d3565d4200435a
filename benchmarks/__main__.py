"""Measure: `python -m benchmarks [NAME ...]`; all of them without a name."""

import importlib
import sys

from benchmarks.scale import MEGABYTES, ROUNDS


NAMES = (
    "parse",
    "backup",
    "equality",
    "histories",
    "hostile.run",
    "hostile.mutate",
    "hostile.rounds",
    "hostile.regression",
    "hostile.schemas",
    "damage",
    "speed",
    "seals",
    "targets",
    "losses",
    "restores",
    "forecasts",
    "reports",
    "anomalies",
)


def main(names: list[str]) -> int:
    """Run the benchmarks that are named, one after the other."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        print(f"unknown: {', '.join(unknown)}; expected: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    print(f"{MEGABYTES:,} MB, {ROUNDS} rounds (HL7OPS_BENCH_MB, HL7OPS_BENCH_ROUNDS)")
    for name in names or NAMES:
        print(f"\n== {name}")
        importlib.import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
