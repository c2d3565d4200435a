"""An installation as a user has it: `hl7ops up` in a process of its own, and a browser."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil
import pytest


READY = re.compile(r"Ready: (http://\S+)")

BROWSER = ("chromium", "chromium-browser", "google-chrome")

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Installation:
    """A home in which `hl7ops up` runs."""

    def __init__(self, home):
        """Start it and wait until it says that it is ready."""
        self.home = home
        self.env = {**os.environ, "HL7OPS_HOME": str(home)}
        self.env.pop("PREFECT_API_URL", None)
        self.env.pop("PREFECT_HOME", None)
        self.start()

    def start(self):
        """Run `up`; what it says goes to a file, as a terminal would show it."""
        self.said = self.home.with_suffix(".said")
        with self.said.open("wb") as file:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("hl7ops"), "up"],
                env=self.env,
                stdout=file,
                stderr=file,
                stdin=subprocess.DEVNULL,
            )
        deadline = time.monotonic() + 240
        while not (found := READY.search(self.said.read_text())):
            assert self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.5)
        self.url = found[1]

    def stop(self):
        """Press Ctrl-C and wait."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=120)

    def programs(self):
        """Return the process ids of Prefect's programs in this home: server and worker."""
        wanted = str(self.home / "prefect")
        found = set()
        for process in psutil.process_iter(["environ", "cmdline"]):
            line = process.info["cmdline"] or []
            if (process.info["environ"] or {}).get("PREFECT_HOME") == wanted and (
                line[1:3] == ["-m", "prefect"]
            ):
                found.add(process.pid)
        return found

    def post(self, path, body):
        """Ask the API."""
        return httpx.post(f"{self.url}/api/{path}", json=body, timeout=30).json()

    def runs(self, name):
        """Return the runs whose name begins so."""
        return self.post("flow_runs/filter", {"flow_runs": {"name": {"like_": name}}})

    def run(self, deployment, parameters=None):
        """Start a deployment, as the button in the UI does."""
        found = httpx.get(f"{self.url}/api/deployments/name/{deployment}", timeout=30).json()
        body = {"parameters": parameters or {}}
        return self.post(f"deployments/{found['id']}/create_flow_run", body)["id"]

    def state(self, run):
        """Return the state of a run."""
        return httpx.get(f"{self.url}/api/flow_runs/{run}", timeout=30).json()["state"]

    def await_end(self, run, seconds):
        """Wait until a run has ended, and return its state's name."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.state(run)
            if state["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
                return state["name"]
            time.sleep(1)
        return "still running"

    def hl7ops(self, *arguments):
        """Run a verb to its end."""
        return subprocess.run(
            [Path(sys.executable).with_name("hl7ops"), *arguments],
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def installation():
    """Run one installation for the session, and remove it with everything that it started."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-ui-"))
    home.chmod(0o755)
    running = Installation(home)
    yield running
    if running.process.poll() is None:
        running.stop()
    running.hl7ops("down")
    shutil.rmtree(home)
    running.said.unlink()


@pytest.fixture
def browser():
    """Open a headless Chromium."""
    from playwright.sync_api import sync_playwright

    found = next((path for name in BROWSER if (path := shutil.which(name))), None)
    assert found, "no Chromium; install the package chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        yield opened.new_page(viewport={"width": 1400, "height": 1600})
        opened.close()
