"""Values around the start of a medication: read a batch of patients at a time, and added up."""

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tasks.analytics.batches import batches
from tasks.analytics.clinical.statements import TOP
from tasks.analytics.merges import HEIRS, of
from tasks.analytics.source import Session
from tasks.analytics.suppression.cells import THRESHOLD
from tasks.repository.facts import CONTRACT


if TYPE_CHECKING:
    import pandas as pd

NAME = "values around a start"

COLUMNS = ("medication", "measured", "unit", "patients", "before", "after", "deviation")

_SUMS = f"""
with {HEIRS},
person as (
  select patient_id as who from {CONTRACT}.patients
  where merged_into is null and first_seen_at < %(end)s
    and patient_id between %(first)s and %(last)s),
starts as (
  select who, m.code as medication, min(m.started_at) as started_at
  from {of("medications")} m join person using (who)
    join unnest(%(codes)s::text[], %(systems)s::text[]) t (code, system)
      on m.code = t.code and m.coding_system = t.system
  where m.started_at < %(end)s group by 1, 2
  having min(m.started_at) >= %(end)s - interval '1 year'),
near as materialized (
  select who, s.medication, s.started_at, r.code as measured, r.unit, r.observed_at, r.result_id,
    r.value_number::numeric as value
  from starts s join {of("lab_results")} r using (who)
  where r.observed_at >= s.started_at - interval '180 days'
    and r.observed_at < s.started_at + interval '180 days' and r.observed_at < %(end)s
    and r.value_number > '-Infinity' and r.value_number < 'Infinity'
    and r.result_status in ('F', 'C', 'U', 'V')),
before as (
  select distinct on (who, medication, measured) who, medication, measured, unit, value
  from near where observed_at < started_at
  order by who, medication, measured, observed_at desc, result_id desc),
paired as (
  select distinct on (b.who, b.medication, b.measured) b.medication, b.measured, b.unit,
    b.value as before, n.value as after
  from before b join near n using (who, medication, measured)
  where n.unit is not distinct from b.unit and n.observed_at >= n.started_at + interval '1 day'
  order by b.who, b.medication, b.measured, n.observed_at, n.result_id desc)
select medication, measured, coalesce(unit, ''), count(*), sum(before), sum(after),
  sum((after - before) * (after - before))
from paired group by 1, 2, 3
"""  # noqa: S608 - names of our own
"""Exact sums: so they come to the same whatever batch a patient is in."""


def read(session: Session, asked: dict[str, object]) -> "pd.DataFrame":
    """Read values before and after the first start, where eleven patients or more have both.

    Args:
        session: what is read.
        asked: `end` of the window, `codes` and `systems` of the medications.

    Returns:
        medication, measured, unit, patients, before, after (means), deviation (of the differences,
        the sample's); the commonest first.

    Raises:
        Transient: the source did not answer in time.

    """
    import pandas as pd  # noqa: PLC0415 - half a second

    sums: dict[tuple[str, str, str], list[Any]] = {}
    for first, last in batches(lambda *ask: session.rows("patients by their keys", *ask)):
        keys = {"first": first, "last": last}
        for medication, measured, unit, *more in session.rows(NAME, _SUMS, asked | keys):
            known = sums.setdefault((medication, measured, unit), [0] * len(more))
            known[:] = [one + other for one, other in zip(known, more, strict=True)]
    many = [(name, each) for name, each in sums.items() if each[0] >= THRESHOLD]
    many.sort(key=lambda each: (-each[1][0], each[0]))
    rows = [(*name, *_means(*each)) for name, each in many]
    return pd.DataFrame(rows[:TOP], columns=list(COLUMNS))


def _means(
    n: int, before: Decimal, after: Decimal, squares: Decimal
) -> tuple[int, float, float, float]:
    variance = (squares - (after - before) ** 2 / n) / (n - 1)
    return n, float(before / n), float(after / n), math.sqrt(max(variance, Decimal(0)))
