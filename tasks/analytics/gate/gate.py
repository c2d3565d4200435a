"""All that a report is held against before it is published."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tasks.analytics.clinical import disclosure, figures
from tasks.analytics.findings import Findings
from tasks.analytics.gate import expected, reading
from tasks.analytics.gate.check import Check
from tasks.analytics.gate.disclosure import check_cells
from tasks.analytics.gate.frames import check_frames
from tasks.analytics.gate.page import check_page
from tasks.analytics.gate.rules import PageRules
from tasks.analytics.risk.scores import FOLLOWED_DAYS
from tasks.analytics.source import has_view
from tasks.postgres.server import Server
from tasks.repository.facts import CONTRACT


BACK = timedelta(days=100)
"""Dates of a page reach back over two windows of a month, and charts over ninety days."""

FOLLOWED = timedelta(days=FOLLOWED_DAYS + 1)
"""Scores are held against what happened in a year."""

AHEAD = timedelta(days=31)
"""And ahead as far as a forecast."""

COUNTED = {
    "Patients": frozenset({"now", "period before", "female", "male", "other or unknown", "all"}),
    "Visits": frozenset({"began", "period before", "present now"}),
}
"""Columns of counts of patients and visits, by the heading above their tables."""

CODED = {
    "Diagnoses": frozenset({"patients", "in 30 days", "30 days before"}),
    "Together in one patient": frozenset({"patients with both"}),
    "Medications": frozenset({"patients", "in 30 days", "30 days before"}),
    "Values before and after a start": frozenset({"patients"}),
    "Results without a final value": frozenset({"up to 1 day", "1 to 3 days"}),
}
"""The same in the clinical report, where there are any."""

RISK = {
    "Risk": frozenset({"patients", "patients or records"}),
    "What the bands came to": frozenset({"followed", "with the outcome"}),
}

_IDENTIFYING = {
    "patients": f"select count(*) from {CONTRACT}.patients where identifier = any(%s)",  # noqa: S608
    "encounters": f"select count(*) from {CONTRACT}.encounters where visit_number = any(%s)",  # noqa: S608
}
"""Views that identify; the contract lets each be missing."""


def checks(server: Server, found: Findings, page: str, now: datetime) -> list[Check]:
    """Check the frames of a report, what its page shows of patients, and the page itself.

    Args:
        server: asked whether a word of the page identifies a patient.
        found: what the page is made from.
        page: its markdown.
        now: the moment that it was asked for.

    """
    made = check_frames(expected.frames(found), expected.rules(found), now)
    if found.disclosure is not None:
        made.append(check_cells(found.disclosure.cells, found.disclosure.suppressed))
    return made + check_page(page, _rules(found), lambda tokens: _identifying(server, tokens))


def _identifying(server: Server, tokens: Sequence[str]) -> int:
    """Count how many words are a patient's identifier or the number of a visit."""
    found = 0
    with server.connect(statement_timeout_s=60) as connection:
        for view, query in _IDENTIFYING.items():
            if has_view(connection, view):
                found += sum(n for (n,) in connection.execute(query, [list(tokens)]))
    return found


def _rules(found: Findings) -> PageRules:
    at, codes = found.origin.as_of, set[str]()
    counted = {} if found.disclosure is None else dict(COUNTED)
    counted |= {} if found.risk is None else RISK
    if found.clinical is not None and found.disclosure is not None:
        read, shown = found.clinical, found.disclosure
        common = [figures.common(each, 0) for each in (read.diagnoses, read.medications)]
        codes = {figures.code(key) for frame in (*common, read.pending) for key in frame["key"]}
        full = {
            "Diagnoses": len(common[0]),
            "Together in one patient": len(disclosure.listed_pairs(read, shown)),
            "Medications": len(common[1]),
            "Values before and after a start": len(disclosure.listed_starters(read, shown)),
            "Results without a final value": len(read.pending),
        }
        counted |= {name: CODED[name] for name, rows in full.items() if rows}
    back = BACK if found.risk is None else FOLLOWED
    first, last = (at - back).date(), (at + AHEAD).date()
    told = None if found.disclosure is None else found.disclosure.told | {0}
    return PageRules(first, last, counted, told, frozenset(codes), _names(found))


def _names(found: Findings) -> frozenset[str]:
    """Return the words of the names of connections."""
    names = [] if found.messages is None else list(map(str, found.messages.connections["name"]))
    silent = () if found.watch is None else found.watch.silent
    return frozenset(reading.tokens([*names, *(each.connection for each in silent)]))
