"""Clinical figures equal those of plain Python, also at the borders of windows."""

from datetime import timedelta

import pytest

from tasks.analytics import batches
from tasks.analytics.clinical import figures, reading
from tasks.analytics.source import session
from tasks.analytics.window import MONTH, before
from tests.db.analytics import synthea
from tests.db.analytics.conftest import END, bring
from tests.db.analytics.counted import Rows


WINDOW = before(END, MONTH)

DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
VIEWS = {"diagnoses": "recorded_at", "medications": "started_at"}

RESULTS = """
insert into hl7.lab_results
  (patient_id, observed_at, value_number, code, coding_system, unit, result_status)
select m.patient_id, m.started_at + interval '1 hour' * ((m.id * 37 + g * 1701) %% 9600 - 4800),
  (m.id * 13 + g * 7) %% 50 + g + 0.5, (array['2345-7', '2160-0'])[g %% 2 + 1], 'LN',
  case when m.id %% 9 > 0 then (array['mg/dL', 'mmol/L'])[(m.id %% 10 = 0)::int + 1] end,
  (array['F', 'F', 'C', 'V', 'P', 'I', 'X'])[m.id %% 7 + 1]
from hl7.medications m, generate_series(1, 12) g returning 1"""

MERGES = """
update hl7.patients p set merged_into = o.other
from (select id, lag(id) over (order by id) as other, row_number() over (order by id) as n
  from hl7.patients) o
where p.id = o.id and n > 1 and (n %% 11 = 0 or n %% 33 = 10) returning 1"""


@pytest.fixture
def filled(platform, ask):
    """Bring traffic, values around each start, and merges over two steps; return all rows."""
    bring(platform, 6000, days=120)
    ask(platform, RESULTS)
    ask(platform, MERGES)
    return Rows(ask, platform)


@pytest.fixture
def read(platform, place):
    """Return what reads the clinical figures."""

    def read():
        with session(place(platform)) as asking:
            return reading.read(asking, WINDOW)

    return read


@pytest.fixture
def given(platform, read):
    """Return what makes patients, some merged into others, with rows of theirs, and reads."""

    def given(patients, table, names, rows, merged=None):
        keys, into = range(1, patients + 1), merged or {}
        people = [(key, f"P{key}", into.get(key), "2026-01-01Z") for key in keys]
        with platform.connect() as connection:
            synthea.copy(connection, "patients", "id identifier merged_into first_seen_at", people)
            synthea.copy(connection, table, names, rows)
        return read()

    return given


def listed(frame):
    """Return the codes that were read, as the oracle lists them."""
    columns = ["code", "coding_system", "description", "patients", "now", "before"]
    return [tuple(row) for row in frame[columns].itertuples(index=False)]


def test_figures_of_generated_traffic_are_those_of_the_rows(filled, read):
    """Codes, pairs with their lift, and what waits."""
    found = read()
    assert int(found.people["known"].iloc[0]) == filled.known(WINDOW.end)
    for view in VIEWS:
        theirs = filled.common(view, WINDOW)
        assert listed(getattr(found, view)) == theirs
        assert sum(now for *_, now, _ in theirs) > 0 < sum(then for *_, then in theirs)
    pairs = figures.together(found).set_index(["first", "second"])[["both", "lift"]]
    ours = {key: (both, pytest.approx(lift)) for key, both, lift in pairs.itertuples()}
    assert filled.together(WINDOW) == ours
    assert pairs["lift"].is_monotonic_decreasing
    waiting = filled.pending(WINDOW.end)
    assert [tuple(row) for row in found.pending.itertuples(index=False)] == waiting != []


@pytest.mark.parametrize("patients", [batches.BATCH, 7])
def test_values_around_a_start_are_those_of_the_rows(filled, read, monkeypatch, patients):
    """How many, both means, their difference, and the interval of SciPy's paired test.

    They are the same whatever batches patients are read in.
    """
    monkeypatch.setattr(batches, "BATCH", patients)
    found, theirs = figures.around(read()), filled.around(WINDOW)
    ours = {
        (medication.split()[0], measured, unit): tuple(values)
        for medication, measured, unit, *values in found.itertuples(index=False)
    }
    shown = sorted(theirs, key=lambda name: (-theirs[name][0], *name))[:15]
    assert ours == {name: pytest.approx(theirs[name]) for name in shown} != {}


@pytest.mark.parametrize("view", VIEWS)
def test_a_window_has_its_begin_and_not_its_end(given, view):
    """Six patients at its borders and those of the one before: the last is not counted at all."""
    edges = WINDOW.prior.begin, WINDOW.begin, WINDOW.end
    moments = [edge - by for edge in edges for by in (TICK, 0 * TICK)]
    rows = [(key, "A", "X", moment) for key, moment in enumerate(moments, 1)]
    found = given(6, view, f"patient_id code coding_system {VIEWS[view]}", rows)
    assert listed(getattr(found, view)) == [("A", "X", "", 5, 2, 2)]


@pytest.mark.parametrize("view", VIEWS)
def test_who_was_found_to_be_another_counts_once(given, view):
    """Also where that one was found to be a third; a code of two systems is two."""
    at = WINDOW.begin
    rows = [(1, "A", "X", at), (2, "A", "X", at - DAY), (3, "A", "X", at), (4, "A", "Y", at)]
    names = f"patient_id code coding_system {VIEWS[view]}"
    found = given(4, view, names, rows, {1: 2, 2: 3})
    assert listed(getattr(found, view)) == [("A", "X", "", 1, 1, 1), ("A", "Y", "", 1, 1, 0)]
    assert int(found.people["known"].iloc[0]) == 2


