"""Configuration that is laid beside a copy: below its folder, and nowhere else."""

import io
import stat
import tarfile

import pytest

from tasks.control.errors import Corrupt
from tasks.postgres.owner import owner_of
from tasks.recovery.restoring.restored_configuration import lay


@pytest.fixture
def packed(tmp_path):
    """Return what packs files of some names."""

    def pack(*names, kind=tarfile.REGTYPE):
        path = tmp_path / "configuration.tar"
        with tarfile.open(path, "w") as tar:
            for name in names:
                member = tarfile.TarInfo(name)
                member.type, member.size, member.linkname = kind, 4, "/etc/passwd"
                tar.addfile(member, io.BytesIO(b"text"))
        return path

    return pack


def test_files_go_below_the_folder_and_are_read_by_nobody_else(packed, tmp_path):
    """As they may hold passwords."""
    root = lay(packed("etc/postgresql/pg_hba.conf"), tmp_path, owner_of(tmp_path))
    path = root / "etc" / "postgresql" / "pg_hba.conf"
    assert path.read_text() == "text"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_backup_that_has_none_lays_nothing(tmp_path):
    """There is no empty folder either."""
    assert lay(tmp_path / "absent.tar", tmp_path, owner_of(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "etc/../../outside"])
def test_a_name_that_leads_elsewhere_is_refused(packed, tmp_path, name):
    """It was not put there by a backup."""
    with pytest.raises(Corrupt, match="cannot be laid out"):
        lay(packed(name), tmp_path, owner_of(tmp_path))
    assert not (tmp_path.parent / "outside").exists()


def test_a_link_is_refused(packed, tmp_path):
    """What it leads to would be written."""
    with pytest.raises(Corrupt, match="cannot be laid out"):
        lay(packed("etc/link", kind=tarfile.SYMTYPE), tmp_path, owner_of(tmp_path))
