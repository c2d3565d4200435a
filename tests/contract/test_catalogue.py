"""Every failure that others met, and every scenario that was replayed, is named by a test."""

import ast
import re
from pathlib import Path

import pytest


TESTS = Path(__file__).parents[1]

ROOMS = ("unit", "db", "flow", "cli", "ui")
"""Where tests of behaviour lie; a contract that names a failure proves nothing of it."""

FAILURES = [*range(1, 21), 23, 24]
"""Of backup, restore, proof, cleanup and drill; F21 and F22 are of failover."""

SCENARIOS = [*range(1, 15), 17]
"""Those of them that need no failover of ours."""

FAILURE = re.compile(r"\bF(\d+)\b")

SCENARIO = re.compile(r"(?i)\bscenario (\d+)\b")

NAME = re.compile(r"test_f(\d+)_")


def named(text, pattern):
    """Return the numbers that the tests of a file, or the file itself, name in words."""
    tree = ast.parse(text)
    tests = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    said = [ast.get_docstring(node) or "" for node in (tree, *tests) if tests]
    words = pattern.findall(" ".join(said))
    names = NAME.findall(" ".join(test.name for test in tests)) if pattern is FAILURE else []
    return {int(number) for number in (*words, *names)}


def everywhere(pattern):
    """Return what is named in all tests of behaviour."""
    files = [path for room in ROOMS for path in (TESTS / room).rglob("test_*.py")]
    return set().union(*(named(path.read_text(), pattern) for path in files))


@pytest.mark.parametrize(
    ("pattern", "wanted"), [(FAILURE, FAILURES), (SCENARIO, SCENARIOS)], ids=["failures", "replays"]
)
def test_each_is_named_by_a_test(pattern, wanted):
    """A failure that no test names may come back."""
    assert set(wanted) - everywhere(pattern) == set()


def test_what_no_test_names_is_missed():
    """The check itself can fail: words beside tests, and other numbers, do not count."""
    text = '"""F1: a file."""\n\n\ndef test_f2_two():\n    """F3, F30 and scenario 4."""\n'
    assert named(text, FAILURE) == {1, 2, 3, 30}
    assert named(text, SCENARIO) == {4}
    assert named('"""F1."""\n\n\ndef helper():\n    """F2."""\n', FAILURE) == set()
    assert named('def test_x():\n    """None."""\n    f = "F5"  # F6\n', FAILURE) == set()
