"""A copy gets what its source's control file and WAL demand, and no more."""

import pytest

from tasks.backup import wal
from tasks.backup.take import take
from tasks.postgres.copy_libraries import Libraries, named
from tasks.recovery.copies import unpack
from tasks.recovery.copies.scratch import scratch
from tasks.recovery.planning.target import parse
from tasks.recovery.proving.verify import verify
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore
from tasks.repository.model import FINGERPRINT


def shown(server, name):
    """Return a setting of a server."""
    with server.connect() as connection:
        return connection.execute(f"show {name}").fetchone()[0]


def copied(source, target="latest"):
    """Restore a copy of a source."""
    wal.pull(source.stanza, source.stanza.server())
    done = restore(source.stanza, parse(target), Destination(source.path / "copy"))
    source.copies.append(done.cluster)
    return done


@pytest.mark.parametrize("version", ["15", "18"])
def test_segments_of_64_megabytes_are_proven_and_restored(make_source, version):
    """The least that a server keeps of WAL is two segments."""
    source = make_source(version, "--wal-segsize=64")
    proof = verify(source.stanza, take(source.stanza).id)
    assert proof.verdict == "proven", proof.checks
    done = copied(source)
    assert shown(done.server, "wal_segment_size") == "64MB"
    assert shown(done.server, "min_wal_size") == "128MB"


def test_what_the_source_has_more_of_later_the_copy_gets_when_it_comes_there(make_source):
    """Hot standby demands it: recovery stops there, and goes on with as much."""
    source = make_source("18")
    made = take(source.stanza)
    source.run("alter system set max_connections = 333", "alter system set max_wal_senders = 17")
    source.cluster.stop()
    source.cluster.start()
    source.run("insert into counted values (501, 'after the change')")
    done = copied(source)
    assert done.backup == made.id
    assert shown(done.server, "max_connections") == "333"
    assert shown(done.server, "max_wal_senders") == "17"
    with done.server.database("app").connect() as connection:
        assert connection.execute("select count(*) from counted").fetchone() == (501,)


def test_more_origins_of_replication_than_usual_find_their_place(make_source):
    """Their state comes with the files, and a server without room for it ends."""
    source = make_source("18")
    source.run("alter system set max_active_replication_origins = 60")
    source.cluster.stop()
    source.cluster.start()
    for number in range(40):
        source.run(
            f"select pg_replication_origin_create('from_{number}')",
            f"select pg_replication_origin_advance('from_{number}', '0/{number + 1}')",
        )
    source.run("checkpoint")
    proof = verify(source.stanza, take(source.stanza).id)
    assert proof.verdict == "proven", proof.checks


def test_how_values_are_read_and_printed_is_taken_from_the_source(make_source):
    """And what this machine has not is left out, such as a locale."""
    source = make_source("18")
    settings = {
        "timezone": "Asia/Kathmandu",
        "datestyle": "German, DMY",
        "default_text_search_config": "german",
        "work_mem": "7MB",
    }
    with (source.cluster.data / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    source.cluster.stop()
    source.cluster.start()
    made = take(source.stanza)
    assert made.settings["TimeZone"] == "Asia/Kathmandu"
    configuration = copied(source).configuration(made.settings | {"lc_monetary": "xx_XX.UTF-8"})
    found = configuration.restored()
    assert found["TimeZone"] == "Asia/Kathmandu"
    assert found["DateStyle"] == "German, DMY"
    assert found["default_text_search_config"].endswith("german")
    assert "lc_monetary" not in found
    assert "work_mem" not in found


def test_a_copy_that_is_only_looked_at_may_be_read_before_it_is_promoted(make_source):
    """With as much of everything as hot standby demands."""
    source = make_source("18")
    source.run("alter system set max_wal_senders = 23", "alter system set max_connections = 17")
    source.cluster.stop()
    source.cluster.start()
    made = take(source.stanza)
    with scratch(source.stanza.home, "read", made.bytes_source) as copy:
        copy.make(copy.data)
        for item in made.objects:
            if item.plain_name != FINGERPRINT:
                unpack.unpack(source.stanza.catalogue, made, item, copy)
        unpack.fetch_wal(source.stanza.catalogue.archive(made), made, copy)
        (copy.data / "standby.signal").touch()
        settings = copy.configuration(made.settings).scratch(hot_standby=True)
        copy.cluster.start(settings | {"restore_command": f"cp {copy.wal}/%f %p"})
        server = copy.cluster.server("main")
        assert shown(server, "in_hot_standby") == "on"
        assert shown(server, "max_wal_senders") == "23"
        assert shown(server, "max_connections") == "100"


def test_a_library_that_starts_processes_runs_in_no_copy_that_can_be_read(make_source):
    """In one that cannot, none of its processes is started; others are loaded everywhere."""
    source = make_source("18")
    source.run("alter system set shared_preload_libraries = pg_stat_statements, pg_prewarm")
    source.cluster.stop()
    source.cluster.start()
    assert verify(source.stanza, take(source.stanza).id).verdict == "proven"
    done = copied(source)
    assert shown(done.server, "shared_preload_libraries") == "pg_stat_statements"
    names = named('pg_stat_statements, "$libdir/pg_prewarm",nowhere, "/opt/elsewhere/evil"')
    libraries = Libraries(names, source.cluster.programs)
    assert libraries.loaded(hot_standby=False) == ["pg_stat_statements", "pg_prewarm"]
    assert libraries.have_workers(hot_standby=False)
    assert libraries.loaded(hot_standby=True) == ["pg_stat_statements"]
    assert not libraries.have_workers(hot_standby=True)
    assert libraries.missing == ["nowhere", "/opt/elsewhere/evil"]
