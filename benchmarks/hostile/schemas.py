"""Schemas of public repositories, each in a database of its own, with a few rows where they fit.

`HL7OPS_SCHEMAS` is the folder that holds their files (see `schemas.yaml`); `HL7OPS_SCHEMAS_NAMES`
says which (all), `HL7OPS_SCHEMAS_MAJOR` on which version (15), and `HL7OPS_SCHEMAS_TOGETHER` puts
all of them into one cluster. Nothing of them is kept in the checkout.
"""

import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg import conninfo, sql

from benchmarks.hostile import run
from benchmarks.hostile.cluster import Place, place, psql, remove
from benchmarks.hostile.drawing import Drawn
from benchmarks.hostile.features import Feature
from benchmarks.hostile.one import Outcome, tried


FOLDER = Path(os.environ.pop("HL7OPS_SCHEMAS", ""))

NAMES = os.environ.pop("HL7OPS_SCHEMAS_NAMES", "")

MAJOR = int(os.environ.pop("HL7OPS_SCHEMAS_MAJOR", "15"))

TOGETHER = os.environ.pop("HL7OPS_SCHEMAS_TOGETHER", "")

MANIFEST = Path(__file__).with_name("schemas.yaml")

FILLER = Path(__file__).with_name("filler.sql")

FILLINGS = 3

COUNTED = """
select count(*) filter (where relkind in ('r', 'p')), count(*) filter (where relkind = 'v')
from pg_class where oid >= 16384 and relnamespace::regnamespace::text !~ '^pg_'
"""

Entry = dict[str, Any]


def wanted() -> list[Entry]:
    """Return the entries of the manifest that are wanted and whose files are there."""
    if not FOLDER.name:
        print("  HL7OPS_SCHEMAS names no folder: left out")
        return []
    every = yaml.safe_load(MANIFEST.read_text())
    chosen = [each for each in every if not NAMES or each["name"] in NAMES.split(",")]
    missing = [each["name"] for each in chosen if not _root(each).is_dir()]
    if missing:
        print(f"  without files, left out: {', '.join(missing)}")
    return [each for each in chosen if each["name"] not in missing]


def load(made: Place, entry: Entry) -> str:
    """Load one schema into a database of its name, and say how much of it there is."""
    name, tools = entry["name"], made.cluster.programs
    with psycopg.connect(made.address("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    reached = made.address(name)
    failed = psql(tools, reached, entry.get("prelude", "") + ";", {}, stops=False)
    for pattern, path in _files(entry):
        text = path.read_text(errors="replace")
        for old, new in entry.get("replace", {}).items():
            text = text.replace(old, new)
        text = text.partition(entry.get("until", "\0"))[0]
        role = entry.get("as", {}).get(pattern)
        at = conninfo.make_conninfo(reached, user=role) if role else reached
        failed += psql(tools, at, text, {}, stops=False, cwd=path.parent)
    for _ in range(FILLINGS):
        psql(tools, reached, FILLER.read_text(), {})
    with psycopg.connect(reached) as connection:
        counted = connection.execute(COUNTED).fetchone() or (0, 0)
    said = f"{name}: {counted[0]} tables, {counted[1]} views"
    return f"{said}, {len(failed)} files with errors: {failed[:2]}"


def _files(entry: Entry) -> Iterator[tuple[str, Path]]:
    """Yield the files in their order, numbers in their names counted as numbers."""
    for pattern in entry["steps"]:
        found = _root(entry).glob(pattern)
        for path in sorted(found, key=lambda each: re.sub(r"\d+", _padded, str(each))):
            yield pattern, path


def _padded(match: re.Match[str]) -> str:
    return match[0].zfill(20)


def _root(entry: Entry) -> Path:
    return FOLDER / str(entry["repository"]).replace("/", "+")


def _try(entries: list[Entry]) -> Counter[str]:
    """Try a full backup and a snapshot of a cluster with some schemas, and print what came out."""
    counts: Counter[str] = Counter()
    folder = Path(tempfile.mkdtemp(prefix="hl7ops-hostile-"))
    folder.chmod(0o755)
    superusers = [entry["superuser"] for entry in entries if "superuser" in entry]
    feature = Feature("schemas", "", needs={"superuser": superusers} if superusers else {})
    with place(Drawn("schemas", MAJOR, (feature,)), folder) as made:
        for entry in entries:
            print(f"  {load(made, entry)}", flush=True)
        for kind in ("full", "snapshot"):
            found = tried(made, kind)
            outcome = {"features": [], "major": MAJOR, "unmade": [], "outcomes": [asdict(found)]}
            told = [each for each in run.judged(outcome) if not _excused(each, found, entries)]
            print(f"    {kind}: {found.verdict[:40]}, {found.restore[:40]}", flush=True)
            for what, text in told:
                print(f"    {what}: {text[:600]}", flush=True)
            counts.update([what for what, _ in told] or [f"{kind}: as wanted"])
    remove(folder)
    return counts


def _excused(told: tuple[str, str], found: Outcome, entries: list[Entry]) -> bool:
    """Tell whether a snapshot is partial by names alone that no dump carries."""
    names = [name for entry in entries for name in entry.get("not_carried", ())]
    is_named = all(any(name in line for line in found.partial) for name in names)
    wanted = f"{found.kind}: partial without need", f"{found.kind}: partial, differs"
    return found.kind == "snapshot" and told[0] in wanted and bool(names) and is_named


def main() -> None:
    """Try all of them, one by one or together.

    Raises:
        SystemExit: something was not as wanted.

    """
    entries = wanted()
    together = [entry for entry in entries if "apart" not in entry]
    groups = [together] if TOGETHER and together else [[entry] for entry in entries]
    counts = sum((_try(group) for group in groups), Counter[str]())
    print("  " + ", ".join(f"{number} {what}" for what, number in sorted(counts.items())))
    if any("as wanted" not in what for what in counts):
        sys.exit(1)


if __name__ == "__main__":
    main()
