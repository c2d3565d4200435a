"""Where reports meet Prefect: published whatever happens, never with the text of a surprise."""

import traceback
from dataclasses import dataclass

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from reports import publish
from tasks.control.errors import OpsError, Refused


NAME = "Jonathan-4711"


@dataclass
class Told:
    """The least that a report is made of."""

    error: str | None = None


def run(body):
    """Run something inside a flow."""
    return flow(name="publishing")(body)()


def reported(error):
    """Let a run with a report end with an error."""

    def body():
        with publish.reporting("publish-test", Told(), lambda told: f"# {told.error or 'FINE'}\n"):
            if error:
                raise error

    run(body)


def test_a_report_is_published_when_a_run_ends_well(prefect_api, page):
    """Under its key."""
    reported(None)
    assert page("publish-test") == "# FINE\n"


def test_a_refusal_is_told_in_its_own_words(prefect_api, page):
    """They are made for operators."""
    with pytest.raises(Refused):
        reported(Refused("no room", seen="3 MiB"))
    assert page("publish-test") == "# no room; seen: 3 MiB\n"


def test_of_a_surprise_only_its_kind_is_told(prefect_api, page):
    """Its text may quote a row."""
    with pytest.raises(OpsError, match=r"KeyError in test_publish\.py, line \d+") as told:
        reported(KeyError(NAME))
    assert page("publish-test") == f"# {told.value}\n"
    assert NAME not in "".join(traceback.format_exception(told.value))


def test_an_interrupted_run_is_reported_too(prefect_api, page):
    """Ctrl-C in the middle leaves a page that says that it is not through."""
    with pytest.raises(KeyboardInterrupt):
        reported(KeyboardInterrupt())
    assert page("publish-test") == "# interrupted: KeyboardInterrupt\n"


def test_a_page_that_is_too_large_is_cut_at_a_line_and_says_so(prefect_api, page):
    """The browser stays fast, and the reader knows where the rest is."""
    line = "| " + "x" * 98 + " |\n"
    run(lambda: publish.publish("publish-large", "# LARGE\n" + line * 5000))
    text = page("publish-large")
    assert len(text.encode()) <= publish.LARGEST_BYTES
    lines = text.splitlines()
    assert lines[0] == "# LARGE"
    assert lines[-1].startswith("*Cut here")
    assert all(each == line.strip() for each in lines[1:-2])


def test_the_verdict_is_the_description(prefect_api):
    """The list of artifacts shows it without opening one."""
    run(lambda: publish.publish("publish-verdict", "# PROVEN: full-x\n\ntext"))
    assert found("publish-verdict")[0].description == "PROVEN: full-x"


def found(key):
    """Return the artifacts of a key."""
    with get_client(sync_client=True) as client:
        return client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
        )


def test_progress_is_one_bar_a_phase_that_ends_at_a_hundred(prefect_api, monkeypatch):
    """However often a step tells how far it is."""
    monkeypatch.setattr(publish, "PAUSE_S", 0)

    def body():
        tell = publish.progress("publish-bar")
        for phase in ("copy", "seal"):
            for done in (0, 50, 100):
                tell(phase, done, 100)

    run(body)
    bars = {each.description: each.data for each in found("publish-bar-progress")}
    assert bars == {"copy": 100.0, "seal": 100.0}


def test_progress_does_not_flood_the_server(prefect_api):
    """A thousand calls in a second make a bar, and its end."""

    def body():
        tell = publish.progress("publish-flood")
        for done in range(1000):
            tell("copy", done, 1000)

    run(body)
    assert len(found("publish-flood-progress")) <= 1
