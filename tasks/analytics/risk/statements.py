"""The SQL of the score: a set-based statement over the contract views, for one patient or many.

What it counts by, the lists, weights and thresholds, comes in as parameters from the pure modules
(see `parameters`), so that it stands in one place. Conditions of a patient are bits of a number:
`bit_or` collects them without sorting. No row of a patient leaves the database but the one that is
asked for. `offset 0` lets the planner group by hash, not sort: it then foresees few groups.
"""

from tasks.analytics.merges import HEIRS, of


PEOPLE = f"""
with {HEIRS},
person as (
  select patient_id, deceased_at,
    case when merged_into is not null then 'merged into another record'
      when first_seen_at >= %(as_of)s then 'not known then'
      when is_deceased and coalesce(deceased_at < %(as_of)s, true) then 'deceased'
      when birth_date is null or not isfinite(birth_date) then 'birth date unknown'
      when birth_date > today then 'birth date in the future' end as reason,
    case when isfinite(birth_date) and birth_date <= today
      then extract(year from age(today, birth_date))::int end as age
  from hl7_contract.patients,
    lateral (select (%(as_of)s at time zone 'UTC')::date) t(today)
  where patient_id between %(first)s and %(last)s
)"""  # noqa: S608 - constants of this file
"""Who is asked for, with the age, or the reason against a score."""

COUNTS = f""", noted as (
  select who, coding_system, code, coalesce(abated_at > %(as_of)s, true) as is_active
  from {of("diagnoses")} d
  where recorded_at <= %(as_of)s and coalesce(onset_at <= %(as_of)s, true)
), coded as (
  select coding_system, code, regexp_replace(upper(code), '[^A-Z0-9]', '', 'g') as plain,
    case when system = any(%(icd10_systems)s)
        or system = '' and upper(btrim(code)) ~ %(icd10_shape)s then 'icd10'
      when system = any(%(snomed_systems)s)
        or system = '' and btrim(code) ~ %(snomed_shape)s then 'snomed' end as kind
  from (
    select distinct coding_system, code from hl7_contract.diagnoses
    where patient_id between %(first)s and %(last)s
    union
    select distinct coding_system, code from heir join hl7_contract.diagnoses using (patient_id)
    where who between %(first)s and %(last)s
  ) d,
    lateral (select regexp_replace(upper(coding_system), '[^A-Z0-9]', '', 'g')) s(system)
), meaning as materialized (
  select coding_system, code, kind = 'icd10' as is_icd10,
    (select bit_or(1::bigint << bit)
     from unnest(%(chronic_bits)s::int[], %(chronic_kinds)s::text[], %(chronic_codes)s::text[])
       l(bit, kind, listed)
     where l.kind = c.kind and starts_with(plain, listed)
       and (c.kind = 'icd10' or plain = listed)) as chronic,
    (select bit_or(1::bigint << bit)
     from unnest(%(charlson_bits)s::int[], %(charlson_codes)s::text[]) l(bit, listed)
     where c.kind = 'icd10' and starts_with(plain, listed)) as charlson
  from coded c
), condition as (
  select who, bit_or(chronic) filter (where is_active) as chronic,
    coalesce(bit_or(charlson), 0) as charlson, bool_or(is_icd10) as is_icd10
  from noted join meaning using (coding_system, code) group by who
), medication as (
  select who, count(*) as n, count(*) filter (where is_unended) as unended
  from (
    select who, code, bool_and(ended_at is null and started_at <= %(as_of)s
      - make_interval(days => %(unended_days)s)) as is_unended
    from {of("medications")} m
    where started_at <= %(as_of)s and coalesce(ended_at > %(as_of)s, true)
      and upper(coding_system) <> all(%(vaccines)s)
    group by who, code
  ) ordered
  group by who
), counted as (
  select p.patient_id, p.reason, p.age, c.charlson, c.is_icd10,
    bit_count(coalesce(c.chronic, 0)::bit(64))::int as conditions,
    coalesce(m.n, 0)::int as medications, coalesce(m.unended, 0)::int as unended
  from person p
    left join condition c on c.who = p.patient_id and p.reason is distinct from %(merged)s
    left join medication m on m.who = p.patient_id and p.reason is distinct from %(merged)s
), scored as (
  select *, (by_age + by_conditions + by_medications) / 10.0 as score,
    (%(bands)s::text[])[1 + width_bucket((by_age + by_conditions + by_medications) / 10.0,
      %(thresholds)s::numeric[])] as band
  from counted, lateral (select
    case when reason is null then %(age_weight)s * least(age, %(cap)s) end,
    %(condition_weight)s * least(%(points_a_condition)s * conditions, %(cap)s),
    %(medication_weight)s * least(%(points_a_medication)s * medications, %(cap)s)
  ) parts(by_age, by_conditions, by_medications)
)"""  # noqa: S608 - constants of this file
"""`coded` and `meaning` look at each code once, however many patients have it.

`coded` asks the view itself, whose statistics say how few codes there are: one that is noted by
nobody yet has a meaning without use. What belongs to a merged record itself counts for nobody.
"""

