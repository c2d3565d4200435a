"""Imports run one way: flows, then steps, then engines, then pure code."""

import ast
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
GROUND = ("control", "postgres", "repository")
LAYERS = ("flows", "tasks", "blocks", "reports")


def modules():
    """Return every module of the house with what it imports."""
    files = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in files
    }


def imported(path, *, at_top_only=False):
    """Return the full names that a file imports."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if at_top_only else list(ast.walk(tree))
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def violations(module, names):  # noqa: C901 - one rule after the other
    """Return the imports that lead the wrong way."""
    layer, _, rest = module.partition(".")
    slice_ = rest.partition(".")[0]
    is_step = module.endswith(".steps")
    bad = []
    for name in names:
        top, _, inner = name.partition(".")
        target = inner.partition(".")[0]
        if top == "flows" and layer != "flows":
            bad.append(f"{name}: nothing imports flows")
        if layer == "tasks" and top in ("blocks", "reports"):
            bad.append(f"{name}: a step does not know who shows it or what it connects to")
        if layer == "tasks" and top == "tasks" and target not in (*GROUND, slice_, ""):
            bad.append(f"{name}: slices do not import each other")
        both = layer == "tasks" and slice_ in GROUND and target in GROUND
        if both and GROUND.index(target) > GROUND.index(slice_):
            bad.append(f"{name}: the ground floor is built upwards")
        if layer == "tasks" and top == "prefect" and not is_step and module != EVENTS:
            bad.append(f"{name}: only steps know Prefect")
        if layer == "reports" and top == "prefect" and module != "reports.publish":
            bad.append(f"{name}: only publish makes artifacts")
        if layer == "blocks" and top == "tasks" and target not in GROUND:
            bad.append(f"{name}: blocks stand on the ground floor")
        if layer == "flows" and not module.startswith("flows.verbs") and module != "flows.__main__":
            is_engine = top == "tasks" and target not in ("control", "")
            if is_engine and not (name.endswith(".steps") or ".steps." in name):
                bad.append(f"{name}: a runbook calls steps")
    return bad


EVENTS = "tasks.control.events"


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_what_lies_below_it(module):
    """Each layer and each slice imports only what the design allows."""
    assert violations(module, imported(modules()[module])) == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("tasks.backup.take", "flows.backup"),
        ("tasks.backup.take", "tasks.recovery.proving.verify"),
        ("tasks.backup.take", "prefect"),
        ("tasks.backup.steps", "reports.backup"),
        ("tasks.control.clock", "tasks.postgres.server"),
        ("reports.page", "prefect.artifacts"),
        ("blocks.cluster", "tasks.backup.take"),
        ("flows.backup", "tasks.backup.take"),
    ],
)
def test_an_import_that_leads_the_wrong_way_is_found(module, name):
    """The check itself can fail."""
    assert violations(module, {name}) != []


@pytest.mark.parametrize("module", [name for name in modules() if name != "tasks.control.steps"])
def test_heavy_libraries_are_imported_where_they_are_used(module):
    """What takes seconds to import is imported inside the functions that need it."""
    heavy = {"great_expectations", "pandas", "altair", "vl_convert", "statsmodels", "boto3"}
    tops = {name.partition(".")[0] for name in imported(modules()[module], at_top_only=True)}
    assert not tops & heavy


def test_packages_hold_a_docstring_and_nothing_else():
    """An `__init__` of a slice imports nothing, so that pure modules load in milliseconds."""
    for path in sorted((ROOT / "tasks").rglob("__init__.py")):
        tree = ast.parse(path.read_text())
        assert [type(node) for node in tree.body] == [ast.Expr], path
