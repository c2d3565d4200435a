"""The deployments as `make up` applies them to a real Prefect server."""

from urllib.parse import urlsplit

import httpx
import pytest
from prefect.settings import PREFECT_API_URL

from tasks.control.prefect_server import PrefectServer


@pytest.fixture
def server(prefect_api, home):
    """Return the session's server, as the installation sees one."""
    return PrefectServer(urlsplit(PREFECT_API_URL.value()).port, home, "")


def test_a_stanza_of_another_name_is_operated_by_every_schedule(server):
    """Its runbooks, its blocks and its alarm all speak of the same one."""
    server.prepare("icu")
    found = httpx.post(f"{server.api}/deployments/filter", json={}, timeout=30).json()
    assert {each["name"] for each in found} >= {"full", "pull", "daily", "alarm"}
    assert {each["parameters"]["stanza"] for each in found} == {"icu"}
    (switch,) = httpx.post(f"{server.api}/automations/filter", json={}, timeout=30).json()
    assert switch["actions"][0]["parameters"] == {"stanza": "icu"}
    blocks = httpx.post(f"{server.api}/block_documents/filter", json={}, timeout=30).json()
    assert {each["name"] for each in blocks} == {"icu"}


def test_preparing_again_changes_only_where_proofs_are_made(server):
    """A second start finds everything, and makes no second alarm."""

    def pool():
        address = f"{server.api}/deployments/name/verify/on-demand"
        return httpx.get(address, timeout=30).json()["work_pool_name"]

    server.prepare("icu", "proofs")
    assert pool() == "proofs"
    server.prepare("icu")
    assert pool() == "hl7ops"
    found = httpx.post(f"{server.api}/automations/filter", json={}, timeout=30).json()
    assert len(found) == 1
