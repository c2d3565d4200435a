"""The steps of the platform's runbooks."""

from collections.abc import Sequence

from tasks.control.steps import step
from tasks.hl7 import ingest
from tasks.hl7.ingest import Counts
from tasks.hl7.platform import installation
from tasks.repository.stanza import Stanza


@step("ingest", run_name="ingest into {stanza.name}")
def load_files(
    stanza: Stanza, sources: Sequence[str], connection: str | None, progress: ingest.Progress
) -> Counts:
    """Load files into the platform; what a broken run brought in, a retry finds there."""
    server = stanza.server()
    if stanza.settings.database_url is None:
        installation.install(server)
    return ingest.ingest(server, sources, connection=connection, progress=progress)