def test_two_diagnoses_of_two_records_of_one_patient_are_together(given):
    """Of five known patients one has both, and two each: a quarter more than by chance."""
    rows = [(key, code, WINDOW.begin) for key, code in ((1, "A"), (2, "B"), (4, "A"), (5, "B"))]
    found = given(7, "diagnoses", "patient_id code recorded_at", rows, {1: 2, 2: 3})
    assert found.together.to_numpy().tolist() == [[1, 2, 1]]
    assert figures.together(found).empty


@pytest.mark.parametrize(("n", "said"), [(10, ""), (11, "fever")])
def test_a_description_is_shown_that_eleven_patients_have(given, n, said):
    """It may be free text."""
    words = ["fever"] * n + ["of him"]
    rows = [(key, "A", word, WINDOW.begin) for key, word in enumerate(words, 1)]
    found = given(n + 1, "diagnoses", "patient_id code description recorded_at", rows)
    assert [row[2] for row in listed(found.diagnoses)] == [said]


@pytest.mark.parametrize(
    ("age", "status", "column"),
    [
        (TICK, "P", "day"),
        (DAY, "I", "day"),
        (DAY + TICK, "R", "three_days"),
        (3 * DAY, "S", "three_days"),
        (3 * DAY + TICK, "P", "older"),
        (90 * DAY, "P", "older"),
        (90 * DAY + TICK, "P", None),
        (0 * DAY, "P", None),
        (DAY, "F", None),
    ],
)
def test_a_result_waits_in_one_column(given, age, status, column):
    """By its age at the end of the window."""
    names = "patient_id code coding_system result_status observed_at"
    found = given(1, "lab_results", names, [(1, "L", "LN", status, WINDOW.end - age)]).pending
    none = {"key": "L|LN", "results": 1, "day": 0, "three_days": 0, "older": 0}
    assert found.to_dict("records") == ([none | {column: 1}] if column else [])


START = WINDOW.end - 200 * DAY


@pytest.fixture
def eleven(given, platform):
    """Return what gives ten patients values around a start, and the eleventh what it is told."""

    def eleven(*results, merged=None, start=START, unit="u"):
        usual = [
            (key, start + days * DAY, value, "F", unit)
            for key in range(1, 11)
            for days, value in ((-1, 10 + key), (2, 10))
        ]
        names = "patient_id observed_at value_number result_status unit code"
        given(12, "lab_results", names, [(*row, "L") for row in (*usual, *results)], merged)
        orders = [(key, "M", "aspirin", start) for key in range(1, 12)]
        found = given(0, "medications", "patient_id code description started_at", orders)
        return [tuple(row) for row in figures.around(found).itertuples(index=False)]

    return eleven


@pytest.mark.parametrize(
    ("earlier", "later", "is_counted"),
    [
        (-TICK, DAY, True),
        (0 * DAY, DAY, False),
        (-180 * DAY, DAY, True),
        (-180 * DAY - TICK, DAY, False),
        (-DAY, DAY - TICK, False),
        (-DAY, 180 * DAY - TICK, True),
        (-DAY, 180 * DAY, False),
    ],
)
def test_values_count_within_180_days(eleven, earlier, later, is_counted):
    """Before the start, and from a day after it; without the eleventh nothing is shown."""
    found = eleven((11, START + earlier, 21, "F", "u"), (11, START + later, 10, "C", "u"))
    assert len(found) == is_counted
    for row in found:
        assert row[:7] == ("M aspirin", "L", "u", 11, 16.0, 10.0, -6.0)
        assert row[7:] == pytest.approx((-8.228, -3.772), abs=0.001)


@pytest.mark.parametrize(
    ("status", "unit", "value"), [("P", "u", 10), ("F", "v", 10), ("F", None, 10), ("F", "u", None)]
)
def test_what_cannot_be_compared_is_not(eleven, status, unit, value):
    """A value that is not final, of another unit, or none."""
    later = (11, START + 2 * DAY, value, status, unit)
    assert eleven((11, START - DAY, 21, "F", "u"), later) == []


def test_values_without_a_unit_are_compared(eleven):
    """With those that have none either."""
    values = [(11, START + days * DAY, 10, "F", None) for days in (-1, 2)]
    assert [row[2:4] for row in eleven(*values, unit=None)] == [("", 11)]


@pytest.mark.parametrize("by", [0, 1])
def test_a_start_is_looked_at_for_a_year(eleven, by):
    """To the microsecond."""
    start = WINDOW.end.replace(year=2025) - by * TICK
    values = [(11, start + days * DAY, 10, "F", "u") for days in (-1, 2)]
    assert len(eleven(*values, start=start)) == 1 - by


def test_a_correction_of_the_same_moment_counts(eleven):
    """The row that came later, before the start and after it."""
    edges = ((START - DAY, 99, 21), (START + 2 * DAY, 77, 10))
    both = [
        (11, at, value, status, "u")
        for at, wrong, right in edges
        for value, status in ((wrong, "F"), (right, "C"))
    ]
    assert eleven(*both)[0][4:6] == (16.0, 10.0)


def test_values_on_a_former_record_are_the_same_patient_s(eleven):
    """The medication stands on the record that is left, the values on the one that was merged."""
    values = (12, START - DAY, 21, "F", "u"), (12, START + 2 * DAY, 10, "F", "u")
    assert [row[3] for row in eleven(*values, merged={12: 11})] == [11]


def test_a_look_back_knows_nothing_that_came_later(eleven):
    """A value after the end of the window does not count."""
    start = WINDOW.end - 3 * DAY
    values = (11, start - DAY, 21, "F", "u"), (11, WINDOW.end, 10, "F", "u")
    assert eleven(*values, start=start) == []
