"""What a cleanup must keep, told by the world and not by the plan; and the cleanup of a world.

`seen` counts what was judged, so that a pass is not a hollow one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from tasks.backup.retention import plan_retention
from tasks.backup.wal_window import spans_needed, unneeded
from tests.unit.backup.world import PASSED, SOUND


class Broken(AssertionError):
    """A cleanup broke a law; the first argument names it."""


@dataclass(frozen=True)
class Hands:
    """Who decides in a cleanup: ours, or one that a test has made worse."""

    plan: Callable = plan_retention
    spans: Callable = spans_needed
    unneeded: Callable = unneeded
    waits: bool = True


def must(holds, law, *what):
    """See that a law holds."""
    if not holds:
        raise Broken(law, *what)


def clean(world, store, hands, rng, seen):
    """Clean up one repository, sometimes breaking off in the middle, and judge what was done."""
    before = store.copied()
    used = {world.taking[1].id} if world.taking and world.taking[1] else set()
    wanted = wanted_names(world, store, used)
    plan = hands.plan(store.entries(), store.standings(used), store.policy, world.now)
    shuffled = rng.sample(store.entries(), len(store.backups))
    dry = hands.plan(shuffled, store.standings(used), store.policy, world.now)
    must(dry == plan, "dry run", set(dry.drop) ^ set(plan.drop))
    is_broken_off = rng.random() < 0.1
    going = plan.drop[: rng.randint(0, len(plan.drop))] if is_broken_off else plan.drop
    removed = apply(world, store, hands, going, used, keeps_wal=is_broken_off)
    judge(world, before, store, wanted, seen)
    seen.update(cleanups=1, dropped=len(going), wal_removed=removed, kept=len(store.backups))
    if not is_broken_off:
        again = hands.plan(store.entries(), store.standings(used), store.policy, world.now)
        must(again.drop == [], "twice", again.drop)
        must(apply(world, store, hands, [], used) == 0, "twice", "WAL")


def apply(world, store, hands, going, used, *, keeps_wal=False):
    """Remove backups one by one, then WAL and expired pins; return how many segments went."""
    entries, standings = store.entries(), store.standings(used)
    for name in going:
        del store.backups[name]
        children = [each for each in store.backups.values() if each.document.parent == name]
        must(not children, "ancestors", name)
    if keeps_wal or (world.taking and hands.waits):
        return 0
    spans = hands.spans(entries, standings, set(store.backups), store.policy, world.now)
    gone = set()
    for system, needed in spans.items():
        segments = [segment for of, segment in store.wal if of == system]
        gone |= {(system, segment) for segment in hands.unneeded(segments, needed)}
    store.wal -= gone
    store.pins = {k: v for k, v in store.pins.items() if v is None or v > world.now}
    return len(gone)


def wanted_names(world, store, used):
    """Return what must stay, by the law that says so."""
    now, policy = world.now, store.policy
    by_age = sorted(store.backups.values(), key=lambda each: each.document.finished_at)
    readable = [each for each in by_age if each.document.id not in store.damaged]
    names = [each.document.id for each in readable]
    young = now - timedelta(days=max(policy.days, policy.wal_days or 0))
    pinned = {name for name, until in store.pins.items() if until is None or until > now}
    found = {
        "young": {each.document.id for each in readable if each.document.finished_at >= young},
        "pinned": pinned & set(store.backups),
        "held": store.held & set(store.backups),
        "used": (store.read | used) & set(store.backups),
        "damaged": set(store.damaged),
        "proven": last_recovered(store, names, policy.proven),
        "deepest": deepest(store, names),
        "fewest": set(counted(store, readable)[-policy.minimum :]),
    }
    for law, kept in found.items():
        found[law] = kept | {link for name in kept for link in (store.chain(name) or [name])}
    return found


def last_recovered(store, names, number):
    """Return the last recovered of each of the newest chains, and the newest such snapshot."""
    recovered = [name for name in reversed(names) if store.known(name) in SOUND]
    snapshots = [name for name in recovered if store.backups[name].kind == "snapshot"]
    found, beginnings = set(snapshots[:1]), set()
    for name in [each for each in recovered if store.is_sound(each)]:
        beginning = store.chain(name)[-1]
        if beginning not in beginnings and len(beginnings) < number:
            beginnings.add(beginning)
            found.add(name)
    return found


def deepest(store, names):
    """Return the newest of those whose contents were compared; where none were, of the others."""
    found = set()
    for is_snapshot in (True, False):
        rest = [
            name
            for name in reversed(names)
            if store.known(name) in SOUND
            and (store.backups[name].kind == "snapshot") is is_snapshot
            and (is_snapshot or store.is_sound(name))
        ]
        for tier in ("contents", "structure", "boot"):
            passed = [name for name in rest if tier in PASSED[store.known(name)]]
            if passed:
                found.add(passed[0])
                break
    return found


def counted(store, readable):
    """Return the full backups that count: of good bytes; one that shrank only where recovered."""
    found, last = [], 0
    for each in [each for each in readable if each.kind == "full"]:
        name = each.document.id
        recovers = store.known(name) in SOUND
        is_small = 2 * each.document.bytes_stored < last
        if recovers or (not is_small and store.known(name) != "failed"):
            found.append(name)
        last = each.document.bytes_stored if recovers else last
    return found


def judge(world, before, after, wanted, seen):
    """See that a cleanup kept every law."""
    for law, names in wanted.items():
        must(names <= set(after.backups), law, names - set(after.backups))
    for name, made in after.backups.items():
        links = before.chain(name) or [name]
        must(set(links) <= set(after.backups), "ancestors", name)
        if made.kind != "snapshot":
            lost = (set(made.own_wal) & before.wal) - after.wal
            must(not lost, "own WAL", name, lost)
    if world.taking:
        lost = {each for each in before.wal - after.wal if is_taken(world, each)}
        must(not lost, "in progress", lost)
    days = after.policy.days if after.policy.wal_days is None else after.policy.wal_days
    horizon = world.now - timedelta(days=days)
    window = [each for each in world.points if horizon <= each.at <= world.now]
    reached = world.restorable(before, window)
    owed = {each for each in reached if is_owed(world, before, each, horizon)}
    lost = owed - world.restorable(after, owed)
    must(not lost, "window", lost)
    seen.update(points=len(reached), owed=len(owed))


def is_taken(world, wal):
    """Tell whether a segment belongs to the backup that is being taken."""
    system, segment = wal
    line, start = (str(world.system), world.timeline), world.taking[2]
    return (system, segment.timeline) == line and segment.number >= start


def is_owed(world, store, point, horizon):
    """Tell whether a point that could be restored must be restorable afterwards.

    Always, where a backup of the window leads to it. From an older one only where the clock told
    the truth of the older ones: no document says that it did not. And after the platform was set
    back only where the backup that was taken soon after tells of it.
    """
    documents = [
        made
        for name, made in store.backups.items()
        if name not in store.damaged and made.kind != "snapshot"
    ]
    older = [made for made in documents if made.document.finished_at < horizon]
    young = [made.document.id for made in documents if made not in older]
    if any(world.reaches(store, name, point) for name in young):
        return True
    order = [each.number for each in sorted(older, key=lambda each: each.document.finished_at)]
    way = [(point.system, line) for line, _ in world.lines[(point.system, point.timeline)]]
    back = [world.set_back_at[each] for each in way if each in world.set_back_at][-1:]
    is_orderly = order == sorted(order) and all(number <= point.number for number in order)
    return is_orderly and all(is_told(world, store, point, older, first) for first in back)


def is_told(world, store, point, older, first):
    """Tell whether the first backup after the platform was set back can be seen to be that.

    It can where it begins before the end of whatever was left behind.
    """
    if first is None or not store.is_sound(first.document.id):
        return False
    before = [each for each in older if each.number < first.number and each.system == point.system]
    left = [each for each in before if world.line_at(point, each.seal) != each.timeline]
    return all(first.start < each.seal for each in left)
