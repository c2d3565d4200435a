"""A reading that was new to the platform, with the keys of its rows."""

from dataclasses import dataclass
from datetime import datetime

from tasks.hl7.parser.reading import Reading


@dataclass(frozen=True, slots=True)
class Stored:
    """A new message; its patient and visit have no key until they are stored."""

    reading: Reading
    message_id: int
    patient_id: int | None = None
    encounter_id: int | None = None

    @property
    def said_at(self) -> datetime:
        """When it was said: by the sender's clock, or else when it came."""
        return self.reading.head.message_time or self.reading.transport.received_at
