"""The one tree of errors; each kind is an exit code and says whether trying again can help."""


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


class Corrupt(OpsError):
    """A proof failed: what is there is not what was kept."""

    exit_code = 4


class Transient(OpsError):
    """The world was not ready; the same call may succeed later. The only kind that is retried."""

    exit_code = 5
