"""The command line in processes of its own, over one home."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest


class CommandLine:
    """Runs `hl7ops` over a home, as a terminal or a script would."""

    def __init__(self, home):
        """Use a home; nothing else is set."""
        self.home = home
        self.env = {"PATH": os.environ["PATH"], "HOME": str(home), "HL7OPS_HOME": str(home)}

    def __call__(self, *arguments, **more):
        """Run a verb to its end."""
        return subprocess.run(
            [Path(sys.executable).with_name("hl7ops"), *arguments],
            env=self.env | more.pop("env", {}),
            capture_output=True,
            text=True,
            check=False,
            cwd=self.home,
            **more,
        )

    def begin(self, *arguments):
        """Begin a verb, for whoever wants to break it off."""
        return subprocess.Popen(
            [Path(sys.executable).with_name("hl7ops"), *arguments],
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.home,
        )

    def json(self, *arguments, code=0, **more):
        """Run a verb that ends with a code, and return the one document that it prints."""
        done = self(*arguments, "--json", **more)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)


@contextmanager
def command_line():
    """Yield a command line over an empty home, and stop what runs in it afterwards."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-cli-"))
    home.chmod(0o755)
    run = CommandLine(home)
    yield run
    run("down")
    shutil.rmtree(home)


@pytest.fixture(scope="package")
def hl7ops():
    """Open one that tests share."""
    with command_line() as run:
        yield run
