"""Who is active, by visits at the borders of windows and on records that were merged."""

from datetime import timedelta

import pytest

from tasks.analytics.patients import figures, reading
from tasks.analytics.source import session
from tasks.analytics.window import MONTH, before
from tests.db.analytics import synthea
from tests.db.analytics.conftest import END


WINDOW = before(END, MONTH)

DAY, TICK = timedelta(days=1), timedelta(microseconds=1)


@pytest.fixture
def active(platform, place):
    """Return what tells how many are active now and were before, of visits of four patients."""

    def active(*visits, merged=()):
        names = "id identifier merged_into first_seen_at"
        people = [(key, f"P{key}", dict(merged).get(key), "2026-01-01Z") for key in range(1, 5)]
        rows = [(key, f"V{n}", "I", *span) for n, (key, *span) in enumerate(visits)]
        with platform.connect() as connection:
            synthea.copy(connection, "patients", names, people)
            columns = "patient_id visit_number patient_class admitted_at discharged_at"
            synthea.copy(connection, "encounters", columns, rows)
        with session(place(platform)) as asking:
            found = figures.totals(reading.read(asking, WINDOW)).set_index("figure")
        return tuple(found.loc["active", ["now", "before"]])

    return active


@pytest.mark.parametrize(
    ("admitted", "discharged", "counted"),
    [
        (WINDOW.end - TICK, None, (1, 0)),
        (WINDOW.end, None, (0, 0)),
        (WINDOW.begin - TICK, WINDOW.begin, (1, 1)),
        (WINDOW.begin, WINDOW.begin, (1, 0)),
        (WINDOW.begin - DAY, WINDOW.begin - TICK, (0, 1)),
        (WINDOW.prior.begin - DAY, WINDOW.prior.begin, (0, 1)),
        (WINDOW.prior.begin - DAY, WINDOW.prior.begin - TICK, (0, 0)),
        (WINDOW.begin - 365 * DAY, None, (1, 1)),
        (WINDOW.begin - 365 * DAY - TICK, None, (0, 1)),
    ],
)
def test_a_visit_makes_active_in_the_windows_that_it_touches(active, admitted, discharged, counted):
    """One without an end for a year."""
    assert active((1, admitted, discharged)) == counted


def test_visits_on_merged_records_are_those_of_the_one_that_is_left(active):
    """Also where that took two steps; it counts once."""
    inside = WINDOW.begin, WINDOW.begin + DAY
    assert active((1, *inside), (1, *inside), (4, *inside), merged={1: 2, 2: 3}.items()) == (2, 0)
