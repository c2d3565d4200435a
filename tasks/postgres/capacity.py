"""What a server has to spare, so that what we take is never missing to its users."""

from tasks.postgres.server import Connection


SHARE = 4
"""Of free locks we take one in so many at most."""

SPARE_CONNECTIONS = 5
"""Connections that are left to others at least."""

OURS = 4
"""Connections that are needed besides one a database: to act, to watch, and for programs."""

_LOCKS = """
select current_setting('max_locks_per_transaction')::int
  * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int
     + current_setting('max_worker_processes')::int + current_setting('max_wal_senders')::int
     + coalesce(current_setting('autovacuum_worker_slots', true),
                current_setting('autovacuum_max_workers'))::int + 1)
  - (select count(*) from pg_locks where not fastpath)
"""

_CONNECTIONS = """
select current_setting('max_connections')::int
  - current_setting('superuser_reserved_connections')::int
  - (select count(*) from pg_stat_activity where backend_type in ('client backend', 'walsender'))
"""


def locks(connection: Connection) -> int:
    """Return how many tables we may lock at once: a quarter of what the lock table has free.

    Its size is `max_locks_per_transaction` for each process and each prepared transaction
    (PostgreSQL's `NLOCKENTS`); beyond it transactions of anybody fail.
    """
    return max(_number(connection, _LOCKS) // SHARE, 0)


def all_locks(connection: Connection) -> int:
    """Return how many tables a program may lock that locks all of them: what is free."""
    return max(_number(connection, _LOCKS), 0)


def connections(connection: Connection) -> int:
    """Return how many connections we may open more: three quarters of what is free, and one."""
    free = _number(connection, _CONNECTIONS)
    return max(min(free - SPARE_CONNECTIONS, free * 3 // 4), 1)


def databases_at_once(connection: Connection) -> int:
    """Return to how many databases we may be connected at a time, besides what we need anyway."""
    return max(connections(connection) - OURS, 1)


def _number(connection: Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0
