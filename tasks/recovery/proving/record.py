"""The record of a verification while it is made: checks, times, and where to stop."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tasks.control.errors import Corrupt, OpsError, Refused, WrongKey
from tasks.repository.proof import Check, Tier


log = logging.getLogger(__name__)


PHYSICAL: Mapping[Tier, str] = {
    "objects": "every object and WAL segment is the one that was kept",
    "manifest": "files and WAL agree with the server's manifest",
    "boot": "the copy recovers to the seal's restore point",
    "structure": "tables and indexes are sound",
    "contents": "the copy can be held against the seal",
}
"""What the tiers of a physical backup are about, each in a sentence."""

LOGICAL: Mapping[Tier, str] = {
    "objects": "every object is the one that was kept",
    "manifest": "the dumps list every table that was sealed",
    "boot": "every dump loads whole into a new cluster",
    "structure": PHYSICAL["structure"],
    "contents": PHYSICAL["contents"],
}
"""What those of a snapshot are about."""


class Stopped(Exception):
    """A tier did not pass, and the deeper ones rest on it."""


@dataclass
class Record:
    """The checks made so far and how many seconds each tier took."""

    checks: list[Check] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    names: Mapping[Tier, str] = field(default_factory=lambda: PHYSICAL)

    @contextmanager
    def tier(self, tier: Tier) -> Iterator[None]:
        """Run checks of a tier; a proof that fails, or cannot be made, becomes a check itself.

        Raises:
            Stopped: some check of the tier did not pass.
            Refused, WrongKey: a precondition does not hold, so nothing is said of the backup.

        """
        began = time.monotonic()
        log.info("tier %s", tier)
        try:
            yield
        except (Refused, WrongKey):
            raise
        except Corrupt as error:
            self.add(Check(tier, self.names[tier], "fail", str(error)))
        except OpsError as error:
            self.add(Check(tier, self.names[tier], "error", str(error)))
        finally:
            spent = self.seconds.get(tier, 0) + time.monotonic() - began
            self.seconds[tier] = round(spent, 3)
        if any(check.tier == tier and check.outcome in ("fail", "error") for check in self.checks):
            raise Stopped

    @property
    def spent(self) -> dict[str, float]:
        """The seconds of each tier, from the first tier to the last."""
        return {tier: self.seconds[tier] for tier in self.names if tier in self.seconds}

    def add(self, *checks: Check) -> None:
        """Note checks that were made."""
        for check in checks:
            log.info("%s: %s: %s", check.tier, check.name, check.outcome)
        self.checks.extend(checks)

    def passed(self, tier: Tier, seen: str = "") -> None:
        """Note that the tier's own check passed."""
        self.add(Check(tier, self.names[tier], "pass", seen))
