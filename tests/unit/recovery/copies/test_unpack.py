"""From a tar to a directory: what a backup holds and nothing else, nowhere else."""

import io
import tarfile
from types import SimpleNamespace

import pytest

from tasks.control.errors import Corrupt
from tasks.postgres.owner import owner_of
from tasks.recovery.copies.scratch import Scratch
from tasks.recovery.copies.unpack import unpack
from tasks.repository.catalogue import Catalogue
from tasks.repository.keys import Keyring
from tasks.repository.local import LocalStorage


@pytest.fixture
def place(tmp_path):
    """Return a scratch directory of our own."""
    (tmp_path / "copy").mkdir()
    return Scratch(tmp_path / "copy", owner_of(tmp_path), tmp_path)


@pytest.fixture
def keep(tmp_path):
    """Return what stores an object in a backup, and unpacks it."""
    catalogue = Catalogue(LocalStorage(tmp_path / "r"), "main", Keyring(tmp_path / "k"))

    def store_and_unpack(copy, name, data):
        backup, kept = SimpleNamespace(id="full-20261123T020000Z"), []
        with catalogue.vault.storing(catalogue.prefix(backup.id), name, kept) as sink:
            sink.write(data)
        unpack(catalogue, backup, kept[0], copy)

    return store_and_unpack


def tar(*members):
    """Make a tar of names with contents, or of members as they are."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as made:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                made.addfile(member)
                continue
            name, data = member
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return file.getvalue()


def info(name, kind, target=""):
    """Describe a member that is no plain file."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


def test_files_and_directories_are_written_as_they_were(place, keep):
    """Nobody else may read them."""
    members = [info("base", tarfile.DIRTYPE), ("base/1", b"x" * 3_000_000), ("empty", b"")]
    keep(place, "base.tar.zst", tar(*members))
    assert (place.data / "base" / "1").read_bytes() == b"x" * 3_000_000
    assert (place.data / "empty").read_bytes() == b""
    assert (place.data / "base" / "1").stat().st_mode & 0o777 == 0o600
    assert (place.data / "base").stat().st_mode & 0o777 == 0o700


def test_a_tablespace_goes_to_a_directory_of_the_copy(place, keep):
    """Under its object id."""
    keep(place, "16400.tar.zst", tar(("PG_18", b"x")))
    assert (place.tablespace(16400) / "PG_18").read_bytes() == b"x"


def test_the_manifest_is_a_file(place, keep):
    """It is sent as it is, not as a tar."""
    place.make(place.data)
    keep(place, "backup_manifest.zst", b"{}")
    assert (place.data / "backup_manifest").read_bytes() == b"{}"


def test_links_are_left_out(place, keep):
    """Those of tablespaces lead to the source's; the copy makes its own."""
    keep(place, "base.tar.zst", tar(info("pg_tblspc", tarfile.SYMTYPE, "/srv/source")))
    assert list(place.data.iterdir()) == []


@pytest.mark.parametrize("name", ["../outside", "base/../../outside", "/outside"])
def test_no_name_leads_out_of_the_copy(place, keep, name):
    """A forged tar must not write elsewhere."""
    with pytest.raises(Corrupt, match=r"a name leads out of the copy; seen: .*outside"):
        keep(place, "base.tar.zst", tar((name, b"x")))
    assert not (place.path / "outside").exists()


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_what_a_backup_does_not_hold_is_refused(place, keep, kind):
    """Hard links, pipes and devices."""
    with pytest.raises(Corrupt, match="what a backup does not; seen: odd"):
        keep(place, "base.tar.zst", tar(info("odd", kind, "/etc/passwd")))


def test_a_tar_that_is_none_is_named(place, keep):
    """Though its bytes are those that were kept."""
    with pytest.raises(Corrupt, match=r"not a whole tar; seen: base\.tar\.zst"):
        keep(place, "base.tar.zst", b"no tar at all" * 1000)
