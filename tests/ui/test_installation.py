"""What a user sees who runs `make up`: deployments, a report, an alarm, and a clean end."""

import time

import httpx
import psutil

from tasks.control import dead_man


def post(installation, path, body):
    """Ask the API of the installation."""
    return httpx.post(f"{installation.url}/api/{path}", json=body, timeout=30).json()


def runs(installation, name):
    """Return the runs whose name begins so."""
    wanted = {"flow_runs": {"name": {"like_": name}}}
    return post(installation, "flow_runs/filter", wanted)


def await_end(installation, run, seconds):
    """Wait until a run has ended, and return its state's name."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = httpx.get(f"{installation.url}/api/flow_runs/{run}", timeout=30).json()["state"]
        if state["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            return state["name"]
        time.sleep(1)
    return "still running"


def start(installation, deployment, parameters=None):
    """Start a deployment, as the button in the UI does."""
    found = httpx.get(f"{installation.url}/api/deployments/name/{deployment}", timeout=30).json()
    body = {"parameters": parameters or {}}
    return post(installation, f"deployments/{found['id']}/create_flow_run", body)["id"]


def test_every_runbook_is_deployed(installation):
    """The list of deployments is the one of `prefect.yaml`."""
    found = post(installation, "deployments/filter", {})
    assert sorted(each["entrypoint"].partition(":")[2] for each in found) == [
        "backup",
        "cleanup",
        "ingest",
        "overdue",
        "verify",
        "wal",
    ]


def test_a_backup_that_is_started_in_the_ui_shows_its_report(installation, browser):
    """The report in the browser has the verdict, the table of checks and the chart."""
    run = start(installation, "backup/full")
    assert await_end(installation, run, 180) == "Completed"
    wanted = {"artifacts": {"key": {"any_": ["backup-report-main"]}}}
    artifact = post(installation, "artifacts/filter", wanted)[0]["id"]
    browser.goto(f"{installation.url}/artifacts/artifact/{artifact}")
    browser.wait_for_selector("text=what was restored equals its seal")
    assert browser.locator("h1", has_text="PROVEN").count() == 1
    assert browser.locator("td", has_text="manifest").count() >= 1
    chart = browser.locator("img[src^='data:image/svg+xml']")
    assert chart.evaluate("image => image.complete && image.naturalWidth > 300")


def test_a_proof_that_does_not_come_raises_the_alarm(installation):
    """With a switch of ten seconds and no proof, a run fails in plain sight."""
    dead_man.arm(f"{installation.url}/api", "main", within_s=10)
    deadline = time.monotonic() + 90
    while not (found := runs(installation, "NO VERIFIED BACKUP")) and time.monotonic() < deadline:
        time.sleep(1)
    dead_man.arm(f"{installation.url}/api", "main")
    assert found
    assert await_end(installation, found[0]["id"], 60) == "Failed"


def test_wal_is_pulled_by_its_schedule(installation):
    """Nobody starts it: the scheduler does, every minute, and it succeeds."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = runs(installation, "WAL of main")
        if any(run["state_name"] == "Completed" for run in found):
            return
        time.sleep(2)
    raise AssertionError([run["state_name"] for run in found])


def test_a_second_up_is_refused_by_name(installation):
    """One home has one `up`; the second says where the first is."""
    done = installation.hl7ops("up")
    assert done.returncode == 3
    assert installation.url in done.stderr


def test_ctrl_c_stops_everything_and_the_next_up_finds_its_data(installation):
    """Nothing of it is left running, and the reports are still there afterwards."""
    wanted = {"artifacts": {"key": {"any_": ["backup-report-main"]}}}
    before = post(installation, "artifacts/filter", wanted)
    assert installation.stop() == 0
    home = str(installation.home)
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert [line for line in lines if any(home in word for word in line)] == []
    installation.start()
    assert post(installation, "artifacts/filter", wanted) == before
