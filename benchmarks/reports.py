"""What reports and rollups cost: time, memory, the slowest query; beside pandas over the rows."""

import resource
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context

import pandas as pd

from benchmarks.place import place
from benchmarks.scale import ROUNDS
from reports.draft import Draft, compose
from tasks.analytics import findings, kpis, source
from tasks.analytics.gate import gate
from tasks.analytics.gate.check import require
from tasks.analytics.risk import scores
from tasks.analytics.rollups.refresh import refresh
from tasks.analytics.window import HOUR
from tasks.control import settings
from tasks.hl7.generator import bulk
from tasks.hl7.platform import installation
from tasks.postgres.server import Server


SIZES = (1_000_000, 10_000_000)

KINDS = ("executive", "clinical", "performance", "dashboard", "forecast")

END = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)

HOURS = (1, 6, 24)
"""How many hours of traffic come in between two refreshes."""

BEGUN = END - timedelta(hours=sum(HOURS))
"""The end of the first fill; what comes in by and by ends at `END`."""

SPAN = timedelta(days=bulk.DAYS)

LATE = 10_000
"""Messages of all these days that come in at once: nearly every hour is counted again."""

FOLLOWED_DAYS = 30
"""How long patients are followed: nobody of the fill was known a year ago, as reports follow."""

HEADLINES = 200
"""How often the headline figures are read."""


def main() -> None:
    """Fill two platforms, one ten times the other, and measure the same on both."""
    for size in SIZES:
        with place() as stanza:
            server = stanza.server()
            installation.install(server)
            filled = bulk.fill(server, size, seed=1, now=BEGUN)
            print(f"\n  {size:,} messages, {filled.megabytes:,.0f} MB", flush=True)
            _rollups(server, size)
            _in_turn(server)
            _risk(server)
            _headlines(server)


@dataclass(frozen=True)
class _News:
    """Messages of a span that come in while the clock moves on."""

    said: str
    messages: int
    span: timedelta
    moved: timedelta


def _news(size: int) -> list[_News]:
    """List what comes in by and by, at the rate of the fill, and what comes late."""
    coming = [
        _News(f"{hours} h later", int(size * hours * HOUR / SPAN), hours * HOUR, hours * HOUR)
        for hours in HOURS
    ]
    return [*coming, _News(f"late, over {SPAN.days} days", LATE, SPAN, timedelta(0))]


def _rollups(server: Server, size: int) -> None:
    """Count everything, then what comes in by and by, then what comes late."""
    moment = BEGUN
    first = refresh(server, moment)
    print(f"  rollups, {first.counted:,} hours from nothing: {first.seconds:.1f} s", flush=True)
    for news in _news(size):
        floor, known = refresh(server, moment), _counted(server)
        moment += news.moved
        bulk.fill(server, news.messages, seed=news.messages, now=moment, span=news.span)
        done = refresh(server, moment)
        new, more = _counted(server) - known, max(done.seconds - floor.seconds, 0)
        print(
            f"  rollups, {news.said}: {done.counted:,} hours, {new:,} messages new,"
            f" {done.seconds:.2f} s, {1000 * done.seconds / new:.3f} s a 1,000 new;"
            f" {floor.seconds:.2f} s are for {floor.counted:,} hours that settle"
            f" ({floor.seconds / done.seconds:.0%}), the others {1000 * more / new:.3f} s a 1,000",
            flush=True,
        )


def _counted(server: Server) -> int:
    """Return how many messages stand in the rollups."""
    with server.connect() as connection:
        rows = connection.execute("select sum(messages)::int from hl7_analytics.message_hours")
        return rows.fetchall()[0][0]


def _in_turn(server: Server) -> None:
    """Make all reports, and the same by pandas, alternating, each in a process of its own."""
    took: dict[str, list[tuple[float, float, float]]] = {"reports": [], "pandas": []}
    for _ in range(ROUNDS):
        for name, work in (("reports", _reports), ("pandas", _pandas)):
            took[name].append(_apart(work, server))
    for name, runs in took.items():
        seconds, memory = [run[0] for run in runs], max(run[1] for run in runs)
        print(
            f"  {name}: {statistics.median(seconds):.1f} s"
            f" ({min(seconds):.1f} to {max(seconds):.1f}), {memory:,.0f} MB at most,"
            f" slowest query {max(run[2] for run in runs):.2f} s",
            flush=True,
        )


