"""The contents tier: Great Expectations holds a copy against its seal.

It says only whether a check holds; which subjects differ is read from our own comparison, which
holds names of objects, counts and digests.
"""

import operator
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from tasks.control import expectations
from tasks.postgres.server import Server
from tasks.recovery.proving.comparison import Comparison, Relation, Row
from tasks.repository.facts import RULES
from tasks.repository.proof import Check
from tasks.repository.seal import Fact


_QUERIES = {rule.name: f"select n from ({rule.query}) counted (n)" for rule in RULES}  # noqa: S608

NAMED = 100
"""How many subjects a failed check names."""

_WORDS: dict[Relation, str] = {
    "equal": "the copy equals the seal",
    "at least": "the copy has not less than the seal",
    "at most": "the copy has not more than the seal",
}

_HOLDS: dict[Relation, Callable[[Any, Any], bool]] = {
    "equal": operator.eq,
    "at least": operator.ge,
    "at most": operator.le,
}


class Suite:
    """One ephemeral context; use one a process at a time (fivetran/great_expectations#12209)."""

    def __init__(self) -> None:
        """Make the context; nothing is written to disk and nothing is sent anywhere."""
        self._context: Any = expectations.ephemeral()
        self._known: Any = expectations.known()
        self._frames: Any = self._context.data_sources.add_pandas("frames")

    def compare(self, comparison: Comparison) -> Check:
        """Hold what the copy has against what was sealed, subject by subject."""
        import pandas as pd  # noqa: PLC0415

        name = f"{comparison.name}: {_WORDS[comparison.relation]}"
        if not comparison.rows:
            return Check("contents", name, "pass", "none in the seal, none in the copy")
        frame = pd.DataFrame([_cells(row, comparison.relation) for row in comparison.rows])
        asset = self._frames.add_dataframe_asset(comparison.name)
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
        outcome, seen = expectations.validated(batch, self._expected(comparison.relation))
        if outcome == "fail":
            seen = differing(comparison)
        return Check("contents", name, outcome, seen or f"{len(frame)} compared")

    def bound(self, copy: Server, sealed: list[Fact]) -> list[Check]:
        """See that no rule of the platform is broken more often in the copy than in the source."""
        parameters = copy.parameters()
        user, database, host = (quote(parameters[n], safe="") for n in ("user", "dbname", "host"))
        address = (
            f"postgresql+psycopg://{user}@localhost/postgres"
            f"?host={host}&port={parameters['port']}&dbname={database}"
            f"&options={quote(parameters.get('options', ''), safe='')}"
        )
        source = self._context.data_sources.add_postgres(
            parameters["dbname"], connection_string=address, create_temp_table=False
        )
        checks = [self._rule(source, fact) for fact in sealed]
        source.get_engine().dispose()
        return checks

    def _rule(self, source: Any, fact: Fact) -> Check:  # noqa: ANN401 - the library is untyped
        asset = source.add_query_asset(fact.check, query=_QUERIES[fact.check])
        batch = asset.add_batch_definition_whole_table("all").get_batch()
        query = f"select n from {{batch}} where n > {fact.value}"  # noqa: S608 - a number
        expectation = self._known.UnexpectedRowsExpectation(unexpected_rows_query=query)
        outcome, seen = expectations.validated(batch, expectation)
        return Check("contents", fact.check, outcome, seen or f"{fact.value} in the source")

    def _expected(self, relation: Relation) -> Any:  # noqa: ANN401
        known = self._known
        if relation == "equal":
            return known.ExpectColumnPairValuesToBeEqual(
                column_A="sealed", column_B="copied", ignore_row_if="neither"
            )
        above, below = ("copied", "sealed") if relation == "at least" else ("sealed", "copied")
        return known.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A=above, column_B=below, or_equal=True, ignore_row_if="neither"
        )


def differing(comparison: Comparison) -> str:
    """Name the subjects that do not stand to the seal as they should, ten at most."""
    return named(row.subject for row in comparison.rows if not _stands(row, comparison.relation))


def named(subjects: Iterable[str]) -> str:
    """Name subjects, a hundred at most."""
    names = sorted(subjects)
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + rest


def _stands(row: Row, relation: Relation) -> bool:
    cells = _cells(row, relation)
    return _HOLDS[relation](cells["copied"], cells["sealed"])


def _cells(row: Row, relation: Relation) -> dict[str, Any]:
    """Return the row as cells of a frame: text to be equal, numbers to be ordered."""
    if relation == "equal":
        return {"sealed": str(row.sealed), "copied": str(row.copied)}
    return {"sealed": _number(row.sealed), "copied": _number(row.copied)}


def _number(value: object) -> int:
    return -(2**62) if value is None else int(str(value))
