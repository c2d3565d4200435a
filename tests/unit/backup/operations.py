"""What happens to a world at random: traffic, backups, proofs, pins, mishaps, and the clock."""

from datetime import timedelta

from tasks.backup.policy import Policy
from tests.unit.backup.world import DAY, PASSED, Store, World


POLICIES = (
    Policy(days=3, minimum=1),
    Policy(days=7, minimum=2, proven=2),
    Policy(days=10, minimum=1, wal_days=3),
    Policy(days=3, minimum=3, proven=1, wal_days=8),
)


def new_world(rng):
    """Return a world of two repositories with policies of their own, and a first backup."""
    world = World([Store(policy) for policy in rng.sample(POLICIES, 2)])
    take(world, rng, "full")
    return world


def take(world, rng, kind=None):
    """Take a backup of a kind at one go; one that finds no parent becomes a full one."""
    start(world, rng, kind)
    end(world, rng)


def start(world, rng, kind=None):
    """Begin to take a backup, unless one is being taken."""
    kind = kind or rng.choice(["full", "full", "differential", "incremental", "snapshot"])
    if world.taking is None:
        parent = None if kind in ("full", "snapshot") else _parent(world, kind)
        builds = kind in ("differential", "incremental") and parent is None
        world.begin("full" if builds else kind, parent)


def end(world, rng):
    """Complete the backup that is being taken; sometimes it shrank."""
    if world.taking is not None:
        world.finish(stored=30 if rng.random() < 0.1 else 100)


def _parent(world, kind):
    """Return what a backup is built on: the newest sound one of this cluster in both stores."""
    first, other = world.stores
    for name, made in reversed(first.backups.items()):
        is_there = first.is_sound(name) and name in other.backups
        is_of_kind = made.kind == "full" or kind == "incremental"
        if is_there and is_of_kind and made.system == str(world.system):
            return made.document
    return None


def write(world, rng):
    """Let the platform write; sometimes a repository loses the WAL."""
    lost = [rng.choice(world.stores)] if rng.random() < 0.05 else []
    world.write(rng.randint(1, 3), lost)


def fail(world, rng):
    """Break off the backup that is being taken."""
    world.taking = None


def prove(world, rng):
    """Verify a backup in one repository or in both: mostly everything passes."""
    found = rng.choices([*PASSED, "error"], [6, 1, 1, 1, 1, 1, 2])[0]
    for store in rng.sample(world.stores, rng.randint(1, 2)):
        if name := _any(store, rng):
            store.prove(name, found)


def pin(world, rng):
    """Pin a backup, for some days or without an end; or take a pin off."""
    store = rng.choice(world.stores)
    if store.pins and rng.random() < 0.3:
        store.pins.pop(rng.choice(list(store.pins)))
    elif name := _any(store, rng):
        days = rng.choice([None, 1, 5, 20])
        store.pins[name] = days and world.now + timedelta(days=days)


def hold(world, rng):
    """Put a backup under legal hold, or release it."""
    store = rng.choice(world.stores)
    if name := _any(store, rng):
        store.held ^= {name}


def read(world, rng):
    """Begin to read a backup, or stop reading."""
    store = rng.choice(world.stores)
    if name := _any(store, rng):
        store.read = set() if store.read else {name}


def damage(world, rng):
    """Damage a document, or put a damaged one right."""
    store = rng.choice(world.stores)
    name = _any(store, rng)
    store.damaged = set() if store.damaged or name is None else {name}


def jump(world, rng):
    """Let the clock jump, forward or back."""
    world.hour += rng.choice([1, -1]) * rng.randint(1, 12) * DAY


def fail_over(world, rng):
    """Promote a standby."""
    world.fail_over()


def upgrade(world, rng):
    """Upgrade the cluster, and take a full backup of the new one."""
    world.upgrade()
    take(world, rng, "full")


def set_back(world, rng):
    """Restore an earlier state of this timeline; soon take a full backup, and prove it."""
    line = (str(world.system), world.timeline)
    points = [each for each in world.points if (each.system, each.timeline) == line]
    if points and points[0].segment + 1 < world.segment:
        world.set_back(min(rng.choice(points).segment + 1, world.segment - 1))
        line = (str(world.system), world.timeline)
        world.write(rng.randint(1, 2))
        world.begin("full")
        name = world.finish()
        for store in [each for each in world.stores if name in each.backups]:
            store.prove(name, "equal")
            world.set_back_at[line] = store.backups[name]


def _any(store, rng):
    return rng.choice(list(store.backups)) if store.backups else None


CHANCES = {
    write: 6,
    take: 8,
    start: 2,
    end: 2,
    fail: 0.5,
    prove: 6,
    pin: 1.5,
    hold: 0.7,
    read: 1,
    damage: 0.5,
    jump: 0.7,
    fail_over: 1,
    upgrade: 0.5,
    set_back: 0.7,
}


def happen(world, rng):
    """Let some hours pass, and one thing happen."""
    world.number += 1
    world.hour += rng.randint(0, 2 * DAY)
    rng.choices(list(CHANCES), list(CHANCES.values()))[0](world, rng)
