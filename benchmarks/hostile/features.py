"""Features: scripts of psql beside this file, each with what it needs of a cluster.

A file holds several, each under a line `--# NAME`. Lines `--@ WORD VALUE` say what it needs:

- `since 18`, `until 17`: of the server's version; `contrib`: extensions of PostgreSQL's own.
- `setting NAME = VALUE`: of the server, from its first start on; `later`: after it was filled.
- `initdb OPTION`, `superuser NAME`: when it is made.
- `folder NAME`: an empty directory outside the data directory, a variable of the script.
- `last`: it hinders those that come after it.
- `not compared NAME`: what a proof has to name as not compared; `not compared? NAME`: may.
- `no snapshot WHY`: a dump cannot be taken of it.
- `session`: what follows is executed by a session that stays open meanwhile.
- `busy`: what follows is executed again and again meanwhile, `:n` being a number that rises.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path


BARE = 16
"""The version whose programs come without contrib."""

FOLDER = Path(__file__).with_name("features")


@dataclass(frozen=True)
class Feature:
    """One feature: what it needs, the script that makes it, and what goes on meanwhile."""

    name: str
    script: str
    session: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    needs: dict[str, list[str]] = field(default_factory=dict)

    def of(self, word: str) -> list[str]:
        """Return what it needs of one kind."""
        return self.needs.get(word, [])

    def one(self, word: str, default: str) -> str:
        """Return the last of what it needs of one kind."""
        return self.needs.get(word, [default])[-1]

    def fits(self, major: int) -> bool:
        """Tell whether a server of a version can have it."""
        since, until = int(self.one("since", "15")), int(self.one("until", "99"))
        return since <= major <= until and (major != BARE or "contrib" not in self.needs)

    @property
    def not_compared(self) -> list[str]:
        """What a proof has to name as not compared."""
        return [value for value in self.of("not") if value.startswith("compared ")]


@cache
def features() -> dict[str, Feature]:
    """Read all features, by their names."""
    return {
        name: each for path in sorted(FOLDER.glob("*.sql")) for name, each in read(path).items()
    }


def read(path: Path) -> dict[str, Feature]:
    """Read the features of one file."""
    return {each.name: each for each in _read(path.read_text())}


def statements(text: str) -> tuple[str, ...]:
    """Split what is executed one line after the other."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("--"))


def _read(text: str) -> Iterator[Feature]:
    for portion in text.split("\n--# ")[1:]:
        name, _, rest = portion.partition("\n")
        needs: dict[str, list[str]] = defaultdict(list)
        parts = {"script": "", "session": "", "busy": ""}
        into = "script"
        for line in rest.splitlines(keepends=True):
            word, _, value = line.removeprefix("--@ ").strip().partition(" ")
            if not line.startswith("--@ "):
                parts[into] += line
            elif word in parts:
                into = word
            else:
                needs[word].append(value)
        session, busy = statements(parts["session"]), statements(parts["busy"])
        yield Feature(name.strip(), parts["script"], session, busy, dict(needs))
