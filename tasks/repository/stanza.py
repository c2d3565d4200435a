"""A stanza: one operated cluster by name, with its settings, its home and its repository."""

from dataclasses import dataclass
from pathlib import Path

from tasks.control.errors import Refused
from tasks.control.settings import Settings
from tasks.postgres.embedded import Home, open_home, operated
from tasks.postgres.server import Server
from tasks.repository.catalogue import Catalogue
from tasks.repository.keys import Keyring
from tasks.repository.storage import LocalStorage


@dataclass(frozen=True)
class Stanza:
    """Everything a step needs; opening one touches no server."""

    settings: Settings
    home: Home
    catalogue: Catalogue

    @property
    def name(self) -> str:
        """The stanza's name."""
        return self.settings.stanza

    @property
    def programs(self) -> Path:
        """The directory of PostgreSQL's programs."""
        return self.home.programs

    def server(self) -> Server:
        """Return the operated server; the embedded one is started where it is down."""
        return operated(self.settings, self.home)


def open_stanza(settings: Settings) -> Stanza:
    """Open the stanza of these settings.

    Raises:
        Refused: the repository is configured in a way that this version does not serve.

    """
    if settings.s3_bucket:
        raise Refused(
            "S3_BUCKET is set, but this version keeps backups in a local repository only",
            stanza=settings.stanza,
            expected="BACKUP_DIR",
            do="unset S3_BUCKET",
        )
    home = open_home(settings)
    root = (settings.backup_dir or home.path / "repository").absolute()
    catalogue = Catalogue(LocalStorage(root), settings.stanza, Keyring(home.path / "keys"))
    return Stanza(settings, home, catalogue)
