"""What happens to odd messages stands in the documentation, reason by reason."""

from pathlib import Path

import pytest

from tasks.hl7.parser.reasons import Note, Reason


TEXT = (Path(__file__).parents[2] / "tasks" / "hl7" / "README.md").read_text()


def rows(title):
    """Return the first cells of the table below a title."""
    section = TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [line.split("`")[1] for line in lines]


@pytest.mark.parametrize(
    ("title", "kind"), [("What is quarantined", Reason), ("What is odd, but taken", Note)]
)
def test_every_reason_has_its_row_and_every_row_its_reason(title, kind):
    """An operator who sees a reason in a report finds what it means."""
    assert rows(title) == [str(each) for each in kind]
