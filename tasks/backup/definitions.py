"""The definitions of a seal: what `pg_dump` says, and what of it did not hold still meanwhile."""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tasks.control.errors import OpsError
from tasks.postgres import capacity, catalog_state, schema_dump
from tasks.postgres.catalog_state import CLUSTER, DATABASE, Catalog, Key, Settled, State
from tasks.postgres.names import joined, quoted
from tasks.postgres.schema_dump import Definition
from tasks.postgres.server import Connection, Server
from tasks.repository.fingerprint import OF_ALL, SHARED
from tasks.repository.seal import EVERY_KIND, Omission


log = logging.getLogger(__name__)

TRIES = 10
"""How often a dump is begun that somebody waited for, or that lost an object under its hands."""

WAITED = 5
"""A dump that waited for a lock itself counts as so many tries."""

PORTION = 200
"""How many tables one dump locks at most, where not all of them may be locked at once."""

_RELATIONS = """
select n.nspname::text, c.relname::text, c.oid::bigint,
  exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
          and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and n.nspname <> 'information_schema'
  and n.nspname !~ '^pg_' and c.relpersistence <> 't' order by 3
"""

_HELD = """
select relation::bigint from pg_locks where locktype = 'relation' and mode = 'AccessExclusiveLock'
"""
"""What somebody holds for himself, or waits for."""

WAITED_FOR = "its definition could not be read: somebody waited for it, or held it locked"

IN_PORTIONS = "definitions were read in portions, which do not tell of it"

NOT_TOLD = "its definition could not be read: no dump told of it"

CHANGED = "its definition changed while it was read"

_ONLY_WHOLE = """
with expression (relation, class, object) as (
  select conrelid, tableoid, oid from pg_constraint where conrelid <> 0
  union all select adrelid, tableoid, oid from pg_attrdef),
looped (relation) as (
  select e.relation from expression e
    join pg_depend d on d.classid = e.class and d.objid = e.object
      and d.refclassid = 'pg_proc'::regclass
    join pg_depend f on f.classid = 'pg_proc'::regclass and f.objid = d.refobjid
      and f.refclassid = 'pg_type'::regclass
    join pg_type t on t.oid = f.refobjid left join pg_type element on element.oid = t.typelem
  where e.relation in (t.typrelid, element.typrelid))
select x.class::bigint, x.object::bigint, i.type || ' ' || i.identity
from (select tableoid, oid from pg_statistic_ext union all
      select tableoid, oid from pg_publication_rel union all
      select tableoid, oid from pg_publication_namespace union all
      select distinct 'pg_class'::regclass::oid, relation from looped) x (class, object)
  cross join lateral pg_identify_object(x.class, x.object, 0) i order by 3
"""
"""Objects that `pg_dump` does not tell of where tables are dumped portion by portion.

And tables that a dump takes apart, since a function that they need is about their rows: where it is
dumped without them there is no such loop.
"""

_KEYED = """
select r.ev_class::bigint, array_agg(distinct c.conrelid::bigint) from pg_rewrite r
  join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
    and d.refclassid = 'pg_constraint'::regclass
  join pg_constraint c on c.oid = d.refobjid
group by 1
"""
"""Views that need a key of a table, by which they group: a dump takes them apart as well."""

KINDS = ("table", "view", "materialized view", "sequence", "foreign table")
"""What the names of the definitions of relations begin with."""

EVERY_TABLE = "*.*"
"""The pattern that leaves out all tables, views and sequences, none of which is locked then."""


@dataclass(frozen=True)
class Relation:
    """A table, view or sequence: its number, its name, the pattern that a dump finds it by.

    Of a member of an extension a dump does not tell.
    """

    oid: int
    full_name: str
    pattern: str
    is_member: bool

    @property
    def key(self) -> Key:
        """Its key among the objects of its database."""
        return (catalog_state.RELATIONS, self.oid)

    def is_told(self, names: Collection[str]) -> bool:
        """Tell whether it is among the names of definitions, or need not be."""
        return self.is_member or any(f"{kind} {self.full_name}" in names for kind in KINDS)


