"""Copies of odd sources: from a bucket alone, encrypted, with tablespaces, of another version."""

import shutil
import tempfile
from pathlib import Path

import pyrage
import pytest
from pydantic import SecretStr

from tasks.backup import wal
from tasks.backup.take import take
from tasks.control import clock, settings
from tasks.control.errors import Refused, WrongKey
from tasks.postgres.cluster import Cluster, socket_directory
from tasks.postgres.lsn import segment_named
from tasks.postgres.owner import service_owner
from tasks.recovery.planning.target import parse
from tasks.recovery.restoring import restored
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore
from tasks.repository import partial
from tasks.repository.stanza import open_stanza


DEBIAN = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def folder():
    """Make a folder for homes and copies, and stop what a test left running in it."""
    path = Path(tempfile.mkdtemp(prefix="hl7ops-places-"))
    path.chmod(0o755)
    clusters = []
    yield path, clusters.append
    for cluster in clusters:
        cluster.stop("immediate")
    shutil.rmtree(path)


def value(server, query):
    """Return one value."""
    with server.connect() as connection:
        return connection.execute(query).fetchone()[0]


def run(server, *statements):
    """Run statements, one after the other."""
    with server.connect() as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_bare_machine_needs_the_bucket_and_the_key_alone(folder, s3_settings):
    """Encrypted, a chain of two, in an empty home with everything else gone."""
    path, clear = folder
    identity = pyrage.x25519.Identity.generate()
    closed = s3_settings | {"age_recipients": (str(identity.to_public()),)}
    stanza = open_stanza(
        settings.load(hl7ops_home=path / "home", **closed, age_identity=SecretStr(str(identity)))
    )
    server = stanza.server()
    run(server, "create table counted as select 1 as n")
    take(stanza)
    run(server, "insert into counted values (2)")
    take(stanza, "incremental")
    run(server, "insert into counted values (3)")
    xid = value(
        server,
        "with added as (insert into counted values (4) returning 1)"
        " select pg_current_xact_id()::text from added",
    )
    run(server, "insert into counted values (5)")
    wal.pull(stanza, server)
    stanza.home.primary.stop("immediate")
    shutil.rmtree(path / "home")

    destination = Destination(path / "copy")
    blind = open_stanza(settings.load(hl7ops_home=path / "bare", **closed))
    with pytest.raises(Refused, match="identity"):
        restore(blind, parse(f"xid:{xid}"), destination)
    stranger = SecretStr(str(pyrage.x25519.Identity.generate()))
    wrong = open_stanza(settings.load(hl7ops_home=path / "bare", **closed, age_identity=stranger))
    with pytest.raises(WrongKey):
        restore(wrong, parse(f"xid:{xid}"), destination)
    assert not destination.path.exists()
    key = SecretStr(str(identity))
    bare = open_stanza(settings.load(hl7ops_home=path / "bare", **closed, age_identity=key))
    done = restore(bare, parse(f"xid:{xid}"), destination)
    clear(done.cluster)
    assert value(done.server.database("hl7"), "select sum(n) from counted") == 10


def test_the_unfinished_segment_of_a_stream_is_replayed(folder):
    """Up to its last record; a point in it is found like any other."""
    path, clear = folder
    stanza = open_stanza(settings.load(hl7ops_home=path / "home"))
    clear(stanza.home.primary)
    server = stanza.server()
    run(server, "create table counted as select 1 as n")
    made = take(stanza)
    run(server, "insert into counted values (2)")
    moment = value(server, "select clock_timestamp()")
    run(server, "insert into counted values (4)")
    name = value(server, "select pg_walfile_name(pg_current_wal_lsn())")
    data = (stanza.home.primary.data / "pg_wal" / name).read_bytes()
    archive = stanza.catalogue.archive(made)
    partial.keep(archive, segment_named(name, made.segment_bytes), data, clock.now())
    for target, total in (("latest", 7), (moment.isoformat(), 3)):
        done = restore(stanza, parse(target), Destination(path / "copy", replace=True))
        assert value(done.server.database("hl7"), "select sum(n) from counted") == total
        done.cluster.stop()


def test_tablespaces_go_where_they_are_wanted(folder):
    """One is mapped, the other goes beside the data directory; the source's are left alone."""
    path, clear = folder
    stanza = open_stanza(settings.load(hl7ops_home=path / "home"))
    clear(stanza.home.primary)
    server = stanza.server()
    for name in ("fast disk", "slow"):
        place = path / name
        place.mkdir()
        stanza.home.owner.take(place)
        space = name.partition(" ")[0]
        run(
            server,
            f"create tablespace {space} location '{place}'",
            f"create table in_{space} tablespace {space} as select generate_series(1, 1000) n",
        )
    take(stanza)
    with pytest.raises(Refused, match="it is the source's tablespace"):
        restore(
            stanza,
            parse("latest"),
            Destination(path / "copy", tablespaces={str(path / "slow"): path / "slow"}),
        )
    with pytest.raises(Refused, match="the backup has no tablespace at /nowhere"):
        restore(
            stanza,
            parse("latest"),
            Destination(path / "copy", tablespaces={"/nowhere": path / "x"}),
        )
    before = [sorted(place.rglob("*")) for place in (path / "fast disk", path / "slow")]
    wanted = Destination(path / "copy", tablespaces={str(path / "slow"): path / "new slow"})
    done = restore(stanza, parse("latest"), wanted, promote=True)
    clear(done.cluster)
    copy = done.server.database("hl7")
    assert (
        value(copy, "select count(*) from in_fast") + value(copy, "select count(*) from in_slow")
        == 2000
    )
    places = value(
        copy,
        "select array_agg(pg_tablespace_location(oid)) from pg_tablespace where oid > 16000",
    )
    assert str(path / "new slow") in places
    run(copy, "drop table in_fast", "drop table in_slow", "checkpoint")
    assert [sorted(place.rglob("*")) for place in (path / "fast disk", path / "slow")] == before


