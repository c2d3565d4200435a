"""Many expectations over one frame, validated at once, each under a name of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any

from tasks.analytics.gate.check import Check
from tasks.control import expectations
from tasks.control.expectations import Outcome


if TYPE_CHECKING:
    from pandas import DataFrame


_ONE_AT_A_TIME = Lock()
"""Contexts share state in their process (fivetran/great_expectations#12209)."""

_numbers = count(1)


@dataclass(frozen=True)
class Asked:
    """An expectation by its name; `make` gets the library's expectations and picks one."""

    name: str
    make: Callable[[Any], Any]
    columns: tuple[str, ...] = ()
    is_critical: bool = True
    seen: str = ""
    """What a failed check tells; names and counts only."""


def validate(frame: "DataFrame", asked: Sequence[Asked]) -> list[Check]:
    """Validate a frame; an expectation that could not be evaluated is an error, never a pass."""
    with _ONE_AT_A_TIME:
        outcomes = _outcomes(frame, asked)
    return [
        Check(each.name, outcome, each.is_critical, _seen(each, outcome, frame))
        for each, outcome in zip(asked, outcomes, strict=True)
    ]


def check_numbers(name: str, numbers: Sequence[int], low: int, high: int) -> Check:
    """Hold numbers between two bounds; how many lie outside is told, and none of them."""

    def make(known: Any) -> Any:  # noqa: ANN401 - the library is untyped
        return known.ExpectColumnValuesToBeBetween(column="number", min_value=low, max_value=high)

    outside = sum(not low <= number <= high for number in numbers)
    return _of_numbers(name, make, numbers, outside)


def none_of(name: str, numbers: Sequence[int], wrong: Sequence[int]) -> Check:
    """See that some numbers do not occur; how many do is told, and none of them."""

    def make(known: Any) -> Any:  # noqa: ANN401 - the library is untyped
        return known.ExpectColumnValuesToNotBeInSet(column="number", value_set=list(wrong))

    return _of_numbers(name, make, numbers, sum(number in wrong for number in numbers))


def _of_numbers(name: str, make: Callable[[Any], Any], numbers: Sequence[int], bad: int) -> Check:
    import pandas as pd  # noqa: PLC0415 - half a second

    frame = pd.DataFrame({"number": list(numbers)}, dtype="int64")
    return validate(frame, [Asked(name, make, ("number",), seen=f"{bad} of {len(numbers)}")])[0]


def _outcomes(frame: "DataFrame", asked: Sequence[Asked]) -> list[Outcome]:
    """Ask all at once; what the library or an expectation raises may quote a row, so it is dropped.

    Results come back in another order, so each expectation carries its place.
    """
    found: dict[int, Outcome] = {}
    name = f"frame {next(_numbers)}"
    try:
        suite, source = _suite(name, asked), _frames()
        asset = source.add_dataframe_asset(name)
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
        for result in batch.validate(suite, result_format=expectations.FORM).results:
            place = result.expectation_config.meta["place"]
            found[place] = expectations.judged(result)[0]
        source.delete_asset(name)
    except Exception:  # noqa: BLE001 - no check ran, and each of them says so
        found = {}
    return [found.get(place, "error") for place in range(len(asked))]


def _suite(name: str, asked: Sequence[Asked]) -> Any:  # noqa: ANN401 - the library is untyped
    """Gather the expectations; one that cannot be made is left out, and so becomes an error."""
    from great_expectations import ExpectationSuite  # noqa: PLC0415 - seconds and 230 MB

    _frames()
    suite = ExpectationSuite(name=name)
    for place, each in enumerate(asked):
        try:
            expectation = each.make(expectations.known())
        except Exception:  # noqa: BLE001, S112 - its text may quote a value
            continue
        expectation.meta = {"place": place}
        suite.add_expectation(expectation)
    return suite


@cache
def _frames() -> Any:  # noqa: ANN401
    """Return the one source of this process."""
    return expectations.ephemeral().data_sources.add_pandas("frames")


def _seen(asked: Asked, outcome: Outcome, frame: "DataFrame") -> str:
    if outcome == "error":
        missing = [column for column in asked.columns if column not in frame.columns]
        named = f"column {', '.join(missing)} is missing" if missing else ""
        return named or "the check could not run"
    return asked.seen if outcome == "fail" else f"{len(frame)} rows"
