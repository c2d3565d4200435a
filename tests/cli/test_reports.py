"""Verbs of reports: what each prints, writes and keeps, how it ends, and what no document holds."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from flows.__main__ import app
from tasks.analytics import findings, source
from tasks.analytics.gate.reading import lines
from tasks.analytics.patients.disclosure import KNOWN, figure
from tasks.control import settings
from tasks.control.errors import Refused, Transient
from tasks.postgres.embedded import open_home
from tests.cli.conftest import command_line
from tests.db.analytics.conftest import END, YOUNG
from tests.db.conftest import database


AS_OF = ("--as-of", "2026-11-23T06:30:00")

REPORTS = [("report", kind) for kind in ("executive", "clinical", "performance", "dashboard")]

PATIENTS = {"executive", "clinical"}

GONE = {"DATABASE_URL": "postgresql://ops:open-sesame@127.0.0.1:1/hl7"}


@pytest.fixture(scope="module")
def hl7ops():
    """Open a home of its own with 3,000 messages of 90 days, of which no hour is counted yet."""
    with command_line() as run:
        arguments = ("--messages", "3000", "--seed", "7", "--days", "90")
        assert run.json("generate", *arguments, "--end", "2026-11-23T06:30:00")["accepted"]
        yield run


@pytest.fixture(scope="module")
def server(hl7ops):
    """Return the platform's database."""
    home = open_home(settings.load(hl7ops_home=hl7ops.home))
    return home.primary.server("main", "hl7")


@pytest.fixture
def verb(hl7ops):
    """Return what runs a verb in this process, which need not start anew for each."""

    def verb(*arguments, **env):
        given = [str(each) for each in arguments]
        done = CliRunner().invoke(app, given, env=hl7ops.env | env)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return verb


@pytest.fixture
def told(verb):
    """Return what runs a verb and reads the one document that it prints."""

    def told(*arguments, **env):
        done = verb(*arguments, "--json", **env)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return told


def test_before_the_first_rollup_a_report_counts_the_hours_itself(told, server):
    """Nobody has to know of them."""
    with server.connect() as connection:
        query = "select count(*) from pg_namespace where nspname = 'hl7_analytics'"
        assert connection.execute(query).fetchone() == (0,)
    found = told("report", "dashboard", *AS_OF)
    assert found["origin"]["as_of"] == "2026-11-23T06:00:00Z"
    assert found["kpis"][0]["value"] > 0


def test_a_source_without_a_rollup_is_exit_code_3(hl7ops, server):
    """With the verb that counts them; nothing is printed."""
    elsewhere = server.database("postgres").address
    done = hl7ops("report", "dashboard", env={"ANALYTICS_URL": elsewhere})
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("Refused: stanza main: the rollups were never refreshed")
    assert done.stderr.strip().endswith("next: hl7ops rollup")


@pytest.fixture
def bare(server):
    """Make a database in which there is nothing."""
    with database(server.database("postgres"), "bare") as made:
        yield made


@pytest.mark.parametrize("verbs", [("report", "executive"), ("rollup",)])
def test_a_database_without_the_contract_is_refused_and_stays_as_it_is(verb, bare, verbs):
    """By the views that every platform must have."""
    with pytest.raises(Refused, match="no connections, messages in hl7_contract"):
        verb(*verbs, DATABASE_URL=bare.address)
    with bare.connect() as connection:
        found = connection.execute("select to_regnamespace('hl7_analytics')").fetchone()
    assert found == (None,)


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report[1])
def test_a_report_is_one_document(told, report):
    """Verdict, origin, headlines, counts, checks, questions, and the page that is published."""
    found = told(*report, *AS_OF)
    assert set(found) == {"verdict", "origin", "kpis", "counts", "checks", "asked", "page"}
    assert found["page"].startswith(f"# {found['verdict']}\n")
    assert "## Where this comes from" in found["page"]
    assert found["origin"]["as_of"] == "2026-11-23T06:00:00Z"
    assert {each["outcome"] for each in found["checks"] if each["is_critical"]} == {"pass"}
    assert {"name", "unit", "value", "before", "change", "target", "status"} <= set(
        found["kpis"][0]
    )
    assert all(each["seconds"] >= 0 for each in found["asked"])
    assert (found["counts"] is None) == (report[1] not in PATIENTS)


@pytest.mark.parametrize("kind", ["clinical", "performance"])
def test_people_read_the_page_and_a_file_is_written_of_it(verb, hl7ops, kind, tmp_path):
    """Without its pictures in the terminal; the file is the one that the repository keeps."""
    path = tmp_path / "page.html"
    said = verb("report", kind, *AS_OF, "--html", path).stdout
    assert "base64" not in said
    assert "queries, the slowest" in said
    kept = hl7ops.home / "repository" / "main" / "reports" / f"{kind}-20261123T0630.html"
    assert path.read_bytes() == kept.read_bytes()
    (title,) = re.findall("<title>(.*?)</title>", path.read_text())
    assert title in " ".join(said.split())


