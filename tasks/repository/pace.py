"""How fast, and for how long, the operated server is read while a seal is computed."""

import time
from dataclasses import dataclass, field


MIB = 1 << 20


@dataclass
class Pace:
    """A limit on bytes a second, and on seconds; None: no limit.

    It is asked after each portion that was read, and sleeps as long as the rate demands.
    """

    bytes_a_second: int | None = None
    seconds: float | None = None
    began: float = field(default_factory=time.monotonic)
    read: int = 0

    @property
    def is_over(self) -> bool:
        """Whether the time is used up."""
        return self.seconds is not None and time.monotonic() - self.began >= self.seconds

    @property
    def is_free(self) -> bool:
        """Whether there is no limit, so that a table may be read in one go."""
        return self.bytes_a_second is None and self.seconds is None

    def step(self, count: int) -> None:
        """Note bytes that were read, and sleep where that was too fast."""
        self.read += count
        if self.bytes_a_second is not None:
            ahead = self.read / self.bytes_a_second - (time.monotonic() - self.began)
            time.sleep(max(ahead, 0))
