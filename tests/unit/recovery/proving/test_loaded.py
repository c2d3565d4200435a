"""A copy that was loaded, held against its dump: what must be equal, and what no dump carries."""

from dataclasses import replace

import pytest

from tasks.postgres.schema_dump import Definition
from tasks.recovery.copies.fixpoint import LoadedDump
from tasks.recovery.proving.comparison import Part, Row
from tasks.recovery.proving.holding import not_compared
from tasks.recovery.proving.loaded import checks, compare
from tasks.repository.fingerprint import Found
from tasks.repository.seal import Fingerprint, TableSeal


TABLE = "table app.a"
INDEX = "index app.a_idx"
GRANT = "acl table app.a"
OWN = "database properties hl7"


def defined(**digests):
    """Return definitions by a short name of each."""
    names = {"table": TABLE, "index": INDEX, "grant": GRANT, "own": OWN}
    kinds = {"table": "TABLE", "index": "INDEX", "grant": "ACL", "own": "DATABASE PROPERTIES"}
    return [Definition(names[k], kinds[k], digest, frozenset()) for k, digest in digests.items()]


def never():
    """Load nothing once more."""
    pytest.fail("it was loaded once more for nothing")


def differing(compared):
    """Return the names of what the copy has not as it must."""
    return [row.subject for row in compared.rows if row.sealed != row.copied]


def test_an_equal_copy_is_equal_without_loading_anything_once_more():
    """Each definition is a row of its own."""
    dumped = defined(table="1", index="2")
    compared = compare(dumped, defined(index="2", table="1"), never)
    assert compared.rows == [Row(INDEX, "2", "2"), Row(TABLE, "1", "1")]
    assert compared.not_carried == []