@dataclass(frozen=True)
class Dumped:
    """What dumps told of a database, and the relations of which none did."""

    definitions: list[Definition]
    untold: list[Relation] = field(default_factory=list)


@dataclass
class Definitions:
    """The digests of definitions, and what is not known of them."""

    digests: dict[str, str] = field(default_factory=dict)
    omitted: list[Omission] = field(default_factory=list)


@dataclass(frozen=True)
class Reader:
    """Reads the definitions of databases that are in use.

    Args:
        server: any database of the server.
        tools: the directory of PostgreSQL's programs.
        before: what the catalogs said before the restore point, by database.
        at: what they say in the snapshots that belong to it.
        names: of tables that these snapshots show, by database.
        is_exact: they show what the restore point does.

    """

    server: Server
    tools: Path
    before: Mapping[str, State]
    at: Mapping[str, State]
    names: Mapping[str, Mapping[Key, str]]
    is_exact: bool = True

    def run(self, shared: State | None) -> Definitions:
        """Read the definitions of all databases, and what they share where that is wanted."""
        found = Definitions()
        for name in self.before:
            try:
                self._database(found, name)
            except OpsError as error:
                found.omitted.append(_unknown(name, str(error)))
        if shared is not None:
            self._shared(found, shared)
        return found

    def _database(self, found: Definitions, name: str) -> None:
        server = self.server.database(name)
        dumped = self._dumped(found, server, name)
        with server.connect() as connection:
            after = catalog_state.state(connection)
            catalogs = catalog_state.objects(connection)
        at = self.at.get(name, after)
        settled = Settled(self.before[name], at, after, catalogs, self.is_exact)
        found.omitted += [
            _unread(name, each, NOT_TOLD) for each in dumped.untold if settled.holds([each.key])
        ]
        for each in dumped.definitions:
            if settled.holds(each.keys):
                found.digests[f"{quoted(name)}: {each.name}"] = each.digest
        found.omitted += self._unsettled(server, name, settled.unsettled)

    def _unsettled(self, server: Server, name: str, keys: Collection[Key]) -> list[Omission]:
        """Name objects of which nothing is known."""
        names = {**_names(server, keys), **self.names.get(name, {})}
        omitted = [
            Omission(f"{quoted(name)}: {names[key]}", CHANGED, database=name, keys=[key])
            for key in sorted(keys)
            if key in names
        ]
        gone = [key for key in sorted(keys) if key not in names]
        if gone:
            subject = f"{quoted(name)}: what belonged to objects that are gone"
            omitted.append(Omission(subject, CHANGED, database=name, keys=gone))
        return omitted

    def _dumped(self, found: Definitions, server: Server, name: str) -> Dumped:
        """Dump the definitions; in portions where there are too many tables, or somebody waits."""
        with server.connect() as connection:
            relations = _relations(connection)
            budget = capacity.locks(connection)
            held = {oid for (oid,) in connection.execute(_HELD)}
            only_whole = connection.execute(_ONLY_WHOLE).fetchall()
            keyed = connection.execute(_KEYED).fetchall()
        if len(relations) <= budget:
            left = TRIES
            while left > 0:
                try:
                    return Dumped(schema_dump.of_database(self.tools, server))
                except OpsError as error:
                    left -= _tries_of(error)
        log.info("the definitions of %s are read in portions", name)
        found.omitted += [
            Omission(f"{quoted(name)}: {what}", IN_PORTIONS, database=name, keys=[(catalog, oid)])
            for catalog, oid, what in only_whole
        ]
        parts = schema_dump.of_database(self.tools, server, but=[EVERY_TABLE])
        size = max(min(budget, PORTION), 1)
        for each in relations:
            if each.oid in held:
                parts += self._portion(found, server, [each])
        free = [each for each in relations if each.oid not in held]
        for first in range(0, len(free), size):
            parts += self._portion(found, server, free[first : first + size])
        known = {each.oid: each for each in relations}
        for view, tables in keyed:
            group = [known[oid] for oid in (view, *tables) if oid in known]
            parts += self._portion(found, server, group, is_divisible=False)
        lost = {(catalog, oid) for catalog, oid, _ in only_whole}
        same = {each.name: each for each in parts if each.keys.isdisjoint(lost)}
        named = {key for each in found.omitted if each.database == name for key in each.keys}
        untold = [each for each in relations if not each.is_told(same) and each.key not in named]
        return Dumped([*same.values()], untold)

    def _portion(
        self,
        found: Definitions,
        server: Server,
        relations: list[Relation],
        *,
        is_divisible: bool = True,
    ) -> list[Definition]:
        """Dump some tables; half of them at a time where somebody waits, or one of them goes."""
        only = [each.pattern for each in relations]
        is_divisible = is_divisible and len(relations) > 1
        left = 2 if is_divisible else TRIES
        while left > 0:
            try:
                return schema_dump.of_database(self.tools, server, only=only)
            except OpsError as error:
                if schema_dump.finds_none(error):
                    return []
                left -= _tries_of(error)
        if is_divisible:
            half = len(relations) // 2
            parts = relations[:half], relations[half:]
            return [each for part in parts for each in self._portion(found, server, part)]
        found.omitted.append(_unread(server.parameters()["dbname"], relations[0], WAITED_FOR))
        return []

    def _shared(self, found: Definitions, before: State) -> None:
        """Read what all databases share; it is dropped where it changed meanwhile."""
        try:
            digests = schema_dump.of_cluster(self.tools, self.server)
            digests |= schema_dump.databases_of(self.server)
        except OpsError as error:
            found.omitted.append(Omission(SHARED, str(error)))
            return
        if catalog_state.changed(before, _state(self.server, CLUSTER)):
            found.omitted.append(Omission(SHARED, "they changed while they were read"))
            return
        found.digests |= {f"{OF_ALL}{name}": each for name, each in digests.items()}


