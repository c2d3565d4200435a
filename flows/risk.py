"""The runbook of risk."""

from datetime import datetime

from prefect import flow

from blocks.stanza import load_stanza
from flows.report import OFF
from tasks.analytics.steps import SMALLEST, refresh_rollups, score_patients
from tasks.control import clock, events


@flow(name="risk", flow_run_name="risk of {stanza}", timeout_seconds=3600)
def risk(stanza: str = "main", as_of: datetime | None = None) -> str:
    """Score every patient, in the database; tell how many are at high risk.

    **Purpose.** A list for triage that a ward can ask the database for. Operational triage, not
    validated for clinical decisions; the clinical report says what the bands came to.

    **Starts** every night, or by hand.

    **Keeps** the scores in `hl7_analytics.risk_scores`, which nobody may read who was not granted
    it; Prefect is told a count, and none below eleven. `hl7ops risk PATIENT_ID` shows one score
    with its parts.

    **Preconditions.** The platform has the views of patients, encounters, diagnoses, medications.

    **A person decides** what follows for a patient.

    **Undo.** Nothing: the next run writes the scores anew.

    Args:
        stanza: Name of the operated cluster; its blocks bear the same name.
        as_of: The moment that is scored; empty: now.

    """
    site, now = load_stanza(stanza), as_of or clock.now()
    if not site.settings.enable_analytics:
        return OFF
    refresh_rollups(site, clock.now(), lambda *_: None)
    high = score_patients(site, now)["high"]
    said = f"{high:,} patients" if high >= SMALLEST else f"fewer than {SMALLEST} patients"
    if high:
        events.emit(events.HIGH_RISK, stanza, {"subject": "high risk", "text": f"{said} now"})
    return f"{said} at high risk"
