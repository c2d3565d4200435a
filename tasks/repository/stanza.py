"""A stanza: one operated cluster by name, with its settings, its home and its repositories."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.control.errors import Refused
from tasks.control.settings import Settings
from tasks.postgres import programs
from tasks.postgres.embedded import Home, located, open_home, operated
from tasks.postgres.server import Server
from tasks.repository.catalogue import Catalogue
from tasks.repository.cipher import Cipher
from tasks.repository.keys import Keyring
from tasks.repository.known import Known
from tasks.repository.local import LocalStorage
from tasks.repository.model import Backup
from tasks.repository.s3.address import Address
from tasks.repository.s3.storage import S3Storage
from tasks.repository.storage import Storage


LOCAL = "local"
S3 = "s3"


@dataclass(frozen=True)
class Stanza:
    """Everything a step needs; opening one touches no server and no repository."""

    settings: Settings
    home: Home
    repositories: Mapping[str, Catalogue]
    repository: str

    @property
    def name(self) -> str:
        """The stanza's name."""
        return self.settings.stanza

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of the repository that is worked on."""
        return self.repositories[self.repository]

    @property
    def programs(self) -> Path:
        """The directory of PostgreSQL's programs."""
        return self.home.programs

    def with_programs_of(self, backup: Backup) -> "Stanza":
        """Return the stanza with programs that can read a backup.

        Those of its own major version; a snapshot is loaded by newer ones, too.

        Raises:
            Refused: there are none; names where it has looked. Nothing was fetched.

        """
        found = programs.of_major(
            backup.server_version // 10000,
            self.programs,
            chosen=self.settings.hl7ops_programs is not None,
            or_newer=backup.type == "snapshot",
            stanza=self.name,
        )
        return replace(self, home=replace(self.home, programs=found))

    @property
    def known(self) -> Known:
        """What this machine remembers of backups that it cannot read again."""
        return Known(self.home.path / "known" / self.name)

    @property
    def others(self) -> list[str]:
        """The repositories besides the one that is worked on."""
        return [name for name in self.repositories if name != self.repository]

    def at(self, repository: str) -> "Stanza":
        """Return the stanza with another of its repositories to work on.

        Raises:
            Refused: it has no such repository.

        """
        if repository not in self.repositories:
            raise Refused(
                "there is no such repository",
                stanza=self.name,
                seen=repository,
                expected=" or ".join(self.repositories),
                do="set BACKUP_DIR or S3_BUCKET, or both",
            )
        return replace(self, repository=repository)

    @property
    def located(self) -> Server:
        """Where the operated server is, whether it runs or not."""
        return located(self.settings, self.home)

    def server(self) -> Server:
        """Return the operated server; the embedded one is started where it is down."""
        return operated(self.settings, self.home)


def open_stanza(settings: Settings) -> Stanza:
    """Open the stanza of these settings.

    Its repositories are a local directory, a bucket, or both; the first one takes the backups, the
    other one gets copies. Without a setting it is a directory in the home.

    Raises:
        Refused: a setting of the repositories does not hold.

    """
    home = open_home(settings)
    storages: dict[str, Storage] = {}
    address = Address.of(settings)
    if settings.backup_dir or address is None:
        root = settings.backup_dir or home.path / "repository"
        storages[LOCAL] = LocalStorage(root.absolute())
    if address is not None:
        storages[S3] = S3Storage(address)
    keyring = Keyring(home.path / "keys")
    cipher = Cipher(settings.age_recipients, settings.age_identity_file, settings.age_identity)
    repositories = {
        name: Catalogue(storage, settings.stanza, keyring, cipher)
        for name, storage in storages.items()
    }
    return Stanza(settings, home, repositories, next(iter(repositories)))
