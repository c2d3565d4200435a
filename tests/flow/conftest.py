"""A real Prefect API and a stanza of its own for the tests of flows."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def prefect_api():
    """Run one Prefect server for the session, kept apart from the developer's own."""
    home = tempfile.mkdtemp(prefix="hl7ops-prefect-")
    os.environ["PREFECT_HOME"] = home
    os.environ["PREFECT_API_URL"] = ""
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ["PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL"] = "0.5"
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    with (
        prefect_test_harness(server_startup_timeout=120),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        yield
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def home():
    """Make a home that the server's user can enter, and stop what runs in it afterwards."""
    from tasks.control import settings
    from tasks.postgres.embedded import open_home

    path = Path(tempfile.mkdtemp(prefix="hl7ops-flow-"))
    path.chmod(0o755)
    before = os.environ.get("HL7OPS_HOME")
    os.environ["HL7OPS_HOME"] = str(path)
    yield path
    opened = open_home(settings.load())
    opened.primary.stop("immediate")
    opened.control.stop("immediate")
    if before is None:
        del os.environ["HL7OPS_HOME"]
    else:
        os.environ["HL7OPS_HOME"] = before
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def platform(home, prefect_api):
    """Install the platform in an embedded cluster, with a patient and a connection in it."""
    from tasks.control import settings
    from tasks.hl7.platform import contract, schema
    from tasks.repository.stanza import open_stanza

    stanza = open_stanza(settings.load())
    server = stanza.server()
    schema.install(server)
    contract.install_views(server)
    return stanza


@pytest.fixture
def page(prefect_api):
    """Return what reads the newest page that was published under a key."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
    from prefect.client.schemas.sorting import ArtifactSort

    def read(key):
        with get_client(sync_client=True) as client:
            found = client.read_artifacts(
                artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])),
                sort=ArtifactSort.CREATED_DESC,
            )
        return found[0].data

    return read
