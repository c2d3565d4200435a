"""The one tree of errors; each kind is an exit code and says whether trying again can help."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class OpsError(Exception):
    """An operation ended without doing what was asked.

    The text is one line that an operator can act on: the stanza, what was seen, what was expected
    and what to do next. It never carries a value of a patient's row.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        stanza: str | None = None,
        seen: object = None,
        expected: object = None,
        do: str | None = None,
    ) -> None:
        """Compose the line from `what` happened and whatever else is known."""
        parts = [f"stanza {stanza}: {what}" if stanza else what]
        parts += [f"seen: {seen}"] if seen is not None else []
        parts += [f"expected: {expected}"] if expected is not None else []
        parts += [f"next: {do}"] if do else []
        super().__init__("; ".join(parts))


class Refused(OpsError):
    """A precondition does not hold; nothing was changed."""

    exit_code = 3


class NotWritable(Refused):
    """What is kept here can be read, but nothing can be added to it."""


class Corrupt(OpsError):
    """A proof failed: what is there is not what was kept."""

    exit_code = 4


class WrongKey(Corrupt):
    """What is encrypted is closed to the identity at hand; that says nothing against the data."""


class Transient(OpsError):
    """The world was not ready; the same call may succeed later. The only kind that is retried."""

    exit_code = 5


@contextmanager
def sheltered() -> Iterator[None]:
    """Let only the house's errors out: any other's text may quote a row, and Prefect keeps it.

    Raises:
        OpsError: something else was raised; its kind and place are told, its text is not.

    """
    try:
        yield
    except OpsError:
        raise
    except Exception as error:  # noqa: BLE001 - the place is kept, the text is not
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise OpsError(
            "something broke",
            seen=f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}",
            do="report it with the version you run",
        ) from None
