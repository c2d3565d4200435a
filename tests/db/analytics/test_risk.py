"""Scores in the database: the same as those of the pure functions, once each, of what holds now."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tasks.analytics import source
from tasks.analytics.disclosure import disclose
from tasks.analytics.patients import reading as patients
from tasks.analytics.patients.disclosure import KNOWN, of_patients
from tasks.analytics.risk import chronic, disclosure, scores
from tasks.analytics.risk.assessment import Saturated
from tasks.analytics.risk.score import score
from tasks.analytics.window import before
from tasks.control.errors import Refused
from tests.db.analytics.assessed import assessed, row
from tests.db.analytics.conftest import END


BORN = date(1955, 11, 23)

KEPT = """
select patient_id, score, band, reason, age_points, condition_points, medication_points,
  conditions, medications, charlson, lace from hl7_analytics.risk_scores order by patient_id
"""


@pytest.fixture
def summarise(place):
    """Return what counts the patients of a server."""

    def summarise(server, as_of=END, days=30):
        with source.session(place(server)) as session:
            return scores.summarise(session, as_of, days)

    return summarise


@pytest.fixture
def assess(place):
    """Return what assesses one patient of a server."""

    def assess(server, patient_id, as_of=END):
        with source.session(place(server)) as session:
            return scores.read(session, patient_id, as_of)

    return assess


def refresh(server, as_of=END):
    """Write all scores."""
    with server.connect(statement_timeout_s=60) as connection:
        return scores.refresh(connection, as_of)


@pytest.mark.parametrize("ago", [0, 20])
def test_the_database_scores_as_the_pure_functions_do(populated, ask, ago):
    """Every patient of the platform, now and as of three weeks ago: all columns."""
    as_of = END - timedelta(days=ago)
    refresh(populated, as_of)
    kept = [
        tuple(float(value) if hasattr(value, "as_tuple") else value for value in each)
        for each in ask(populated, KEPT)
    ]
    expected = [row(each) for each in assessed(ask, populated, as_of)]
    assert kept == expected
    assert len({each[2] for each in kept}) >= 3, "more than one band, and some without a score"
    assert sum(each[10] is not None for each in kept) > 10, "LACE of some"


def test_one_patient_is_assessed_as_all_are(populated, ask, assess):
    """What the verb shows is what stands in the table."""
    refresh(populated)
    for kept in ask(populated, KEPT)[::40]:
        found = row(assess(populated, kept[0]))
        assert found == tuple(float(v) if hasattr(v, "as_tuple") else v for v in kept)


def test_the_summary_counts_what_is_kept(populated, ask, summarise):
    """By band and by reason; all records are one or the other."""
    refresh(populated)
    found = summarise(populated)
    kept = ask(
        populated,
        "select coalesce(band, reason), count(*) from hl7_analytics.risk_scores group by 1",
    )
    counted = {**found.bands, **found.reasons}
    assert {name: count for name, count in counted.items() if count} == dict(kept)
    assert ask(populated, "select count(*) from hl7_contract.patients") == [(found.records,)]


def test_a_second_run_as_of_the_same_moment_writes_nothing(populated, ask):
    """Not one row, and the rows are the same."""
    assert refresh(populated) > 0
    first = ask(populated, KEPT)
    assert refresh(populated) == 0
    assert ask(populated, KEPT) == first


def test_scores_belong_to_their_owner(populated, ask):
    """Nothing is granted to everybody."""
    refresh(populated)
    assert (
        ask(
            populated,
            "select grantee from information_schema.role_table_grants"
            " where table_schema = 'hl7_analytics' and grantee = 'PUBLIC'",
        )
        == []
    )


def test_a_patient_who_is_gone_has_no_score_any_more(platform, ask):
    """A score outlives nobody's row."""
    keys = people(platform, ask, 2)
    assert refresh(platform) == 2
    ask(platform, "delete from hl7.patients where id = %(id)s returning 1", id=keys[0])
    refresh(platform)
    assert [kept[0] for kept in ask(platform, KEPT)] == keys[1:]


