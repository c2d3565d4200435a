"""What `pg_dumpall --globals-only` says, object by object; and what `pg_dump` calls an object."""

import pytest

from tasks.control.errors import OpsError
from tasks.postgres import schema_dump
from tasks.postgres.dump_toc import Entry
from tasks.postgres.schema_dump import definitions, globals_of, statements


VERIFIER = "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:a2V5"

SCRIPT = f"""\
--
-- PostgreSQL database cluster dump
--

\\restrict WnHnQG1rFkGrBUBVCXkHJlfWUqQ

SET default_transaction_read_only = off;
SET client_encoding = 'UTF8';

--
-- Roles
--

CREATE ROLE clerk;
ALTER ROLE clerk WITH NOSUPERUSER INHERIT LOGIN PASSWORD '{VERIFIER}';
COMMENT ON ROLE clerk IS 'it''s;
two lines; -- and no comment
CREATE ROLE nobody;';
CREATE ROLE "Dr ""X"";
House";
ALTER ROLE "Dr ""X"";
House" WITH SUPERUSER;

--
-- User Configurations
--

ALTER ROLE clerk SET work_mem TO '5MB';
ALTER ROLE clerk IN DATABASE hl7 SET search_path TO 'a', 'b';

--
-- Role memberships
--

GRANT readers TO clerk WITH INHERIT TRUE GRANTED BY postgres;

CREATE TABLESPACE elsewhere OWNER postgres LOCATION '/a/place';
GRANT ALL ON TABLESPACE elsewhere TO clerk;
GRANT SET ON PARAMETER log_min_messages TO clerk;

\\unrestrict WnHnQG1rFkGrBUBVCXkHJlfWUqQ
"""


def test_each_object_is_named():
    """By its kind and its name; a name that has a line break stays on its line."""
    assert set(globals_of(SCRIPT)) == {
        "role clerk",
        "comment role clerk",
        'role "Dr ""X"";\\nHouse"',
        "setting clerk",
        "setting clerk in hl7",
        "membership clerk in readers",
        "tablespace elsewhere",
        "acl tablespace elsewhere",
        "acl parameter log_min_messages",
    }


def test_no_name_and_no_digest_tells_a_password():
    """Not even its hash, or what it was salted with."""
    shown = str(globals_of(SCRIPT))
    assert not [part for part in (VERIFIER, "SCRAM", "c2FsdA", "it's") if part in shown]


CHANGES = {
    "a password": ("a2V5", "b2V5", "role clerk"),
    "a right": ("INHERIT LOGIN", "INHERIT NOLOGIN", "role clerk"),
    "a comment's second line": ("two lines", "three lines", "comment role clerk"),
    "a setting": ("'5MB'", "'6MB'", "setting clerk"),
    "a setting in a database": ("'a', 'b'", "'b', 'a'", "setting clerk in hl7"),
    "a membership": ("INHERIT TRUE", "INHERIT FALSE", "membership clerk in readers"),
    "an owner": ("OWNER postgres", "OWNER clerk", "tablespace elsewhere"),
    "a grant": (
        "GRANT ALL ON TABLESPACE",
        "GRANT CREATE ON TABLESPACE",
        "acl tablespace elsewhere",
    ),
    "a role of a strange name": (
        'House" WITH SUPERUSER',
        'House" WITH NOSUPERUSER',
        'role "Dr ""X"";\\nHouse"',
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_in_its_object_alone(change):
    """Nothing else seems to have changed."""
    before, after, name = CHANGES[change]
    one, other = globals_of(SCRIPT), globals_of(SCRIPT.replace(before, after))
    assert before in SCRIPT
    assert [each for each in one | other if one.get(each) != other.get(each)] == [name]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("'/a/place'", "'/another''s place'"),
        ("WnHnQG1rFkGrBUBVCXkHJlfWUqQ", "AnotherKey"),
        ("client_encoding = 'UTF8'", "client_encoding = 'LATIN1'"),
        ("-- Roles\n", "-- Roles and more\n"),
    ],
)
def test_what_is_another_in_each_copy_does_not_count(before, after):
    """Where a tablespace lies, the key of the script, its frame."""
    assert globals_of(SCRIPT) == globals_of(SCRIPT.replace(before, after))


def test_the_order_of_statements_about_one_object_does_not_count_for_others():
    """Objects may come in another order."""
    lines = [each for each in statements(SCRIPT) if each.startswith(("CREATE", "ALTER", "GRANT"))]
    there = globals_of("\n".join(lines))
    assert there == globals_of("\n".join(sorted(lines, key=lambda each: each[:5] == "GRANT")))


