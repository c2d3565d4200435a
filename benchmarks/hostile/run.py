"""The hostile catalogue: clusters drawn by chance, each backed up, proven, restored and read.

`HL7OPS_HOSTILE` says which: a range of seeds (`0-63`, which is the default), the names of features
(`encodings,sequences`), or `alone` for a cluster of each feature. `HL7OPS_HOSTILE_MAJOR` is the
version of those that are not drawn. `HL7OPS_HOSTILE_RESULTS` is a file to which a line of JSON is
added for each; those that stand there are not tried again.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks.hostile.cluster import remove
from benchmarks.hostile.drawing import alone, draw
from benchmarks.hostile.features import BARE, Feature, features


WHICH = os.environ.pop("HL7OPS_HOSTILE", "0-63")

MAJOR = os.environ.pop("HL7OPS_HOSTILE_MAJOR", "18")

RESULTS = os.environ.pop("HL7OPS_HOSTILE_RESULTS", "")

KINDS = os.environ.pop("HL7OPS_HOSTILE_KINDS", "full,snapshot")

TIMEOUT_S = 300
"""So long one cluster may take; what hangs is as bad as what fails."""

LONGEST_S = 5.0
"""A statement of a user's that takes so long did not only work, it waited."""

TABLE = re.compile(r"'(\w+)' b'(\w+)' b'(\w+)': ")
"""How the oracle names a table of a database."""

Found = dict[str, Any]


def names() -> list[str]:
    """Return the seeds or features that are wanted."""
    if WHICH == "alone":
        fitting = features().values()
        return [e.name for e in fitting if e.fits(int(MAJOR))]
    first, dash, last = WHICH.partition("-")
    if dash and first.isdigit() and last.isdigit():
        return [str(number) for number in range(int(first), int(last) + 1)]
    return WHICH.split(",")


def tried(name: str) -> Found:
    """Live through one cluster in a process of its own, and leave nothing of it behind."""
    folder = Path(tempfile.mkdtemp(prefix="hl7ops-hostile-"))
    folder.chmod(0o755)
    command = [sys.executable, "-m", "benchmarks.hostile.one", name, MAJOR, str(folder), KINDS]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        found: Found = json.loads(done.stdout) if done.returncode == 0 else {}
        said = done.stderr.strip().splitlines()[-1:]
    except subprocess.TimeoutExpired:
        found, said = {}, [f"not done after {TIMEOUT_S} s"]
    finally:
        _stop(folder)
        remove(folder)
    if found:
        return found
    drawn = draw(int(name)) if name.isdigit() else alone(name, int(MAJOR))
    made = [each.name for each in drawn.features]
    return {"name": name, "major": drawn.major, "features": made, "died": " ".join(said)}


def _stop(folder: Path) -> None:
    """End the servers that run in a folder of ours."""
    for process in psutil.process_iter(["cmdline"]):
        if any(word.startswith(str(folder)) for word in process.info["cmdline"] or []):
            process.kill()


def judged(found: Found) -> Iterator[tuple[str, str]]:
    """Say what is not as it should be, each with its kind."""
    if "died" in found:
        yield "died", found["died"]
        return
    made = [features()[name] for name in found["features"]]
    for line in found["unmade"]:
        kind = "a user's statement failed" if "a user's statement" in line else "not made"
        yield kind, line
    for each in found["outcomes"]:
        if not (each["kind"] == "snapshot" and any("no" in feature.needs for feature in made)):
            for kind, said in _judged(each, found["major"], made):
                yield f"{each['kind']}: {kind}", said


def _judged(each: Found, major: int, made: list[Feature]) -> Iterator[tuple[str, str]]:
    if each.get("longest_s", 0) > LONGEST_S:
        yield "a user waited", f"{each['longest_s']} s for a statement"
    if each["take"] != "taken":
        yield "take failed", each["take"]
        return
    if each["verdict"] == "proven" and each["differs"]:
        yield "false proof", "; ".join(each["differs"])
    elif each["verdict"] not in ("proven", "partial"):
        kind = "not proven, and it differs" if each["differs"] else "false alarm"
        yield kind, f"{each['verdict']}: {'; '.join(each['checks'] + each['differs'])}"
    elif each["verdict"] == "partial" and (left := _unexcused(each, made)):
        yield "partial, differs", "; ".join(left)
    if each["restore"] != "restored":
        yield "restore failed", each["restore"]
    yield from _partial(each, major, made)


def _unexcused(each: Found, made: list[Feature]) -> list[str]:
    """Return the differences that lie neither in what need not be compared, nor in what is named.

    A dump that was not let be may lack rows; of which table, its proof says.
    """
    words = [value.partition(" ")[2] for one in made for value in one.of("not")]
    said = "; ".join(each["partial"])
    return [
        line
        for line in each["differs"]
        if not any(word in line for word in words)
        and not ((table := TABLE.match(line)) and f"{'.'.join(table.groups())} (" in said)
    ]


def _partial(each: Found, major: int, made: list[Feature]) -> Iterator[tuple[str, str]]:
    """Say what is not named as not compared, and what is without need."""
    must = [line.removeprefix("compared ") for one in made for line in one.not_compared]
    may = any(value.startswith("compared?") for one in made for value in one.of("not"))
    said = "; ".join(each["partial"])
    if each["verdict"] == "proven" and must:
        yield "proven, though not compared", ", ".join(must)
    if each["verdict"] == "partial":
        missing = [name for name in must if name not in said]
        if missing:
            yield "not named", f"{', '.join(missing)} in {said}"
        if not (must or may or major == BARE or any(one.busy for one in made)):
            yield "partial without need", said


def main() -> None:
    """Try all of them, print each that is not as wanted, and count.

    Raises:
        SystemExit: something was not as wanted.

    """
    known = _known()
    counts: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    for name in names():
        found = known.get(name) or tried(name)
        if name not in known and RESULTS:
            with Path(RESULTS).open("a") as file:
                file.write(json.dumps(found) + "\n")
        wrong = list(judged(found))
        said = ", ".join(f"{o['kind']} {o['verdict']}"[:30] for o in found.get("outcomes", []))
        print(f"{name} on {found['major']}: {said}: {' '.join(found['features'])}", flush=True)
        for kind, text in wrong:
            print(f"    {kind}: {text[:400]}", flush=True)
        counts.update({kind for kind, _ in wrong} or {"as wanted"})
        verdicts.update(f"{o['kind']} {o['verdict']}"[:20] for o in found.get("outcomes", []))
    for title, counter in (("clusters", counts), ("verdicts", verdicts)):
        print(f"  {title}: " + ", ".join(f"{n} {kind}" for kind, n in sorted(counter.items())))
    if set(counts) - {"as wanted"}:
        sys.exit(1)


def _known() -> dict[str, Found]:
    if not RESULTS or not Path(RESULTS).exists():
        return {}
    lines = (json.loads(line) for line in Path(RESULTS).read_text().splitlines())
    return {found["name"]: found for found in lines}


if __name__ == "__main__":
    main()
