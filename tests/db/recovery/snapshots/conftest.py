"""A platform with some of everything, a snapshot of it, and a place for what is loaded of it."""

import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from tasks.backup.take import take
from tasks.control import settings
from tasks.recovery.restoring import restored
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.snapshots.loading import restore_snapshot
from tasks.recovery.snapshots.selection import parse
from tasks.recovery.snapshots.wanted import wanted
from tasks.repository.stanza import open_stanza


STATEMENTS = (
    "create role clerk login",
    "create role readers",
    "grant readers to clerk",
    "alter role clerk set work_mem = '5MB'",
    "create database other owner clerk",
    "alter database hl7 set statement_timeout = '1h'",
    "create extension pg_trgm",
    'create schema "My.Schema"',
    "create type colour as enum ('red', 'green')",
    "create table kinds (id int primary key, hue colour)",
    "insert into kinds values (1, 'red'), (2, 'green')",
    (
        "create table fruit (id serial primary key, kind int references kinds, name text)"
        " tablespace elsewhere"
    ),
    "insert into fruit (kind, name) select 1 + n % 2, 'n' || n from generate_series(1, 500) n",
    "create index by_name on fruit using gin (name gin_trgm_ops)",
    "grant select on fruit to readers",
    ("create function told() returns trigger language plpgsql as $$ begin return new; end $$"),
    "create trigger tells before insert on fruit for each row execute function told()",
    "create view seen as select name from fruit",
    'create table "My.Schema"."a b" (n int)',
    'insert into "My.Schema"."a b" values (1)',
    "create table log (at date not null, n int) partition by range (at)",
    "create table log_old partition of log for values from ('2020-01-01') to ('2025-01-01')",
    "create table log_new partition of log for values from ('2025-01-01') to ('2030-01-01')",
    "insert into log values ('2024-05-05', 1), ('2026-05-05', 2), ('2026-06-06', 3)",
    "create index on log (n)",
    'create role "Dr House"',
    "create table ward (id int)",
    'alter table ward owner to "Dr House"',
    "create table bare ()",
    "create table parent (id int)",
    "insert into parent values (1)",
    "create table child (more int) inherits (parent)",
    "insert into child values (2, 2)",
    "select lo_from_bytea(4711, 'a large object')",
    "create sequence counter",
    "select nextval('counter') from generate_series(1, 50)",
)


def fill(stanza, folder):
    """Let the platform have some of everything."""
    space = folder / "space"
    space.mkdir()
    stanza.home.owner.take(space)
    with stanza.server().connect() as connection:
        connection.execute(f"create tablespace elsewhere location '{space}'".encode())
        for statement in STATEMENTS:
            connection.execute(statement.encode())
    with stanza.server().connect() as connection:
        connection.execute("create database closed allow_connections false")
        connection.execute("alter database closed set work_mem = '5MB'")
    with stanza.server().database("other").connect() as connection:
        connection.execute("create table mine as select generate_series(1, 7) n")


class Place:
    """A folder that snapshots are loaded into."""

    def __init__(self, stanza, snapshot):
        """Make it."""
        self.stanza, self.snapshot = stanza, snapshot
        self.folder = Path(tempfile.mkdtemp(prefix="hl7ops-loaded-"))
        self.folder.chmod(0o755)
        self.path = self.folder / "copy"

    def load(self, databases=(), tables=(), *, accepted=False, **more):
        """Load the snapshot, or a part of it."""
        what = wanted(self.stanza, self.snapshot, parse(databases, tables), accepted=accepted)
        destination = Destination(self.path, **more)
        return restore_snapshot(self.stanza, what, destination, lambda *_: None)

    def close(self):
        """Take away what was loaded."""
        restored.remove(self.path)
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def scene():
    """Take a snapshot of a platform with some of everything."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-selective-"))
    home.chmod(0o755)
    stanza = open_stanza(settings.load(hl7ops_home=home, snapshot_compression=1))
    fill(stanza, home)
    yield SimpleNamespace(stanza=stanza, snapshot=take(stanza, "snapshot"))
    stanza.home.primary.stop("immediate")
    shutil.rmtree(home)


@pytest.fixture
def place(scene):
    """Make a place for what is loaded."""
    made = Place(scene.stanza, scene.snapshot)
    yield made
    made.close()