def test_a_look_back_tells_the_figures_of_then(told, server):
    """Counted by SQL over the messages."""
    moment = datetime(2026, 10, 20, tzinfo=UTC)
    query = (
        "select count(*) from hl7_contract.messages where received_at >= %s and received_at < %s"
    )
    found = told("report", "dashboard", "--as-of", "2026-10-20")
    with server.connect() as connection:
        expected = connection.execute(query, [moment - timedelta(days=7), moment]).fetchone()
    assert found["origin"]["as_of"] == "2026-10-20T00:00:00Z"
    assert (found["kpis"][0]["value"],) == expected


@pytest.mark.parametrize("verbs", [("report", "dashboard"), ("anomalies",), ("forecast",)])
def test_a_moment_that_is_none_is_exit_code_2(verb, verbs):
    """As every mistake in a call."""
    assert verb(*verbs, "--as-of", "yesterday").exit_code == 2


def test_a_page_that_cannot_be_written_is_refused(verb, tmp_path):
    """By its place."""
    with pytest.raises(Refused, match=r"the page cannot be written; seen: .*nowhere"):
        verb("report", "dashboard", *AS_OF, "--html", tmp_path / "nowhere" / "page.html")


def test_a_rollup_tells_what_it_counted(told, verb):
    """Again it counts the hours that are not settled, to the same end."""
    first, second = told("rollup"), told("rollup")
    assert set(first) == {"through", "counted", "kept", "seconds"}
    assert first["through"] == second["through"]
    assert second["counted"] < 100
    assert re.search(r"\d+ hours? counted through 20", verb("rollup").stdout)


def test_anomalies_of_the_platform_are_told(told, verb):
    """Its quantities, and after two days without a message its silences; people read the page."""
    found = told("anomalies", "--as-of", "2026-11-25T06:00:00")
    assert set(found["kinds"]) == {"message count", "processing time p95", "error rate"}
    for kind in found["kinds"].values():
        assert {"points", "episodes", "method", "baseline", "expected_false_alarms"} == set(kind)
    assert {"connection", "since", "reason"} <= set(found["silent"][0])
    assert verb("anomalies", *AS_OF).stdout.startswith("AS EXPECTED: messages of main")


def test_forecasts_of_the_platform_are_told(told, verb):
    """Each volume for thirty days, with its backtest, or why not; people read the page."""
    found = told("forecast", *AS_OF)
    names = [each["name"] for each in found["series"]]
    assert names == ["messages", "visits", "new patients"]
    assert found["series"][0]["refusal"] is None
    assert all(each["refusal"] is None or "1 to 10" in each["refusal"] for each in found["series"])
    for each in (each for each in found["series"] if each["refusal"] is None):
        assert [day["date"] for day in each["forecast"]] == [
            str(END.date() + timedelta(days=n)) for n in range(30)
        ]
        assert each["backtest"]["folds"] > 0
    assert "Messages" in verb("forecast", *AS_OF).stdout


@pytest.mark.parametrize("verbs", [*REPORTS, ("rollup",), ("anomalies",), ("forecast",)])
def test_a_server_that_is_not_there_may_come_back(verb, verbs):
    """It is a transient error, by the name of the stanza; no password is told."""
    with pytest.raises(Transient, match="the database did not do it") as caught:
        verb(*verbs, **GONE)
    assert "open-sesame" not in str(caught.value)


def test_a_server_that_is_not_there_is_exit_code_5(hl7ops):
    """Also for programs, who read no half of a document."""
    done = hl7ops("report", "executive", "--json", env=GONE)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith("Transient: ")
    assert "open-sesame" not in done.stderr


@pytest.fixture(scope="module")
def young(server):
    """Copy the platform, and let nobody have been known for longer than the month but five."""
    with database(server.database("postgres"), "young", "hl7") as copied:
        with copied.connect() as connection:
            connection.execute(YOUNG, {"end": END})
            connection.execute("drop schema if exists hl7_analytics cascade")
        yield copied


def numbers(document):
    """Return every number of a document, also those in its texts and on the charts of its page."""
    if isinstance(document, dict):
        return [each for value in document.values() for each in numbers(value)]
    if isinstance(document, list):
        return [each for value in document for each in numbers(value)]
    if isinstance(document, str):
        text = re.sub(r"\d{4}-\d\d-\d\d\S*|\d\d:\d\d", "", "\n".join(lines(document)))
        return [float(each.replace(",", "")) for each in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]
    return [] if isinstance(document, bool | None) else [float(document)]


@pytest.mark.parametrize("kind", sorted(PATIENTS))
def test_no_document_holds_a_count_that_is_suppressed(told, young, kind):
    """All who are known less those who are new would be five."""
    found = told("report", kind, *AS_OF, DATABASE_URL=young.address)
    place = source.choose(settings.load(), young)
    shown = findings.gather(place, kind, now=END, limit_ms=500).disclosure
    new = shown.cells.counts[figure("new")]
    assert shown.cells.counts[KNOWN] == new + 5
    assert (shown.count(figure("new")), shown.count(KNOWN)) == (new, None)
    assert new in numbers(found)
    assert new + 5 not in numbers(found)
    counts = [each["count"] for each in found["counts"]]
    assert None in counts
    assert all(count is None or count == 0 or count >= 11 for count in counts)
    for kpi in found["kpis"][4:]:
        assert all(kpi[name] in {None, 0} or kpi[name] >= 11 for name in ("value", "before"))
