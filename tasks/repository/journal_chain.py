"""The chain of a journal's entries: each has its number and follows the one before it."""

from collections.abc import Sequence
from itertools import groupby

from tasks.repository.journal_reader import StoredEntry


def flaws(written: Sequence[StoredEntry]) -> list[str]:
    """Say what is wrong with a chain: entries that are missing, forked, edited or misplaced.

    Args:
        written: all entries that are there, by number.

    """
    found, last, hashes = [], 0, {""}
    for number, same in groupby(written, lambda each: each.number):
        group = [*same]
        if number > last + 1:
            ends = f"{last + 1}" if number == last + 2 else f"{last + 1} to {number - 1}"
            found.append(f"lost entries: {ends}")
            hashes = set()
        if len(group) > 1:
            found.append(f"entry {number} is there {len(group)} times: it was forked")
        found += _members(group, hashes)
        last, hashes = number, {each.sha256 for each in group if each.entry}
    return found


def _members(group: Sequence[StoredEntry], before: set[str]) -> list[str]:
    """Say what is wrong with entries of one number, given the hashes that they may follow.

    Where the one before is missing or cannot be believed, that was said already.
    """
    found = [each.problem for each in group if each.entry is None]
    return found + [
        f"entry {each.number} does not follow the one before it"
        for each in group
        if before and each.entry and each.entry.before not in before
    ]
