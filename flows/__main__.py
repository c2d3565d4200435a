"""The command line `hl7ops`."""

import logging
import signal
import sys
import traceback
from typing import NoReturn

import typer

from flows.verbs import (
    anomalies,
    backup,
    database,
    demo,
    drill,
    forecast,
    keeping,
    platform,
    report,
    repository,
    restore,
    restored,
    risk,
    service,
    snapshot,
    wal,
)
from flows.verbs.output import errors
from flows.verbs.several import SeveralDates
from tasks.control.errors import OpsError


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Keep the PostgreSQL database of an HL7 v2 platform recoverable, and prove it.",
)
app.add_typer(backup.backup_app, name="backup")
app.add_typer(wal.wal_app, name="wal")
app.add_typer(repository.repository_app, name="repository")
app.add_typer(restored.restored_app, name="restored")
app.add_typer(database.database_app, name="database")
app.add_typer(snapshot.snapshot_app, name="snapshot")
app.add_typer(platform.contract_app, name="contract")
app.add_typer(report.report_app, name="report")
for verbs in (
    platform.VERBS,
    backup.VERBS,
    restore.VERBS,
    drill.VERBS,
    keeping.VERBS,
    report.VERBS,
    service.VERBS,
    demo.VERBS,
    anomalies.VERBS,
    risk.VERBS,
):
    for verb in verbs:
        app.command()(verb)
for verb in forecast.VERBS:
    app.command(cls=SeveralDates)(verb)
app.command("settings")(service.show_settings)


def _terminated(*_: object) -> NoReturn:
    """End as Ctrl-C does, so that what was begun is tidied up."""
    sys.exit(128 + signal.SIGTERM)


def main() -> None:
    """Run the verb that was asked for, and end with the exit code of what it raised.

    Of an unexpected error the place is shown, but not the text, which may quote a row.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # it warns of what Ctrl-C breaks off
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background, too
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app()
    except OpsError as error:
        errors.print(f"{type(error).__name__}: {error}", markup=False)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - the last resort
        errors.print("".join(traceback.format_tb(error.__traceback__)), markup=False)
        said = f" ({error.strerror})" if isinstance(error, OSError) else ""
        errors.print(f"unexpected {type(error).__name__}{said}; please report the lines above")
        sys.exit(1)


if __name__ == "__main__":
    main()
