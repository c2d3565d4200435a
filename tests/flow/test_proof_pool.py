"""Proofs on a machine of their own: a work pool, whose worker has a home of its own."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from prefect.settings import PREFECT_API_URL

from flows.backup import backup
from tasks.control import proof_pool
from tasks.control.prefect_server import POOL as RUNBOOKS
from tasks.control.prefect_server import PrefectServer
from tasks.control.proof_pool import DEPLOYMENT


POOL = "proofs"


@pytest.fixture
def api(platform, home, monkeypatch):
    """Deploy the proof on a pool that nobody works on yet."""
    server = PrefectServer(urlsplit(PREFECT_API_URL.value()).port, home, "")
    httpx.post(f"{server.api}/work_pools/", json={"name": RUNBOOKS, "type": "process"}, timeout=30)
    server.run("prefect", "--no-prompt", "deploy", "-n", DEPLOYMENT, HL7OPS_STANZA="main")
    proof_pool.deploy(server.api, POOL)
    monkeypatch.setenv("PROOF_POOL", POOL)
    return server.api


@pytest.fixture
def other():
    """Make the home of another machine."""
    path = Path(tempfile.mkdtemp(prefix="hl7ops-proofs-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_a_backup_is_proven_on_the_work_pool_of_proofs(platform, page, api, other):
    """The chain does not wait; the other machine needs the repository and nothing else."""
    made = backup()
    assert platform.catalogue.last_proof(made) is None
    text = page("backup-report-main")
    assert text.startswith(f"# TAKEN, TO BE PROVEN: {made}")
    assert f"on work pool *{POOL}*" in text
    assert "## What is kept" in text
    filters = {"deployments": {"name": {"any_": ["on-demand"]}}, "limit": 200}
    runs = httpx.post(f"{api}/flow_runs/filter", json=filters, timeout=30).json()
    (run,) = [each for each in runs if each["parameters"].get("backup") == made]
    assert run["work_pool_name"] == POOL

    shutil.copytree(platform.home.path / "keys", other / "keys")
    environment = PrefectServer(urlsplit(api).port, other, "").environment() | {
        "BACKUP_DIR": str(platform.catalogue.storage.root),
        "DATABASE_URL": "postgresql://nobody@localhost:1/none",
    }
    worker = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--run-once"]
    done = subprocess.run(worker, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert platform.catalogue.last_proof(made).verdict == "proven", done.stdout + done.stderr
    assert page("verify-report-main").startswith(f"# PROVEN: {made}")


def test_a_proof_that_cannot_be_handed_over_is_made_here(platform, page, api, monkeypatch):
    """No deployment, no server of Prefect, no answer: the backup is proven all the same."""
    monkeypatch.setattr("tasks.control.proof_pool.DEPLOYMENT", "verify/nowhere")
    made = backup()
    assert platform.catalogue.last_proof(made).verdict == "proven"
    assert page("backup-report-main").startswith(f"# PROVEN: {made}")
