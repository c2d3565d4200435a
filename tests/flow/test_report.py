"""The runbooks of reports, on a real Prefect server and a real platform."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.control.errors import Corrupt, OpsError, Transient


END = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)

KINDS = ("executive", "clinical", "performance", "dashboard", "forecast")


@pytest.fixture(scope="module")
def traffic(platform):
    """Bring 3,000 messages of 90 days."""
    from tasks.hl7 import ingest
    from tasks.hl7.generator import populate

    load = ingest.load_generated
    populate.populate(platform.server(), load, 3000, seed=7, end=END, days=90)
    return platform


@pytest.fixture
def at_once(monkeypatch):
    """Let a step that failed be tried again without a pause."""
    import flows.report

    patient = flows.report.read_findings
    monkeypatch.setattr(flows.report, "read_findings", patient.with_options(retry_delay_seconds=0))


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_published_and_kept(traffic, page, kind):
    """As one page under a stable key, and as a file in the repository."""
    from flows.report import report

    verdict = report("main", kind, END)
    shown = page(f"{kind}-report-main")
    assert shown.startswith(f"# {verdict}\n")
    assert "Published after" in shown
    assert "## Where this comes from" in shown
    kept = traffic.catalogue.storage.get(f"main/reports/{kind}-20261123T0630.html").decode()
    assert f"<title>{verdict}" in kept
    assert "http" not in kept.replace("http://www.w3.org/", "")


@pytest.mark.parametrize("kind", ["executive", "clinical", "performance"])
def test_two_runs_of_the_same_moment_are_the_same(traffic, page, kind):
    """To the last character."""
    from flows.report import report

    report("main", kind, END)
    first = page(f"{kind}-report-main")
    report("main", kind, END)
    assert page(f"{kind}-report-main") == first


def test_an_episode_is_told_once(traffic, page):
    """A connection that fell silent; the next run has nothing new to say."""
    from flows.anomalies import anomalies

    with traffic.server().connect() as connection:
        connection.execute("delete from hl7_analytics.alerts")
    first = anomalies("main", END + timedelta(days=2))
    assert first > 0
    assert "NOT AS EXPECTED" in page("anomalies-report-main")
    assert anomalies("main", END + timedelta(days=2)) == 0


def test_people_are_told_though_the_page_is_blocked(traffic, page, monkeypatch):
    """A connection is called like a number; whoever is told learns of it without its name."""
    from flows import anomalies

    told = []
    monkeypatch.setattr(anomalies.events, "emit", lambda name, _, text: told.append((name, text)))
    with traffic.server().connect() as connection:
        connection.execute("delete from hl7_analytics.alerts")
        names = connection.execute("select id, name from hl7.connections").fetchall()
        connection.execute("update hl7.connections set name = 'mrn 4711-' || id")
    try:
        with pytest.raises(Corrupt):
            anomalies.anomalies("main", END + timedelta(days=2))
    finally:
        with traffic.server().connect() as connection:
            for key, name in names:
                connection.execute(
                    "update hl7.connections set name = %s where id = %s", [name, key]
                )
    silences = [text for name, text in told if name == anomalies.events.SILENCE]
    assert silences
    assert {text["subject"] for text in silences} == {"a connection"}
    assert "4711" not in str(told)
    assert page("anomalies-report-main").startswith("# NOT PUBLISHED")
    kept = traffic.catalogue.storage.get("main/reports/anomalies-20261125T0630.html").decode()
    assert "NOT PUBLISHED" in kept


def test_what_fails_a_check_is_not_published(traffic, page, monkeypatch):
    """The failure stands in its place, without a figure of the report."""
    from flows.report import report
    from reports import draft

    made = draft.PAGES["performance"]
    monkeypatch.setitem(
        draft.PAGES, "performance", lambda found: made(found) + "\ncall 555-978-4581\n"
    )
    with pytest.raises(Corrupt, match="telephone"):
        report("main", "performance", END)
    shown = page("performance-report-main")
    assert shown.startswith("# NOT PUBLISHED: performance report of main\n")
    assert "no telephone number" in shown
    assert "555-978" not in shown
    assert "Messages, 7 days" not in shown


def test_a_question_that_takes_too_long_ends_the_run_with_how_far_it_came(
    traffic, page, monkeypatch, at_once
):
    """After its retries, with the question at which it broke off."""
    from flows.report import report
    from tasks.analytics.messages import reading

    slow = "select pg_sleep(60), %(begin)s, %(end)s, %(middle)s"
    monkeypatch.setattr(reading, "_KINDS", slow)
    monkeypatch.setenv("ANALYTICS_TIMEOUT_SECONDS", "1")
    with pytest.raises(OpsError, match="QueryCanceled"):
        report("main", "performance", END)
    shown = page("performance-report-main")
    assert shown.startswith("# NOT PUBLISHED")
    assert "broke off at: messages by kind" in shown


def test_a_server_that_is_gone_in_the_middle_ends_the_run(traffic, page, monkeypatch, at_once):
    """The connection is cut while a question is being answered."""
    from flows.report import report
    from tasks.analytics.messages import reading

    cut = "select pg_terminate_backend(pg_backend_pid()), %(begin)s, %(end)s, %(middle)s"
    monkeypatch.setattr(reading, "_OUTCOMES", cut)
    with pytest.raises(Transient):
        report("main", "performance", END)
    assert "broke off at: whole messages" in page("performance-report-main")


def test_analytics_that_are_not_wanted_do_nothing(traffic, monkeypatch):
    """The switch of the settings."""
    from flows.report import OFF, report

    monkeypatch.setenv("ENABLE_ANALYTICS", "false")
    assert report("main", "performance", END) == OFF
