"""Figures of patients: pure functions over the counts that were read."""

from typing import TYPE_CHECKING

from tasks.analytics.frames import records
from tasks.analytics.patients.reading import Patients
from tasks.analytics.proportions import change, share
from tasks.control.hl7_tables import PATIENT_CLASSES


if TYPE_CHECKING:
    import pandas as pd

BANDS = ("0-17", "18-34", "35-49", "50-64", "65-79", "80+", "unknown")
"""Age in full years at the end of the window."""

SEXES = ("female", "male", "other or unknown")


def totals(read: Patients) -> "pd.DataFrame":
    """Return the headline counts with those of the period before.

    Returns:
        figure (known, new, active, deceased, visits), now, before, change.

    """
    import pandas as pd  # noqa: PLC0415 - half a second

    cube = read.cube
    counts = {
        "known": (_count(cube), _count(cube[~_is(cube, "is_new")])),
        "new": (_count(cube[_is(cube, "is_new")]), _count(cube[_is(cube, "was_new")])),
        "active": (_count(cube[_is(cube, "is_active")]), _count(cube[_is(cube, "was_active")])),
        "deceased": (
            _count(cube[_is(cube, "is_deceased")]),
            _count(cube[_is(cube, "is_deceased") & ~_is(cube, "has_died")]),
        ),
        "visits": (int(read.visits["admissions"].sum()), int(read.visits["before"].sum())),
    }
    rows = [(name, now, before, change(now, before)) for name, (now, before) in counts.items()]
    return pd.DataFrame(rows, columns=["figure", "now", "before", "change"])


def by_age_and_sex(read: Patients) -> "pd.DataFrame":
    """Return the living patients by age band and sex: a row a band, a column a sex.

    Returns:
        age_band, female, male, other or unknown; zero where there is nobody.

    """
    import pandas as pd  # noqa: PLC0415

    living = read.cube[~_is(read.cube, "is_deceased")]
    rows = [
        {"age_band": band}
        | {
            sex: _count(living[(living["age_band"] == band) & (living["sex"] == sex)])
            for sex in SEXES
        }
        for band in BANDS
    ]
    return pd.DataFrame(rows, columns=["age_band", *SEXES])


def by_standing(read: Patients) -> "pd.DataFrame":
    """Return patients as active, not active and deceased; the shares add up to one.

    Returns:
        standing, patients, share.

    """
    import pandas as pd  # noqa: PLC0415

    cube = read.cube
    every = _count(cube)
    dead, active = _is(cube, "is_deceased"), _is(cube, "is_active")
    counts = {
        "active": _count(cube[active]),
        "alive, not active": _count(cube[~active & ~dead]),
        "deceased": _count(cube[dead]),
    }
    rows = [(name, count, share(count, every)) for name, count in counts.items()]
    return pd.DataFrame(rows, columns=["standing", "patients", "share"])


def by_class(read: Patients) -> "pd.DataFrame":
    """Return visits by patient class, the most frequent first.

    Returns:
        patient_class, admissions, share, before, change, present, median_hours (of those who left).

    """
    import pandas as pd  # noqa: PLC0415

    every = int(read.visits["admissions"].sum())
    rows = [
        (
            PATIENT_CLASSES.get(row["patient_class"], row["patient_class"]),
            row["admissions"],
            share(row["admissions"], every),
            row["before"],
            change(row["admissions"], row["before"]),
            row["present"],
            row["median_hours"],
        )
        for row in records(read.visits)
    ]
    columns = ["patient_class", "admissions", "share", "before", "change", "present"]
    frame = pd.DataFrame(rows, columns=[*columns, "median_hours"])
    return frame.sort_values(
        ["admissions", "patient_class"], ascending=[False, True], ignore_index=True
    )


def _is(cube: "pd.DataFrame", name: str) -> "pd.Series[bool]":
    return cube[name].astype(bool)


def _count(cube: "pd.DataFrame") -> int:
    return int(cube["patients"].sum())
