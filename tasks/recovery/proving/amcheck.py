"""The structure tier: every table and index of a copy is walked by `pg_amcheck`."""

from pathlib import Path

from tasks.postgres import programs
from tasks.postgres.server import Server, identify
from tasks.repository.proof import Check


FOUND_CORRUPTION = 2
"""Exit code of `pg_amcheck` where it found some (PostgreSQL documentation, "pg_amcheck")."""

UNIQUENESS_SINCE = 17

TIMEOUT_S = 4 * 3600


def check(copy: Server, tools: Path) -> list[Check]:
    """Walk all databases of a copy: heaps, and B-trees against their heaps.

    The copy gets the extension `amcheck` where it is missing, so it is measured before.

    Raises:
        OpsError: `pg_amcheck` could not do its work.

    """
    arguments = ["--all", "--jobs=2", "--heapallindexed", "--install-missing", "--no-password"]
    if identify(copy).major >= UNIQUENESS_SINCE:
        arguments.append("--checkunique")
    with programs.service_file(copy) as env:
        done = programs.run(
            tools,
            "pg_amcheck",
            arguments,
            timeout_s=TIMEOUT_S,
            env=env,
            accept=(0, FOUND_CORRUPTION),
        )
    name = "tables and indexes are sound (pg_amcheck, heapallindexed)"
    if done.returncode == 0:
        return [Check("structure", name, "pass")]
    first = [line for line in done.stdout.splitlines() if not line.startswith(" ")][:5]
    return [Check("structure", name, "fail", "; ".join(first))]
