"""How verbs speak: tables and progress for people, JSON for programs."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from tasks.control.errors import Refused


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]

Repository = Annotated[
    str | None,
    typer.Option("--repository", help="`local` or `s3`; by default the one that takes backups."),
]

PIPED_COLUMNS = 200
"""Into a file or a pipe a table is as wide as it needs, up to this."""

screen = Console(
    highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPED_COLUMNS
)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def say(document: Any, text: Callable[[], None], *, as_json: bool) -> None:  # noqa: ANN401
    """Print a document as JSON, or let `text` print it for people."""
    if as_json:
        print(json.dumps(to_jsonable_python(document), indent=2))  # noqa: T201
    else:
        text()


def show_table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table."""
    table = Table(title=Text(title), title_justify="left", title_style="bold")
    for number, name in enumerate(header):
        table.add_column(name, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(str(value)) for value in row))
    screen.print(table)


def write_page(path: Path, markdown: str) -> None:
    """Write a page to a file of its own, as HTML that stands alone.

    Raises:
        Refused: it cannot be written there.

    """
    from reports.export import standalone  # noqa: PLC0415

    try:
        path.write_text(standalone(markdown))
    except OSError as error:
        raise Refused(
            "the page cannot be written",
            seen=f"{path}: {error.strerror}",
            expected="a file in a directory that is there",
        ) from None


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Yield what engines call with a phase, what is done of it, and how much there is.

    It is drawn on the error output, so that the result can be piped; a quiet one draws nothing.
    """
    bars = Progress(
        TextColumn("{task.description:<12}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=errors,
        disable=quiet or not errors.is_terminal,
    )
    known: dict[str, TaskID] = {}

    def tell(phase: str, done: int, every: int) -> None:
        if phase not in known:
            known[phase] = bars.add_task(phase, total=every or None)
        bars.update(known[phase], completed=done, total=every or None)

    with bars:
        yield tell
