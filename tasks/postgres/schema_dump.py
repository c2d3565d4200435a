"""How a database is built, object by object, as `pg_dump` and `pg_dumpall` say it."""

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.control.errors import OpsError
from tasks.postgres import dump_toc, programs
from tasks.postgres.catalog_state import Key, key_of
from tasks.postgres.dump_toc import Entry
from tasks.postgres.names import quoted
from tasks.postgres.server import Connection, Server


APPLICATION = "hl7ops-definitions"
"""What sessions of these programs are called, so that whoever waits for one is seen."""

HOW = ("-Fc", "--schema-only", "--create", "--no-password", "--lock-wait-timeout=1000")

NAMED = {"PGAPPNAME": APPLICATION, **programs.SPELLED}

ROWS = frozenset(
    {
        *("TABLE DATA", "SEQUENCE SET", "BLOB", "BLOBS", "BLOB METADATA", "LARGE OBJECT"),
        *("MATERIALIZED VIEW DATA", "STATISTICS DATA"),
        *("ENCODING", "STDSTRINGS", "SEARCHPATH"),
    }
)
"""Kinds of entries that hold contents, or say how the dump is to be read; none is an object."""

OF_LARGE_OBJECTS = re.compile(r"LARGE OBJECTS? \d+")
"""What comments and grants of large objects are about; they are digested with them."""

