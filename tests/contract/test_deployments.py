"""The file of deployments holds nothing that Prefect would silently ignore."""

import importlib
import inspect
from pathlib import Path

import pytest
import yaml


ROOT = Path(__file__).parents[2]
FILE = yaml.safe_load((ROOT / "prefect.yaml").read_text())
DEPLOYMENTS = FILE["deployments"]

KEYS = {
    "name",
    "version",
    "tags",
    "description",
    "schedules",
    "concurrency_limit",
    "entrypoint",
    "parameters",
    "work_pool",
    "triggers",
}
"""What a deployment may say here; `sla` is not among them, it stops `prefect deploy --all`."""


def load(deployment):
    """Import the flow of a deployment."""
    path, _, name = deployment["entrypoint"].partition(":")
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    return getattr(module, name)


def label(deployment):
    """Return how operators name a deployment: flow and deployment."""
    return f"{load(deployment).name}/{deployment['name']}"


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=label)
def test_a_deployment_says_only_what_prefect_reads(deployment):
    """A key that Prefect does not know would vanish without a word."""
    assert set(deployment) <= KEYS
    assert deployment["description"].strip()
    assert deployment["tags"]
    assert deployment["work_pool"]["name"] == "hl7ops"


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=label)
def test_the_parameters_of_a_deployment_are_those_of_its_flow(deployment):
    """A parameter that the flow does not take would fail at 02:00."""
    assert set(deployment["parameters"]) <= set(inspect.signature(load(deployment).fn).parameters)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=label)
def test_a_schedule_states_its_time_zone_and_its_name(deployment):
    """A schedule without a zone would move with the server."""
    for schedule in deployment.get("schedules", []):
        assert schedule["timezone"]
        assert schedule["slug"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=label)
def test_a_runbook_says_what_an_operator_asks(deployment):
    """The docstring of a flow is what the UI shows: purpose, start, preconditions, people, undo."""
    text = inspect.getdoc(load(deployment).fn)
    for word in ("**Purpose.**", "**Starts**", "**Preconditions.**", "**A person", "**Undo.**"):
        assert word in text
    assert "Args:" in text


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=label)
def test_the_body_of_a_runbook_is_short(deployment):
    """A flow reads as a runbook: forty lines at most below its docstring."""
    lines = inspect.getsource(load(deployment).fn).partition('"""')[2].partition('"""')[2]
    assert len(lines.strip().splitlines()) <= 40


def test_the_schedules_are_those_that_were_asked_for():
    """A full backup at 02:00, WAL every minute, cleanup daily."""
    crons = {label(d): [s["cron"] for s in d.get("schedules", [])] for d in DEPLOYMENTS}
    assert crons["backup/full"] == ["0 2 * * *"]
    assert crons["wal/pull"] == ["* * * * *"]
    assert crons["cleanup/daily"] == ["30 4 * * *"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=label)
def test_every_deployment_stands_in_the_readme(deployment):
    """The README's table of runbooks is complete."""
    assert f"`{label(deployment)}`" in (ROOT / "README.md").read_text()