def test_the_section_stands_beside_the_figures_of_patients(populated, place, summarise):
    """Known, deceased and of unknown age are the same counts; else the page would be refused."""
    window = before(END, timedelta(days=30))
    with source.session(place(populated)) as session:
        read = patients.read(session, window)
    of_risk = disclosure.cells(summarise(populated, window.end))
    page = disclose(of_patients(read), of_risk)
    assert page.cells.counts[KNOWN] == of_risk.counts[KNOWN] > 50


def test_scores_are_held_against_what_happened_since(populated, ask, summarise):
    """The outcomes are those that SQL of another hand counts, and a tally has few rows."""
    found = summarise(populated, days=30).validation
    index = END - timedelta(days=30)
    ((harmed,),) = ask(
        populated,
        "select count(distinct e.patient_id) from hl7_contract.encounters e"
        " join hl7_contract.patients p using (patient_id) where not is_cancelled"
        " and patient_class in ('E', 'I') and admitted_at >= %(at)s and admitted_at < %(end)s"
        " and p.first_seen_at < %(at)s and p.merged_into is null and p.birth_date is not null"
        " and (not p.is_deceased or p.deceased_at >= %(at)s)"
        " and not exists (select from hl7_contract.patients m where m.merged_into = p.patient_id)",
        at=index,
        end=END,
    )
    assert found.index == index
    assert 0 < harmed <= found.outcomes <= harmed + 20
    assert found.discrimination is not None
    assert sum(each.patients for each in found.bands) == found.patients


def people(server, ask, count=1, born=BORN, **columns):
    """Bring patients who have nothing, and return their keys."""
    columns = {"birth_date": born, "first_seen_at": END - timedelta(days=400)} | columns
    names = ", ".join(columns)
    values = ", ".join(f"%({name})s" for name in columns)
    return [
        ask(
            server,
            f"insert into hl7.patients (identifier, {names}) values (%(mrn)s, {values})"
            " returning id",
            mrn=f"{datetime.now(UTC).timestamp()}-{number}",
            **columns,
        )[0][0]
        for number in range(count)
    ]


def test_a_patient_of_seventy_one_with_nothing_has_the_points_of_age(platform, ask, assess):
    """21.3 points, and on the eve of the birthday 21: by the whole year."""
    (key,) = people(platform, ask)
    assert assess(platform, key).score.score == 21.3
    assert assess(platform, key, END - timedelta(days=1)).score.score == 21


EDGES = ((59, 3, 0), (60, 3, 0), (79, 9, 0), (80, 9, 0), (99, 10, 12), (106, 11, 14))


def test_caps_and_bands_of_the_database_are_those_of_the_function(platform, ask, summarise):
    """Just below and at each edge; 100 points are the most, and who has them is counted."""
    for age, conditions, medications in EDGES:
        (key,) = people(platform, ask, born=date(END.year - age, 1, 1))
        for group in chronic.GROUPS[:conditions]:
            diagnose(platform, ask, key, group.icd10[0], END - timedelta(days=90))
        for number in range(medications):
            order(platform, ask, key, f"{number}", END - timedelta(days=9))
    refresh(platform)
    kept = ask(platform, "select score, band from hl7_analytics.risk_scores order by patient_id")
    made = [score(*counts) for counts in EDGES]
    assert [(float(points), band) for points, band in kept] == [(m.score, m.band) for m in made]
    found = summarise(platform)
    assert found.bands == {"low": 1, "medium": 2, "high": 3}
    assert found.saturated == Saturated(age=1, conditions=2, medications=1)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"birth_date": None}, "birth date unknown"),
        ({"birth_date": date(2027, 1, 1)}, "birth date in the future"),
        ({"is_deceased": True}, "deceased"),
        ({"is_deceased": True, "deceased_at": END - timedelta(days=1)}, "deceased"),
        ({"first_seen_at": END}, "not known then"),
    ],
)
def test_who_cannot_be_scored_has_a_reason(platform, ask, assess, columns, reason):
    """An unknown birth date is no age of zero."""
    (key,) = people(platform, ask, **columns)
    found = assess(platform, key)
    assert (found.score, found.reason) == (None, reason)


