"""The runbooks of risk and of anomalies: whom they tell, what, how often, and when they are off."""

import itertools
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tasks.control import events
from tests.db.analytics import synthea


END = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)

FIRST = 1_000_000

CODES = (
    "I10",
    "E11.9",
    "I50.9",
    "J44.9",
    "N18.3",
    "I48.91",
    "I25.10",
    "F03.90",
    "M06.9",
    "C50.919",
)


@pytest.fixture
def told(prefect_api):
    """Return what lists the texts of an event since the test began, when no more come."""
    from prefect.settings import PREFECT_API_URL

    begun, numbers = datetime.now(UTC), itertools.count()

    def asked(name):
        query = {"event": {"name": [name]}, "occurred": {"since": begun.isoformat()}}
        url = f"{PREFECT_API_URL.value()}/events/filter"
        found = httpx.post(url, json={"filter": query, "limit": 50}, timeout=30)
        return sorted(
            (each["payload"]["subject"], each["payload"]["text"])
            for each in found.raise_for_status().json()["events"]
            if each["resource"]["prefect.resource.id"] == "hl7ops.stanza.main"
        )

    def told(name):
        """Wait for an event that is sent last, since they come one after the other."""
        last = ("the last", f"number {next(numbers)}")
        events.emit(events.BLOCKED, "main", dict(zip(("subject", "text"), last, strict=True)))
        deadline = time.monotonic() + 60
        while last not in asked(events.BLOCKED):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        return asked(name)

    return told


@pytest.fixture
def old(platform):
    """Return what leaves just so many patients, 95 years old and with ten chronic conditions."""

    def old(n):
        keys = range(FIRST, FIRST + n)
        people = [(key, f"P{key}", "1931-03-04", "2026-01-01Z") for key in keys]
        ill = [(key, code, "I10", "2026-01-02Z") for key, *_ in people for code in CODES]
        with platform.server().connect() as connection:
            connection.execute("truncate hl7.patients cascade")
            names = "id identifier birth_date first_seen_at"
            synthea.copy(connection, "patients", names, people)
            names = "patient_id code coding_system recorded_at"
            synthea.copy(connection, "diagnoses", names, ill)

    return old


def test_risk_tells_no_count_below_eleven(old, told):
    """Where nobody is at high risk it tells nothing at all."""
    from flows.risk import risk

    said = {0: "fewer than 11", 3: "fewer than 11", 10: "fewer than 11", 11: "11", 12: "12"}
    for n, few in said.items():
        old(n)
        assert risk("main", END) == f"{few} patients at high risk"
    expected = sorted(("high risk", f"{few} patients now") for n, few in said.items() if n)
    assert told(events.HIGH_RISK) == expected


def test_the_scores_of_everybody_stand_in_the_database(old, platform):
    """Also of the few who are not told, and of nobody who is gone."""
    from flows.risk import risk

    for n in (5, 3):
        old(n)
        risk("main", END)
        with platform.server().connect() as connection:
            rows = connection.execute("select patient_id, band from hl7_analytics.risk_scores")
            assert sorted(rows) == [(key, "high") for key in range(FIRST, FIRST + n)]


@pytest.fixture
def silent(platform):
    """Bring 3,000 messages of 90 days and tell nobody; then nothing comes for two days."""
    from tasks.analytics.rollups.refresh import refresh
    from tasks.hl7 import ingest
    from tasks.hl7.generator import populate

    server = platform.server()
    populate.populate(server, ingest.load_generated, 3000, seed=7, end=END, days=90)
    refresh(server, END)
    with server.connect() as connection:
        connection.execute("delete from hl7_analytics.alerts")
    return END + timedelta(days=2)


def test_each_episode_is_told_once_over_two_runs(silent, told, page):
    """By an event of its kind, of what stands on the page; the second run has nothing to add."""
    from flows.anomalies import anomalies

    first, second = anomalies("main", silent), anomalies("main", silent)
    silences, others = told(events.SILENCE), told(events.ANOMALY)
    assert (first, second) == (len(silences) + len(others), 0)
    assert silences
    assert len({*silences, *others}) == first
    for name, text in silences:
        assert text.startswith(f"{name} is silent since 2026-11-2")
        assert name in page("anomalies-report-main")


def test_an_episode_that_goes_on_is_not_told_again_an_hour_later(silent, told):
    """It has the same begin."""
    from flows.anomalies import anomalies

    anomalies("main", silent)
    known = told(events.SILENCE)
    assert known
    anomalies("main", silent + timedelta(hours=1))
    assert told(events.SILENCE) == known


def test_analytics_that_are_off_do_nothing_and_say_so(old, told, page, platform, monkeypatch):
    """No rollup, no score, no page and no event."""
    from flows.anomalies import anomalies
    from flows.report import OFF
    from flows.risk import risk

    old(12)
    with platform.server().connect() as connection:
        connection.execute("drop schema if exists hl7_analytics cascade")
    monkeypatch.setenv("ENABLE_ANALYTICS", "false")
    assert risk("main", END) == OFF
    assert anomalies("main", END) == OFF
    assert told(events.HIGH_RISK) == told(events.ANOMALY) == told(events.SILENCE) == []
    with platform.server().connect() as connection:
        query = "select count(*) from pg_namespace where nspname = 'hl7_analytics'"
        assert connection.execute(query).fetchone() == (0,)