BESIDE = f""", charlson_index as (
  select mask, coalesce(sum(weight), 0)::int as points
  from (select distinct charlson as mask from condition) m
    left join unnest(%(charlson_order)s::int[], %(charlson_weights)s::int[],
      %(charlson_trumps)s::bigint[]) c(bit, weight, trumps)
    on mask & (1::bigint << bit) <> 0 and mask & trumps = 0
  group by mask
), visit as (
  select who, encounter_id, patient_class, admitted_at, discharged_at
  from {of("encounters")} e
  where patient_class in ('E', 'I') and not is_cancelled and admitted_at <= %(as_of)s
), stay as (
  select distinct on (who) who, admitted_at, discharged_at,
    (discharged_at at time zone 'UTC')::date - (admitted_at at time zone 'UTC')::date as days
  from visit where patient_class = 'I' and discharged_at between admitted_at and %(as_of)s
  order by who, discharged_at desc, encounter_id desc
), stayed as (
  select s.who, s.days, s.discharged_at, coalesce(bool_or(leads), false) as is_acute,
    count(*) filter (where not leads and e.admitted_at >= s.admitted_at
      - make_interval(months => %(visit_months)s))::int as visits
  from stay s left join visit e on e.who = s.who and e.patient_class = 'E'
      and e.admitted_at <= s.admitted_at,
    lateral (select coalesce(e.discharged_at, e.admitted_at) >= s.admitted_at
      - make_interval(hours => %(acute_hours)s)) l(leads)
  group by s.who, s.days, s.discharged_at
), assessed as (
  select s.*, i.points as charlson_points, t.days, t.is_acute, t.visits, t.discharged_at,
    (%(length_points)s::int[])[1 + width_bucket(t.days, %(lengths)s::int[])]
      + case when t.is_acute then %(acute_points)s else 0 end
      + (%(comorbidity_points)s::int[])[1 + least(i.points, %(most_comorbidity)s)]
      + least(t.visits, %(most_visits)s) as lace
  from scored s left join charlson_index i on s.is_icd10 and i.mask = s.charlson
    left join stayed t on t.who = s.patient_id and s.reason is distinct from %(merged)s
)"""  # noqa: S608 - constants of this file
"""Charlson's index once for each set of categories that occurs; LACE of the last ended stay."""

READ = f"""{PEOPLE}{COUNTS}{BESIDE}
select reason, age, conditions, medications, unended, charlson_points, days, is_acute, visits,
  discharged_at from assessed"""  # noqa: S608 - constants of this file

SUMMARY = f"""{PEOPLE}{COUNTS}
select reason, band, count(*), count(*) filter (where age >= %(cap)s),
  count(*) filter (where %(points_a_condition)s * conditions >= %(cap)s),
  count(*) filter (where %(points_a_medication)s * medications >= %(cap)s),
  count(*) filter (where unended > 0)
from (select reason, case when reason is null then band end as band, age, conditions, medications,
  unended from scored offset 0) s group by reason, band"""  # noqa: S608 - constants of this file

HISTOGRAM = f"""{PEOPLE}{COUNTS}, harmed as (
  select who from {of("encounters")} e
  where patient_class in ('E', 'I') and not is_cancelled
    and admitted_at >= %(as_of)s and admitted_at < %(until)s
  union
  select patient_id from person where deceased_at >= %(as_of)s and deceased_at < %(until)s
)
select score, count(who), count(*) - count(who)
from (select score, who from scored left join harmed on who = patient_id
  where reason is null offset 0) s
group by score"""  # noqa: S608 - constants of this file

TABLE = """
create schema if not exists hl7_analytics;
create table if not exists hl7_analytics.risk_scores (
  patient_id bigint primary key,
  as_of timestamptz not null,
  score numeric(4, 1),
  band text,
  reason text,
  age_points numeric(4, 1),
  condition_points numeric(4, 1),
  medication_points numeric(4, 1),
  conditions int not null,
  medications int not null,
  charlson int,
  lace int,
  list_version text not null,
  computed_at timestamptz not null default now(),
  check ((score is null) = (reason is not null))
);
revoke all on hl7_analytics.risk_scores from public;
"""
"""The newest score of each patient, or why there is none; nobody but its owner reads it."""

STANDING = """
select band, count(*) from hl7_analytics.risk_scores where band is not null group by band
"""

REFRESH = f"""{PEOPLE}{COUNTS}{BESIDE}, gone as (
  delete from hl7_analytics.risk_scores r where patient_id between %(first)s and %(last)s
    and not exists (select from hl7_contract.patients p where p.patient_id = r.patient_id)
)
insert into hl7_analytics.risk_scores as r (patient_id, as_of, score, band, reason, age_points,
  condition_points, medication_points, conditions, medications, charlson, lace, list_version)
select patient_id, %(as_of)s, score, band, reason, by_age / 10.0,
  case when reason is null then by_conditions / 10.0 end,
  case when reason is null then by_medications / 10.0 end,
  conditions, medications, charlson_points, lace, %(list_version)s from assessed
on conflict (patient_id) do update set (as_of, score, band, reason, age_points, condition_points,
  medication_points, conditions, medications, charlson, lace, list_version, computed_at)
  = (excluded.as_of, excluded.score, excluded.band, excluded.reason, excluded.age_points,
  excluded.condition_points, excluded.medication_points, excluded.conditions,
  excluded.medications, excluded.charlson, excluded.lace, excluded.list_version, now())
where (r.as_of, r.score, r.reason, r.conditions, r.medications, r.charlson, r.lace, r.list_version)
  is distinct from (excluded.as_of, excluded.score, excluded.reason, excluded.conditions,
  excluded.medications, excluded.charlson, excluded.lace, excluded.list_version)
"""  # noqa: S608 - constants of this file