CASES = {
    "respelled": ({"table": "1"}, {"table": "1b"}, {"table": "1b"}, [], []),
    "respelled, and damaged": ({"table": "1"}, {"table": "9"}, {"table": "1b"}, [TABLE], []),
    "damaged": ({"table": "1"}, {"table": "9"}, {"table": "1"}, [TABLE], []),
    "not respelled, as the dump's would be": (
        {"table": "1", "index": "2"},
        {"table": "1", "index": "9"},
        {"table": "1b", "index": "2"},
        [INDEX],
        [],
    ),
    "lost on the way": (
        {"table": "1", "index": "2"},
        {"table": "1"},
        {"table": "1", "index": "2"},
        [INDEX],
        [],
    ),
    "never carried": ({"table": "1", "grant": "3"}, {"table": "1"}, {"table": "1"}, [], [GRANT]),
    "carried as something else": ({"grant": "3"}, {"grant": "3b"}, {"grant": "3b"}, [], [GRANT]),
    "an object more": ({"table": "1"}, {"table": "1", "index": "2"}, {"table": "1"}, [INDEX], []),
    "an object more, wherever it is loaded": (
        {"table": "1"},
        {"table": "1", "grant": "3"},
        {"table": "1", "grant": "3"},
        [],
        [GRANT],
    ),
    "an object more that differs from what loading makes": (
        {"table": "1"},
        {"table": "1", "grant": "9"},
        {"table": "1", "grant": "3"},
        [GRANT],
        [],
    ),
    "about the database itself": ({"own": "5"}, {"own": "6"}, {"own": "6"}, [OWN], []),
    "the database itself is gone": ({"own": "5"}, {}, {}, [OWN], []),
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_copy_must_have_is_what_its_dump_becomes(case):
    """Damage fails; what no dump carries is named, and does not fail."""
    dumped, copied, again, bad, not_carried = CASES[case]
    compared = compare(defined(**dumped), defined(**copied), lambda: defined(**again))
    assert differing(compared) == bad
    assert compared.not_carried == not_carried


ACROSS = {
    "respelled, of any kind": ({"grant": "3"}, {"grant": "3b"}, {"grant": "3b"}, [], []),
    "damaged": ({"grant": "3"}, {"grant": "9"}, {"grant": "3b"}, [GRANT], []),
    "never carried": ({"grant": "3", "table": "1"}, {"table": "1"}, {"table": "1"}, [], [GRANT]),
    "the database itself, spelled anew": ({"own": "5"}, {"own": "6"}, {}, [], []),
    "the database itself, gone": ({"own": "5"}, {}, {}, [OWN], []),
}


@pytest.mark.parametrize("case", ACROSS)
def test_another_version_may_spell_everything_in_its_own_way(case):
    """But loses nothing, and damages nothing."""
    dumped, copied, again, bad, not_carried = ACROSS[case]
    compared = compare(defined(**dumped), defined(**copied), lambda: defined(**again), across=True)
    assert differing(compared) == bad
    assert compared.not_carried == not_carried


class Dump(LoadedDump):
    """A dump of one table, as if it was read."""

    def definitions(self):
        """Return what it holds."""
        return defined(table="1", grant="3")

    def fixpoint(self):
        """Return what it becomes, which is less."""
        return defined(table="1b")


DUMP = Dump(None, None, None)


def found(**digests):
    """Return a copy that holds definitions."""
    return Found(definitions={f"hl7: {each.name}": each for each in defined(**digests)})


def test_what_is_not_carried_makes_the_proof_partial():
    """And is named, with its database."""
    equal, carried = checks(
        Part(Fingerprint([], [], []), is_loaded=True),
        found(table="1b"),
        {"hl7": DUMP},
        across=False,
    )
    assert (equal.outcome, equal.name) == ("pass", "definitions: the copy equals the seal")
    assert (carried.outcome, carried.seen) == ("partial", f"hl7: {GRANT}")


def test_a_damaged_copy_fails_by_name():
    """Beside what is not carried."""
    equal, carried = checks(
        Part(Fingerprint([], [], []), is_loaded=True), found(table="9"), {"hl7": DUMP}, across=False
    )
    assert (equal.outcome, equal.seen) == ("fail", f"hl7: {TABLE}")
    assert carried.outcome == "partial"


@pytest.mark.parametrize(
    ("there", "outcome"),
    [({"role clerk": "7"}, "pass"), ({"role clerk": "8"}, "fail"), ({}, "fail")],
)
def test_what_all_databases_share_is_held_against_the_seal(there, outcome):
    """It is in no dump of a database."""
    sealed = Fingerprint([], [], [], definitions={"all databases: role clerk": "7"})
    copy = Found(
        definitions={
            f"all databases: {name}": Definition(
                f"all databases: {name}", "GLOBAL", digest, frozenset()
            )
            for name, digest in there.items()
        }
    )
    (check,) = checks(Part(sealed, is_loaded=True), copy, {}, across=False)
    assert check.outcome == outcome
    (across,) = checks(Part(sealed, is_loaded=True), copy, {}, across=True)
    assert across.outcome == ("pass" if there else "fail")


NOT_LOADED = ["hl7: TABLE app.ab", 'hl7: INDEX "app.a_idx": role "clerk" does not exist']


def test_what_could_not_be_loaded_is_not_carried_and_damages_nothing():
    """It is known by kind and whole name; what is missing beside it fails."""

    class Whole(Dump):
        def definitions(self):
            return defined(table="1", index="2")

        fixpoint = definitions

    equal, carried = checks(
        Part(Fingerprint([], [], []), is_loaded=True),
        found(),
        {"hl7": Whole(None, None, None)},
        NOT_LOADED,
        across=False,
    )
    assert (equal.outcome, equal.seen) == ("fail", f"hl7: {TABLE}")
    assert (carried.outcome, carried.seen) == ("partial", f"hl7: {INDEX}")


VIEW = TableSeal("hl7", "app.v", 1, "1", None, is_view=True)

BROUGHT = TableSeal("hl7", "app.srs", 1, "1", None, extension="postgis")


def made_anew(table):
    """Return what was sealed of a table, and a copy that has other rows of it."""
    sealed = Fingerprint([table], [], [], definitions={}, moments={"hl7": 0})
    copy = Found(tables={table.name: replace(table, rows=2, digest="2")}, listed={table.name})
    return Part(sealed, is_loaded=True), copy


def test_a_view_that_was_stale_is_named_and_fails_nothing():
    """A dump carries how it is made, not what it held: that is known, and all that can be had."""
    part, copy = made_anew(VIEW)
    assert [each.outcome for each in checks(part, copy, {}, across=False)] == ["pass"]
    (named,) = not_compared(part, copy)
    assert (named.outcome, named.name) == ("pass", "what is left out is known")
    assert named.seen == "hl7.app.v (it was stale, and is refreshed when it is loaded)"


def test_rows_that_an_extension_brings_make_the_proof_partial_where_they_differ():
    """Another version of it is installed here; its table is named with it."""
    part, copy = made_anew(BROUGHT)
    made = checks(part, copy, {}, across=False)
    assert (made[-1].outcome, made[-1].seen) == ("partial", "hl7.app.srs (postgis)")
    assert not_compared(part, copy) == []
