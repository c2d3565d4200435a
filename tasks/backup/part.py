"""A part of a seal: what was sealed of some databases at one restore point."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from tasks.backup.consistent_snapshot import ConsistentSnapshot
from tasks.backup.definitions import Definitions
from tasks.backup.digest_reader import Readings
from tasks.postgres.names import quoted
from tasks.repository.seal import Fact, SequenceSeal, Standing


Value = TypeVar("Value")


@dataclass(frozen=True)
class Part:
    """What was sealed of some databases at one restore point; facts and rules by database."""

    point: ConsistentSnapshot
    readings: Readings
    definitions: Definitions
    sequences: dict[str, SequenceSeal]
    facts: dict[str, list[Fact]]
    rules: dict[str, list[Fact]]
    standings: dict[str, Standing]
    reused: int
    is_on_standby: bool

    def without(self, names: Collection[str]) -> "Part":
        """Return it without some databases, which are sealed anew at another restore point."""
        prefixes = tuple(f"{quoted(name)}{sign}" for name in names for sign in ".:")

        def kept(named: Mapping[str, Value]) -> dict[str, Value]:
            return {name: each for name, each in named.items() if not name.startswith(prefixes)}

        def others(named: Mapping[str, Value]) -> dict[str, Value]:
            return {name: each for name, each in named.items() if name not in names}

        read, defined = self.readings, self.definitions
        return replace(
            self,
            readings=Readings(
                tables=kept(read.tables),
                omitted=[each for each in read.omitted if each.database not in names],
                pending=others(read.pending),
                not_due=[*kept(dict.fromkeys(read.not_due))],
                lost=read.lost - {*names},
            ),
            definitions=Definitions(
                kept(defined.digests),
                [each for each in defined.omitted if each.database not in names],
            ),
            sequences=kept(self.sequences),
            facts=others(self.facts),
            rules=others(self.rules),
            standings=kept(self.standings),
        )
