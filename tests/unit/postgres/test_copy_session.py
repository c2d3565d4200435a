"""What our connections to a copy pin, and in which form an address carries it."""

import pytest
from psycopg import conninfo

from tasks.postgres.cluster import Cluster
from tasks.postgres.copy_session import SESSION, session


@pytest.fixture
def cluster(tmp_path):
    """Return what makes a cluster of a version, of a copy or not."""

    def make(version, *, is_copy=True):
        tmp_path.joinpath("PG_VERSION").write_text(f"{version}\n")
        return Cluster(tmp_path, tmp_path, 5432, tmp_path, is_copy=is_copy)

    return make


def test_an_address_of_a_copy_carries_every_setting(cluster):
    """A blank in a value does not end it."""
    options = conninfo.conninfo_to_dict(cluster(15).server("main").address)["options"]
    assert "-c role=none" in options
    assert "-c default_transaction_isolation=read\\ committed" in options
    assert options.count("-c ") == len(SESSION)


def test_a_version_is_given_what_it_knows(cluster):
    """An unknown setting would refuse the connection."""
    assert "event_triggers" not in cluster(16).server("main").address
    assert "event_triggers=off" in cluster(17).server("main").address
    assert "extension_control_path" not in cluster(17).server("main").address
    assert "extension_control_path" in cluster(18).server("main").address


def test_what_is_no_copy_is_reached_as_it_is_set(cluster):
    """Its roles and databases have the settings that somebody gave them."""
    assert "options" not in cluster(18, is_copy=False).server("main").address


def test_a_directory_that_is_no_cluster_yet_is_taken_for_an_old_one(tmp_path):
    """No setting is pinned that it may not know."""
    assert "event_triggers" not in session(tmp_path)
