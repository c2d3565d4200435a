"""The queries of the clinical report; each aggregates in the server and names no patient.

A patient who was found to be another counts as that one. Descriptions are shown where eleven
patients or more have them, since a description may be free text.
"""

from tasks.analytics.merges import WHOSE
from tasks.analytics.suppression.cells import THRESHOLD
from tasks.repository.facts import CONTRACT


TOP = 15
"""Codes that are listed."""

COMMON = f"""
with {WHOSE},
each as (
  select w.who, v.code, v.coding_system,
    max(v.description) as description, bool_or(v.{{at}} >= %(begin)s) as is_now,
    bool_or(v.{{at}} >= %(prior)s and v.{{at}} < %(begin)s) as is_before
  from {CONTRACT}.{{view}} v join whose w using (patient_id)
  where v.{{at}} < %(end)s group by 1, 2, 3),
counted as (
  select code, coding_system, count(*) as patients, count(*) filter (where is_now) as now,
    count(*) filter (where is_before) as before
  from each group by 1, 2 order by patients desc, code, coding_system limit {TOP}),
described as (
  select distinct on (code, coding_system) code, coding_system, description
  from (select code, coding_system, description, count(*) as n from each
      join counted using (code, coding_system) where description is not null
    group by 1, 2, 3 having count(*) >= {THRESHOLD}) known
  order by code, coding_system, n desc, description)
select code, coding_system, code || '|' || coding_system as key,
  coalesce(description, '') as description, patients, now, before
from counted left join described using (code, coding_system)
order by patients desc, code, coding_system
"""  # noqa: S608 - names of our own

PEOPLE = f"""
select count(*) as known from {CONTRACT}.patients
where merged_into is null and first_seen_at < %(end)s
"""  # noqa: S608

TOGETHER = f"""
with {WHOSE},
listed as (
  select distinct w.who, t.number
  from {CONTRACT}.diagnoses d join whose w using (patient_id)
    join unnest(%(codes)s::text[], %(systems)s::text[]) with ordinality t (code, system, number)
      on d.code = t.code and d.coding_system = t.system
  where d.recorded_at < %(end)s)
select a.number as first, b.number as second, count(*) as patients
from listed a join listed b on a.who = b.who and a.number < b.number
group by 1, 2 order by patients desc, 1, 2
"""  # noqa: S608

PENDING = f"""
select code || '|' || coding_system as key, count(*) as results,
  count(*) filter (where observed_at >= %(end)s - interval '1 day') as day,
  count(*) filter (where observed_at < %(end)s - interval '1 day'
    and observed_at >= %(end)s - interval '3 days') as three_days,
  count(*) filter (where observed_at < %(end)s - interval '3 days') as older
from {CONTRACT}.lab_results
where result_status in ('I', 'P', 'R', 'S') and observed_at < %(end)s
  and observed_at >= %(end)s - interval '90 days'
group by 1 order by results desc, 1 limit {TOP}
"""  # noqa: S608
