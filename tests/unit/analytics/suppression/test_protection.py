"""Suppression against the attacker: nothing small is found out, and little is lost for it."""

import random
import time
from itertools import product

import pytest

from tasks.analytics.suppression.attack import Published, Share, derivable, disclosed, ranges
from tasks.analytics.suppression.cells import (
    Cells,
    Equation,
    change,
    changed,
    crossed,
    named,
    overlap,
    subset,
)
from tasks.analytics.suppression.protection import protect
from tests.unit.analytics.suppression import pages


def chance(draw, seeds):
    """Protect and attack a page for each seed; return the pages with what was suppressed."""
    done = []
    for seed in seeds:
        cells = draw(random.Random(seed))
        suppressed = protect(cells)
        assert disclosed(cells, suppressed) == {}, (seed, cells.counts, suppressed)
        done.append((cells, suppressed))
    return done


@pytest.mark.parametrize(
    ("draw", "number"),
    [
        (pages.one_way, 1000),
        (pages.two_way, 400),
        (pages.top, 400),
        (pages.pairs, 600),
        (pages.linked, 40),
    ],
)
def test_the_attacker_finds_out_nothing(draw, number):
    """Thousands of random pages: no small count is shown, exact, or narrowed down."""
    done = chance(draw, range(number))
    assert sum(bool(suppressed) for _, suppressed in done) > number / 3


@pytest.mark.parametrize("seed", range(150))
def test_who_reads_a_second_page_finds_out_nothing(seed):
    """What the first shows, the second shows; together they tell nothing small."""
    rng = random.Random(seed)
    first = crossed(
        {(f"a{row}", f"b{column}"): pages.count(rng) for row in range(3) for column in range(2)},
        ("a", "b"),
    )
    taken = protect(first)
    whole, second = first.counts[named()], first
    for number in range(3):
        code = named(code=f"{number}")
        second += subset(
            code, rng.choice([max(whole - 5, 0), rng.randint(0, whole)]), named(), whole
        )
    more = protect(second, first.shown - taken, taken)
    assert more & first.shown == taken
    assert disclosed(second, more) == {}


@pytest.mark.parametrize(
    "odds",
    [
        {"small": 0.85, "zero": 0.15},
        {"small": 0.3, "zero": 0.7},
        {"small": 1.0, "zero": 0.0},
        {"small": 0.05, "zero": 0.0, "most": 5_000_000},
    ],
)
def test_odd_tables_stand_the_attacker(odds):
    """All small, nearly all zero, or one small count among millions."""
    chance(lambda rng: pages.two_way(rng, **odds), range(60))
    chance(lambda rng: pages.one_way(rng, **odds), range(60))


def test_without_complements_the_attacker_finds_small_counts():
    """The attack is one: with small cells alone suppressed, most pages give some of them away."""
    found = sum(
        bool(disclosed(cells, cells.small - cells.hidden))
        for cells in (pages.two_way(random.Random(seed)) for seed in range(100))
        if cells.small
    )
    assert found > 50


def test_no_complementary_cell_is_suppressed_for_nothing():
    """Whichever of them is shown again, some small count is given away."""
    for seed in range(60):
        cells = pages.two_way(random.Random(seed))
        suppressed = protect(cells)
        for cell in suppressed - cells.small:
            assert disclosed(cells, suppressed - {cell}) != {}


def possible(cells, suppressed, most):
    """Count out all tables of two by two that look the same; return what each cell can be."""
    inner = [named(a=a, b=b) for a in ("a0", "a1") for b in ("b0", "b1")]
    unknown = [cell for cell in inner if cell in suppressed]
    seen = {}
    for counts in product(range(1, most), repeat=len(unknown)):
        page = cells.counts | dict(zip(unknown, counts, strict=True))
        full = crossed(
            {(a, b): page[named(a=a, b=b)] for a in ("a0", "a1") for b in ("b0", "b1")}, ("a", "b")
        )
        if all(full.counts[cell] == cells.counts[cell] for cell in cells.shown - suppressed):
            for cell in suppressed:
                seen.setdefault(cell, set()).add(full.counts[cell])
    return seen


