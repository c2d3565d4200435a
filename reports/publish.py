"""Where reports meet Prefect: the only place that makes artifacts."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar, cast
from uuid import UUID

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    update_progress_artifact,
)

from tasks.control.errors import OpsError, sheltered


LARGEST_BYTES = 200_000
"""Above this a page is slow in the browser."""

PAUSE_S = 2.0
"""Progress is not told more often than this."""


def publish(key: str, markdown: str) -> None:
    """Publish a page under a stable key, so that the UI keeps its history."""
    text = markdown if len(markdown.encode()) <= LARGEST_BYTES else _shortened(markdown)
    verdict = text.partition("\n")[0].lstrip("# ")
    create_markdown_artifact(key=key, markdown=text, description=verdict)


class Told(Protocol):
    """What is told in a report: it can hold an error."""

    error: str | None


T = TypeVar("T", bound=Told)


@contextmanager
def reporting(key: str, told: T, render: Callable[[T], str]) -> Iterator[T]:
    """Publish the report of a run when it ends, also when it ends badly or is cancelled.

    Of an unexpected error only kind and place are told, since its text may quote a row.
    """
    try:
        with sheltered():
            yield told
    except OpsError as error:
        told.error = str(error)
        raise
    except BaseException as error:
        told.error = f"interrupted: {type(error).__name__}"
        raise
    finally:
        publish(key, render(told))


def progress(key: str) -> Callable[[str, int, int], None]:
    """Return what a step calls to show how far it is: phase, what is done, how much there is."""
    shown: dict[str, UUID] = {}
    told_at = 0.0

    def tell(phase: str, done: int, every: int) -> None:
        nonlocal told_at
        is_through = every > 0 and done >= every
        if time.monotonic() - told_at < PAUSE_S and not is_through:
            return
        told_at = time.monotonic()
        percent = 100.0 * done / every if every else 0.0
        if phase in shown:
            update_progress_artifact(shown[phase], progress=percent)
        else:
            made = create_progress_artifact(percent, key=f"{key}-progress", description=phase)
            shown[phase] = cast("UUID", made)

    return tell


def _shortened(markdown: str) -> str:
    cut = markdown.encode()[: LARGEST_BYTES - 200].decode(errors="ignore")
    return (
        cut.rpartition("\n")[0] + "\n\n*Cut here: the rest stands in the command line's --json.*\n"
    )
