"""The ingest runbook."""

from prefect import flow


@flow(name="ingest")
def ingest(stanza: str = "main") -> int:
    """Placeholder until the loader stands."""
    return 0
