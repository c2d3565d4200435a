"""Merge buckets that stand out into episodes: one alert each."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from tasks.analytics.anomalies.model import Episode, Judgement, Rules, severity_of


def merge(judged: Iterable[Judgement], rules: Rules) -> list[Episode]:
    """Join what stands out into episodes, in order.

    An episode opens with the first bucket beyond the threshold. It ends with the last one before a
    quiet time of `rules.quiet` buckets and `rules.rest`, so that a burst that comes and goes raises
    one alert. Merging is worth more than the statistic: on the NAB files the same z without
    episodes scores below a detector that never alerts.
    """
    found: list[list[Judgement]] = []
    quiet = 0
    for each in judged:
        if severity_of(each.z) is None:
            quiet += 1
            continue
        if found and not _rested(each.moment - found[-1][-1].moment, quiet, rules):
            found[-1].append(each)
        else:
            found.append([each])
        quiet = 0
    return [_episode(each) for each in found]


def _rested(since: timedelta, quiet: int, rules: Rules) -> bool:
    return quiet >= rules.quiet and since > rules.rest


def _episode(judged: Sequence[Judgement]) -> Episode:
    peak = max(judged, key=lambda each: abs(each.z))
    severity = severity_of(peak.z)
    assert severity is not None  # noqa: S101 - only what stands out is merged
    return Episode(
        start=judged[0].moment,
        end=judged[-1].moment,
        peak=peak.moment,
        score=abs(peak.z),
        severity=severity,
        observed=peak.observed,
        expected=peak.expected,
        look=peak.look,
    )
