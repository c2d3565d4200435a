"""Who logs in to the generated platform and what they do there, with an intruder now and then."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from tasks.hl7.generator import names, rhythm


ACCOUNTS = tuple(
    f"{role}.{names.plain(name).lower()}"
    for role, given in (
        ("nurse", names.GIVEN_FEMALE[:14]),
        ("clerk", names.GIVEN_MALE[:10]),
        ("doctor", names.GIVEN_FEMALE[14:22]),
        ("analyst", names.GIVEN_MALE[10:13]),
        ("admin", names.GIVEN_MALE[13:15]),
    )
    for name in given
)
"""Accounts of people; `service.ingest` and `service.report` act without logging in."""

ACTIONS = (
    ("view", "patient", 46),
    ("search", "patient", 18),
    ("view", "message", 14),
    ("resend", "message", 4),
    ("export", "report", 3),
    ("change", "connection", 1),
    ("change", "account", 1),
)
"""What is done to what, by weight; changes are the administrators' alone."""

_BY_SERVICE = 0.13
_REFUSED = 0.006
_MISTYPED = 0.035
_REASONS = (("password", 82), ("expired", 8), ("locked", 7), ("unknown", 3))

_INTRUSION = 0.02
"""Share of all attempts to log in that are an intruder's, in bursts of 60."""

_BURST = 60


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Somebody did something; fields are the columns of `hl7.audit_events`."""

    occurred_at: datetime
    actor: str
    action: str
    object_type: str
    object_id: str
    outcome: str
    source_address: str


@dataclass(frozen=True, slots=True)
class LoginEvent:
    """Somebody tried to log in; fields are the columns of `hl7.login_events`."""

    occurred_at: datetime
    username: str
    outcome: str
    reason: str | None
    source_address: str


def audit_events(events: int, *, seed: int, end: datetime, days: float) -> Iterator[AuditEvent]:
    """Yield exactly so many audited actions of the days before `end`, in order of time."""
    rng = Random(seed + 4)  # noqa: S311 - repeatable is what is wanted
    for at in rhythm.instants(events, end - timedelta(days=days), end, seed + 4):
        action, object_type, _ = rng.choices(ACTIONS, [weight for _, _, weight in ACTIONS])[0]
        actor = _actor(rng, action)
        yield AuditEvent(
            at,
            actor,
            action,
            object_type,
            str(rng.randint(1, 99_999)),
            "failure" if rng.random() < _REFUSED else "success",
            _address(actor),
        )


def login_events(events: int, *, seed: int, end: datetime, days: float) -> Iterator[LoginEvent]:
    """Yield exactly so many attempts of the days before `end`, bursts of an intruder among them."""
    rng = Random(seed + 5)  # noqa: S311 - likewise
    strange = int(events * _INTRUSION) // _BURST * _BURST
    begin = end - timedelta(days=days)
    usual = rhythm.instants(events - strange, begin, end, seed + 5)
    bursts = sorted(_intrusions(rng, strange, begin, end), key=lambda event: event.occurred_at)
    for at in usual:
        while bursts and bursts[0].occurred_at <= at:
            yield bursts.pop(0)
        yield _attempt(rng, at)
    yield from bursts


def _actor(rng: Random, action: str) -> str:
    """Choose who acts: services report and resend, administrators alone change things."""
    if action == "change":
        return rng.choice([account for account in ACCOUNTS if account.startswith("admin.")])
    if action in ("export", "resend") and rng.random() < _BY_SERVICE:
        return "service.report" if action == "export" else "service.ingest"
    return rng.choice(ACCOUNTS)


def _address(actor: str) -> str:
    """Return an account's usual place in a network that is reserved for documentation."""
    number = ACCOUNTS.index(actor) if actor in ACCOUNTS else 200
    return f"192.0.2.{10 + number}"


def _attempt(rng: Random, at: datetime) -> LoginEvent:
    username = rng.choice(ACCOUNTS)
    if rng.random() >= _MISTYPED:
        return LoginEvent(at, username, "success", None, _address(username))
    reason = rng.choices([name for name, _ in _REASONS], [weight for _, weight in _REASONS])[0]
    return LoginEvent(at, username, "failure", reason, _address(username))


def _intrusions(rng: Random, events: int, begin: datetime, end: datetime) -> Iterator[LoginEvent]:
    """Yield bursts of failures from one strange address each, at night, within ten minutes."""
    nights = max((end - begin).days, 1)
    for burst in range(events // _BURST):
        night = begin.astimezone(UTC) + timedelta(days=rng.randrange(nights))
        start = min(max(night.replace(hour=2, minute=rng.randrange(50)), begin), end)
        for index in range(_BURST):
            at = min(start + timedelta(seconds=10 * index + rng.random()), end)
            username = rng.choice(("admin", "root", "test", *ACCOUNTS[-2:]))
            reason = "password" if username in ACCOUNTS else "unknown"
            yield LoginEvent(at, username, "failure", reason, f"203.0.113.{burst % 250 + 1}")
