"""Whose a row is: patients who were found to be others, followed over as many steps as it takes."""

from typing import LiteralString

from tasks.repository.facts import CONTRACT


HEIRS = f"""recursive former (patient_id, who) as (
  select patient_id, merged_into from {CONTRACT}.patients where merged_into is not null
  union
  select f.patient_id, p.merged_into from former f
    join {CONTRACT}.patients p on p.patient_id = f.who where p.merged_into is not null),
heir (patient_id, who) as (
  select f.patient_id, f.who from former f
    join {CONTRACT}.patients p on p.patient_id = f.who where p.merged_into is null)"""  # noqa: S608
"""What a query begins with, after `with`: each merged record with the one that is left of it.

`former` leads to all that it went into, step by step; `heir` to the last.
"""

WHOSE = f"""{HEIRS},
whose (patient_id, who) as not materialized (
  select patient_id, patient_id from {CONTRACT}.patients
  where merged_into is null and first_seen_at < %(end)s
  union all
  select h.patient_id, h.who from heir h
    join {CONTRACT}.patients p on p.patient_id = h.who where p.first_seen_at < %(end)s)"""  # noqa: S608
"""The same of every record of those who are known before the end of a window.

Something may be recorded earlier of one who was first heard of later; it counts from then on.
"""


def of(view: LiteralString) -> LiteralString:
    """Return rows of a view by `who` they are of, for a query that begins with `HEIRS`.

    Those of patients from a key `first` to a key `last`; rows of a merged record come under its own
    key as well, and are to be left out by whoever asks for patients.
    """
    return f"""(
    select patient_id as who, v.* from {CONTRACT}.{view} v
    where patient_id between %(first)s and %(last)s
    union all
    select h.who, v.* from heir h join {CONTRACT}.{view} v using (patient_id)
    where h.who between %(first)s and %(last)s)"""  # noqa: S608 - names of our own
