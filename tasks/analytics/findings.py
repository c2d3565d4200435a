"""What one report is made from: everything read in one snapshot, with where it comes from."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.metadata import version
from typing import Literal

from tasks.analytics import kpis, outlook, trends, watch
from tasks.analytics.clinical import disclosure as clinical
from tasks.analytics.clinical.reading import Clinical
from tasks.analytics.clinical.reading import read as read_clinical
from tasks.analytics.disclosure import Disclosure, disclose
from tasks.analytics.kpis import Kpi
from tasks.analytics.messages.reading import Messages
from tasks.analytics.messages.reading import read as read_messages
from tasks.analytics.outlook import Outlook
from tasks.analytics.patients.disclosure import of_people
from tasks.analytics.patients.reading import Patients
from tasks.analytics.patients.reading import read as read_patients
from tasks.analytics.risk import disclosure as risk
from tasks.analytics.risk import scores
from tasks.analytics.risk.assessment import Summary
from tasks.analytics.rollups.refresh import counted_through
from tasks.analytics.source import SAID, Asked, Session, Source, require_views, session
from tasks.analytics.trends import Trends
from tasks.analytics.watch import Watch
from tasks.analytics.window import DAY, MONTH, WEEK, before, require_past, whole_hour
from tasks.control.errors import Refused


Report = Literal["executive", "clinical", "performance", "dashboard", "forecast", "anomalies"]


@dataclass(frozen=True)
class Origin:
    """Where figures come from: enough to ask for the same again."""

    stanza: str
    source: str
    as_of: datetime
    """Windows end here: the last full hour that the rollups count."""
    data_as_of: datetime
    """The source had the data of this moment; a standby may be behind."""
    timezone: str
    version: str
    limit_ms: int


@dataclass(frozen=True)
class Findings:
    """What was read; a report has the parts that it shows."""

    origin: Origin
    kpis: list[Kpi]
    asked: list[Asked] = field(default_factory=list)
    messages: Messages | None = None
    trends: Trends | None = None
    patients: Patients | None = None
    clinical: Clinical | None = None
    disclosure: Disclosure | None = None
    risk: Summary | None = None
    outlooks: list[Outlook] = field(default_factory=list)
    watch: Watch | None = None


def gather(
    source: Source,
    report: Report,
    *,
    now: datetime,
    limit_ms: int,
    tell: Callable[[str], None] = lambda _: None,
) -> Findings:
    """Read what a report is made of, all of it in one snapshot of the source.

    Args:
        source: where to read.
        report: which one.
        now: the moment that windows end before; also one that has long passed.
        limit_ms: p95 of the processing time that is wanted at most.
        tell: called with the name of each query before it is asked.

    Raises:
        Refused: the moment lies ahead, or the rollups were never refreshed.
        Transient: the source cannot be reached, or did not answer in time.

    """
    require_past(now)
    with session(source, tell) as asking:
        as_of = _as_of(asking, now)
        origin = Origin(
            source.server.stanza,
            SAID[source.kind],
            as_of,
            max(as_of, min(asking.data_as_of, whole_hour(now))),
            source.timezone,
            version("itechsmart-hl7-ops"),
            limit_ms,
        )
        headlines = kpis.read(asking, as_of, limit_ms)
        found = _PARTS[report](asking, Findings(origin, headlines, asking.asked))
    return replace(found, outlooks=[outlook.foresee(each.daily) for each in found.outlooks])


def _as_of(asking: Session, now: datetime) -> datetime:
    through = counted_through(asking.connection)
    if through is None:
        raise Refused(
            "the rollups were never refreshed",
            stanza=asking.source.server.stanza,
            seen="no hour of messages is counted",
            expected="counts up to the last full hour",
            do="hl7ops rollup",
        )
    return min(whole_hour(now), through)


def _performance(asking: Session, found: Findings) -> Findings:
    as_of = found.origin.as_of
    return replace(
        found,
        messages=read_messages(asking, before(as_of, WEEK)),
        trends=trends.read(asking, before(as_of, DAY)),
        watch=watch.read(asking, as_of),
    )


def _clinical(asking: Session, found: Findings) -> Findings:
    require_views(asking.connection, *scores.VIEWS, "lab_results")
    window = before(found.origin.as_of, MONTH)
    people, codes = read_patients(asking, window), read_clinical(asking, window)
    known, assessed = int(codes.people["known"].iloc[0]), scores.summarise(asking, window.end)
    shown = disclose(
        clinical.of_codes("dx", codes.diagnoses, known),
        clinical.of_codes("rx", codes.medications, known),
        clinical.of_pairs(codes, known),
        clinical.of_starters(codes, known),
        clinical.of_pending(codes),
        risk.cells(assessed),
        known=of_people(people),
    )
    return replace(
        found,
        kpis=kpis.disclosed(found.kpis, shown),
        patients=people,
        clinical=codes,
        disclosure=shown,
        risk=assessed,
    )


def _executive(asking: Session, found: Findings) -> Findings:
    require_views(asking.connection, "patients", "encounters")
    as_of = found.origin.as_of
    people = read_patients(asking, before(as_of, MONTH))
    shown = of_people(people)
    return replace(
        found,
        kpis=kpis.disclosed(found.kpis, shown),
        messages=read_messages(asking, before(as_of, WEEK)),
        patients=people,
        disclosure=shown,
        outlooks=_daily(asking, as_of),
        watch=watch.read(asking, as_of),
    )


def _forecast(asking: Session, found: Findings) -> Findings:
    return replace(found, outlooks=_daily(asking, found.origin.as_of))


def _anomalies(asking: Session, found: Findings) -> Findings:
    seen = watch.read(asking, found.origin.as_of)
    return replace(found, watch=seen)


def _daily(asking: Session, as_of: datetime) -> list[Outlook]:
    """Read the volumes; they are forecast when the snapshot is closed, which takes seconds."""
    return [Outlook(daily, None) for daily in outlook.read(asking, as_of)]


def _dashboard(asking: Session, found: Findings) -> Findings:
    day = trends.read(asking, before(found.origin.as_of, DAY))
    return replace(found, trends=day)


_PARTS: dict[Report, Callable[[Session, Findings], Findings]] = {
    "executive": _executive,
    "clinical": _clinical,
    "performance": _performance,
    "dashboard": _dashboard,
    "forecast": _forecast,
    "anomalies": _anomalies,
}
