"""The server's BASE_BACKUP command, spoken over a replication connection.

One stream carries every tablespace, the manifest and the progress, so nothing is staged on disk,
which `pg_basebackup` cannot do for more than one tablespace.
Source: PostgreSQL documentation, "Streaming Replication Protocol", BASE_BACKUP (version 15 on).
"""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import psycopg
from psycopg import conninfo, pq

from tasks.control.errors import OpsError, Transient
from tasks.postgres.server import Server


SILENCE_S = 120
"""A server that sends nothing for so long is taken for gone."""

CHECKPOINT_S = 3600
"""How long the checkpoint that opens a backup may take."""

MANIFEST = "backup_manifest"


@dataclass(frozen=True)
class Part:
    """One tar of the stream, or the manifest: its name, where its tablespace lies, its bytes."""

    name: str
    location: str
    chunks: Iterator[memoryview]


class BaseBackup:
    """One running BASE_BACKUP; use it as a context, so that the connection is closed."""

    def __init__(
        self,
        server: Server,
        label: str,
        *,
        fast: bool = True,
        since: bytes | None = None,
        rate_mib: int | None = None,
    ) -> None:
        """Prepare a backup of a server.

        Args:
            server: where from.
            label: goes into the backup's `backup_label`.
            fast: begin with an immediate checkpoint instead of waiting for a spread one.
            since: the manifest of an earlier backup; only what changed since then is sent
                (version 17 on).
            rate_mib: MiB a second that are sent at most; None: as many as can be.

        """
        self._server = server
        self._since = since
        self._command = (
            f"BASE_BACKUP (LABEL '{label}', PROGRESS true, WAL false, TABLESPACE_MAP true,"
            f" CHECKPOINT '{'fast' if fast else 'spread'}', MANIFEST 'yes'"
            f"{', INCREMENTAL true' if since is not None else ''}"
            f"{f', MAX_RATE {rate_mib * 1024}' if rate_mib else ''})"
        )
        self._pending: bytes | None = None
        self.start_lsn = ""
        self.stop_lsn = ""
        self.timeline = 0
        self.estimated_bytes = 0
        self.tablespaces: dict[int, str] = {}

    def __enter__(self) -> Self:
        """Connect, begin the backup and read where it starts.

        Raises:
            Transient: the server cannot be reached.
            OpsError: it refuses, for example for want of the REPLICATION privilege.

        """
        address = conninfo.make_conninfo(
            self._server.address,
            replication="true",
            application_name="hl7ops",
            connect_timeout=10,
            keepalives_idle=30,
        )
        self._connection = pq.PGconn.connect(address.encode())
        if self._connection.status != pq.ConnStatus.OK:
            raise Transient(
                "no replication connection",
                stanza=self._server.stanza,
                seen=self._said(),
                expected="a role with REPLICATION and a matching line in pg_hba.conf",
                do="see that the server runs and lets this role in",
            )
        if self._since is not None:
            self._upload(self._since)
        self._connection.nonblocking = 1
        with self._told():
            self._connection.send_query(self._command.encode())
        start = self._result(CHECKPOINT_S)
        self.start_lsn, self.timeline = _text(start, 0, 0), int(_text(start, 0, 1))
        spaces = self._result(SILENCE_S)
        for row in range(spaces.ntuples):
            if spaces.get_value(row, 0) is not None:
                self.tablespaces[int(_text(spaces, row, 0))] = _text(spaces, row, 1)
            self.estimated_bytes += 1024 * int(_text(spaces, row, 2) or 0)
        self._result(SILENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection; the server ends a backup that is not through."""
        self._connection.finish()

    def parts(self) -> Iterator[Part]:
        """Yield the tars one after the other, then the manifest; each must be read to its end.

        Raises:
            Transient: the server fell silent or the connection broke.
            OpsError: the server ended the backup with an error.

        """
        self._pending = self._message()
        while self._pending is not None:
            kind, body = self._pending[:1], self._pending[1:]
            if kind == b"n":
                name, location, _ = body.split(b"\0")
                yield Part(name.decode(), location.decode(), self._chunks())
            elif kind == b"m":
                yield Part(MANIFEST, "", self._chunks())
            else:
                raise OpsError("the server broke the protocol", seen=kind)
        stop = self._result(SILENCE_S)
        self.stop_lsn = _text(stop, 0, 0)

    def _chunks(self) -> Iterator[memoryview]:
        """Yield the data of one part; what follows it waits in `_pending`."""
        while (message := self._message()) is not None:
            kind = message[:1]
            if kind == b"d":
                yield memoryview(message)[1:]
            elif kind != b"p":
                self._pending = message
                return
        self._pending = None

    def _upload(self, manifest: bytes) -> None:
        """Tell the server what an earlier backup held."""
        with self._told():
            self._connection.send_query(b"UPLOAD_MANIFEST")
            self._expect(pq.ExecStatus.COPY_IN)
            self._connection.put_copy_data(manifest)
            self._connection.put_copy_end()
            self._expect(pq.ExecStatus.COMMAND_OK)
            while self._connection.get_result() is not None:
                pass  # the end of a command is a result that is not there

    def _expect(self, status: pq.ExecStatus) -> None:
        result = self._connection.get_result()
        if result is None or result.status != status:
            raise self._broken()

    def _message(self) -> bytes | None:
        """Return the next message of the stream, or None at its end."""
        while True:
            try:  # not `_told`: of many small messages that would take as long as reading them
                size, data = self._connection.get_copy_data(1)
            except psycopg.Error:
                raise self._broken() from None
            if size > 0:
                return bytes(data)
            if size == -1:
                return None
            self._wait(SILENCE_S)

    def _result(self, patience_s: float) -> pq.abc.PGresult:
        """Return the next result of the command."""
        deadline = time.monotonic() + patience_s
        while self._connection.is_busy():
            self._wait(deadline - time.monotonic())
        result = self._connection.get_result()
        fine = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COPY_OUT)
        if result is None or result.status not in fine:
            raise self._broken()
        return result

    def _wait(self, patience_s: float) -> None:
        """Wait for bytes from the server and take them in."""
        ready, _, _ = select.select([self._connection.socket], [], [], max(patience_s, 0))
        if not ready:
            raise Transient("the server fell silent", stanza=self._server.stanza, do="try again")
        try:
            self._connection.consume_input()
        except psycopg.Error:
            raise self._broken() from None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what the connection says into the house's errors."""
        try:
            yield
        except psycopg.Error:
            raise self._broken() from None

    def _broken(self) -> OpsError:
        said = self._said()
        is_gone = self._connection.status != pq.ConnStatus.OK or "terminating connection" in said
        kind = Transient if is_gone else OpsError
        return kind(
            "the server ended the backup",
            stanza=self._server.stanza,
            seen=said,
            do="see that the server runs, and take another",
        )

    def _said(self) -> str:
        return self._connection.get_error_message().strip().partition("\n")[0]


def _text(result: pq.abc.PGresult, row: int, column: int) -> str:
    return (result.get_value(row, column) or b"").decode()
