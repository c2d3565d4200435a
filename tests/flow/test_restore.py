"""The runbooks of recovery under a real Prefect API: planned, restored, approved, refused."""

import shutil
import threading
import time

import pytest

from flows.database import restore_database
from flows.restore import restore
from flows.snapshot import restore_snapshot
from tasks.backup import wal
from tasks.backup.take import take
from tasks.control import clock
from tasks.control.errors import Refused
from tasks.recovery.restoring import restored
from tasks.repository.proof import TIERS, Check, Proof


@pytest.fixture(scope="module")
def moment(platform):
    """Take a backup, and let a mishap follow a known moment."""
    server = platform.server()
    with server.connect() as connection:
        connection.execute("create table counted as select 1 as n")
    take(platform)
    with server.connect() as connection:
        (at,) = connection.execute("select clock_timestamp()").fetchone()
        connection.execute("insert into counted values (2)")
    wal.pull(platform, server)
    return at.isoformat()


def total(server):
    """Return the sum of what is counted."""
    with server.connect() as connection:
        return connection.execute("select sum(n) from counted").fetchone()[0]


def test_a_dry_run_plans_and_touches_nothing(platform, moment, page):
    """The page says what would be done."""
    restore(target=moment, dry_run=True)
    told = page("restore-report-main")
    assert told.startswith("# PLANNED: stanza main to ")
    assert "just before the commit of transaction" in told
    assert not (platform.home.path / "restored").exists()


def test_a_copy_is_restored_and_reported(platform, moment, page):
    """With what was reached, and what follows."""
    restore(target=moment)
    told = page("restore-report-main")
    assert told.startswith("# RESTORED: stanza main to ")
    assert "hl7ops restored promote" in told
    done = restored.find(platform.home.path / "restored")
    assert total(done.server.database("hl7")) == 1
    with pytest.raises(Refused, match="a server runs on it"):
        restore(target=moment)
    assert page("restore-report-main").startswith("# NOT RESTORED: stanza main\n")
    restored.stop(done)
    shutil.rmtree(done.path)
    shutil.rmtree(done.beside)


def test_the_form_has_the_switch():
    """A tick, off unless somebody sets it, beside what it means."""
    for flow, name in ((restore, "accept_failed_proof"), (restore_snapshot, "accept_differences")):
        field = flow.parameters.properties[name]
        assert (field["type"], field["default"]) == ("boolean", False)
        assert field["description"]


def test_failed_bytes_are_refused_until_the_form_accepts_them(platform, moment, page):
    """A failed comparison only warns, in the first line of the page; it is gone when it passed."""
    place = platform.home.path / "accepted"
    (backup,) = [each for each in platform.catalogue.backups() if each.type == "full"]

    def prove(**outcomes):
        at = clock.now()
        checks = [Check(t, f"what {t} says", outcomes.get(t, "pass"), "17") for t in TIERS]
        platform.catalogue.record(Proof(backup.id, "main", at, at, checks))

    def first_line():
        return page("restore-report-main").partition("\n")[0]

    prove(contents="fail")
    restore(target=moment, dry_run=True)
    assert f"; WARNING: {backup.id} differs from its seal: what contents says" in first_line()
    prove(manifest="fail")
    with pytest.raises(Refused, match="--accept-failed-proof"):
        restore(target=moment, to=str(place))
    assert not place.exists()
    restore(target=moment, to=str(place), accept_failed_proof=True)
    assert "; WARNING: 1 fault accepted" in first_line()
    done = restored.find(place)
    assert "what manifest says: 17" in done.accepted[0]
    restored.remove(place)
    prove()
    restore(target=moment, dry_run=True)
    assert "WARNING" not in first_line()


def test_a_part_of_a_snapshot_is_loaded_and_reported(platform, page):
    """First as a dry run; the page says what is loaded, and what was left out."""
    snapshot = take(platform, "snapshot").id
    wanted = ["hl7.hl7.messages"]
    restore_snapshot(snapshot, tables=wanted, dry_run=True)
    told = page("restore-report-main")
    assert told.startswith("# PLANNED: ")
    assert "hl7.hl7.messages" in told
    restore_snapshot(snapshot, tables=wanted)
    told = page("restore-report-main")
    assert told.startswith("# RESTORED: ")
    assert "FK CONSTRAINT hl7 messages messages_connection_id_fkey" in told
    restored.remove(platform.home.path / "restored")


class Answer:
    """Resumes a run that waits for an approval, beside it."""

    def __init__(self, database):
        """Answer with the name of a database."""
        self.database = database
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        """Begin to look for a run that is paused."""
        self.thread.start()
        return self

    def __exit__(self, *_):
        """See that one was found."""
        self.thread.join(60)

    def _run(self):
        from prefect.client.orchestration import get_client
        from prefect.client.schemas.filters import FlowRunFilter

        paused = FlowRunFilter.model_validate({"state": {"type": {"any_": ["PAUSED"]}}})
        deadline = time.monotonic() + 60
        with get_client(sync_client=True) as client:
            while not (runs := client.read_flow_runs(flow_run_filter=paused)):
                assert time.monotonic() < deadline
                time.sleep(0.2)
            said = {"database": self.database, "approved_by": "Grace"}
            client.resume_flow_run(runs[0].id, run_input=said)


@pytest.fixture
def impatient(monkeypatch):
    """Ask every second whether an answer is there, instead of every ten."""
    import flows.database

    real = flows.database.pause_flow_run

    def pause(**more):
        return real(poll_interval=1, **more)

    monkeypatch.setattr(flows.database, "pause_flow_run", pause)


@pytest.mark.usefixtures("impatient")
def test_a_database_is_set_back_when_it_is_approved(platform, moment, page):
    """Who approved it stands in the report, and how it is undone."""
    with Answer("hl7"):
        assert restore_database("hl7", moment) == "hl7"
    told = page("database-report-main")
    assert told.startswith("# SET BACK: database hl7 of stanza main, in ")
    assert "Approved by Grace." in told
    assert "| public.counted | 2 | 1 |" in told
    assert "hl7ops database rollback hl7" in told
    assert total(platform.server()) == 1


@pytest.mark.usefixtures("impatient")
def test_another_name_and_no_answer_are_a_no(platform, moment, page):
    """Nothing has changed, and nothing is left beside it."""
    before = total(platform.server())
    with Answer("prefect"):
        assert restore_database("hl7", moment) is None
    told = page("database-report-main")
    assert told.startswith("# NOT APPROVED: database hl7")
    assert "Grace answered with another name" in told
    assert restore_database("hl7", moment, wait_minutes=0.02) is None
    assert "nobody answered within 0.02 minutes" in page("database-report-main")
    assert total(platform.server()) == before
    with platform.server().connect() as connection:
        query = "select count(*) from pg_database where datname like 'hl7_restoring%'"
        assert connection.execute(query).fetchone()[0] == 0