def _apart(work, server):  # noqa: ANN001, ANN202 - two functions of this file
    context = get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_measured, args=(work, server, theirs))
    process.start()
    found = mine.recv()
    process.join()
    return found


def _measured(work, server, pipe) -> None:  # noqa: ANN001
    """Send seconds, the peak of memory in MB, and the slowest query in seconds."""
    began = time.monotonic()
    slowest = work(server)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    pipe.send((time.monotonic() - began, peak, slowest))


def _reports(server: Server) -> float:
    """Read, compose and check every report."""
    slowest = 0.0
    for kind in KINDS:
        draft = Draft("main", kind, END)
        place_ = source.choose(settings.load(), server)
        draft.findings = findings.gather(place_, kind, now=END, limit_ms=500)
        checks = gate.checks(server, draft.findings, compose(draft), END)
        require(checks)
        slowest = max([slowest, *(asked.seconds for asked in draft.findings.asked)])
    return slowest


_ROWS = """
select m.received_at, m.connection_id, m.message_type, m.trigger_event, m.version, m.status,
  m.ack_code, m.error_category, m.control_id, m.sending_application, m.sending_facility,
  extract(epoch from m.processed_at - m.received_at)::float8 * 1000 as ms
from hl7_contract.messages m where m.received_at >= %s and m.received_at < %s
"""

_PEOPLE = (
    "select patient_id, birth_date, sex, is_deceased, first_seen_at from hl7_contract.patients",
    "select patient_id, patient_class, admitted_at, discharged_at from hl7_contract.encounters",
    "select patient_id, code, recorded_at from hl7_contract.diagnoses",
    "select patient_id, code, started_at from hl7_contract.medications",
)


def _pandas(server: Server) -> float:
    """Load the rows of thirty days and all patients, and count them in memory."""
    slowest = 0.0

    def load(query, *values):  # noqa: ANN001, ANN002, ANN202
        nonlocal slowest
        began = time.monotonic()
        with server.connect() as connection:
            cursor = connection.execute(query, values)
            frame = pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description])
        slowest = max(slowest, time.monotonic() - began)
        return frame

    rows = load(_ROWS, END - timedelta(days=30), END)
    hour = rows["received_at"].dt.floor("h")
    rows.groupby([hour, "connection_id", "status", "ack_code"], dropna=False).size()
    rows.groupby(["message_type", "trigger_event", "version"]).size()
    rows.groupby("connection_id")["ms"].quantile([0.5, 0.95, 0.99])
    rows.groupby(hour)["ms"].quantile([0.5, 0.95, 0.99])
    rows.groupby([hour, "sending_application", "sending_facility", "control_id"])["status"].max()
    patients, visits, diagnoses, medications = map(load, _PEOPLE)
    visits.merge(patients).groupby("patient_class").size()
    for frame in (diagnoses, medications):
        frame.groupby("code")["patient_id"].nunique()
    pairs = diagnoses[["patient_id", "code"]].drop_duplicates()
    pairs.merge(pairs, on="patient_id").groupby(["code_x", "code_y"]).size()
    return slowest


def _risk(server: Server) -> None:
    """Count all patients by their risk, and hold earlier scores against what happened since."""
    took = []
    with source.session(source.choose(settings.load(), server)) as session:
        for _ in range(ROUNDS):
            began = time.monotonic()
            found = scores.summarise(session, END, FOLLOWED_DAYS)
            took.append(time.monotonic() - began)
        slowest = max(asked.seconds for asked in session.asked)
    print(
        f"  risk of {found.records:,} patients, {found.validation.patients:,} of them followed for"
        f" {FOLLOWED_DAYS} days: {statistics.median(took):.1f} s"
        f" ({min(took):.1f} to {max(took):.1f}), slowest query {slowest:.2f} s",
        flush=True,
    )


def _headlines(server: Server) -> None:
    """Read the headline figures again and again."""
    took = []
    with source.session(source.choose(settings.load(), server)) as session:
        for _ in range(HEADLINES):
            began = time.monotonic()
            kpis.read(session, END, 500)
            took.append(1000 * (time.monotonic() - began))
    took.sort()
    print(
        f"  headline figures: p50 {took[len(took) // 2]:.1f} ms,"
        f" p95 {took[len(took) * 95 // 100]:.1f} ms",
        flush=True,
    )
