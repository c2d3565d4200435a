"""Steps under a real Prefect API: what is tried again, what is not, and what is told of it."""

import traceback

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, LogFilter

from tasks.control import steps
from tasks.control.errors import Corrupt, OpsError, Refused, Transient


NAME = "Jonathan-4711"


@pytest.fixture
def hasty(monkeypatch):
    """Make pauses between tries short."""
    monkeypatch.setattr(steps, "FIRST_PAUSE_S", 0.01)


def failing(kind, times):
    """Return a flow with a step that fails so many times, and the list of its calls."""
    calls = []

    @steps.step("fail", run_name="fail")
    def fail():
        calls.append(1)
        if len(calls) <= times:
            raise kind("it broke") if issubclass(kind, OpsError) else kind(NAME)
        return "done"

    @flow(name="failing")
    def run():
        return fail()

    return run, calls


def test_what_may_have_passed_is_tried_again(prefect_api, hasty):
    """Two failures are forgiven."""
    run, calls = failing(Transient, 2)
    assert run() == "done"
    assert len(calls) == 3


def test_what_does_not_pass_is_given_up_after_three_more_tries(prefect_api, hasty):
    """The last error is the one that is told."""
    run, calls = failing(Transient, 99)
    with pytest.raises(Transient):
        run()
    assert len(calls) == 1 + steps.RETRIES


@pytest.mark.parametrize("kind", [Refused, Corrupt, OpsError])
def test_what_trying_again_cannot_help_is_tried_once(prefect_api, hasty, kind):
    """A failed proof is not asked until it passes."""
    run, calls = failing(kind, 1)
    with pytest.raises(kind):
        run()
    assert len(calls) == 1


def test_an_unexpected_error_is_told_by_its_place_alone(prefect_api, hasty):
    """Its text may quote a row; neither the error nor Prefect's logs hold it."""
    run, calls = failing(KeyError, 1)
    state = run(return_state=True)
    assert len(calls) == 1
    with pytest.raises(OpsError, match=r"KeyError in test_steps\.py, line \d+") as told:
        state.result()
    assert NAME not in "".join(traceback.format_exception(told.value))
    with get_client(sync_client=True) as client:
        logs = client.read_logs(LogFilter())
        runs = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                id=FlowRunFilterId(any_=[state.state_details.flow_run_id])
            )
        )
    assert NAME not in str(runs)
    assert not any(NAME in each.message for each in logs)


def test_a_result_is_not_kept(prefect_api, hasty):
    """The same call works again: nothing is cached, and nothing is written anywhere."""
    run, calls = failing(Transient, 0)
    assert run() == run() == "done"
    assert len(calls) == 2
