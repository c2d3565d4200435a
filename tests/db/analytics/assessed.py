"""Risk by the rule as it is written: in Python, from the rows of the views, one by one."""

from collections import defaultdict
from datetime import UTC, timedelta

from tasks.analytics.risk import charlson, chronic, coding
from tasks.analytics.risk.assessment import Assessment, Stay
from tasks.analytics.risk.lace import ACUTE_HOURS
from tasks.analytics.risk.score import age_on


def assessed(ask, server, as_of):
    """Assess all patients in Python, from the rows of the views, one by one."""
    rows = ask(server, "select * from hl7_contract.patients order by patient_id")
    names = [name for (name,) in ask(server, COLUMNS, view="patients")]
    people = {row[0]: dict(zip(names, row, strict=True)) for row in rows}

    def whose(key):
        while people[key]["merged_into"] is not None:
            key = people[key]["merged_into"]
        return key

    codes, orders, visits = defaultdict(list), defaultdict(dict), defaultdict(list)
    for key, *diagnosis in ask(server, DIAGNOSES, at=as_of):
        codes[whose(key)].append(diagnosis)
    for key, code in ask(server, MEDICATIONS, at=as_of):
        orders[whose(key)][code] = True
    for key, *visit in ask(server, VISITS, at=as_of):
        visits[whose(key)].append(visit)
    return [one(people[key], codes[key], orders[key], visits[key], as_of) for key in people]


COLUMNS = """
select attname from pg_attribute where attrelid = ('hl7_contract.' || %(view)s)::regclass
  and attnum > 0 order by attnum"""

DIAGNOSES = """
select patient_id, coding_system, code, abated_at is null or abated_at > %(at)s
from hl7_contract.diagnoses where recorded_at <= %(at)s and (onset_at is null or onset_at <= %(at)s)
"""

MEDICATIONS = """
select patient_id, code from hl7_contract.medications where started_at <= %(at)s
  and (ended_at is null or ended_at > %(at)s) and coding_system <> 'CVX'"""

VISITS = """
select patient_id, patient_class, admitted_at, discharged_at, encounter_id
from hl7_contract.encounters
where patient_class in ('E', 'I') and not is_cancelled and admitted_at <= %(at)s"""


def one(person, diagnoses, orders, visits, as_of):
    """Assess one patient from rows, by the rule as it is written."""
    today, born = as_of.astimezone(UTC).date(), person["birth_date"]
    reason = None
    if person["merged_into"] is not None:
        reason, diagnoses, orders, visits = "merged into another record", [], {}, []
    elif person["first_seen_at"] >= as_of:
        reason = "not known then"
    elif person["is_deceased"] and died(person, as_of):
        reason = "deceased"
    elif born is None:
        reason = "birth date unknown"
    elif born > today:
        reason = "birth date in the future"
    active = {chronic.group(system, code) for system, code, is_active in diagnoses if is_active}
    icd10 = [code for system, code, _ in diagnoses if coding.kind(system, code) == "icd10"]
    index = charlson.index(charlson.categories(icd10)) if icd10 else None
    age = age_on(born, today) if born and born <= today else None
    counts = len(active - {None}), len(orders), 0
    return Assessment(
        person["patient_id"], as_of, reason, age, *counts, index, last_stay(visits, as_of)
    )


def died(person, as_of):
    """Tell whether somebody had died; without a date, yes."""
    return person["deceased_at"] is None or person["deceased_at"] < as_of


def last_stay(visits, as_of):
    """Return the last stay that has ended, with the emergency visits before it."""
    stays = [
        (end, key, begin)
        for name, begin, end, key in visits
        if name == "I" and end is not None and begin <= end <= as_of
    ]
    if not stays:
        return None
    end, _, begin = max(stays)
    leading, earlier = 0, 0
    for name, came, went, _ in visits:
        if name == "E" and came <= begin:
            leads = (went or came) >= begin - timedelta(hours=ACUTE_HOURS)
            leading += leads
            earlier += not leads and came >= half_a_year_before(begin)
    days = (end.astimezone(UTC).date() - begin.astimezone(UTC).date()).days
    return Stay(days, leading > 0, earlier, end)


def half_a_year_before(moment):
    """Go six months back in the calendar, as PostgreSQL does in UTC."""
    moment = moment.astimezone(UTC)
    month = (moment.month - 7) % 12 + 1
    year = moment.year - (moment.month <= 6)
    for day in range(moment.day, 0, -1):
        try:
            return moment.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    raise AssertionError


def row(found):
    """Spell an assessment as it is kept."""
    made, lace = found.score, found.lace
    parts = (
        (made.age_points, made.condition_points, made.medication_points) if made else (None,) * 3
    )
    return (
        found.patient_id,
        *((made.score, made.band) if made else (None, None)),
        found.reason,
        *parts,
        found.conditions,
        found.medications,
        found.charlson,
        lace.score if lace else None,
    )
