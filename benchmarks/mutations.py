"""Damages to a repository, each as one function over a tool's own files."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks.rivals.rival import Rival


EARLY = 4096
"""Where a WAL segment is damaged: even one that is hardly filled holds records there."""

Mutation = Callable[[Rival, Rival], None]
"""Called with the tool, and with the same tool on another cluster."""


class DoesNotApplyError(Exception):
    """The tool keeps nothing of that kind."""


def flip(path: Path | None, at: int | None = None) -> None:
    """Change one bit of a file: at an offset, or in its middle."""
    if path is None or not path.exists():
        raise DoesNotApplyError
    data = bytearray(path.read_bytes())
    where = len(data) // 2 if at is None else min(at, len(data) // 2)
    data[where] ^= 0x01
    path.write_bytes(data)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _swap(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def _delete(paths: list[Path]) -> None:
    if not paths:
        raise DoesNotApplyError
    for path in paths:
        path.unlink(missing_ok=True)


def _data(rival: Rival) -> list[Path]:
    return rival.data(rival.backups()[0])


def _same_place(rival: Rival, stranger: Rival) -> None:
    """Put the stranger's largest data file in the place of ours."""
    shutil.copyfile(_data(stranger)[0], _data(rival)[0])


def _stale_data(rival: Rival, _: Rival) -> None:
    """Put a file of the full backup in its place in the second one, where they differ."""
    first, second = rival.backups()[:2]
    for path in rival.data(second):
        earlier = Path(str(path).replace(second, first))
        if earlier.exists() and earlier.read_bytes() != path.read_bytes():
            shutil.copyfile(earlier, path)
            return
    raise DoesNotApplyError


def _stale_document(rival: Rival, _: Rival) -> None:
    """Put what describes the full backup in the place of what describes the second one."""
    first, second = rival.backups()[:2]
    pairs = zip(rival.documents(first), rival.documents(second), strict=True)
    for earlier, later in pairs:
        shutil.copyfile(earlier, later)


def _needed(rival: Rival) -> list[str]:
    """Return the archived segments that the full backup needs: three at least."""
    first, last = rival.span(rival.backups()[0])
    return [name for name in sorted(rival.wal()) if first <= name <= last]


def _between(rival: Rival) -> list[str]:
    """Return the archived segments after the full backup and before the second one."""
    first, second = rival.backups()[:2]
    after, before = rival.span(first)[1], rival.span(second)[0]
    return [name for name in sorted(rival.wal()) if after < name < before]


def _lose(choose: Callable[[Rival], str]) -> Mutation:
    return lambda rival, _: rival.wal()[choose(rival)].unlink()


def _flip_wal(choose: Callable[[Rival], str]) -> Mutation:
    return lambda rival, _: flip(rival.wal()[choose(rival)], EARLY)


