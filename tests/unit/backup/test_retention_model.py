"""Retention in 10,000 random histories, held against laws that know nothing of the plan.

`world.py` is the model, `operations.py` what happens in it, `laws.py` what a cleanup must keep.
"""

import random
from collections import Counter
from dataclasses import replace

import pytest

from tasks.backup.inventory import start_of
from tasks.backup.retention import Plan, plan_retention
from tasks.backup.wal_window import spans_needed, unneeded
from tests.unit.backup.laws import Broken, Hands, clean
from tests.unit.backup.operations import happen, new_world


HISTORIES = 10_000
BLOCKS = 4
OPERATIONS = 18


def live(seed, hands, seen):
    """Let a world live through one history, cleaned up now and then, and at its end."""
    rng = random.Random(seed)
    world = new_world(rng)
    for _ in range(OPERATIONS):
        happen(world, rng)
        if rng.random() < 0.2:
            clean(world, rng.choice(world.stores), hands, rng, seen)
    for store in world.stores:
        clean(world, store, hands, rng, seen)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_no_history_loses_what_must_be_kept(block):
    """Every law holds in every history, and there was much to judge (F4, F5, F6).

    Clocks jump forward and back, timelines branch, an upgrade begins anew, backups are being taken
    and read meanwhile, two repositories keep for different times, cleanups break off and repeat.
    """
    seen, size = Counter(), HISTORIES // BLOCKS
    for seed in range(block * size, (block + 1) * size):
        try:
            live(seed, Hands(), seen)
        except Broken as broken:
            pytest.fail(f"history {seed} breaks the law of {broken.args}")
    assert seen["cleanups"] > 4 * size
    assert seen["dropped"] > seen["cleanups"] / 4
    assert seen["wal_removed"] > seen["cleanups"] / 4
    assert seen["owed"] > seen["points"] * 0.95
    assert seen["points"] > 10 * size


def breaks(hands, law, histories=3_000):
    """Tell whether somebody's decisions break a law in some history."""
    for seed in range(histories):
        try:
            live(seed, hands, Counter())
        except Broken as broken:
            if broken.args[0] == law:
                return True
    return False


def lets_go(phrase):
    """Return a plan that lets go what is kept for one reason alone."""

    def plan(*known):
        made = plan_retention(*known)
        return Plan([replace(d, keep=d.keep and not _is_only(d, phrase)) for d in made.decisions])

    return plan


def _is_only(decision, phrase):
    return all(phrase in reason for reason in decision.reason.split("; "))


def knowing(**less):
    """Return a plan to which something of the standings is not told."""

    def plan(entries, standings, policy, now):
        told = {name: replace(each, **less) for name, each in standings.items()}
        return plan_retention(entries, told, policy, now)

    return plan


def comparing(entries, standings, policy, now):
    """Plan as if whoever differs from its seal could not be restored."""
    told = {
        name: replace(each, passed=(), has_failed_bytes=True)
        if each.recovers and "contents" not in each.passed
        else each
        for name, each in standings.items()
    }
    return plan_retention(entries, told, policy, now)


def by_position(entries, standings, policy, now):
    """Plan as if what lies furthest were newest: by timeline and LSN."""
    known = [each for each in entries if hasattr(each, "finished_at")]
    times = sorted(each.finished_at for each in known)
    order = sorted(known, key=lambda each: (each.timeline, start_of(each)))
    moved = [replace(each, finished_at=at) for each, at in zip(order, times, strict=True)]
    others = [each for each in entries if each not in known]
    return plan_retention([*moved, *others], standings, policy, now)


def counting_everything(entries, standings, policy, now):
    """Plan as if snapshots and increments were full backups."""
    known = [replace(e, type="full") if hasattr(e, "type") else e for e in entries]
    return plan_retention(known, standings, policy, now)


def kept_reading(*known):
    """Plan anew on each call: of two that look at the same, one decides otherwise."""
    made = plan_retention(*known)
    first = min(known[0], key=lambda each: each.id).id == known[0][0].id
    return made if first else Plan([replace(d, reason=f"{d.reason}!") for d in made.decisions])


