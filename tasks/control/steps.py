"""What all steps have in common: retried only where trying again can help, never cached."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import exponential_backoff

from tasks.control.errors import Transient, sheltered


P = ParamSpec("P")
R = TypeVar("R")

RETRIES = 3

FIRST_PAUSE_S = 5


def step(name: str, run_name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Return Prefect's `task` decorator with the house's retries; results stay in memory.

    Args:
        name: the task's name.
        run_name: a template of the run's name, filled from the parameters.

    """
    decorate = task(
        name=name,
        task_run_name=run_name,
        retries=RETRIES,
        retry_delay_seconds=exponential_backoff(backoff_factor=FIRST_PAUSE_S),
        retry_jitter_factor=0.5,
        retry_condition_fn=_is_transient,
        cache_policy=NO_CACHE,
        persist_result=False,
    )
    return lambda work: decorate(_sheltered(work))


def _sheltered(work: Callable[P, R]) -> Callable[P, R]:
    """Return the work, of which only the house's errors get out."""

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with sheltered():
            return work(*args, **kwargs)

    return run


def _is_transient(_task: object, _run: TaskRun, state: State[Any]) -> bool:
    """Tell whether a step failed by something that may have passed by now."""
    return isinstance(state.result(raise_on_failure=False), Transient)
