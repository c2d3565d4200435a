"""Which objects of a database changed between two looks at its catalogs.

`pg_dump` lists objects in its snapshot, and reads some of their definitions as they are now. What
did not change from before a restore point until the dump had ended is, in the dump, what it was at
that restore point; what did change is named.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from tasks.postgres.server import Connection


@dataclass(frozen=True)
class Catalog:
    """A system catalog: whose objects its rows tell of, and columns that say nothing of them.

    Args:
        name: of the catalog.
        of: SQL expressions of the class and the number of the object that a row belongs to.
        without: columns that change by themselves.

    """

    name: str
    of: str
    without: tuple[str, ...] = ()


OWN = "tableoid, oid"
"""What rows belong to that are objects themselves."""


def _own(name: str) -> Catalog:
    return Catalog(name, OWN)


def _part(name: str, whole: str, column: str) -> Catalog:
    return Catalog(name, f"'{whole}'::regclass, {column}")


RELATIONS = 1259
"""The number of `pg_class`, the catalog of relations."""

VOLATILE = (
    *("relfilenode", "relpages", "reltuples", "relallvisible", "relallfrozen", "relfrozenxid"),
    *(
        "relminmxid",
        "relhasindex",
        "relhasrules",
        "relhastriggers",
        "relhassubclass",
        "reltoastrelid",
    ),
)
"""What vacuum, analyze, rewrites and the making of indexes change of a relation."""

DATABASE = (
    Catalog("pg_class", OWN, VOLATILE),
    *(
        _part(name, "pg_class", column)
        for name, column in (
            ("pg_attribute", "attrelid"),
            ("pg_attrdef", "adrelid"),
            ("pg_index", "indrelid"),
            ("pg_trigger", "tgrelid"),
            ("pg_rewrite", "ev_class"),
            ("pg_policy", "polrelid"),
            ("pg_inherits", "inhrelid"),
            ("pg_partitioned_table", "partrelid"),
            ("pg_sequence", "seqrelid"),
            ("pg_statistic_ext", "stxrelid"),
            ("pg_foreign_table", "ftrelid"),
            ("pg_publication_rel", "prrelid"),
        )
    ),
    Catalog(
        "pg_constraint",
        "case when conrelid <> 0 then 'pg_class'::regclass else 'pg_type'::regclass end,"
        " case when conrelid <> 0 then conrelid else contypid end",
    ),
    _part("pg_enum", "pg_type", "enumtypid"),
    _part("pg_range", "pg_type", "rngtypid"),
    _part("pg_aggregate", "pg_proc", "aggfnoid::oid"),
    _part("pg_amop", "pg_opfamily", "amopfamily"),
    _part("pg_amproc", "pg_opfamily", "amprocfamily"),
    _part("pg_ts_config_map", "pg_ts_config", "mapcfg"),
    _part("pg_publication_namespace", "pg_publication", "pnpubid"),
    Catalog("pg_description", "classoid, objoid"),
    Catalog("pg_seclabel", "classoid, objoid"),
    *map(
        _own,
        (
            *("pg_proc", "pg_type", "pg_namespace", "pg_operator", "pg_opclass", "pg_opfamily"),
            *("pg_am", "pg_cast", "pg_collation", "pg_conversion", "pg_language", "pg_transform"),
            *("pg_event_trigger", "pg_extension", "pg_foreign_data_wrapper", "pg_foreign_server"),
            *("pg_user_mapping", "pg_publication", "pg_ts_config", "pg_ts_dict", "pg_ts_parser"),
            *("pg_ts_template", "pg_default_acl", "pg_subscription"),
        ),
    ),
)
"""What `pg_dump` reads of a database."""

CLUSTER = (
    *map(_own, ("pg_authid", "pg_tablespace", "pg_parameter_acl")),
    Catalog("pg_database", OWN, ("datfrozenxid", "datminmxid", "datcollversion")),
    _part("pg_auth_members", "pg_authid", "member"),
    Catalog("pg_db_role_setting", "tableoid, setrole"),
    Catalog("pg_shdescription", "classoid, objoid"),
    Catalog("pg_shseclabel", "classoid, objoid"),
)
"""What `pg_dumpall --globals-only` reads, and what all databases share besides."""

_COLUMNS = """
select c.relname::text,
       string_agg(quote_ident(a.attname), ', ' order by a.attnum)
         filter (where a.attname <> all(%s))
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'pg_catalog'::regnamespace and c.relname::text = any(%s) group by 1
"""

_NAMED = (
    ("pg_class", "relnamespace"),
    ("pg_type", "typnamespace"),
    ("pg_proc", "pronamespace"),
    ("pg_namespace", "oid"),
)

_OWN = " union all ".join(
    f"select '{catalog}'::regclass::oid, c.oid from {catalog} c join pg_namespace n"  # noqa: S608
    f" on n.oid = c.{column} where n.nspname ~ '^pg_(toast|temp)'"
    for catalog, column in _NAMED
)
"""What PostgreSQL keeps for a table, or for one session alone, and what no dump tells of."""

Key: TypeAlias = tuple[int, int]
"""An object: the number of its catalog, and its own; see `key_of`."""

FIRST_NORMAL = 16384
"""Numbers below are of objects that a cluster is made with (`FirstNormalObjectId`).

