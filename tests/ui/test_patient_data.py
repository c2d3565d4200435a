"""No patient of the shared messages is found where operators look: logs, artifacts, Prefect."""

import gzip
import io
import json
import time

import psutil
import pytest

from tasks.control import settings
from tasks.hl7.parser.framing import pieces
from tasks.hl7.parser.message import Message, parse
from tasks.postgres import programs
from tasks.postgres.embedded import open_home
from tasks.postgres.server import Server


@pytest.fixture(scope="module")
def traffic(shared_data):
    """Return all shared messages as one file's bytes."""
    with gzip.open(shared_data / "hl7v2" / "messages_A.ndjson.gz", "rt") as file:
        return "".join(json.loads(line)["message"] for line in file).encode()


def needles(traffic):
    """Return what tells a patient: names, identifiers, streets, phones."""
    found = set()
    for piece in pieces(io.BytesIO(traffic)):
        message = parse(piece)
        if not isinstance(message, Message):
            continue
        pid = message.fields("PID")
        said = [message.value(pid, *where) for where in ((3,), (5,), (5, 2), (11,), (13,), (19,))]
        found |= {text for text in said if len(text) >= 6}
    return found


def told(installation):
    """Return everything that an operator can read: Prefect's database, and every log."""
    home = open_home(settings.load(hl7ops_home=installation.home))
    control = home.control.server("control", "prefect")
    with programs.service_file(control) as env:
        dump = programs.run(
            home.programs, "pg_dump", ["--inserts", "--no-password"], timeout_s=120, env=env
        ).stdout
    logs = [path.read_text(errors="replace") for path in installation.home.rglob("*.log")]
    return "\n".join([dump, installation.said.read_text(), *logs])


def platform(installation):
    """Return the platform's database of the installation."""
    home = open_home(settings.load(hl7ops_home=installation.home))
    return Server("main", home.primary.server("main", "hl7").address)


def test_no_patient_is_told_by_full_failing_and_crashing_runs(installation, traffic):
    """Thousands of names, identifiers, streets and phones are loaded; none is told anywhere.

    One run ends well, one fails by a constraint whose error quotes the whole row, one is killed.
    """
    before = told(installation)
    wanted = {needle for needle in needles(traffic) if needle not in before}
    assert len(wanted) > 1000
    file = installation.home / "traffic.hl7"
    file.write_bytes(traffic)

    ingest = {"paths": [str(file)]}
    assert installation.await_end(installation.run("ingest/on-demand", ingest), 120) == "Completed"
    assert installation.await_end(installation.run("backup/full"), 180) == "Completed"

    with platform(installation).connect() as connection:
        connection.execute("truncate hl7.message_keys")
        connection.execute(
            "alter table hl7.messages add constraint nobody check (size_bytes < 10) not valid"
        )
    assert installation.await_end(installation.run("ingest/on-demand", ingest), 120) == "Failed"

    with platform(installation).connect() as connection:
        connection.execute("alter table hl7.messages drop constraint nobody")
        connection.execute("begin")
        connection.execute("lock table hl7.message_keys in access exclusive mode")
        run = installation.run("ingest/on-demand", ingest)
        kill_when_waiting(connection, run)
    after = told(installation)
    assert "size_bytes" in after or "nobody" in after
    assert [needle for needle in wanted if needle in after] == []


def test_a_patient_who_is_told_would_be_found(installation, traffic):
    """The search finds a needle that stands in a log, so that finding none means something."""
    needle = max(needles(traffic), key=len)
    log = installation.home / "planted.log"
    log.write_text(f"loading {needle}")
    assert needle in told(installation)
    log.unlink()


def kill_when_waiting(connection, run):
    """Kill the process of a run when its load waits for a lock, so that the run crashes."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        row = connection.execute(
            "select count(*) from pg_locks where not granted and locktype = 'relation'"
        ).fetchone()
        for process in psutil.process_iter(["cmdline", "environ"]):
            environ = process.info["environ"] or {}
            if row[0] and environ.get("PREFECT__FLOW_RUN_ID") == run:
                process.kill()
                return
        time.sleep(0.5)
    raise AssertionError("the run never waited")
