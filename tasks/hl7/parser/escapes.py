"""Escape sequences of text (HL7 v2.5, 2.7): what stands for a delimiter, a line end or a byte."""

import re
from typing import Protocol


class Marks(Protocol):
    """The delimiters of a message."""

    @property
    def field(self) -> str:
        """Between fields."""

    @property
    def component(self) -> str:
        """Between components."""

    @property
    def repetition(self) -> str:
        """Between repetitions."""

    @property
    def escape(self) -> str:
        """Around an escape sequence."""

    @property
    def subcomponent(self) -> str:
        """Between subcomponents."""


_LINE_ENDS = (".br", ".BR")

_HEX = re.compile(r"X((?:[0-9A-Fa-f]{2})+)$")


def unescaped(text: str, marks: Marks) -> str:
    """Replace the escape sequences that are known; what is not known stays as it is."""
    plain = {
        "F": marks.field,
        "S": marks.component,
        "T": marks.subcomponent,
        "R": marks.repetition,
        "E": marks.escape,
        **dict.fromkeys(_LINE_ENDS, "\n"),
    }
    mark = marks.escape
    pattern = re.compile(f"{re.escape(mark)}([^{re.escape(mark)}]*){re.escape(mark)}")

    def replaced(match: re.Match[str]) -> str:
        inner = match[1]
        if inner in plain:
            return plain[inner]
        found = _HEX.match(inner)
        if found is None:
            return match[0]
        value = bytes.fromhex(found[1])
        return match[0] if b"\0" in value else value.decode("utf-8", "replace")

    return pattern.sub(replaced, text)