def test_the_attacker_finds_just_what_counting_out_finds():
    """A second attacker, who tries all small tables, sees the same least and greatest counts."""
    checked = 0
    for seed in range(180):
        rng = random.Random(seed)
        table = {(a, b): rng.randint(0, 13) for a in ("a0", "a1") for b in ("b0", "b1")}
        cells = crossed(table, ("a", "b"))
        some = [cell for cell in cells.counts if cells.counts[cell]]
        suppressed = frozenset(rng.sample(some, min(len(some), rng.choice([1, 2, 3]))))
        margins = [cell for cell in suppressed if len(cell) < 2]
        if margins:
            continue
        shown = {cell: cells.counts[cell] for cell in cells.shown - suppressed}
        found = ranges(Published(shown, cells.equations, suppressed=suppressed))
        seen = possible(cells, suppressed, 28)
        assert {c: (min(v), max(v)) for c, v in seen.items()} == {
            c: (each.low, each.high) for c, each in found.items()
        }
        checked += 1
    assert checked > 30


def test_a_table_without_small_counts_loses_nothing():
    """Zeros and counts from eleven on are shown."""
    assert protect(crossed({("a", "F"): 0, ("a", "M"): 11, ("b", "F"): 50}, ("x", "y"))) == set()


@pytest.mark.parametrize("small", range(1, 11))
def test_one_small_count_takes_the_cheapest_other_with_it(small):
    """A table in one direction loses two cells, of which one is the smallest of the others."""
    table = crossed({("a",): small, ("b",): 11, ("c",): 400, ("d",): 0}, ("x",))
    assert protect(table) == {named(x="a"), named(x="b")}


def test_one_small_count_in_two_directions_takes_three_others():
    """The corners of a rectangle, or a corner and the totals beside it."""
    counts = {(f"a{row}", f"b{column}"): 100 for row in range(4) for column in range(3)}
    assert len(protect(crossed(counts | {("a1", "b1"): 4}, ("a", "b")))) == 4


def test_small_counts_that_are_small_together_take_another():
    """Five and three of eight would be known to be under eleven."""
    table = crossed({("a",): 5, ("b",): 3, ("c",): 40, ("d",): 90}, ("x",))
    assert protect(table) == {named(x=each) for each in "abc"}


def test_small_counts_that_hide_each_other_take_none():
    """Eight and five of thirteen can each be one to twelve."""
    table = crossed({("a",): 5, ("b",): 8, ("c",): 40}, ("x",))
    assert protect(table) == {named(x="a"), named(x="b")}


def test_without_a_total_only_small_counts_go():
    """Nothing can be subtracted."""
    table = crossed({("a",): 5, ("b",): 40}, ("x",), shows_totals=False)
    assert protect(table) == {named(x="a")}


@pytest.mark.parametrize(
    ("both", "one", "other", "hidden"),
    [
        (20, 50, 60, False),
        (4, 50, 60, True),
        (45, 50, 60, True),
        (50, 50, 61, False),
        (45, 60, 50, True),
        (0, 50, 60, False),
    ],
)
def test_a_pair_is_hidden_where_it_or_a_remainder_is_small(both, one, other, hidden):
    """Forty-five of fifty leave five who have the one code alone."""
    table = overlap("both", both, ("one", one), ("other", other))
    assert protect(table) == ({"both"} if hidden else set())


@pytest.mark.parametrize(("count", "hidden"), [(95, True), (89, False), (100, False), (3, True)])
def test_a_count_is_hidden_where_the_rest_of_the_whole_is_small(count, hidden):
    """Of 100 patients, 95 with a code are 5 without."""
    assert protect(subset("part", count, "whole", 100)) == ({"part"} if hidden else set())


