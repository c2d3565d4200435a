"""The source's own settings in its copy: aside while we start it, and back again."""

import pytest

from tasks.postgres.auto_conf import AUTO_CONF, SOURCE_AUTO_CONF, give_back, lay_aside


@pytest.fixture
def data(tmp_path):
    """Make a data directory with settings of a source."""
    (tmp_path / AUTO_CONF).write_text("work_mem = '7MB'\n")
    return tmp_path


def test_settings_go_aside_and_come_back_as_they_were(data):
    """Nothing else is left."""
    lay_aside(data)
    assert [path.name for path in data.iterdir()] == [SOURCE_AUTO_CONF]
    give_back(data)
    assert [path.name for path in data.iterdir()] == [AUTO_CONF]
    assert (data / AUTO_CONF).read_text() == "work_mem = '7MB'\n"


def test_both_can_be_done_again_after_a_kill(data):
    """What stands in their place since comes after them, and is never read by us either."""
    lay_aside(data)
    lay_aside(data)
    (data / AUTO_CONF).write_text("work_mem = '9MB'\n")
    lay_aside(data)
    assert not (data / AUTO_CONF).exists()
    give_back(data)
    give_back(data)
    assert (data / AUTO_CONF).read_text() == "work_mem = '7MB'\nwork_mem = '9MB'\n"


def test_a_cluster_without_any_stays_without(tmp_path):
    """It starts all the same."""
    lay_aside(tmp_path)
    give_back(tmp_path)
    assert list(tmp_path.iterdir()) == []
