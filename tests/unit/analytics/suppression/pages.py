"""Pages by chance: tables in which small counts, zeros and large ones stand beside each other."""

from tasks.analytics.suppression.cells import Cells, change, crossed, named, overlap, subset


def count(rng, small=0.3, zero=0.15, most=400):
    """Draw a count: zero, small, just above, or any."""
    dice = rng.random()
    if dice < zero:
        return 0
    if dice < zero + small:
        return rng.randint(1, 10)
    return rng.randint(11, 14) if dice > 0.9 else rng.randint(11, most)


def one_way(rng, **odds):
    """Draw a table of two to seven categories with its total."""
    return crossed({(f"a{n}",): count(rng, **odds) for n in range(rng.randint(2, 7))}, ("a",))


def two_way(rng, rows=None, columns=None, **odds):
    """Draw a table with totals on both sides."""
    rows, columns = rows or rng.randint(2, 4), columns or rng.randint(2, 3)
    keys = [(f"a{row}", f"b{column}") for row in range(rows) for column in range(columns)]
    return crossed({key: count(rng, **odds) for key in keys}, ("a", "b"))


def top(rng):
    """Draw counts of codes that overlap, in a shown whole."""
    whole = count(rng, small=0.1, zero=0)
    page = Cells({named(): whole})
    for number in range(rng.randint(1, 5)):
        page += subset(named(code=f"{number}"), rng.randint(0, whole), named(), whole)
    return page


def pairs(rng):
    """Draw two groups and those who are in both."""
    one, other = count(rng, zero=0), count(rng, zero=0)
    both = rng.choice([0, min(one, other), rng.randint(0, min(one, other))])
    return overlap("both", both, ("one", one), ("other", other))


def linked(rng):
    """Draw one page: sexes by age band, activity by sex, the prior period, and the changes."""
    page = Cells({})
    for period in ("now", "prior"):
        within = {"period": period}
        counts = {(a, s, "yes"): count(rng) for a in ("young", "old") for s in ("F", "M")}
        counts |= {(a, s, "no"): count(rng) for a in ("young", "old") for s in ("F", "M")}
        page += crossed(_summed(counts, 0, 1), ("age", "sex"), within)
        page += crossed(_summed(counts, 1, 2), ("sex", "active"), within)
        page += crossed(_summed(counts, 1), ("sex",), within)
    for sex in ("F", "M"):
        now, prior = named(sex=sex, period="now"), named(sex=sex, period="prior")
        page += change((now, page.counts[now]), (prior, page.counts[prior]))
    return page


def _summed(counts, *places):
    """Sum counts over all places but some."""
    sums = {}
    for key, each in counts.items():
        kept = tuple(key[place] for place in places)
        sums[kept] = sums.get(kept, 0) + each
    return sums
