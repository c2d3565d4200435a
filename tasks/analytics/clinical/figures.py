"""Figures of the clinical report: pure functions over the counts that were read."""

import math
from typing import TYPE_CHECKING

from tasks.analytics.clinical.reading import Clinical
from tasks.analytics.frames import records
from tasks.analytics.proportions import change, share
from tasks.analytics.suppression.cells import is_small


if TYPE_CHECKING:
    import pandas as pd


def code(key: str) -> str:
    """Return the code of a key, which names its coding system as well: `I10|I10C` is `I10`."""
    return key.rpartition("|")[0]


PAIRS = 10
"""Pairs of diagnoses that are looked at; those that may not be shown are not listed."""


def common(listed: "pd.DataFrame", people: int) -> "pd.DataFrame":
    """Return the commonest codes: distinct patients in all, in the window, and before.

    A code of 1 to 10 patients is left out: it may be free text, and its row would tell that it is.

    Args:
        listed: what was read.
        people: patients that are known, of which the share is told.

    Returns:
        key, description, patients, share, now, before, change.

    """
    import pandas as pd  # noqa: PLC0415 - half a second

    rows = [
        (
            row["key"],
            row["description"],
            row["patients"],
            share(row["patients"], people),
            row["now"],
            row["before"],
            change(row["now"], row["before"]),
        )
        for row in records(listed)
        if not is_small(row["patients"])
    ]
    columns = ["key", "description", "patients", "share", "now", "before", "change"]
    return pd.DataFrame(rows, columns=columns)


def together(read: Clinical) -> "pd.DataFrame":
    """Return pairs of diagnoses by how much oftener they come together than chance would have it.

    Lift is the patients with both, times all known patients, over the product of the patients with
    each. It tells of a pattern in what was recorded, and of no cause.

    Returns:
        first, second (keys), both, only_first, only_second, lift; the ten of eleven patients and
        more with the highest lift.

    """
    import pandas as pd  # noqa: PLC0415

    listed = records(read.diagnoses)
    people = int(read.people["known"].iloc[0])
    rows = []
    for row in records(read.together):
        first, second = (listed[int(row[name]) - 1] for name in ("first", "second"))
        both, a, b = row["patients"], first["patients"], second["patients"]
        if is_small(both):
            continue
        rows.append((first["key"], second["key"], both, a - both, b - both, both * people / a / b))
    columns = ["first", "second", "both", "only_first", "only_second", "lift"]
    frame = pd.DataFrame(rows, columns=columns)
    ordered = frame.sort_values(
        ["lift", "first", "second"], ascending=[False, True, True], ignore_index=True
    )
    return ordered.head(PAIRS)


def around(read: Clinical) -> "pd.DataFrame":
    """Return a value before and after a medication's start, with the mean of the differences.

    The last value in the 180 days before, and the first from a day to 180 days after, of the same
    patient. Descriptive: who is given a medication differs from who is not, values change by
    themselves, and nothing follows about what the medication does. The interval is Student's, of
    paired differences, at 95 %.

    Returns:
        medication, measured, unit, patients, before, after, difference, lo, hi.

    """
    import pandas as pd  # noqa: PLC0415
    from scipy import stats  # noqa: PLC0415 - a second

    names = dict(zip(read.medications["code"], read.medications["description"], strict=True))
    rows = []
    for row in records(read.around):
        n, difference = row["patients"], row["after"] - row["before"]
        half = float(stats.t.ppf(0.975, n - 1)) * row["deviation"] / math.sqrt(n)
        medication = f"{row['medication']} {names.get(row['medication'], '')}".strip()
        values = (n, row["before"], row["after"], difference, difference - half, difference + half)
        rows.append((medication, row["measured"], row["unit"], *values))
    columns = ["medication", "measured", "unit", "patients", "before", "after", "difference"]
    return pd.DataFrame(rows, columns=[*columns, "lo", "hi"])