PLANS = {
    "what a proof recovered goes": (lets_go("known to recover"), "proven"),
    "the fully proven one goes": (lets_go("one proven"), "deepest"),
    "the fully proven snapshot goes": (lets_go("snapshot proven"), "deepest"),
    "proofs are not told": (knowing(passed=()), "proven"),
    "failed bytes are not told": (knowing(has_failed_bytes=False), "fewest"),
    "a failed comparison counts as failed bytes": (comparing, "fewest"),
    "ancestors are ignored": (lets_go("is built on it"), "ancestors"),
    "the window loses its beginning": (lets_go("window"), "window"),
    "a way back is not seen": (lets_go("set back"), "window"),
    "pins are ignored": (knowing(pin=None), "pinned"),
    "pins expire at once": (lets_go("pinned until"), "pinned"),
    "legal holds are ignored": (knowing(held=None), "held"),
    "readers are ignored (F5)": (knowing(in_use=False), "used"),
    "the newest is told by timeline and LSN (F4)": (by_position, "young"),
    "snapshots count as full ones (F5)": (counting_everything, "fewest"),
    "a small policy holds everywhere": (
        lambda e, s, p, n: plan_retention(e, s, replace(p, days=1, wal_days=1), n),
        "young",
    ),
    "a dry run differs": (kept_reading, "dry run"),
}


@pytest.mark.parametrize("worse", PLANS)
def test_a_worse_plan_breaks_a_law(worse):
    """The laws can fail: each of them is broken by a plan that forgets it."""
    plan, law = PLANS[worse]
    assert breaks(Hands(plan=plan), law)


def only_open(*known):
    """Keep no WAL for backups from before the window, pinned or not."""
    spans = spans_needed(*known)
    return {of: [each for each in found if each.end is None] for of, found in spans.items()}


def only_own(*known):
    """Keep each backup's own WAL, and none between."""
    found = spans_needed(*known)
    return {of: [replace(s, end=s.end or s.start) for s in spans] for of, spans in found.items()}


def of_the_newest_line(segments, spans):
    """Compare WAL by timeline: that of an earlier one is not needed."""
    newest = max((each.timeline for each in segments), default=0)
    return {*unneeded(segments, spans), *(each for each in segments if each.timeline < newest)}


WAL_HANDS = {
    "WAL of pinned backups goes (F6)": (Hands(spans=only_open), "own WAL"),
    "WAL between backups goes": (Hands(spans=only_own), "window"),
    "WAL of earlier timelines goes (F4)": (Hands(unneeded=of_the_newest_line), "own WAL"),
    "WAL goes under a backup in progress (F5)": (
        Hands(spans=only_own, waits=False),
        "in progress",
    ),
}


@pytest.mark.parametrize("worse", WAL_HANDS)
def test_a_worse_floor_of_wal_breaks_a_law(worse):
    """Of the window, of a kept backup's own WAL, or of the backup that is being taken."""
    hands, law = WAL_HANDS[worse]
    assert breaks(hands, law)


def test_a_plan_that_changes_its_mind_is_found():
    """A second cleanup right after the first must find nothing to do."""
    calls = iter(range(1_000_000))

    def plan(*known):
        made = plan_retention(*known)
        left = [each for each in made.decisions if each.keep]
        is_third = next(calls) % 3 == 2
        last = left[-1:] if is_third else []
        return Plan([replace(d, keep=d.keep and d not in last) for d in made.decisions])

    assert breaks(Hands(plan=plan), "twice")


def test_timelines_may_be_numbered_in_any_order():
    """A plan is the same where later timelines have lower numbers: their order is not looked at."""

    def plan(entries, standings, policy, now):
        made = plan_retention(entries, standings, policy, now)
        turned = [
            replace(each, timeline=1000 - each.timeline) if hasattr(each, "timeline") else each
            for each in entries
        ]
        assert plan_retention(turned, standings, policy, now) == made
        return made

    for seed in range(500):
        live(seed, Hands(plan=plan), Counter())