def test_a_statement_of_an_unknown_kind_is_not_lost():
    """It counts, whatever it is about."""
    one = globals_of("CREATE SOMETHING new;\n")
    assert len(one) == 1
    assert globals_of("CREATE SOMETHING other;\n") != one


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", []),
        ("-- nothing\n\n", []),
        ("A;\nB;\n", ["A;", "B;"]),
        ("A\n B;\n", ["A\n B;"]),
        ("A 'x;\ny';\nB;\n", ["A 'x;\ny';", "B;"]),
        ("A 'it''s;\n';\n", ["A 'it''s;\n';"]),
        ('A "x\'y;\n";\nB;\n', ['A "x\'y;\n";', "B;"]),
        ("A '--\n-- no comment\n';\n", ["A '--\n-- no comment\n';"]),
        ("A '\\';\nB;\n", ["A '\\';", "B;"]),
        ("A without an end", ["A without an end"]),
    ],
)
def test_a_script_is_split_into_its_statements(script, expected):
    """Quotes hold together what lies between them."""
    assert list(statements(script)) == expected


def entry(number, kind, tag, *needs, schema="hl7", said="", catalog=0, oid=0):
    """Return an entry of a dump."""
    return Entry(number, catalog, oid, kind, schema, tag, "me", "", "", said, frozenset(needs))


NAMED = [
    (entry(1, "TABLE", "patients"), "table hl7.patients"),
    (entry(1, "TABLE", 'Odd "name"', schema="public"), 'table public."Odd ""name"""'),
    (entry(1, "ACL", "TABLE patients"), "acl table hl7.patients"),
    (entry(1, "COMMENT", "TABLE patients"), "comment table hl7.patients"),
    (entry(1, "FUNCTION", "one(integer)"), "function hl7.one(integer)"),
    (entry(1, "SCHEMA", "My.Schema", schema=""), 'schema "My.Schema"'),
    (entry(1, "INDEX", "a\nb"), 'index hl7."a\\nb"'),
    (entry(1, "EXTENSION", "pg_trgm", schema=""), "extension pg_trgm"),
    (entry(1, "DATABASE PROPERTIES", "hl7", schema=""), "database properties hl7"),
]


@pytest.mark.parametrize(("one", "name"), NAMED)
def test_an_object_is_called_by_its_kind_and_name(one, name):
    """Quoted where it needs it; of a comment or a grant, what it is about."""
    assert [each.name for each in definitions([one])] == [name]


def test_contents_are_no_definitions():
    """Rows, large objects, how far sequences have run; nor what is about large objects."""
    dumped = [
        entry(1, "TABLE DATA", "patients"),
        entry(2, "SEQUENCE SET", "counter"),
        entry(3, "BLOB", "4711"),
        entry(4, "COMMENT", "LARGE OBJECT 4711"),
        entry(5, "ACL", "LARGE OBJECTS 4711..4712"),
        entry(6, "ENCODING", "ENCODING"),
    ]
    assert definitions(dumped) == []


def test_a_definition_tells_the_objects_that_it_needs():
    """Directly, by others, and in circles."""
    dumped = [
        entry(1, "TABLE", "a", 3, catalog=1259, oid=50011),
        entry(2, "TYPE", "b", 1, catalog=1247, oid=50012),
        entry(3, "FUNCTION", "c()", 2, catalog=1255, oid=50013),
        entry(4, "COMMENT", "TABLE a", 1),
        entry(5, "TABLE", "alone", 99, catalog=1259, oid=50015),
    ]
    found = {each.name: each.keys for each in definitions(dumped)}
    every = {(1259, 50011), (1247, 50012), (1255, 50013)}
    assert found["table hl7.a"] == found["type hl7.b"] == found["function hl7.c()"] == every
    assert found["comment table hl7.a"] == every
    assert found["table hl7.alone"] == {(1259, 50015)}


def test_entries_of_one_name_are_one_definition():
    """Whichever of them changes, it does."""
    one = [entry(1, "ACL", "TABLE a", said="x"), entry(2, "ACL", "TABLE a", said="y")]
    other = [one[0], entry(2, "ACL", "TABLE a", said="z")]
    (before,), (after,) = definitions(one), definitions(other)
    assert before.name == after.name
    assert before.digest != after.digest


@pytest.mark.parametrize(
    ("said", "may"),
    [
        ('pg_dump: error: relation "a" does not exist', True),
        ("ERROR:  canceling statement due to lock timeout", True),
        ("server closed the connection unexpectedly", True),
        ("permission denied for schema x", False),
    ],
)
def test_what_goes_on_in_the_server_may_be_over_the_next_time(said, may):
    """Anything else fails at once."""
    assert schema_dump.may_succeed_again(OpsError("pg_dump failed", seen=said)) is may
