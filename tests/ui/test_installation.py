"""What a user sees who runs `make up`: deployments, a report, an alarm, and a clean end."""

import signal
import time
from pathlib import Path

import psutil
import yaml

from tasks.control import dead_man


def test_every_runbook_is_deployed(installation):
    """The list of deployments is the one of `prefect.yaml`."""
    found = installation.post("deployments/filter", {})
    wanted = yaml.safe_load(Path("prefect.yaml").read_text())["deployments"]
    names = sorted((each["entrypoint"], each["name"]) for each in wanted)
    assert sorted((each["entrypoint"], each["name"]) for each in found) == names


def test_a_backup_that_is_started_in_the_ui_shows_its_report(installation, browser):
    """The report in the browser has the verdict, the table of checks and the chart."""
    run = installation.run("backup/full")
    assert installation.await_end(run, 180) == "Completed"
    wanted = {"artifacts": {"key": {"any_": ["backup-report-main"]}}}
    artifact = installation.post("artifacts/filter", wanted)[0]["id"]
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
    while not (found := installation.runs("NO VERIFIED BACKUP")) and time.monotonic() < deadline:
        time.sleep(1)
    dead_man.arm(f"{installation.url}/api", "main")
    assert found
    assert installation.await_end(found[0]["id"], 60) == "Failed"


def test_wal_is_pulled_by_its_schedule(installation):
    """Nobody starts it: the scheduler does, every minute, and it succeeds."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = installation.runs("WAL of main")
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
    """However often it is pressed; the reports are still there afterwards."""
    wanted = {"artifacts": {"key": {"any_": ["backup-report-main"]}}}
    before = installation.post("artifacts/filter", wanted)
    installation.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert installation.stop() == 0
    home = str(installation.home)
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert [line for line in lines if any(home in word for word in line)] == []
    assert installation.programs() == set()
    installation.start()
    assert installation.post("artifacts/filter", wanted) == before


def test_what_a_killed_up_left_running_is_ended_by_the_next_one(installation):
    """There are never two servers on one database; the address stays the same."""
    before, url = installation.programs(), installation.url
    installation.process.kill()
    installation.process.wait()
    assert installation.programs() == before
    installation.start()
    assert installation.url == url
    assert not before & installation.programs()
    assert len(installation.programs()) == len(before)
