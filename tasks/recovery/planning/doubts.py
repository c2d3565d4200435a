"""What is known of a backup that a recovery may begin with: what refuses it, what is warned of."""

from collections.abc import Iterable, Sequence

from tasks.repository.model import Backup, Damaged
from tasks.repository.proof import Check, Proof


NAMED = 2
"""How many failed checks are quoted."""


def failure(last: Proof | Damaged | None) -> str | None:
    """Say how the bytes of a backup failed its last proof; None: they did not."""
    if not isinstance(last, Proof) or not last.refuses_restore:
        return None
    return f"its bytes failed its last proof: {_quoted(last.failed_bytes)}"


def doubts(backup: Backup, last: Proof | Damaged | None) -> list[str]:
    """Say what nobody knows of a backup, or what was found in comparing it; the worst first.

    None of it keeps a backup from being restored.
    """
    return [*_of_proof(backup, last), *_of_seal(backup, last)]


def _of_proof(backup: Backup, last: Proof | Damaged | None) -> list[str]:
    name = backup.id
    if last is None:
        return [f"{name} was never verified: nobody knows whether it restores"]
    if isinstance(last, Damaged):
        return [f"the last proof of {name} cannot be read: {last.problem}"]
    if not last.has_run:
        broken = [each for each in last.checks if each.outcome == "error"]
        return [f"the last proof of {name} could not run: {_quoted(broken)}"]
    if last.refuses_restore:
        return []  # it is told already
    contents = [each for each in last.failed_comparison if each.tier != "structure"]
    structure = [each for each in last.failed_comparison if each.tier == "structure"]
    is_open = backup.is_sealed and last.outcome("contents") in (None, "error") and not structure
    corrupt = f"{name} holds corrupt tables or indexes, as its source did: {_quoted(structure)}"
    return [
        *([f"{name} differs from its seal: {_quoted(contents)}"] if contents else []),
        *([corrupt] if structure else []),
        *([f"{name} recovers, but its contents were not compared"] if is_open else []),
    ]


def _of_seal(backup: Backup, last: Proof | Damaged | None) -> list[str]:
    """Say what the seal leaves open; where all was compared, nothing."""
    seal, name = backup.seal, backup.id
    is_compared_in_part = isinstance(last, Proof) and last.outcome("contents") == "partial"
    if not backup.is_sealed:
        why = seal.problem or "it could not be taken"
        return [f"{name} has no seal, so nothing can be compared with it: {why}"]
    if seal.is_partial or is_compared_in_part:
        return [f"not all tables of {name} are compared with its source"]
    if seal.mode == "bounded":
        return [f"{name} is sealed by bounds only"]
    return []


def _quoted(checks: Iterable[Check]) -> str:
    """Quote the first checks, each with what was seen."""
    every: Sequence[Check] = list(checks)
    said = [f"{each.name}: {each.seen}" if each.seen else each.name for each in every[:NAMED]]
    more = [f"{len(every) - NAMED} more"] if len(every) > NAMED else []
    return "; ".join([*said, *more]) or "checks are missing"
