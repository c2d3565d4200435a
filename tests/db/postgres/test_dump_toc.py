"""The table of contents of a dump: what `pg_restore --list` shows, and what it does not."""

import os
import re

import pytest

from tasks.control.errors import Corrupt
from tasks.postgres import dump_toc, programs
from tests.db.postgres.conftest import DEBIAN


STATEMENTS = (
    'create schema "My.Schema"',
    "create table fruit (id serial primary key, name text)",
    "insert into fruit (name) select 'n' || n from generate_series(1, 1000) n",
    'create table "My.Schema"."Odd ""name""\nof two lines" (n int)',
    "create view named as select name from fruit",
    "comment on table fruit is 'it''s; two\nlines'",
    "grant select on fruit to public",
    "create function straße() returns int language sql as 'select 1'",
    "select lo_from_bytea(4711, 'a large object')",
)

FORMATS = ("-Fc", "-Fd")


@pytest.fixture
def eighteen(server):
    """Fill a database of the newest version."""
    return filled(server)


@pytest.fixture(scope="module")
def filled_fifteen(fifteen):
    """Fill a database of Debian's version."""
    return filled(fifteen)


def filled(server):
    """Make some of everything."""
    with server.connect() as connection:
        for statement in STATEMENTS:
            connection.execute(statement)
    return server


@pytest.fixture(params=["18", "15"])
def source(request, home):
    """Return a server, and the programs of its version."""
    if request.param == "15":
        return request.getfixturevalue("filled_fifteen"), DEBIAN
    return request.getfixturevalue("eighteen"), home.programs


@pytest.fixture(params=FORMATS)
def dump(request, source, tmp_path):
    """Dump it; return the programs and where the dump lies."""
    server, tools = source
    path = tmp_path / "dump"
    how = [request.param, "--create", "--no-password", "-f", path]
    with programs.addressed(server) as (address, env):
        programs.run(tools, "pg_dump", [*how, *address], timeout_s=60, env=env)
    return tools, path


def test_each_entry_is_as_the_program_lists_it(dump):
    """Number, catalog, object, kind, schema, name and owner."""
    tools, path = dump
    said = programs.run(tools, "pg_restore", ["--list", "--create", path], timeout_s=60).stdout
    listed = [line for line in said.splitlines() if re.match(r"\d+; ", line)]
    spelled = [
        f"{each.number}; {each.catalog} {each.oid} {each.kind}"
        f" {each.schema or '-'} {each.tag} {each.owner}".replace("\n", " ")
        for each in dump_toc.of_dump(path)
        if each.kind not in UNLISTED
    ]
    assert [line.rstrip() for line in listed] == [line.rstrip() for line in spelled]


UNLISTED = ("ENCODING", "STDSTRINGS", "SEARCHPATH")


def test_what_entries_say_and_need_is_read_besides(dump):
    """The definition of each, and the entries that it depends on."""
    entries = dump_toc.of_dump(dump[1])
    found = {(each.kind, each.tag): each for each in entries}
    table = found["TABLE", "fruit"]
    assert table.definition.startswith("CREATE TABLE public.fruit (")
    assert (table.schema, table.catalog, table.access_method) == ("public", 1259, "heap")
    assert table.number in found["VIEW", "named"].needs
    assert table.number in found["COMMENT", "TABLE fruit"].needs
    assert "it''s; two\nlines" in found["COMMENT", "TABLE fruit"].definition
    assert found["TABLE", 'Odd "name"\nof two lines'].schema == "My.Schema"
    assert found["FUNCTION", "straße()"].definition.startswith("CREATE FUNCTION public.")
    assert {each.number for each in entries} >= found["VIEW", "named"].needs


def test_a_head_that_is_cut_short_anywhere_is_found(dump):
    """Never taken for a dump of less."""
    path = dump[1] / "toc.dat" if dump[1].is_dir() else dump[1]
    whole = dump_toc.of_dump(dump[1])
    data = path.read_bytes()
    taken = head_of(path)
    assert taken > 1000
    for size in {0, 1, 5, 6, 20, *range(25, taken, 97), taken - 1}:
        os.truncate(path, size)
        with pytest.raises(Corrupt, match="head of a dump"):
            dump_toc.of_dump(dump[1])
        path.write_bytes(data)
    path.write_bytes(data[:taken])
    assert dump_toc.of_dump(dump[1]) == whole


def head_of(path):
    """Return how many bytes of a dump its table of contents takes up."""
    with path.open("rb") as file:
        dump_toc.entries(file.read)
        return file.tell()


def test_what_is_no_dump_is_found(tmp_path):
    """By its first bytes, or by a version that is not known."""
    path = tmp_path / "dump"
    path.write_bytes(b"-- PostgreSQL database dump\n" * 10)
    with pytest.raises(Corrupt, match="that is no dump in the custom format"):
        dump_toc.of_dump(path)
    for version in ((1, 13), (1, 17), (2, 0)):
        path.write_bytes(b"PGDMP" + bytes([*version, 0, 4, 8, 1]) + b"\0" * 100)
        with pytest.raises(Corrupt, match=rf"seen: {version[0]}\.{version[1]}; expected: 1.14 to"):
            dump_toc.of_dump(path)


def test_a_length_that_cannot_be_is_found(tmp_path):
    """Nothing of that size is asked for."""
    path = tmp_path / "dump"
    times = b"\0\0\0\0\0" * 7
    path.write_bytes(b"PGDMP" + bytes([1, 16, 0, 4, 8, 1, 0]) + times + b"\0\xff\xff\xff\x7f")
    with pytest.raises(Corrupt, match="a text of 2147483647 bytes"):
        dump_toc.of_dump(path)
