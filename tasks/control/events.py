"""Events that automations wait for; they carry names and numbers, never data of the platform."""

VERIFIED = "hl7ops.backup.verified"

ANOMALY = "hl7ops.anomaly.found"

SILENCE = "hl7ops.connection.silent"

HIGH_RISK = "hl7ops.risk.high"

BLOCKED = "hl7ops.report.blocked"

NOTICES = {
    ANOMALY: "an episode began in which messages were not as expected",
    SILENCE: "a connection fell silent that should not be",
    HIGH_RISK: "how many patients are at high risk, every night that there are any",
    BLOCKED: "a report was not published, since a check did not pass",
}
"""What people are told of, by the event that tells it."""


def resource(stanza: str) -> str:
    """Return the id of a stanza as a resource of events."""
    return f"hl7ops.stanza.{stanza}"


def emit(event: str, stanza: str, payload: dict[str, str | int | float]) -> None:
    """Tell Prefect that something happened to a stanza."""
    from prefect.events import emit_event  # noqa: PLC0415 - a second, and needed in runs only

    emit_event(
        event=event,
        resource={"prefect.resource.id": resource(stanza), "prefect.resource.name": stanza},
        payload=payload,
    )