EXPRESSIVE = frozenset(
    {
        *("TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "CONSTRAINT", "CHECK CONSTRAINT"),
        *("FK CONSTRAINT", "DEFAULT", "INDEX", "RULE", "POLICY", "TRIGGER", "DOMAIN", "FUNCTION"),
        *("PROCEDURE", "AGGREGATE", "STATISTICS", "TABLE ATTACH", "INDEX ATTACH", "TYPE"),
        *("PUBLICATION", "PUBLICATION TABLE", "EVENT TRIGGER"),
    }
)
"""Kinds whose definition holds expressions, which a server may spell anew when they are loaded."""

_GLOBALS = "globals"


@dataclass(frozen=True)
class Definition:
    """What a dump says of one object: its kind and name, a digest of it, and what it is part of.

    `keys` are the objects of the catalogs that it, or what it needs, is about.
    """

    name: str
    kind: str
    digest: str
    keys: frozenset[Key]

    @property
    def is_expressive(self) -> bool:
        """Whether a server that loads it may spell it in another way."""
        return self.kind in EXPRESSIVE


def of_database(
    tools: Path, server: Server, *, only: Sequence[str] = (), but: Sequence[str] = ()
) -> list[Definition]:
    """Return the definitions of one database.

    Args:
        tools: the directory of PostgreSQL's programs.
        server: the database.
        only: patterns of tables, as `pg_dump --table` takes them; none: all that there is.
        but: patterns of tables to leave out.

    Raises:
        OpsError: `pg_dump` failed; the text is what it said.

    """
    which = [f"--table={each}" for each in only] + [f"--exclude-table={each}" for each in but]
    how = [*HOW, *which]
    with (
        programs.addressed(server) as (address, env),
        programs.piped(tools, "pg_dump", [*how, *address], env=env | NAMED) as file,
    ):
        found = dump_toc.entries(file.read)
        while file.read(1 << 20):
            pass
    return definitions(found)


def definitions(entries: Iterable[Entry]) -> list[Definition]:
    """Return the objects of a dump; several entries of one name are one."""
    known = {entry.number: entry for entry in entries}
    grouped: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in known.values():
        if entry.kind not in ROWS and not OF_LARGE_OBJECTS.match(entry.tag):
            grouped[_name(entry), entry.kind].append(entry)
    needed = _Needed(known)
    return [
        Definition(name, kind, _digest(map(_said, same)), frozenset().union(*map(needed.of, same)))
        for (name, kind), same in sorted(grouped.items())
    ]


class _Needed:
    """What entries need, directly or by others, as objects of the catalogs."""

    def __init__(self, known: Mapping[int, Entry]) -> None:
        self._known = known
        self._found: dict[int, frozenset[Key]] = {}

    def of(self, entry: Entry) -> frozenset[Key]:
        """Return the objects that an entry is about; dependencies may run in circles."""
        seen, waiting = {entry.number}, [entry]
        keys: set[Key] = set()
        while waiting:
            one = waiting.pop()
            if one.number in self._found:
                keys |= self._found[one.number]
                continue
            if one.oid:
                keys.add(key_of(one.catalog, one.oid))
            for number in one.needs - seen:
                seen.add(number)
                if number in self._known:
                    waiting.append(self._known[number])
        self._found[entry.number] = frozenset(keys)
        return self._found[entry.number]


ABOUT = ("COMMENT", "ACL", "SECURITY LABEL")
"""Kinds that are about another object, whose kind their tag begins with."""

NAMED_ALONE = frozenset(
    {
        *("TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE", "INDEX", "TYPE"),
        *("DOMAIN", "SCHEMA", "TABLE ATTACH", "STATISTICS"),
    }
)
"""Kinds whose tag is a name and nothing else."""

_KIND = re.compile(r"([A-Z][A-Z ]*) (.*)", re.DOTALL)


def _name(entry: Entry) -> str:
    """Spell an entry: its kind and its name; of comments and grants, what they are about."""
    kind, tag = entry.kind.lower(), entry.tag
    if entry.kind in ABOUT and (match := _KIND.match(tag)):
        kind, tag = f"{kind} {match[1].lower()}", match[2]
    schema = f"{quoted(entry.schema)}." if entry.schema else ""
    return f"{kind} {schema}{quoted(tag) if entry.kind in NAMED_ALONE else _on_a_line(tag)}"


def _on_a_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def _said(entry: Entry) -> str:
    """Return all that an entry says of its object."""
    about = (entry.owner, entry.tablespace, entry.access_method)
    return "\0".join([*about, entry.definition])


def _digest(said: Iterable[str]) -> str:
    text = "\1".join(sorted(said))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def of_cluster(tools: Path, server: Server) -> dict[str, str]:
    """Return a digest of each object that all databases share: roles, grants, tablespaces.

    Passwords are compared by this digest, and never shown.

    Raises:
        OpsError: `pg_dumpall` failed; the text is what it said.

    """
    with (
        programs.addressed(server) as (address, env),
        programs.piped(
            tools, "pg_dumpall", ["--globals-only", "--no-password", *address], env=env | NAMED
        ) as file,
    ):
        script = file.read().decode(errors="replace")
    return globals_of(script)


_DATABASES = """
select d.datname::text,
  (to_jsonb(d) - '{oid, datdba, dattablespace, datfrozenxid, datminmxid, datcollversion}'::text[]
   - '{datlastsysoid, dathasloginevt}'::text[]
   || jsonb_build_object('owner', d.datdba::regrole, 'tablespace', t.spcname,
        'comment', shobj_description(d.oid, 'pg_database'),
        'settings', (select jsonb_agg(array[s.setrole::regrole::text, c] order by s.setrole, c)
                     from pg_db_role_setting s, unnest(s.setconfig) c where s.setdatabase = d.oid))
  )::text
from pg_database d join pg_tablespace t on t.oid = d.dattablespace
"""


def databases_of(server: Server) -> dict[str, str]:
    """Return a digest of what a server says of each of its databases.

    Those that take no connections are among them, of which no dump can be had.
    """
    with server.connect() as connection:
        rows = connection.execute(_DATABASES.encode()).fetchall()
    return {f"database {_on_a_line(name)}": _digest([said]) for name, said in rows}


def globals_of(script: str) -> dict[str, str]:
    """Return a digest of each object that a script of `pg_dumpall --globals-only` makes."""
    said: dict[str, list[str]] = defaultdict(list)
    for statement in statements(script):
        if name := _of_global(statement):
            said[name].append(_LOCATION.sub("LOCATION ''", statement))
    return {name: _digest(lines) for name, lines in said.items()}


_LOCATION = re.compile(r"LOCATION '(?:[^']|'')*'")
"""Where a tablespace lies, which is another place for each copy."""

_PART = r'("(?:[^"]|"")+"|[^\s,;]+)'

_KINDS = (
    (
        re.compile(rf"(?:CREATE|ALTER) ROLE {_PART} IN DATABASE {_PART}", re.DOTALL),
        "setting {0} in {1}",
    ),
    (re.compile(rf"ALTER ROLE {_PART} SET", re.DOTALL), "setting {0}"),
    (re.compile(rf"(?:CREATE|ALTER) ROLE {_PART}", re.DOTALL), "role {0}"),
    (re.compile(rf"COMMENT ON ROLE {_PART}", re.DOTALL), "comment role {0}"),
    (re.compile(rf"SECURITY LABEL .* ON (\w+) {_PART}", re.DOTALL), "security label {0} {1}"),
    (re.compile(rf"(?:CREATE|ALTER) TABLESPACE {_PART}", re.DOTALL), "tablespace {0}"),
    (re.compile(rf"COMMENT ON TABLESPACE {_PART}", re.DOTALL), "comment tablespace {0}"),
    (re.compile(rf"(?:GRANT|REVOKE) .* ON TABLESPACE {_PART}", re.DOTALL), "acl tablespace {0}"),
    (re.compile(rf"(?:GRANT|REVOKE) .* ON PARAMETER {_PART}", re.DOTALL), "acl parameter {0}"),
    (re.compile(rf"GRANT {_PART} TO {_PART}", re.DOTALL), "membership {1} in {0}"),
    (re.compile(rf"ALTER DATABASE {_PART}", re.DOTALL), "setting in {0}"),
)
"""What the statements of such a script are about."""

_FRAME = ("SET ", "SELECT ", "\\")
"""What such a script begins with, which makes nothing."""


def _of_global(statement: str) -> str | None:
    """Name what a statement is about; None: it only sets up the session."""
    for pattern, name in _KINDS:
        if match := pattern.match(statement):
            return _on_a_line(name.format(*match.groups()))
    return None if statement.startswith(_FRAME) else _GLOBALS


def statements(script: str) -> Iterator[str]:
    """Split a script into its statements; quotes hold together what lies between them."""
    gathered: list[str] = []
    quote = ""
    for line in script.splitlines(keepends=True):
        if not quote and not gathered and (line.startswith(("--", "\\")) or not line.strip()):
            continue
        gathered.append(line)
        for sign in line:
            if sign in "'\"" and quote in ("", sign):
                quote = "" if quote else sign
        if not quote and line.rstrip().endswith(";"):
            yield "".join(gathered).strip()
            gathered = []
    if gathered:
        yield "".join(gathered).strip()


def pattern(connection: Connection, schema: str, name: str) -> str:
    """Return a pattern of `pg_dump` that matches one table of the connection's database only.

    The program hands it on as it is, in the encoding of the database.
    """
    parts = (part.replace('"', '""') for part in (schema, name))
    text = ".".join(f'"{part}"' for part in parts)
    codec = dump_toc.codec_of(connection.info.parameter_status("server_encoding") or "UTF8")
    return os.fsdecode(text.encode(codec)) if codec else text


AGAIN = re.compile(
    r'(?:relation|schema|table|function|type) "|could not open relation|cache lookup failed'
    r"|does not exist|was concurrently|could not obtain lock|canceling statement due to"
    r"|terminating connection|server closed the connection|deadlock detected"
    r"|query returned \d+ rows|failed sanity check"
)
"""What `pg_dump` says where an object went while it looked, or where somebody waited for it."""

WAITED = "canceling statement due to"
"""What a program says that waited too long for a lock."""

NONE = "no matching"
"""What it says where no table has the names that are wanted."""


def may_succeed_again(error: OpsError) -> bool:
    """Tell whether a dump failed by what goes on in the server, and may succeed the next time."""
    return bool(AGAIN.search(str(error)))


def has_waited(error: OpsError) -> bool:
    """Tell whether a dump waited for a lock until it gave up."""
    return WAITED in str(error)


def finds_none(error: OpsError) -> bool:
    """Tell whether none of the tables that were wanted is there any more."""
    return NONE in str(error)
