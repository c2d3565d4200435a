"""Digests of tables that did not change are taken over, and only those: WAL shows it."""

import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.backup import seal_options, take, unchanged
from tasks.control import settings
from tasks.recovery.proving.verify import verify
from tasks.repository.stanza import open_stanza
from tests.db.backup.anew import begun_anew


@pytest.fixture(scope="module")
def stanza():
    """Open a stanza with tables that change one by one."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-unchanged-"))
    home.chmod(0o755)
    opened = open_stanza(settings.load(hl7ops_home=home))
    run(
        opened,
        "create table still as select n, md5(n::text) as pad from generate_series(1, 5000) n",
        "create table moving as select n, repeat('long', 20000) pad from generate_series(1, 9) n",
        "create table whole (n int) partition by range (n)",
        "create table part1 partition of whole for values from (0) to (1000)",
        "create table part2 partition of whole for values from (1000) to (2000)",
        "insert into whole select generate_series(1, 1999)",
        "alter system set autovacuum = off",
        "select pg_reload_conf()",
        "vacuum (freeze, analyze)",  # else reading them would set hints, which WAL holds as well
    )
    time.sleep(1.5)  # until the statistics of the sessions above are told
    yield opened
    opened.home.primary.stop("immediate")
    shutil.rmtree(home)


@pytest.fixture(autouse=True)
def worth(monkeypatch):
    """Let small tables be worth it."""
    monkeypatch.setattr(unchanged, "WORTH_BYTES", 0)


def run(stanza, *statements):
    """Run statements, one after the other."""
    with stanza.server().connect() as connection:
        for statement in statements:
            connection.execute(statement)


def taken_over(stanza, kind="incremental", *, prove=True):
    """Take a backup, prove it, and return which digests it took over, from where."""
    made = take.take(stanza, kind)
    tables = stanza.catalogue.fingerprint(made).tables
    assert made.seal.reused == sum(table.taken_from is not None for table in tables)
    assert not prove or verify(stanza, made.id).verdict == "proven"
    return {table.table.partition(".")[2]: table.taken_from for table in tables if table.taken_from}


def test_only_what_changed_is_digested_again(stanza):
    """The report's names come from here; each digest names the backup that computed it."""
    first = take.take(stanza)
    run(stanza, "insert into whole values (5)")
    expected = dict.fromkeys(("still", "moving", "part2"), first.id)
    assert taken_over(stanza) == expected
    assert taken_over(stanza).items() >= expected.items()
    assert set(taken_over(stanza)) == {"still", "moving", "part1", "part2"}


CHANGES = {
    "an insert": "insert into moving values (10, 'x')",
    "an update": "update moving set n = n + 1 where n = 1",
    "an update of a long value": "update moving set pad = pad || 'er' where n = 3",
    "a delete": "delete from moving where n = 4",
    "a truncate": "truncate moving",
    "a rewrite": "vacuum full moving",
    "a column with a default": "alter table moving add column more int default 7",
    "a column less": "alter table moving drop column more",
    "another type": "alter table moving alter column n type bigint",
    "made anew": "drop table moving; create table moving (n int, pad text)",
}


def test_every_kind_of_change_is_noticed(stanza):
    """Contents, files, definition."""
    run(stanza, "insert into moving select n, repeat('long', 20000) from generate_series(20, 30) n")
    take.take(stanza)
    missed = {}
    for name, statement in CHANGES.items():
        run(stanza, statement)
        found = taken_over(stanza, prove=False)
        assert "still" in found
        if "moving" in found:
            missed[name] = found
    assert missed == {}
    assert verify(stanza, "latest").verdict == "proven"


def test_statistics_that_were_reset_are_not_trusted(stanza):
    """Though WAL knows of no change: all three must agree."""
    take.take(stanza)
    run(stanza, "select pg_stat_reset_single_table_counters('still'::regclass)")
    assert "still" not in taken_over(stanza)


def test_a_seal_that_was_not_exact_is_not_built_on(stanza):
    """Somebody was half way through a transaction then, whose blocks may not be written again."""
    with stanza.server().connect(autocommit=False) as writer:
        writer.execute("update still set n = n where n = 1")
        assert take.take(stanza, "incremental").seal.mode == "bounded"
        writer.commit()
    assert "still" not in taken_over(stanza)


def test_without_summaries_all_tables_are_digested(stanza, monkeypatch):
    """What cannot be shown is not assumed."""
    monkeypatch.setattr(unchanged, "PATIENCE_S", 0.5)
    take.take(stanza)
    run(stanza, "alter system set summarize_wal = off", "select pg_reload_conf()")
    assert taken_over(stanza, "full") == {}
    run(stanza, "alter system set summarize_wal = on", "select pg_reload_conf()")


def test_it_can_be_switched_off(stanza):
    """By a setting."""
    off = open_stanza(stanza.settings.model_copy(update={"seal_reuse": False}))
    assert taken_over(off, "full") == {}


def test_a_digest_that_was_taken_over_wrongly_fails_the_proof(stanza, monkeypatch):
    """The copy is digested anew, always."""
    take.take(stanza)
    run(stanza, "update still set pad = 'changed' where n = 7")
    monkeypatch.setattr(
        "tasks.backup.observations.candidates",
        lambda earlier, _now: {t.name: t for t in earlier.fingerprint.tables},
    )
    monkeypatch.setattr(unchanged, "unchanged", lambda *arguments: arguments[2])
    made = take.take(stanza, "incremental")
    proof = verify(stanza, made.id)
    assert proof.verdict == "failed"
    assert any("hl7.public.still" in check.seen for check in proof.failed)


def test_a_machine_without_the_key_remembers_what_it_sealed(stanza, tmp_path):
    """Encrypted, and with the public key alone."""
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    keys = {"age_recipients": (str(identity.to_public()),), "backup_dir": tmp_path / "closed"}
    host = begun_anew(stanza, **keys)
    take.take(host)
    made = take.take(host, "incremental")
    assert made.seal.reused > 0
    assert all(item.name.endswith(".age") for item in made.objects)
    assert seal_options.fingerprint_of(host, made).tables
    reader = open_stanza(
        host.settings.model_copy(update={"age_identity": settings.SecretStr(str(identity))})
    )
    assert verify(reader, made.id).verdict == "proven"
    host.known.forget([])
    with pytest.raises(take.OpsError, match=r"manifest of the parent cannot be read here; .*full"):
        take.take(host, "incremental")
    assert take.take(host).seal.reused == 0


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(0, 10), (10, 20)], True),
        ([(0, 10), (11, 20)], False),
        ([(5, 20)], False),
        ([(0, 19)], False),
        ([], False),
        ([(0, 5), (0, 12), (12, 30)], True),
    ],
)
def test_summaries_must_cover_the_whole_way(spans, expected):
    """From before the earlier restore point to behind the new one, without a gap."""
    assert unchanged._covers(spans, 1, 20) is expected  # noqa: SLF001


def test_an_earlier_seal_of_another_mode_has_no_candidates(stanza):
    """Decided before the server is asked for anything."""
    made = take.take(stanza)
    sealed = stanza.catalogue.fingerprint(made)
    earlier = unchanged.Earlier(made.id, 1, replace(made.seal, mode="bounded"), sealed)
    assert unchanged.candidates(earlier, sealed.standings) == {}
    exact = replace(earlier, seal=made.seal)
    assert "hl7.public.still" in unchanged.candidates(exact, sealed.standings)
    assert unchanged.candidates(None, sealed.standings) == {}