def test_tablespaces_of_others_are_never_touched(folder):
    """Neither by another run that was killed, nor by a later restore, nor by its undoing."""
    path, clear = folder
    stanza = open_stanza(settings.load(hl7ops_home=path / "home"))
    clear(stanza.home.primary)
    place = path / "space"
    place.mkdir()
    stanza.home.owner.take(place)
    server = stanza.server()
    run(
        server,
        f"create tablespace space location '{place}'",
        "create table spread tablespace space as select 1 as n",
    )
    take(stanza)
    precious = path / "precious"
    (precious / "sub").mkdir(parents=True)
    (precious / "sub" / "file").write_text("all of it")
    work = Destination(path / "copy").work
    work.mkdir()
    (work / "wish.json").write_text('{"wish": "x", "stamp": "20261124T000000Z", "spaces": []}')
    taken = Destination(path / "copy", tablespaces={str(place): precious})
    with pytest.raises(Refused, match="a tablespace goes there, and it is not empty"):
        restore(stanza, parse("latest"), taken)
    assert (precious / "sub" / "file").read_text() == "all of it"

    first = restore(stanza, parse("latest"), Destination(path / "copy"), promote=True)
    clear(first.cluster)
    run(first.server.database("hl7"), "update spread set n = 7", "checkpoint")
    restored.stop(first)
    again = Destination(path / "copy", replace=True)
    second = restore(stanza, parse("latest"), again, promote=True)
    clear(second.cluster)
    assert value(second.server.database("hl7"), "select n from spread") == 1
    restored.undo(second)
    own = Cluster(path / "copy", path / "run", 5433, stanza.programs)
    clear(own)
    own.start()
    assert value(own.server("main", "hl7"), "select n from spread") == 7
    owner = path.stat().st_uid
    incremental = open_stanza(settings.load(hl7ops_home=path / "home"))
    take(incremental, "incremental")
    elsewhere = Destination(path / "third", tablespaces={str(place): path / "new space"})
    third = restore(incremental, parse("latest"), elsewhere)
    clear(third.cluster)
    assert path.stat().st_uid == owner


def test_a_library_that_the_source_preloads_and_this_machine_lacks_is_named(folder):
    """Before the copy is started; and the same restore goes on when it is there."""
    path, clear = folder
    stanza = open_stanza(settings.load(hl7ops_home=path / "home"))
    clear(stanza.home.primary)
    run(stanza.server(), "create table counted as select 1 as n")
    take(stanza)
    programs = path / "pg" / "bin"
    shutil.copytree(stanza.programs.parent, programs.parent)
    (programs.parent / "lib" / "pg_stat_statements.so").rename(path / "aside.so")
    other = open_stanza(settings.load(hl7ops_home=path / "home", hl7ops_programs=programs))
    with pytest.raises(Refused, match=r"no pg_stat_statements\.so"):
        restore(other, parse("latest"), Destination(path / "copy"))
    (path / "aside.so").rename(programs.parent / "lib" / "pg_stat_statements.so")
    done = restore(other, parse("latest"), Destination(path / "copy"))
    clear(done.cluster)
    assert value(done.server, "show shared_preload_libraries") == "pg_stat_statements"


def test_postgresql_15_with_its_configuration_elsewhere(folder):
    """As Debian has it: the copy gets what it needs to start, and no more."""
    assert (DEBIAN / "postgres").exists(), "the package postgresql-15 is missing"
    path, clear = folder
    owner = service_owner()
    source = Cluster(path / "source", socket_directory(path, 5440), 5440, DEBIAN)
    source.create(owner, {"wal_level": "replica"})
    for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf"):
        (source.data / name).rename(path / name)
        owner.take(path / name)
    clear(source)
    source.start(
        {
            "config_file": str(path / "postgresql.conf"),
            "hba_file": str(path / "pg_hba.conf"),
            "ident_file": str(path / "pg_ident.conf"),
            "max_connections": "173",
        }
    )
    known = {
        "hl7ops_home": path / "home",
        "hl7ops_programs": DEBIAN,
        "database_url": source.server("main").address,
    }
    stanza = open_stanza(settings.load(**known))
    run(stanza.server(), "create table counted as select 1 as n")
    take(stanza)
    run(stanza.server(), "insert into counted values (2)")
    moment = value(stanza.server(), "select clock_timestamp()")
    run(stanza.server(), "insert into counted values (4)")
    wal.pull(stanza, stanza.server())
    done = restore(stanza, parse(moment.isoformat()), Destination(path / "copy"), promote=True)
    clear(done.cluster)
    assert value(done.server, "select sum(n) from counted") == 3
    assert value(done.server, "show max_connections") == "173"
    assert value(done.server, "show server_version").startswith("15")
