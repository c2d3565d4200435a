"""A disk on which things go wrong: the n-th write, sync or rename fails."""

import errno
import os
from contextlib import contextmanager

from tasks.repository import local


FAULTS = {"full": errno.ENOSPC, "broken": errno.EIO}


@contextmanager
def spoiled(monkeypatch, fault, number):
    """Let the n-th storage call of the repository fail; yield the calls that were made."""
    calls = []

    def spoil(owner, name):
        real = getattr(owner, name)

        def call(*arguments, **keywords):
            calls.append(name)
            if len(calls) == number:
                raise OSError(FAULTS[fault], os.strerror(FAULTS[fault]))
            return real(*arguments, **keywords)

        monkeypatch.setattr(owner, name, call)

    with monkeypatch.context() as monkeypatch:  # noqa: PLR1704 - undone when the block ends
        spoil(local.os, "fsync")
        spoil(local.Path, "replace")
        spoil(local.LocalStorage, "_enter")
        yield calls