def _tries_of(error: OpsError) -> int:
    """Return as how many tries a dump counts that failed; raise what fails for good."""
    if not schema_dump.may_succeed_again(error):
        raise error
    return WAITED if schema_dump.has_waited(error) else 1


def _relations(connection: Connection) -> list[Relation]:
    """List what `pg_dump` locks."""
    rows = connection.execute(_RELATIONS.encode()).fetchall()
    return [
        Relation(
            oid,
            joined(schema, name),
            schema_dump.pattern(connection, schema, name),
            is_member,
        )
        for schema, name, oid, is_member in rows
    ]


def _unread(database: str, relation: Relation, why: str) -> Omission:
    subject = f"{quoted(database)}: {relation.full_name}"
    return Omission(subject, why, database=database, keys=[relation.key])


def _unknown(name: str, reason: str) -> Omission:
    return Omission(f"definitions of database {name}", reason, database=name, kinds=[EVERY_KIND])


def states(server: Server, names: Iterable[str]) -> dict[str, State]:
    """Return what the catalogs of databases say now; nobody stays connected to them."""
    return {name: _state(server.database(name), DATABASE) for name in names}


def _state(server: Server, catalogs: tuple[Catalog, ...]) -> State:
    with server.connect() as connection:
        return catalog_state.state(connection, catalogs)


def _names(server: Server, keys: Collection[Key]) -> dict[Key, str]:
    """Return what objects are called by now; those that are gone have no name."""
    query = (
        "select class, object, case when object = 0"
        " then 'objects of PostgreSQL itself in ' || class::oid::regclass"
        " else (pg_identify_object(class::oid, object::oid, 0)).identity end"
        " from unnest(%s::bigint[], %s::bigint[]) x (class, object)"
    )
    classes, objects = [key[0] for key in keys], [key[1] for key in keys]
    try:
        with server.connect() as connection:
            rows = connection.execute(query, [classes, objects]).fetchall()
    except OpsError:
        return {}
    return {(catalog, oid): name for catalog, oid, name in rows if name}
