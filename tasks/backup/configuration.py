"""What a backup keeps of its source's configuration: settings for copies, and files elsewhere.

Debian keeps `postgresql.conf`, `pg_hba.conf` and `pg_ident.conf` outside of the data directory, and
each of them may include others. They may hold passwords: they are kept as an object of the backup,
encrypted where the repository is, and never shown.
"""

import io
import logging
import posixpath
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from psycopg import errors

from tasks.control.errors import OpsError
from tasks.postgres.copy_configuration import ASKED
from tasks.postgres.server import Connection, Server


log = logging.getLogger(__name__)

KINDS = {"config_file": "settings", "hba_file": "access", "ident_file": "access"}
"""Settings that name a file, and how what it includes is told."""

CONTENTS = "FILES"
"""The member of the tar that tells which file is which."""

LARGEST = 16 << 20
"""A file of more bytes is no configuration."""

_SETTINGS = re.compile(r"(?i)^\s*(include|include_if_exists|include_dir)(?:\s*=\s*|\s+)(.+?)\s*$")

_ACCESS = re.compile(r"^\s*(include|include_if_exists|include_dir)\s+(.+?)\s*$")

_LISTED = re.compile(r'(?:^|[\s,])@(?:"([^"]+)"|([^\s,"]+))')
"""A file of names in an access file: `@file`, its name quoted or not."""

_ELSEWHERE = """
select name, reset_val from pg_settings
where name = any(%s) and name <> 'TimeZone' and reset_val is not null
union all
(select 'TimeZone', setting from pg_file_settings
 where lower(name) = 'timezone' and error is null order by seqno desc limit 1)
"""
"""Our own connection has a time zone of its own, so the source's is read where it is set; and it
writes times in a style of its own, before which there was the source's."""


@dataclass
class Files:
    """Configuration files that lie outside of the data directory, and what could not be read."""

    found: dict[str, bytes] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def problem(self) -> str:
        """What is missing, in one line."""
        return "; ".join(self.problems)

    def to_tar(self) -> bytes:
        """Return all files under their absolute paths, after a list of which is which."""
        lines = [f"{self.roles[path]}\t{path}\n" for path in self.found]
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as tar:
            for path, data in {CONTENTS: "".join(lines).encode(), **self.found}.items():
                member = tarfile.TarInfo(path.lstrip("/"))
                member.size, member.mode = len(data), 0o600
                tar.addfile(member, io.BytesIO(data))
        return made.getvalue()


def settings_of(server: Server) -> dict[str, str]:
    """Return the settings of a source that its copies take over; none that may not be read."""
    try:
        with server.connect(statement_timeout_s=30) as connection:
            return dict(connection.execute(_ELSEWHERE, [list(ASKED)]).fetchall())
    except OpsError as error:
        log.warning("copies of this backup have no setting of the source: %s", error)
        return {}


def files_of(server: Server) -> Files:
    """Read the configuration files that lie outside of the data directory; what fails is named."""
    files = Files()
    try:
        with server.connect(statement_timeout_s=60) as connection:
            _Reader(connection, files).run()
    except OpsError as error:
        files.problems.append(f"not read: {error}")
    if files.problem:
        log.warning("configuration outside of the data directory is not kept: %s", files.problem)
    return files


class _Reader:
    """Follows what configuration files include, and reads each through the server."""

    def __init__(self, connection: Connection, files: Files) -> None:
        self._connection = connection
        self._files = files
        self._seen: set[str] = set()

    def run(self) -> None:
        """Begin with the files that settings name."""
        (self._data,) = self._row("select current_setting('data_directory')")
        for setting, kind in KINDS.items():
            (path,) = self._row("select current_setting(%s, true)", setting)
            if path is None:
                self._files.problems.append(f"{setting} may not be read")
            else:
                self._follow(path, setting, kind)

    def _follow(self, path: str, role: str, kind: str, *, is_optional: bool = False) -> None:
        """Read a file, keep it where it lies elsewhere, and read what it includes."""
        path = posixpath.normpath(path)
        if path in self._seen:
            return
        self._seen.add(path)
        data: bytes | None = self._read(path, is_optional=is_optional)
        if data is None:
            return
        if not path.startswith(f"{posixpath.normpath(self._data)}/"):
            self._files.found[path], self._files.roles[path] = data, role
        for how, name in _included(data.decode(errors="surrogateescape"), kind):
            self._include(path, how, name, kind)

    def _include(self, path: str, how: str, name: str, kind: str) -> None:
        """Follow one directive; a name that is not absolute is one beside the file it stands in."""
        target = posixpath.join(posixpath.dirname(path), name)
        role = f"included by {path}"
        if how == "include_dir":
            for each in self._listed(target):
                self._follow(posixpath.join(target, each), role, kind)
        else:
            is_optional = how == "include_if_exists"
            self._follow(target, role, "names" if how == "@" else kind, is_optional=is_optional)

    def _listed(self, path: str) -> list[str]:
        """Return the files of a directory that are included, in the order in which they are."""
        query = (
            "select name from pg_ls_dir(%s) name"
            " where name like '%%.conf' and name not like '.%%' order by name collate \"C\""
        )
        try:
            return [name for (name,) in self._connection.execute(query, [path]).fetchall()]
        except errors.Error as error:
            self._failed(path, error)
            return []

    def _read(self, path: str, *, is_optional: bool) -> bytes | None:
        query = "select pg_read_binary_file(%s, 0, %s, true)"
        try:
            data: bytes | None = self._row(query, path, LARGEST)[0]
        except errors.Error as error:
            self._failed(path, error)
            return None
        if data is None and not is_optional:
            self._files.problems.append(f"{path}: there is none")
        return data

    def _failed(self, path: str, error: errors.Error) -> None:
        self._files.problems.append(f"{path}: {type(error).__name__}")

    def _row(self, query: str, *values: object) -> tuple[Any, ...]:
        row = self._connection.execute(query.encode(), values).fetchone()
        assert row is not None  # noqa: S101 - queries without a FROM
        return row


def _included(text: str, kind: str) -> Iterator[tuple[str, str]]:
    """Yield what a file includes, in its order: how, and the name that it gives."""
    directive = {"settings": _SETTINGS, "access": _ACCESS}.get(kind)
    for line in text.splitlines():
        if directive and (found := directive.match(line)):
            yield found[1].lower(), _plain(found[2])
        elif kind != "settings":
            for listed in _LISTED.finditer(line.partition("#")[0]):
                yield "@", listed[1] or listed[2]


def _plain(text: str) -> str:
    """Return a name without quotes and without a comment after it."""
    if text.startswith("'"):
        inner = re.match(r"'((?:[^'\\]|''|\\.)*)'", text)
        return inner[1].replace("''", "'").replace("\\", "") if inner else text
    if text.startswith('"'):
        return text[1:].partition('"')[0]
    return text.partition("#")[0].strip()
