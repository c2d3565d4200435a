"""How long work tells how far it is, and how long each of its phases took."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Called with the phase, what is done of it and how much there is, in bytes or pieces."""


@dataclass
class Phases:
    """How long each phase took, in seconds."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a phase."""
        began = time.monotonic()
        log.info("%s", name)
        yield
        self.seconds[name] = round(time.monotonic() - began, 3)
