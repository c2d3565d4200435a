"""What is read for the clinical report, one query a question."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.analytics.clinical import around, statements
from tasks.analytics.source import Session
from tasks.analytics.window import Window


if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Clinical:
    """What was read, as frames of a few rows.

    people: how many patients are known; one row.
    diagnoses, medications: the commonest codes by distinct patients.
    together: how many patients have two of the listed diagnoses, by their numbers in the list.
    pending: results without a final value, by code and age.
    around: a value before and after a medication's start, by medication and analyte.
    """

    window: Window
    people: "pd.DataFrame"
    diagnoses: "pd.DataFrame"
    medications: "pd.DataFrame"
    together: "pd.DataFrame"
    pending: "pd.DataFrame"
    around: "pd.DataFrame"


def read(session: Session, window: Window) -> Clinical:
    """Read what the clinical report is made of.

    Raises:
        Transient: the source did not answer in time.

    """
    asked = {"prior": window.prior.begin, "begin": window.begin, "end": window.end}
    common = statements.COMMON
    diagnoses = session.frame("diagnoses", common.format(view="diagnoses", at="recorded_at"), asked)
    medications = session.frame(
        "medications", common.format(view="medications", at="started_at"), asked
    )
    return Clinical(
        window,
        people=session.frame("people", statements.PEOPLE, asked),
        diagnoses=diagnoses,
        medications=medications,
        together=session.frame(
            "diagnoses together", statements.TOGETHER, asked | _codes(diagnoses)
        ),
        pending=session.frame("pending results", statements.PENDING, asked),
        around=around.read(session, asked | _codes(medications)),
    )


def _codes(listed: "pd.DataFrame") -> dict[str, object]:
    return {"codes": list(listed["code"]), "systems": list(listed["coding_system"])}