They are thousands, and next to never change: they count as one object in each catalog.
"""

SPARE_BITS = 16
"""Left free in the digest of a row, so that those of 32,768 rows can be added up."""

State: TypeAlias = Mapping[Key, int]
"""A digest of what the catalogs say of each object."""


def state(connection: Connection, catalogs: tuple[Catalog, ...] = DATABASE) -> State:
    """Return what the catalogs say of each object, in the connection's snapshot.

    A row that was not written anew, by its `xmin`, is as it was; of catalogs with columns that
    change by themselves the others are digested.
    """
    names = [catalog.name for catalog in catalogs]
    without = sorted({name for catalog in catalogs for name in catalog.without})
    columns: dict[str, str] = dict(connection.execute(_COLUMNS, [without, names]).fetchall())
    parts = [
        f"select {catalog.of},"  # noqa: S608 - constants above, and names of system columns
        f" hash_record_extended(row({columns[catalog.name] if catalog.without else 'xmin'}), 0)"
        f" from pg_catalog.{catalog.name}"
        for catalog in catalogs
        if catalog.name in columns  # a catalog of newer versions
    ]
    query = (
        "select class::bigint,"  # noqa: S608
        f" case when object::bigint < {FIRST_NORMAL} then 0 else object::bigint end,"
        f" sum(digest >> {SPARE_BITS})::bigint"
        f" from ({' union all '.join(parts)}) x (class, object, digest)"
        f" where (class::oid, object::oid) not in ({_OWN}) group by 1, 2"
    )
    rows = connection.execute(query.encode())
    return {(catalog, oid): digest for catalog, oid, digest in rows}


def key_of(catalog: int, oid: int) -> Key:
    """Return the key of an object; those that PostgreSQL itself is made of share one a catalog."""
    return (catalog, oid if oid >= FIRST_NORMAL else 0)


_UNTOLD = """
select i.type || ' ' || i.identity
from (select tableoid, oid from pg_class
      where relkind in ('r', 'p', 'v', 'm', 'S', 'f') and relnamespace = 'pg_catalog'::regnamespace
      union all select tableoid, oid from pg_class
      where relkind in ('r', 'p', 'm') and relname !~ '^sql_'
        and relnamespace = 'information_schema'::regnamespace
      union all select tableoid, oid from pg_proc
      where pronamespace = 'pg_catalog'::regnamespace) x (class, object)
  cross join lateral pg_identify_object(x.class, x.object, 0) i
where x.object >= %s
  and not exists (select from pg_depend d where d.classid = x.class and d.objid = x.object
                  and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e')
order by 1
"""


def untold(connection: Connection) -> list[str]:
    """Name what users made in PostgreSQL's own schemas: no dump tells of it, nor holds its rows.

    The information schema may have been made anew, as an update asks for at times.
    """
    return [name for (name,) in connection.execute(_UNTOLD, [FIRST_NORMAL]).fetchall()]


def changed(before: State, after: State) -> set[Key]:
    """Return the objects that are not in both, or not as they were."""
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def objects(connection: Connection) -> frozenset[int]:
    """Return the numbers of the catalogs whose rows are objects with keys of their own."""
    names = [catalog.name for catalog in DATABASE if catalog.of == OWN]
    rows = connection.execute(
        "select oid::bigint from pg_class where relnamespace = 'pg_catalog'::regnamespace"
        " and relname::text = any(%s)",
        [names],
    )
    return frozenset(oid for (oid,) in rows)


@dataclass(frozen=True)
class Settled:
    """What three looks tell of objects: which were, at a restore point, as they are afterwards.

    Args:
        before: a look before the restore point was written.
        at: a look in the snapshot that belongs to it.
        after: a look once all definitions were read.
        catalogs: the numbers of those whose objects have keys of their own.
        is_exact: the snapshot shows what the restore point does; else it is a little older.

    """

    before: State
    at: State
    after: State
    catalogs: frozenset[int]
    is_exact: bool = True

    @cached_property
    def later(self) -> frozenset[Key]:
        """Those that came after the restore point, so that it does not matter."""
        came = self.after.keys() - self.at.keys() - self.before.keys()
        return frozenset(came if self.is_exact else ())

    @cached_property
    def unsettled(self) -> frozenset[Key]:
        """Those of which nothing is known: they changed from the first look on."""
        moved = changed(self.before, self.at) | changed(self.at, self.after)
        return frozenset(moved - self.later)

    def holds(self, keys: Collection[Key]) -> bool:
        """Tell whether what was read of objects meanwhile is what they were at the restore point.

        One that no look saw came and went between two of them.
        """
        own = (key for key in keys if key[0] in self.catalogs and key[1])
        return self._moved.isdisjoint(keys) and all(key in self.at for key in own)

    @cached_property
    def _moved(self) -> frozenset[Key]:
        return self.unsettled | self.later
