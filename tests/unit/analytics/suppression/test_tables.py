"""Tables as reports show them, and the cells they are made of."""

import pytest

from tasks.analytics.suppression.cells import Cells, Equation, crossed, named
from tasks.analytics.suppression.tables import (
    share,
    shown,
    spelled,
    suppress_one_way,
    suppress_pairs,
    suppress_top,
    suppress_two_way,
)
from tasks.control.errors import Refused


def test_a_table_in_one_direction_keeps_its_order_and_its_total():
    """Two cells are lost, zero is shown."""
    table = suppress_one_way({"c": 5, "b": 20, "a": 0, "d": 400})
    assert list(table.items()) == [
        ("c", None),
        ("b", None),
        ("a", 0),
        ("d", 400),
        ("total", 425),
    ]


def test_without_a_shown_total_only_small_counts_are_lost():
    """There is nothing to subtract from."""
    assert suppress_one_way({"a": 5, "b": 20}, total_is_shown=False) == {"a": None, "b": 20}


def test_a_table_in_two_directions_has_its_totals():
    """A combination that nobody has counts 0."""
    table = suppress_two_way({("a", "F"): 50, ("a", "M"): 70, ("b", "F"): 90})
    assert table["b", "M"] == 0
    assert (table["a", "total"], table["total", "F"], table["total", "total"]) == (120, 140, 210)


def test_a_table_in_two_directions_loses_a_rectangle():
    """The small corner and three others."""
    counts = {("a", "F"): 5, ("a", "M"): 50, ("b", "F"): 70, ("b", "M"): 90, ("c", "F"): 170}
    table = suppress_two_way(counts | {("c", "M"): 190})
    assert [key for key, count in table.items() if count is None] == [
        ("a", "F"),
        ("a", "M"),
        ("b", "F"),
        ("b", "M"),
    ]


def test_a_top_list_hides_few_and_nearly_all():
    """Ninety-five of a hundred are five of a hundred."""
    counts, whole = suppress_top({"x": 95, "y": 60, "z": 5}, 100)
    assert (counts, whole) == ({"x": None, "y": 60, "z": None}, 100)


def test_a_top_list_in_a_small_whole_hides_the_whole():
    """Nine patients are not counted."""
    assert suppress_top({"x": 9, "y": 0}, 9) == ({"x": None, "y": 0}, None)


def test_pairs_are_hidden_by_their_remainders():
    """Forty-five of the fifty with x have y too; nobody else is small."""
    singles, pairs = suppress_pairs(
        {"x": 50, "y": 60, "z": 95}, {("x", "y"): 45, ("y", "z"): 30, ("x", "z"): 2}
    )
    assert singles == {"x": 50, "y": 60, "z": 95}
    assert pairs == {("x", "y"): None, ("y", "z"): 30, ("x", "z"): None}


def test_pairs_in_a_shown_population_hide_those_with_neither():
    """Of 105 patients 100 have one code or both, so five have none."""
    assert suppress_pairs({"x": 60, "y": 60}, {("x", "y"): 20})[1] == {("x", "y"): 20}
    singles, pairs = suppress_pairs({"x": 60, "y": 60}, {("x", "y"): 20}, 105)
    assert None in (*singles.values(), *pairs.values())


@pytest.mark.parametrize(
    ("count", "whole", "expected"),
    [(20, 30, 66.7), (0, 30, 0.0), (None, 30, None), (20, None, None), (0, 0, None)],
)
def test_a_share_is_shown_only_of_shown_counts(count, whole, expected):
    """Either count would follow from the percentage and the other."""
    assert share(count, whole) == expected


def test_counts_are_spelled():
    """Nothing but a number is a number."""
    assert [spelled(1204), spelled(0), spelled(None)] == ["1,204", "0", "suppressed"]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Cells({"a": -1}), "negative"),
        (lambda: Cells({"a": 1}, (Equation("a", ("b",)),)), "without a count"),
        (lambda: Cells({"a": 3, "b": 2}, (Equation("a", ("b",)),)), "do not add up"),
        (lambda: Cells({"a": 3}) + Cells({"a": 4}), "two counts"),
        (lambda: suppress_one_way({"total": 3}), "called like the total"),
        (lambda: suppress_two_way({("total", "x"): 3}), "called like the total"),
        (lambda: suppress_pairs({"a": 30}, {("a", "b"): 12}), "without a count"),
    ],
)
def test_counts_that_cannot_be_are_refused(make, text):
    """A page that contradicts itself would be protected wrongly; its counts are not told."""
    with pytest.raises(Refused, match=text):
        make()


def test_what_one_table_shows_is_not_hidden_by_another():
    """A total that only one of two tables shows is on the page."""
    without = crossed({("F",): 50, ("M",): 60}, ("sex",), shows_totals=False)
    assert without.hidden == {named()}
    assert (without + crossed({("F",): 50, ("M",): 60}, ("sex",))).hidden == frozenset()
    assert shown(without) == {named(sex="F"): 50, named(sex="M"): 60}
