"""Risk as small frames, for checks and tables of a report."""

from typing import TYPE_CHECKING

from tasks.analytics.risk.assessment import Summary
from tasks.analytics.risk.score import BANDS, CAP, THRESHOLDS


if TYPE_CHECKING:
    import pandas as pd


def bands(summary: Summary) -> "pd.DataFrame":
    """Return a row a band: bounds, patients, their share, and what was observed of the followed.

    Columns: `band, from_score, to_score, patients, share, followed, outcomes, rate, rate_low,
    rate_high`; `rate` and its 95 % bounds are NaN where nobody was followed. The share is of those
    scored, 0 where nobody is.
    """
    import pandas as pd  # noqa: PLC0415 - heavy

    bounds = zip((0, *THRESHOLDS), (*THRESHOLDS, CAP), strict=True)
    rows = [
        {
            "band": name,
            "from_score": low,
            "to_score": high,
            "patients": summary.bands[name],
            "share": summary.bands[name] / summary.scored if summary.scored else 0.0,
            "followed": seen.patients,
            "outcomes": seen.outcomes,
            "rate": seen.rate,
            "rate_low": seen.interval[0] if seen.interval else None,
            "rate_high": seen.interval[1] if seen.interval else None,
        }
        for name, (low, high), seen in zip(BANDS, bounds, summary.validation.bands, strict=True)
    ]
    return pd.DataFrame(rows).astype(dict.fromkeys(("rate", "rate_low", "rate_high"), float))


def reasons(summary: Summary) -> "pd.DataFrame":
    """Return a row for `scored` and for each reason against a score: `standing, patients`."""
    import pandas as pd  # noqa: PLC0415 - heavy

    rows = [("scored", summary.scored), *sorted(summary.reasons.items())]
    return pd.DataFrame(rows, columns=["standing", "patients"])
