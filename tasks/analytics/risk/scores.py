"""Scores out of the database: of one patient, of all as counts, and kept in a table."""

from datetime import datetime, timedelta
from typing import Any, LiteralString

from tasks.analytics.batches import LEAST, MOST, batches
from tasks.analytics.risk import parameters, statements
from tasks.analytics.risk.assessment import Assessment, Saturated, Stay, Summary
from tasks.analytics.risk.score import BANDS
from tasks.analytics.risk.validation import Tally, Validation, validate
from tasks.analytics.source import Session, require_views
from tasks.control.errors import Refused
from tasks.postgres.server import Connection


VIEWS = ("patients", "encounters", "diagnoses", "medications")

FOLLOWED_DAYS = 365
"""How long patients are followed to see what a score was worth."""


def read(session: Session, patient_id: int, as_of: datetime) -> Assessment:
    """Assess one patient as of a moment.

    Raises:
        Refused: there is no such patient, or a view of the contract is missing.

    """
    require_views(session.connection, *VIEWS)
    rows: list[tuple[Any, ...]] = []
    if LEAST <= patient_id <= MOST:
        given = parameters.parameters(as_of, patient_id, patient_id)
        rows = session.rows("risk of one patient", statements.READ, given)
    if not rows:
        raise Refused(
            "there is no such patient",
            seen="no row with this key",
            expected="a patient_id of hl7_contract.patients",
            do="look the key up in that view; a medical record number is none",
        )
    reason, age, conditions, medications, unended, charlson, *stayed = rows[0]
    stay = Stay(*stayed) if stayed[0] is not None else None
    return Assessment(
        patient_id, as_of, reason, age, conditions, medications, unended, charlson, stay
    )


def summarise(session: Session, as_of: datetime, days: int = FOLLOWED_DAYS) -> Summary:
    """Count all patients by band, and those without a score by the reason; hold old scores to it.

    Of each batch of patients come at most eight rows and 1,001; they are added up here.

    Args:
        session: a snapshot of the source.
        as_of: the moment; what began or died before it counts.
        days: how long before it the scores are of that are held against what happened since.

    Raises:
        Refused: the days are not one or more, or a view of the contract is missing.
        Transient: the source did not answer in time.

    """
    validation = followed(session, as_of, days)
    counts = _added(session, "risk", statements.SUMMARY, 2, as_of)
    scored = {band: row for (reason, band), row in counts.items() if reason is None}
    return Summary(
        as_of,
        bands=dict.fromkeys(BANDS, 0) | {band: row[0] for band, row in scored.items()},
        reasons={reason: row[0] for (reason, _), row in counts.items() if reason is not None},
        saturated=Saturated(*(sum(row[place] for row in scored.values()) for place in (1, 2, 3))),
        unended=sum(row[4] for row in scored.values()),
        validation=validation,
    )


def followed(session: Session, as_of: datetime, days: int = FOLLOWED_DAYS) -> Validation:
    """Hold the scores of `days` ago against what happened since.

    The outcome is an emergency or inpatient encounter, or death, from the index date on and before
    `as_of`. Scores are of the index date: of what was recorded, begun and not ended by then. Who
    died without a date is left out, since nobody knows whether it was before.

    Raises:
        Refused: the days are not one or more, or a view of the contract is missing.

    """
    if days < 1:
        raise Refused("nothing can be followed", seen=f"{days} days", expected="1 day or more")
    require_views(session.connection, *VIEWS)
    index = as_of - timedelta(days=days)
    counts = _added(session, "risk followed", statements.HISTOGRAM, 1, index, until=as_of)
    return validate([Tally(float(score), *row) for (score,), row in counts.items()], index, days)


def _added(
    session: Session,
    name: str,
    query: LiteralString,
    keys: int,
    as_of: datetime,
    **beside: object,
) -> dict[tuple[Any, ...], list[int]]:
    """Ask a query of each batch of patients, and add up its counts by its first columns."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for first, last in batches(lambda *asked: session.rows("patients by their keys", *asked)):
        given = parameters.parameters(as_of, first, last) | beside
        for row in session.rows(name, query, given):
            key, counts = row[:keys], row[keys:]
            known = found.get(key, [0] * len(counts))
            found[key] = [one + other for one, other in zip(known, counts, strict=True)]
    return found


def refresh(connection: Connection, as_of: datetime) -> int:
    """Write the scores of all patients into `hl7_analytics.risk_scores`; return the rows written.

    Of each patient the newest score stands there, or why there is none. In one transaction, a
    statement for each 100,000 patients; a row that would not change is not written, so that a
    second run as of the same moment writes nothing. It needs the primary.

    Raises:
        Refused: a view of the contract is missing.

    """
    require_views(connection, *VIEWS)
    written = 0
    with connection.transaction():
        connection.execute(statements.TABLE)
        for first, last in batches(lambda *asked: connection.execute(*asked).fetchall()):
            given = parameters.parameters(as_of, first, last)
            written += connection.execute(statements.REFRESH, given).rowcount
    return written


def standing(connection: Connection) -> dict[str, int]:
    """Count the scores that stand in the database, by band."""
    found: dict[str, int] = dict(connection.execute(statements.STANDING).fetchall())
    return {band: found.get(band, 0) for band in BANDS}
