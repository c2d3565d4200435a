"""What reports cost: time, memory, the slowest query; beside pandas over the rows themselves."""

import resource
import statistics
import time
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context

import pandas as pd

from benchmarks.place import place
from benchmarks.scale import ROUNDS
from reports.draft import Draft, compose
from tasks.analytics import findings, kpis, source
from tasks.analytics.gate import gate
from tasks.analytics.gate.check import require
from tasks.analytics.rollups.refresh import refresh
from tasks.control import settings
from tasks.hl7.generator import bulk
from tasks.hl7.platform import installation
from tasks.postgres.server import Server


SIZES = (1_000_000, 10_000_000)

KINDS = ("executive", "clinical", "performance", "dashboard", "forecast")

END = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)

HEADLINES = 200
"""How often the headline figures are read."""


def main() -> None:
    """Fill two platforms, one ten times the other, and measure the same on both."""
    for size in SIZES:
        with place() as stanza:
            server = stanza.server()
            installation.install(server)
            filled = bulk.fill(server, size, seed=1, now=END)
            print(f"\n  {size:,} messages, {filled.megabytes:,.0f} MB", flush=True)
            _rollups(server)
            _in_turn(server)
            _headlines(server)


def _rollups(server: Server) -> None:
    """Count everything, then nothing new, then an hour's and a day's messages that are new."""
    first = refresh(server, END)
    print(f"  rollups, {first.counted:,} hours from nothing: {first.seconds:.1f} s", flush=True)
    for said, messages in (("nothing", 0), ("10,000", 10_000), ("100,000", 100_000)):
        if messages:
            bulk.fill(server, messages, seed=messages, now=END)
        done = refresh(server, END)
        print(f"  rollups, {said} new: {done.counted:,} hours, {done.seconds:.2f} s", flush=True)


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
