"""Options that take several values at once: `--origins A B C`, as well as once each."""

import re
from typing import Any

from typer.core import TyperCommand


DATE = re.compile(r"\d{4}-")
"""How a further value begins; anything else is the next argument."""


class SeveralDates(TyperCommand):
    """A command whose repeatable options may be followed by several dates."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - click's
        """Repeat the option before each further date, or each after a comma, then parse."""
        return super().parse_args(ctx, repeated(args, self._repeatable()))

    def _repeatable(self) -> set[str]:
        return {
            name
            for parameter in self.params
            if getattr(parameter, "multiple", False)
            for name in parameter.opts
        }


def repeated(args: list[str], options: set[str]) -> list[str]:
    """Return the arguments with an option of `options` named before each of its values.

    Its first value is whatever follows it, further ones must look like dates.
    """
    result: list[str] = []
    option, is_first = "", False
    for arg in args:
        name, equals, value = arg.partition("=")
        if arg in options:
            option, is_first = arg, True
        elif equals and name in options:
            option, is_first = name, False
            result += _each(name, value)
        elif option and (is_first or DATE.match(arg)):
            is_first = False
            result += _each(option, arg)
        else:
            option = ""
            result.append(arg)
    return [*result, option] if is_first else result


def _each(option: str, values: str) -> list[str]:
    return [word for value in values.split(",") if value for word in (option, value)]
