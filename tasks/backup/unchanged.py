"""Tables that have not changed since an earlier seal: shown by WAL summaries, not assumed.

A table's digest may be taken from an earlier seal only where three things agree: its files and its
definition are the same, the statistics count no change, and no block of its files stands in any WAL
summary between the two restore points. Both seals must be exact, so that no transaction was half
way through at either. A digest that was taken wrongly would fail the proof, which computes it anew.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from tasks.postgres import lsn
from tasks.postgres.names import joined
from tasks.postgres.server import Connection
from tasks.repository.seal import EXACT, Fingerprint, Seal, Standing, TableSeal


log = logging.getLogger(__name__)

SINCE = 170000
"""The version that brought WAL summaries."""

WORTH_BYTES = 256 << 20
"""Below this the checkpoint that summaries end with costs more than digests do."""

PATIENCE_S = 30.0
"""How long the summarizer may take to catch up."""

_STANDINGS = """
with held as materialized (
  select relation from pg_locks where locktype = 'relation' and mode = 'AccessExclusiveLock')
select n.nspname::text, c.relname::text,
       array_remove(array[
         concat_ws('/', coalesce(nullif(c.reltablespace, 0), d.dattablespace), d.oid,
           pg_relation_filenode(c.oid)),
         concat_ws('/', coalesce(nullif(t.reltablespace, 0), d.dattablespace), d.oid,
           nullif(pg_relation_filenode(t.oid), 0))], null),
       coalesce(pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid)
         + pg_stat_get_tuples_deleted(c.oid), 0),
       (select md5(coalesce(string_agg(
          concat_ws(' ', a.attnum, a.attname, a.atttypid, a.attisdropped), ','
          order by a.attnum), '')) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0),
       case when c.oid in (select relation from held) then 0 else pg_table_size(c.oid) end
from pg_class c join pg_namespace n on n.oid = c.relnamespace
  join pg_database d on d.datname = current_database()
  left join pg_class t on t.oid = c.reltoastrelid
where c.relkind = 'r' and c.relpersistence = 'p'
  and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
"""

_SUMMARIES = """
select s.start_lsn::text, s.end_lsn::text from pg_available_wal_summaries() s
where s.tli = %s and s.end_lsn > %s::pg_lsn and s.start_lsn < %s::pg_lsn order by 1
"""

_CHANGED = """
select distinct concat_ws('/', c.reltablespace, c.reldatabase, c.relfilenode)
from pg_available_wal_summaries() s,
  lateral pg_wal_summary_contents(s.tli, s.start_lsn, s.end_lsn) c
where s.tli = %s and s.end_lsn > %s::pg_lsn and s.start_lsn < %s::pg_lsn
"""


@dataclass(frozen=True)
class Earlier:
    """An earlier seal of the same cluster and timeline: of which backup, and its fingerprint."""

    backup: str
    timeline: int
    seal: Seal
    fingerprint: Fingerprint


def standings(connections: Mapping[str, Connection]) -> tuple[dict[str, Standing], dict[str, int]]:
    """Return how the tables of all databases lie on the disk, and their sizes in bytes.

    To tell its size a table is locked; where somebody holds one just then, nothing is told of its
    database, and all of it is digested.
    """
    found, sizes = {}, {}
    for database, connection in connections.items():
        try:
            with connection.transaction(force_rollback=True):
                rows = connection.execute(_STANDINGS).fetchall()
        except psycopg.errors.LockNotAvailable:
            continue
        for schema, table, files, changes, definition, size in rows:
            name = joined(database, schema, table)
            found[name] = Standing(files, changes, definition)
            sizes[name] = size
    return found, sizes


def candidates(earlier: Earlier | None, now: Mapping[str, Standing]) -> dict[str, TableSeal]:
    """Return the tables of an earlier seal that seem not to have changed; WAL is not asked yet."""
    if earlier is None or earlier.seal.mode not in EXACT:
        return {}
    before = earlier.fingerprint.standings
    return {
        table.name: table
        for table in earlier.fingerprint.tables
        if table.moment == 0 and table.name in before and before[table.name] == now.get(table.name)
    }


def unchanged(
    connection: Connection,
    earlier: Earlier,
    found: Mapping[str, TableSeal],
    now: Mapping[str, Standing],
    position: str,
) -> dict[str, TableSeal]:
    """Return those of the candidates of which no block was written between the two seals.

    Args:
        connection: to the primary; it is asked for a checkpoint, with which summaries end.
        earlier: the earlier seal.
        found: the candidates.
        now: how all tables lie on the disk.
        position: the LSN of the new restore point.

    """
    span = (earlier.timeline, earlier.seal.lsn, position)
    if connection.info.server_version < SINCE:
        return {}
    connection.execute("checkpoint")
    if not _summarized(connection, span):
        log.warning("no WAL summaries from %s to %s: all tables are digested", *span[1:])
        return {}
    changed = {name for (name,) in connection.execute(_CHANGED, span)}
    return {
        name: table for name, table in found.items() if not changed.intersection(now[name].files)
    }


def _summarized(connection: Connection, span: tuple[int, str, str]) -> bool:
    """Wait until summaries cover a span without a gap; tell whether they do."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        rows = connection.execute(_SUMMARIES, span).fetchall()
        ends = [(lsn.parse(start), lsn.parse(end)) for start, end in rows]
        if _covers(sorted(ends), lsn.parse(span[1]), lsn.parse(span[2])):
            return True
        time.sleep(0.2)
    return False


def _covers(spans: list[tuple[int, int]], first: int, last: int) -> bool:
    """Tell whether spans that follow each other reach from one position to another."""
    reached = first
    for start, end in spans:
        if start > reached:
            return False
        reached = max(reached, end)
    return reached >= last
