"""Where everything is that a recovery needs: servers, repositories, keys, and how long it takes."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from psycopg import conninfo

from tasks.control.errors import OpsError
from tasks.recovery.drill.standing import Standing
from tasks.recovery.planning import survey
from tasks.recovery.planning.plan import Window
from tasks.repository.catalogue import Catalogue
from tasks.repository.proof import refuses
from tasks.repository.s3.storage import S3Storage
from tasks.repository.stanza import Stanza


@dataclass(frozen=True)
class Source:
    """One repository: its name, where it is, and what can be restored from it.

    `window` is None where it holds nothing, or cannot be read now; `problem` says why.
    """

    name: str
    place: str
    settings: Sequence[tuple[str, str]]
    window: Window | None = None
    snapshot: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Bearings:
    """Everything that the plan of a recovery names.

    Args:
        stanza: whose.
        now: as of when.
        server: the operated one, without its password.
        database: that of the platform.
        home: where embedded clusters, keys and scratch space are.
        programs: the directory of PostgreSQL's programs.
        commands: the directory of the command line `hl7ops`.
        keys: the folder of the keys that sign backups.
        identity: the file of the age identity; None: nothing is encrypted, or it is elsewhere.
        is_encrypted: whether what is kept is.
        sources: the repositories, the one that takes the backups first.
        standing: what proofs and drills say; None: their history cannot be read.
        prefect: address of the Prefect UI.

    """

    stanza: str
    now: datetime
    server: str
    database: str
    home: Path
    programs: Path
    commands: Path
    keys: Path
    identity: Path | None
    is_encrypted: bool
    sources: Sequence[Source]
    standing: Standing | None
    prefect: str


SECRET = ("password", "passfile", "sslpassword")


def bearings(stanza: Stanza, now: datetime, standing: Standing | None) -> Bearings:
    """Gather where everything is; a repository that cannot be read is named, not left out."""
    parameters = stanza.located.parameters()
    shown = {name: value for name, value in parameters.items() if name not in SECRET}
    settings, home = stanza.settings, stanza.home.path.absolute()
    local = f"http://127.0.0.1:{settings.hl7ops_port}"
    return Bearings(
        stanza=stanza.name,
        now=now,
        server=conninfo.make_conninfo("", **shown),
        database=parameters["dbname"],
        home=home,
        programs=stanza.programs,
        commands=Path(sys.executable).parent,
        keys=home / "keys",
        identity=settings.age_identity_file,
        is_encrypted=bool(settings.age_recipients),
        sources=[_source(stanza, name) for name in stanza.repositories],
        standing=standing,
        prefect=os.environ.get("PREFECT_API_URL", local).removesuffix("/api"),
    )


def _source(stanza: Stanza, name: str) -> Source:
    catalogue = stanza.repositories[name]
    place, settings = catalogue.storage.place, _settings(catalogue)
    try:
        window = survey.window(stanza.at(name))
        every = [each.id for each in catalogue.backups() if each.type == "snapshot"]
        proofs = catalogue.last_proofs(every)
        snapshots = [each for each in every if not refuses(proofs[each])]
    except OpsError as error:
        return Source(name, place, settings, problem=str(error))
    return Source(name, place, settings, window, snapshots[-1] if snapshots else None)


def _settings(catalogue: Catalogue) -> list[tuple[str, str]]:
    """Return the settings by which a repository is found from another machine."""
    storage = catalogue.storage
    if not isinstance(storage, S3Storage):
        return [("BACKUP_DIR", storage.place)]
    address = storage.address
    known = {
        "S3_BUCKET": address.bucket,
        "S3_PREFIX": address.prefix,
        "S3_ENDPOINT_URL": address.endpoint,
        "S3_REGION": address.region,
    }
    return [(name, value) for name, value in known.items() if value]
