"""One at a time, as the server sees it."""

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
