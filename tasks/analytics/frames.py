"""Frames as rows: what a pure function walks over."""

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    import pandas as pd


def records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return the rows of a frame, each as its values by the names of the columns."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
