"""Files and functions are small enough to be read at one sight."""

import ast
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]

FILES = [
    path
    for room in ("flows", "tasks", "blocks", "reports", "benchmarks")
    for path in sorted((ROOT / room).rglob("*.py"))
]

LONGEST_FILE = 400

LONGEST_FUNCTION = 35


def functions(text):
    """Return the lines that each function takes below its docstring."""
    found = {}
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        body = node.body[1:] if ast.get_docstring(node) else node.body
        found[node.name] = node.end_lineno - body[0].lineno + 1 if body else 0
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_and_its_functions_are_short(path):
    """Where one is longer, a noun is missing."""
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_FILE
    assert {name: n for name, n in functions(text).items() if n > LONGEST_FUNCTION} == {}


def test_a_long_function_is_found():
    """The check itself can fail; the docstring does not count."""
    body = "    x = 1\n" * 36
    assert functions(f'def long():\n    """Say.\n\n    More.\n    """\n{body}') == {"long": 36}
