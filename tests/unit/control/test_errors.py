"""Errors are one line that an operator can act on; each kind is an exit code."""

import pytest

from tasks.control.errors import Corrupt, OpsError, Refused, Transient


def test_a_line_says_where_what_was_seen_what_was_expected_and_what_to_do():
    """All parts stand in one line, in that order."""
    error = Refused("no room", stanza="main", seen="3 MiB free", expected="500 MiB", do="free some")
    assert str(error) == (
        "stanza main: no room; seen: 3 MiB free; expected: 500 MiB; next: free some"
    )


def test_what_is_not_known_is_left_out():
    """A part that was not given leaves no trace; a zero is something that was seen."""
    assert str(OpsError("it broke")) == "it broke"
    assert str(OpsError("too few rows", seen=0)) == "too few rows; seen: 0"


@pytest.mark.parametrize(
    ("kind", "code"), [(OpsError, 1), (Refused, 3), (Corrupt, 4), (Transient, 5)]
)
def test_each_kind_has_its_exit_code(kind, code):
    """Scripts tell a refusal from a failed proof and from a world that was not ready."""
    assert kind("x").exit_code == code
    assert isinstance(kind("x"), OpsError)
