"""One at a time, as the server sees it."""

import time
from contextlib import ExitStack
from threading import Timer

import pytest

from tasks.control.errors import Refused
from tasks.postgres.lock import alone


def test_a_second_is_refused_with_the_session_that_has_it(server):
    """So that an operator finds the process."""
    with (
        alone(server, "backup"),
        pytest.raises(Refused, match=r"another backup is running; seen: session \d+ since 20"),
        alone(server, "backup"),
    ):
        pass


def test_another_kind_of_work_and_another_stanza_go_on(server):
    """The lock is of one work of one stanza."""
    other = type(server)("other", server.address)
    with alone(server, "backup"), alone(server, "restore"), alone(other, "backup"):
        pass


def test_the_lock_goes_with_the_session(server):
    """After a crash nobody has to clean up."""

    def breaks():
        with alone(server, "backup"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaks()
    with alone(server, "backup"):
        pass


def test_a_lock_that_is_let_go_within_a_moment_is_waited_for(server):
    """Of a process that was killed the server hears a little later."""
    with ExitStack() as first:
        first.enter_context(alone(server, "backup"))
        Timer(0.5, first.close).start()
        began = time.monotonic()
        with alone(server, "backup"):
            assert 0.3 < time.monotonic() - began < 2


def test_a_session_that_is_lost_hides_nothing(server):
    """What the block itself met is told."""

    def breaks():
        with alone(server, "backup"), server.connect() as other:
            other.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            raise LookupError

    with pytest.raises(LookupError):
        breaks()
