"""Questions about every patient, asked of one batch of them after the other.

So no query takes longer the more patients there are; what comes back is added up.
"""

from collections.abc import Callable, Iterator
from typing import Any, LiteralString

from tasks.repository.facts import CONTRACT


LEAST, MOST = -(2**63), 2**63 - 1
"""Keys of patients lie between them, both included."""

BATCH = 100_000
"""Patients that one statement looks at: about a second of the server's time, however many are."""

_END = f"""
select max(patient_id) from (
  select patient_id from {CONTRACT}.patients where patient_id >= %(first)s
  order by patient_id limit %(patients)s
) p having count(*) = %(patients)s"""  # noqa: S608 - names of our own
"""The key that ends a batch; none where what is left fills no batch."""

Rows = list[tuple[Any, ...]]


def batches(ask: Callable[[LiteralString, dict[str, int]], Rows]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last key of each batch; together they hold every key.

    Args:
        ask: asks a query with its values, and returns its rows.

    """
    first = LEAST
    while first <= MOST:
        ends = ask(_END, {"first": first, "patients": BATCH})
        last = ends[0][0] if ends else MOST
        yield first, last
        first = last + 1
