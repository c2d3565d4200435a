"""A small sample of the hostile catalogue; all of it is `python -m benchmarks hostile.run`."""

import shutil
import tempfile
from pathlib import Path

import pytest

from benchmarks.hostile import mutate, oracle, run
from benchmarks.hostile.cluster import place
from benchmarks.hostile.drawing import SEVENTEEN, Drawn
from benchmarks.hostile.features import Feature, features, read
from benchmarks.hostile.one import live
from tasks.backup.take import take


QUIET = {
    "objects": (
        *("jsonb_numbers", "partitions", "sequences", "identity"),
        *("roles", "text_search", "large_objects", "no_columns"),
    ),
    "names": (
        *("names_of_ours", "dotted_names", "quoted_names", "keywords"),
        *("database_names", "role_names", "encodings", "shadowing"),
    ),
    "databases": (
        *("many_databases", "template_database", "read_only_database", "unconnectable_database"),
        *("connection_limits", "invalid_database", "domains_not_null", "quoting_settings"),
    ),
    "work": (
        *("work_tables", "rotated_partitions", "truncate_and_reload", "refreshed"),
        *("swapped_tables", "schemas_come_and_go", "domain_over_composite", "search_path_of_roles"),
    ),
    "locks": ("thousands_of_tables", "writing"),
    "18": ("virtual_columns", "constraints_of_18", "builtin_locale"),
}
"""Features that one cluster has, by what they are about."""

CLUSTERS = (
    *((about, major) for major in (15, 16, 18) for about in ("objects", "databases")),
    *((about, major) for major in (15, 16) for about in ("names",)),
    *((about, major) for major in (16, 18) for about in ("work",)),
    ("locks", 18),
    ("18", 18),
    *((about, 17) for about in QUIET if about != "18" and SEVENTEEN.exists()),
)
"""Which of them on which version."""

WELL = {
    "kind": "full",
    "take": "taken",
    "verdict": "proven",
    "checks": [],
    "partial": [],
    "restore": "restored",
    "differs": [],
}


@pytest.fixture
def folder():
    """Make a folder that the servers' user can enter."""
    path = Path(tempfile.mkdtemp(prefix="hl7ops-hostile-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def of(outcome, *names, major=18):
    """Return what is not as wanted of one outcome in a cluster of some features."""
    found = {"features": names, "major": major, "unmade": [], "outcomes": [WELL | outcome]}
    return [kind for kind, _ in run.judged(found)]


@pytest.mark.parametrize(("about", "major"), CLUSTERS)
def test_a_cluster_of_many_features_is_proven_and_restored(folder, major, about):
    """Its copies hold what the oracle read in the source, whether recovered or loaded.

    16 is without contrib: there no proof is whole, and what was not looked at is named.
    """
    drawn = Drawn("sample", major, tuple(features()[name] for name in QUIET[about]))
    found = live(drawn, folder, ["full", "snapshot"])
    assert found["unmade"] == []
    assert list(run.judged(found)) == [], found


def test_a_mutation_is_told_apart_from_none(folder):
    """What changes something is named; what changes nothing, or cannot be done, is not.

    The garden holds a database that takes no connections, so that no proof of it is whole.
    """
    garden = read(mutate.FOLDER / "cluster.sql")["garden"]
    fixed = read(mutate.FOLDER / "fixed.sql")
    with place(Drawn("garden", 18, (garden,)), folder) as made:
        assert made.unmade == []
        backup = take(made.stanza)
        assert mutate.found_of(made, backup, fixed["row of no columns"]) == "named"
        assert mutate.found_of(made, backup, Feature("none", "select 1;")) == "unseen: partial"
        found = mutate.found_of(made, backup, Feature("wrong", "drop table nothing;"))
        assert found.startswith("not done")


def test_what_is_as_wanted_is_not_held_against_it():
    """Proven, restored and equal; or partial where something changes meanwhile."""
    assert of({}) == []
    assert of({"verdict": "partial", "partial": ["x"]}, "work_tables") == []
    named = {"verdict": "partial", "partial": ["closed"], "differs": ["closed t"]}
    assert of(named, "unconnectable_database") == []


@pytest.mark.parametrize(
    ("outcome", "names", "kind"),
    [
        ({"take": "OpsError"}, (), "full: take failed"),
        ({"differs": ["t"]}, (), "full: false proof"),
        ({"verdict": "failed"}, (), "full: false alarm"),
        ({"verdict": "error"}, (), "full: false alarm"),
        ({"verdict": "failed", "differs": ["t"]}, (), "full: not proven, and it differs"),
        ({"restore": "Refused"}, (), "full: restore failed"),
        ({"verdict": "partial"}, (), "full: partial without need"),
        ({"verdict": "partial", "differs": ["t"]}, ("work_tables",), "full: partial, differs"),
        ({}, ("unconnectable_database",), "full: proven, though not compared"),
        ({"verdict": "partial"}, ("unconnectable_database",), "full: not named"),
        ({"longest_s": 60.0}, (), "full: a user waited"),
    ],
)
def test_what_is_not_as_wanted_is_told(outcome, names, kind):
    """Each kind of it by its name."""
    assert of(outcome, *names) == [kind]


def test_the_oracle_tells_a_changed_a_missing_and_a_torn_table():
    """It names what differs, and what never was committed."""
    assert oracle.differences({"a": "1", "b": "2"}, {"a": "1", "b": "3"}) == ["b: 2 -> 3"]
    assert oracle.differences({"a": "1"}, {}) == ["a: 1 -> None"]
    whole = [b"7\n"] * oracle.ROWS
    assert list(oracle.torn("t", whole, b"r")) == []
    for rows in (whole[1:], [*whole[1:], b"8\n"], []):
        assert len(list(oracle.torn("t", rows, b"r"))) == 1


def test_features_that_set_the_same_thing_are_not_drawn_together():
    """Of two the first is taken; each seed gives the same cluster again, and none is missed."""
    from benchmarks.hostile.drawing import draw

    drawn = [draw(seed) for seed in range(64)]
    assert drawn == [draw(seed) for seed in range(64)]
    given = {one.name for each in drawn for one in each.features}
    assert given == set(features())
    for each in drawn:
        given = [value.partition(" = ")[0] for one in each.features for value in one.of("setting")]
        assert len(given) == len(set(given))
