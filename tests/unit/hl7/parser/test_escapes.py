"""Escape sequences: what stands for something else is replaced, everything else stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.hl7.parser.escapes import unescaped
from tasks.hl7.parser.message import Delimiters


USUAL = Delimiters("|", "^", "~", "\\", "&")

STRANGE = Delimiters("!", "@", "#", "?", "%")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (r"a\F\b", "a|b"),
        (r"a\S\b", "a^b"),
        (r"a\T\b", "a&b"),
        (r"a\R\b", "a~b"),
        (r"a\E\b", "a\\b"),
        (r"line\.br\line", "line\nline"),
        (r"line\.BR\line", "line\nline"),
        (r"5 \X26\ 6", "5 & 6"),
        (r"\X4D\\XC3BC\ller", "Müller"),
        (r"\F\\F\\F\ ", "||| "),
        (r"\E\F\E\ ", "\\F\\ "),
    ],
)
def test_a_known_sequence_is_replaced(text, meant):
    """HL7 v2.5, 2.7."""
    assert unescaped(text, USUAL) == meant


@pytest.mark.parametrize(
    "text", [r"\H\bold\N\ ", r"\Z9\ ", r"\.sp3\ ", r"\X4\ ", r"\X00\ ", "C:\\", r"\XGG\ ", "plain"]
)
def test_what_is_not_known_stays_as_it_is(text):
    """Highlighting, a sender's own sequences, a lone mark; and a byte that no database takes."""
    assert unescaped(text, USUAL) == text


def test_the_delimiters_are_those_of_the_message():
    """A sequence stands for what this message separates by."""
    assert unescaped("a?F?b?S?c?T?d?R?e?E?f", STRANGE) == "a!b@c%d#e?f"
    assert unescaped(r"a\F\b", STRANGE) == r"a\F\b"


@given(st.text(max_size=60))
def test_any_text_survives_being_escaped(text):
    """What a sender escapes comes back."""
    marks = {"\\": "E", "|": "F", "^": "S", "&": "T", "~": "R"}
    escaped = "".join(f"\\{marks[each]}\\" if each in marks else each for each in text)
    assert unescaped(escaped, USUAL) == text


@given(st.text(alphabet=r"\FSTREX0A.br", max_size=40))
def test_nothing_raises(text):
    """Whatever a field holds."""
    unescaped(text, USUAL)
