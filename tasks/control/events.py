"""Events that automations wait for; they carry names and numbers, never data of the platform."""

VERIFIED = "hl7ops.backup.verified"


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
