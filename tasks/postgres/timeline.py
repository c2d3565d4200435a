"""Histories of timelines, asked from the server by its replication protocol."""

from collections.abc import Iterable

from psycopg import conninfo, pq

from tasks.control.errors import Transient
from tasks.postgres.server import Server


def patient(server: Server) -> Server:
    """Return the server with an address whose connections notice within a minute that it is gone.

    What the address sets itself stays.
    """
    noticed = {
        "connect_timeout": "10",
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "3",
        "tcp_user_timeout": "30000",
    }
    return Server(server.stanza, conninfo.make_conninfo("", **(noticed | server.parameters())))


def history_files(server: Server, timelines: Iterable[int]) -> dict[int, bytes]:
    """Return the history files of some timelines, as far as the server has them.

    Source: PostgreSQL documentation, "Streaming Replication Protocol", TIMELINE_HISTORY.

    Raises:
        Transient: the server cannot be reached, or lets no replication in.

    """
    address = conninfo.make_conninfo(
        patient(server).address, replication="true", application_name="hl7ops"
    )
    connection = pq.PGconn.connect(address.encode())
    try:
        found = {}
        for timeline in timelines:
            result = connection.exec_(f"TIMELINE_HISTORY {timeline}".encode())
            if result.status == pq.ExecStatus.TUPLES_OK:
                found[timeline] = bytes(result.get_value(0, 1) or b"")
            if connection.status != pq.ConnStatus.OK:
                raise Transient(
                    "no replication connection",
                    stanza=server.stanza,
                    seen=connection.get_error_message().strip().partition("\n")[0],
                    expected="a role with REPLICATION and a matching line in pg_hba.conf",
                    do="see that the server runs and lets this role in",
                )
        return found
    finally:
        connection.finish()