def _middle(names: list[str]) -> str:
    return names[len(names) // 2]


def _truncate_wal(rival: Rival, _: Rival) -> None:
    _truncate(rival.wal()[_middle(_needed(rival))])


def _swap_wal(rival: Rival, _: Rival) -> None:
    wal, names = rival.wal(), _needed(rival)
    _swap(wal[names[0]], wal[names[1]])


def _second_copy(rival: Rival, _: Rival) -> None:
    """Add another segment's bytes under the name of one, with a hash of its own in that name."""
    wal, names = rival.wal(), _needed(rival)
    one, other = wal[names[0]], wal[names[1]]
    if one.name == names[0]:
        raise DoesNotApplyError  # nothing but the name is in the name
    shutil.copy(other, one.with_name(other.name.replace(names[1], names[0])))


def _strange_wal(rival: Rival, stranger: Rival) -> None:
    """Put another cluster's segment of the same name in the place of ours."""
    known = stranger.wal()
    name = next(name for name in _needed(rival) if name in known)
    ours = rival.wal()[name]
    ours.unlink()
    shutil.copy(known[name], ours.with_name(known[name].name))
    shutil.chown(ours.with_name(known[name].name), *_owner(ours.parent))


def _owner(path: Path) -> tuple[int, int]:
    return path.stat().st_uid, path.stat().st_gid


def _change_start(rival: Rival, _: Rival) -> None:
    """Change the last digit of where the full backup begins, in all copies of its description."""
    for path in rival.documents(rival.backups()[0]):
        text, found = path.read_text(), rf'({rival.start_key}"?\s*[=:]\s*"?[0-9A-F]+/[0-9A-F]*)'
        match = re.search(found, text)
        if match is None:
            raise DoesNotApplyError
        other = "1" if text[match.end() - 1] == "0" else "0"
        path.write_text(text[: match.end() - 1] + other + text[match.end() :])


def _documents(rival: Rival, number: int = 0) -> list[Path]:
    return rival.documents(rival.backups()[number])


def _whole_backup(rival: Rival, _: Rival) -> None:
    """Remove the full backup, with all by which it is known: the second one is built on it."""
    paths = [*_data(rival), *_documents(rival), rival.file_list(rival.backups()[0])]
    _delete([path for path in paths if path is not None])


def nothing(_rival: Rival, _stranger: Rival) -> None:
    """Damage nothing: the control."""


BACKUPS: dict[str, Mutation] = {
    "data file: one bit flipped": lambda rival, _: flip(_data(rival)[0]),
    "data file: truncated": lambda rival, _: _truncate(_data(rival)[0]),
    "data file: deleted": lambda rival, _: _delete(_data(rival)[:1]),
    "data files: two swapped": lambda rival, _: _swap(*_data(rival)[:2]),
    "data file: another cluster's": _same_place,
    "data file: stale, of the earlier backup": _stale_data,
    "catalogue without data": lambda rival, _: _delete(_data(rival)),
    "data without catalogue": lambda rival, _: _delete(_documents(rival)),
    "catalogue entry: deleted, a copy left": lambda rival, _: _one_of_two(rival),
    "catalogue entry: one bit flipped": lambda rival, _: flip(_documents(rival)[0]),
    "catalogue entry: start changed by a digit": _change_start,
    "catalogue entry: stale, of the earlier backup": _stale_document,
    "PostgreSQL's file list: one bit flipped": lambda rival, _: flip(
        rival.file_list(rival.backups()[0])
    ),
    "stanza's document: one bit flipped": lambda rival, _: flip(rival.identity()[0]),
    "stanza's document: deleted": lambda rival, _: _delete(rival.identity()),
    "full backup gone, second one built on it": _whole_backup,
}


def _one_of_two(rival: Rival) -> None:
    documents = _documents(rival)
    if len(documents) == 1:
        raise DoesNotApplyError
    _delete(documents[:1])


WAL: dict[str, Mutation] = {
    "WAL a backup needs: first missing": _lose(lambda rival: _needed(rival)[0]),
    "WAL a backup needs: middle missing": _lose(lambda rival: _middle(_needed(rival))),
    "WAL a backup needs: last missing": _lose(lambda rival: _needed(rival)[-1]),
    "WAL a backup needs: one bit flipped": _flip_wal(lambda rival: _middle(_needed(rival))),
    "WAL a backup needs: truncated": _truncate_wal,
    "WAL a backup needs: two segments swapped": _swap_wal,
    "WAL a backup needs: another cluster's": _strange_wal,
    "WAL: a second copy with other contents": _second_copy,
    "WAL between backups: missing": _lose(lambda rival: _middle(_between(rival))),
    "WAL between backups: one bit flipped": _flip_wal(lambda rival: _middle(_between(rival))),
    "WAL: the newest deleted": _lose(lambda rival: max(rival.wal())),
}

TIMELINES: dict[str, Mutation] = {
    "timeline history file missing": lambda rival, _: _delete(rival.histories()),
}
