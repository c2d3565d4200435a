"""What is read of patients: one count for each combination of what is told apart."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.analytics.merges import WHOSE
from tasks.analytics.source import Session
from tasks.analytics.window import Window
from tasks.repository.facts import CONTRACT


if TYPE_CHECKING:
    import pandas as pd

ACTIVE = (
    "A patient is active who is alive at the end of the window, was not found to be another, and"
    " had a visit in it: one that began before its end and did not end before its begin. A visit"
    " whose end is unknown counts for a year. Cancelled visits do not count."
)
"""The definition of an active patient."""

_PATIENTS = f"""
with {WHOSE},
visits as (
  select w.who as patient_id,
    bool_or(e.admitted_at < %(end)s
      and coalesce(e.discharged_at, e.admitted_at + interval '1 year') >= %(begin)s) as is_active,
    bool_or(e.admitted_at < %(begin)s
      and coalesce(e.discharged_at, e.admitted_at + interval '1 year') >= %(prior)s) as was_active
  from {CONTRACT}.encounters e join whose w using (patient_id)
  where not e.is_cancelled and e.admitted_at < %(end)s
    and coalesce(e.discharged_at, e.admitted_at + interval '1 year') >= %(prior)s
  group by 1),
told as (
  select case when isfinite(p.birth_date) and p.birth_date <= (%(end)s at time zone 'UTC')::date
    then extract(year from age((%(end)s at time zone 'UTC')::date, p.birth_date))::int end as age,
    coalesce(p.sex, 'U') as sex, p.first_seen_at,
    p.is_deceased and coalesce(p.deceased_at < %(end)s, true) as is_deceased,
    p.is_deceased and p.deceased_at >= %(begin)s and p.deceased_at < %(end)s as has_died,
    v.is_active, v.was_active
  from {CONTRACT}.patients p left join visits v using (patient_id)
  where p.merged_into is null and p.first_seen_at < %(end)s)
select case when age is null then 'unknown' when age < 18 then '0-17'
    when age < 35 then '18-34' when age < 50 then '35-49' when age < 65 then '50-64'
    when age < 80 then '65-79' else '80+' end as age_band,
  case sex when 'F' then 'female' when 'M' then 'male' else 'other or unknown' end as sex,
  is_deceased, coalesce(has_died, false) as has_died,
  coalesce(is_active and not is_deceased, false) as is_active,
  coalesce(was_active, false) as was_active, first_seen_at >= %(begin)s as is_new,
  first_seen_at >= %(prior)s and first_seen_at < %(begin)s as was_new, count(*) as patients
from told group by 1, 2, 3, 4, 5, 6, 7, 8 order by 1, 2, 3, 4, 5, 6, 7, 8
"""  # noqa: S608 - names of our own

_VISITS = f"""
select coalesce(patient_class, 'U') as patient_class,
  count(*) filter (where admitted_at >= %(begin)s) as admissions,
  count(*) filter (where admitted_at < %(begin)s and admitted_at >= %(prior)s) as before,
  count(*) filter (where coalesce(discharged_at, 'infinity') >= %(end)s
    and admitted_at >= %(end)s - interval '1 year') as present,
  (percentile_cont(0.5) within group (order by extract(epoch from discharged_at - admitted_at))
    filter (where discharged_at >= %(begin)s and discharged_at < %(end)s
      and isfinite(admitted_at)) / 3600)::float8
    as median_hours
from {CONTRACT}.encounters
where not is_cancelled and admitted_at < %(end)s
  and (admitted_at >= %(prior)s
    or coalesce(discharged_at, admitted_at + interval '1 year') >= %(begin)s)
group by 1 order by 1
"""  # noqa: S608


@dataclass(frozen=True)
class Patients:
    """What was read: `cube` has a row a combination, `visits` one a patient class."""

    window: Window
    cube: "pd.DataFrame"
    visits: "pd.DataFrame"


def read(session: Session, window: Window) -> Patients:
    """Read what a window of patients is made of, and the one before it.

    Raises:
        Transient: the source did not answer in time.

    """
    asked = {"prior": window.prior.begin, "begin": window.begin, "end": window.end}
    return Patients(
        window,
        cube=session.frame("patients", _PATIENTS, asked),
        visits=session.frame("visits", _VISITS, asked),
    )
