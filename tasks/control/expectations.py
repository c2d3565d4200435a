"""Great Expectations as it is used here: in memory, silent, and without a value of a row.

Results are asked for as booleans only, since every other form embeds values of rows.
"""

import importlib
import logging
import os
from threading import Thread
from typing import Any, Literal


Outcome = Literal["pass", "fail", "error"]

LOGGERS = ("great_expectations", "great_expectations.data_context.types.base")
"""Whose chatter is kept out of the runs' logs; the second sets a level of its own."""

FORM = "BOOLEAN_ONLY"
"""The form of a result: what is so, not which rows say so."""


def warm_up() -> None:
    """Begin to import Great Expectations while a server works: it takes ten seconds of one core.

    Beside work of our own it would cost more than it saves, since threads share the interpreter.
    """
    Thread(target=importlib.import_module, args=["great_expectations"], daemon=True).start()


def ephemeral() -> Any:  # noqa: ANN401 - the library is untyped
    """Make a context; nothing is written to disk and nothing is sent anywhere.

    Use one a process at a time (fivetran/great_expectations#12209).
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx  # noqa: PLC0415 - seconds and 230 MB

    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    return context


def known() -> Any:  # noqa: ANN401
    """Return the expectations that there are."""
    import great_expectations as gx  # noqa: PLC0415 - seconds and 230 MB

    return gx.expectations


def validated(batch: Any, expectation: Any) -> tuple[Outcome, str]:  # noqa: ANN401
    """Validate one expectation; one that could not be evaluated is an error, never a pass."""
    return judged(batch.validate(expectation, result_format=FORM))


def judged(result: Any) -> tuple[Outcome, str]:  # noqa: ANN401
    """Tell a check that failed from one that could not run; what was raised may quote a row."""
    if _raised(result.exception_info):
        return "error", "the check could not run"
    return ("pass" if result.success else "fail"), ""


def _raised(information: dict[str, Any]) -> bool:
    """Tell whether evaluating raised: the library reports it flat, or nested by metric."""
    if "raised_exception" in information:
        return bool(information["raised_exception"])
    return any(nested.get("raised_exception", True) for nested in information.values())
