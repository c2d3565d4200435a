"""Whose a row is: patients who were found to be others, followed over as many steps as it takes."""

from tasks.repository.facts import CONTRACT


WHOSE = f"""recursive former (patient_id, who) as (
  select patient_id, merged_into from {CONTRACT}.patients where merged_into is not null
  union
  select f.patient_id, p.merged_into from former f
    join {CONTRACT}.patients p on p.patient_id = f.who where p.merged_into is not null),
whose (patient_id, who) as not materialized (
  select patient_id, patient_id from {CONTRACT}.patients where merged_into is null
  union all
  select f.patient_id, f.who from former f
    join {CONTRACT}.patients p on p.patient_id = f.who where p.merged_into is null)"""  # noqa: S608
"""What a query begins with, after `with`: each record with the one that is left of it."""