def test_the_same_cell_in_two_tables_is_suppressed_in_both():
    """Women are five in the second table, so the first one hides them as well."""
    by_age = crossed({("old", "F"): 30, ("old", "M"): 50, ("young", "F"): 40}, ("age", "sex"))
    by_state = crossed({("F", "yes"): 65, ("F", "no"): 5, ("M", "yes"): 50}, ("sex", "active"))
    suppressed = protect(by_age + by_state)
    assert disclosed(by_age + by_state, suppressed) == {}
    assert named(sex="F", active="no") in suppressed
    assert len(suppressed) <= 4


def test_a_change_is_suppressed_with_either_of_its_counts():
    """Forty now and a change of thirty-four are six before."""
    table = change(("now", 40), ("prior", 6))
    assert protect(table) == {"prior", changed("now", "prior")}
    given_away = disclosed(table, frozenset({"prior"}))
    assert (given_away["prior"].low, given_away["prior"].high) == (6, 6)


def test_a_change_of_few_between_large_counts_is_shown():
    """A difference counts nobody."""
    assert protect(change(("now", 40), ("prior", 37))) == set()


def test_a_share_of_a_suppressed_count_gives_it_away():
    """4.9 % of 102 are five; the attacker reads rounded percentages as ranges."""
    equations = [Equation("all", ("few", "many"))]
    page = Published({"all": 102}, equations, suppressed=frozenset({"few", "many"}))
    assert derivable(page) == {}
    told = Published(
        {"all": 102}, equations, [Share("few", "all", 4.9)], frozenset({"few", "many"})
    )
    assert derivable(told)["few"].is_exact
    vague = Published(
        {"all": 102}, equations, [Share("few", "all", 5, decimals=0)], frozenset({"few", "many"})
    )
    assert (ranges(vague)["few"].low, ranges(vague)["few"].high) == (5, 5)
    large = Published(
        {"all": 1020}, equations, [Share("few", "all", 1, decimals=0)], frozenset({"few", "many"})
    )
    assert (ranges(large)["few"].low, ranges(large)["few"].high) == (6, 15)


def test_a_share_of_a_shown_count_gives_away_its_whole():
    """A suppressed total is as good as printed beside a count and its percentage."""
    page = Published({"some": 20}, (), [Share("some", "all", 66.7)], frozenset({"all"}))
    assert derivable(page)["all"].low == 30


def test_a_page_that_contradicts_itself_is_named_so():
    """No counts fit: that is a bug in the page, not a safe page."""
    page = Published({"all": 5, "a": 9}, [Equation("all", ("a", "b"))])
    with pytest.raises(ValueError, match="contradict"):
        ranges(page)


def test_a_large_table_is_protected_within_a_second():
    """Twelve by eight with all totals; the best of three, since the machine is shared."""
    took = []
    for seed in range(3):
        cells = pages.two_way(random.Random(seed), 12, 8)
        started = time.perf_counter()
        suppressed = protect(cells)
        took.append(time.perf_counter() - started)
        assert disclosed(cells, suppressed) == {}
    assert min(took) < 1


def test_the_same_page_is_suppressed_alike_every_time():
    """Two runs publish the same page, or their difference would tell."""
    first = protect(pages.linked(random.Random(5)))
    assert protect(pages.linked(random.Random(5))) == first


def test_loss_stays_small():
    """On tables of chance fewer complementary than small cells go, and most others stay."""
    done = chance(lambda rng: pages.two_way(rng, 5, 3), range(60))
    small = sum(len(cells.small) for cells, _ in done)
    others = sum(len(suppressed - cells.small) for cells, suppressed in done)
    assert others < small
    assert all(len(cells.small) * 3 >= len(suppressed - cells.small) for cells, suppressed in done)


def test_an_empty_page_is_safe():
    """Nothing is counted, nothing is lost."""
    assert protect(Cells({})) == set()
