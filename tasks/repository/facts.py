"""Counted facts and rules of the HL7 platform, read from its contract views."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.postgres.server import Connection
from tasks.repository.seal import Fact


CONTRACT = "hl7_contract"

MESSAGES = "messages"
"""The view that is too large to be read once for each question."""


@dataclass(frozen=True)
class Count:
    """Messages counted by one of their columns; a view may name what the column holds."""

    name: str
    column: str
    named_by: str = ""

    @property
    def views(self) -> set[str]:
        """The views that it is answered from."""
        return {MESSAGES, self.named_by} - {""}


@dataclass(frozen=True)
class Rule:
    """What should not be, and how often it is: by a query, or by a condition on messages."""

    name: str
    views: frozenset[str]
    query: str
    condition: str = ""


def _messages(name: str, condition: str, *others: str) -> Rule:
    """Count the messages for which a condition holds."""
    query = f"select count(*) from hl7_contract.messages where {condition}"  # noqa: S608
    return Rule(name, frozenset({MESSAGES, *others}), query, condition)


def _orphans(view: str) -> Rule:
    """Count how many rows of a view belong to a patient who is not there."""
    return Rule(
        f"{view.replace('_', ' ')} without a patient",
        frozenset({view, "patients"}),
        f"select count(*) from hl7_contract.{view} v left join hl7_contract.patients p"  # noqa: S608
        " using (patient_id) where p.patient_id is null",
    )


COUNTED = (
    Count("messages of each connection", "connection_id", "connections"),
    Count("messages of each status", "status"),
    Count("messages of each type", "message_type"),
)

RULES = (
    Rule(
        "control ids used twice by one sender",
        frozenset({MESSAGES}),
        "select count(*) from (select 1 from hl7_contract.messages where control_id <> ''"
        " group by connection_id, sending_application, sending_facility, control_id"
        " having count(*) > 1) twice",
    ),
    _messages("messages of an unknown status", "status not in ('R', 'F', 'T', 'S', 'Q', 'E', 'P')"),
    _messages(
        "messages with an unknown acknowledgement",
        "ack_code not in ('AA', 'AE', 'AR', 'CA', 'CE', 'CR')",
    ),
    _messages("messages processed before they were received", "processed_at < received_at"),
    Rule(
        "messages without a key, or with one used twice",
        frozenset({MESSAGES}),
        "select count(*) - count(distinct message_id) from hl7_contract.messages",
    ),
    _messages(
        "messages of an unknown connection",
        "connection_id not in (select connection_id from hl7_contract.connections"
        " where connection_id is not null)",
        "connections",
    ),
    Rule(
        "patients without a key, or with one used twice",
        frozenset({"patients"}),
        "select count(*) - count(distinct patient_id) from hl7_contract.patients",
    ),
    *map(_orphans, ("encounters", "diagnoses", "medications", "lab_results")),
)
"""Each counts how often it is broken; real senders do break some, so the source is the bar."""


def of(connection: Connection, database: str) -> tuple[list[Fact], list[Fact]]:
    """Count a database's facts, and how often each rule is broken; none without contract views.

    Messages are read once for all that can be counted in one pass, since there are many of them.
    """
    there = _views(connection)
    counts = [count for count in COUNTED if count.views <= there]
    rules = [rule for rule in RULES if rule.views <= there]
    passed = [rule for rule in rules if rule.condition]
    facts, broken = _in_one_pass(connection, counts, passed) if counts else ([], Counter())
    for rule in rules:
        if not rule.condition:
            row = connection.execute(rule.query.encode()).fetchone()
            broken[rule.name] = row[0] if row else 0
    return (
        [Fact(name, f"{database}: {subject}", number) for name, subject, number in facts],
        [Fact(rule.name, database, broken[rule.name]) for rule in rules],
    )


def _in_one_pass(
    connection: Connection, counts: Sequence[Count], rules: Sequence[Rule]
) -> tuple[list[tuple[str, str, int]], Counter[str]]:
    """Count messages by columns, and those that break rules."""
    keys = ", ".join(count.column for count in counts)
    filters = "".join(f", count(*) filter (where {rule.condition})" for rule in rules)
    query = f"select {keys}, count(*){filters} from hl7_contract.messages group by {keys}"  # noqa: S608
    found: list[Counter[object]] = [Counter() for _ in counts]
    broken: Counter[str] = Counter()
    for row in connection.execute(query.encode()):
        values, number, breaks = row[: len(counts)], row[len(counts)], row[len(counts) + 1 :]
        for counter, value in zip(found, values, strict=True):
            counter[value] += number
        for rule, times in zip(rules, breaks, strict=True):
            broken[rule.name] += times
    facts = []
    for count, counter in zip(counts, found, strict=True):
        for subject, number in _named(connection, count, counter).items():
            facts.append((count.name, subject, number))
    return facts, broken


def _named(connection: Connection, count: Count, counter: Counter[object]) -> Counter[str]:
    """Put names in the place of what a column holds; what nothing names is counted as `(none)`."""
    if not count.named_by:
        return Counter({str(value): number for value, number in counter.items()})
    rows = connection.execute(
        f"select {count.column}, name from hl7_contract.{count.named_by}".encode()  # noqa: S608
    )
    names = {value: str(name) for value, name in rows if name is not None}
    named: Counter[str] = Counter()
    for value, number in counter.items():
        named[names.get(value, "(none)")] += number
    return named


def _views(connection: Connection) -> set[str]:
    """Return the views of the contract that a database holds; some of them are optional."""
    rows = connection.execute(
        "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = %s",
        [CONTRACT],
    )
    return {name for (name,) in rows}