def test_who_dies_later_is_scored_as_of_before(platform, ask, assess):
    """What was known then counts."""
    (key,) = people(platform, ask, is_deceased=True, deceased_at=END + timedelta(days=1))
    assert assess(platform, key).score.band == "low"


def test_what_has_ended_or_comes_twice_or_passes_is_not_counted(platform, ask, assess):
    """Two codes of diabetes are one condition; a cold, an ended gout and a plan are none."""
    (key,) = people(platform, ask)
    past, later = END - timedelta(days=90), END + timedelta(days=9)
    for code, onset, abated in (
        ("E11.9", past, None),
        ("E11.65", past, None),
        ("I10", past, later),
        ("M10.9", past, END - timedelta(days=1)),
        ("J06.9", past, None),
        ("N18.30", later, None),
    ):
        diagnose(platform, ask, key, code, onset, abated=abated)
    orders = (("860975", None), ("860975", None), ("314076", past), ("197361", later))
    for number, (code, ended) in enumerate(orders, 1):
        order(platform, ask, key, code, past - timedelta(days=number), ended=ended)
    found = assess(platform, key)
    assert (found.conditions, found.medications, found.charlson) == (2, 2, 1)
    assert (found.score.condition_points, found.score.medication_points) == (8, 4.8)
    assert (found.score.score, found.score.band) == (34.1, "medium")


def diagnose(server, ask, key, code, onset, *, abated=None):
    """Record a diagnosis in ICD-10."""
    ask(
        server,
        "insert into hl7.diagnoses (patient_id, code, coding_system, recorded_at, onset_at,"
        " abated_at) values (%(key)s, %(code)s, 'I10', %(at)s, %(onset)s, %(abated)s) returning 1",
        key=key,
        code=code,
        at=END - timedelta(days=90),
        onset=onset,
        abated=abated,
    )


def order(server, ask, key, code, started, *, ended=None):
    """Order a medication in RxNorm."""
    ask(
        server,
        "insert into hl7.medications (patient_id, code, coding_system, started_at, ended_at)"
        " values (%(key)s, %(code)s, 'RXNORM', %(at)s, %(ended)s) returning 1",
        key=key,
        code=code,
        at=started,
        ended=ended,
    )


def test_what_was_recorded_of_a_merged_record_counts_with_the_one_left(platform, ask, assess):
    """Over two merges; the merged records have no score."""
    last, middle, first = people(platform, ask, 3)
    for key, into in ((first, middle), (middle, last)):
        ask(
            platform,
            "update hl7.patients set merged_into = %(into)s where id = %(key)s returning 1",
            key=key,
            into=into,
        )
    diagnose(platform, ask, first, "I10", END - timedelta(days=90))
    assert assess(platform, last).conditions == 1
    assert assess(platform, first).reason == "merged into another record"


@pytest.mark.parametrize("key", [10**9, 2**70, -1])
def test_an_unknown_patient_is_refused(platform, assess, key):
    """Also a number that no key can be."""
    with pytest.raises(Refused, match="there is no such patient"):
        assess(platform, key)


def test_a_platform_without_a_view_is_refused_by_its_name(platform, summarise):
    """The contract allows it to be missing."""
    with platform.connect() as connection:
        connection.execute("drop view hl7_contract.medications cascade")
    with pytest.raises(Refused, match="no medications in hl7_contract"):
        summarise(platform)


def test_batches_meet_without_a_gap(populated, ask, summarise, monkeypatch):
    """Many small batches write and count what one large one does, also of records far apart."""
    ask(
        populated,
        "update hl7.patients p set merged_into = o.id from hl7.patients o where o.id ="
        " (select max(id) from hl7.patients where id < p.id - 40) and p.id %% 7 = 0 returning 1",
    )
    refresh(populated)
    whole, counted = ask(populated, KEPT), summarise(populated)
    ask(populated, "delete from hl7_analytics.risk_scores returning 1")
    monkeypatch.setattr("tasks.analytics.batches.BATCH", 17)
    assert refresh(populated) == len(whole)
    assert ask(populated, KEPT) == whole
    assert summarise(populated) == counted
    assert counted.validation.outcomes > 0
