"""A repository with a chain, proofs and WAL in it, copied for each test: a directory, or in S3."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pyrage
import pytest
from pydantic import SecretStr

from tasks.backup import take, wal
from tasks.control import settings
from tasks.recovery.proving.verify import verify
from tasks.repository.catalogue import Catalogue
from tasks.repository.cipher import Cipher
from tasks.repository.legal import LegalHold
from tasks.repository.local import LocalStorage
from tasks.repository.pins import Pin
from tasks.repository.s3.address import Address
from tasks.repository.s3.storage import S3Storage
from tasks.repository.stanza import open_stanza


def run(stanza, *statements):
    """Run statements, one after the other."""
    with stanza.server().connect() as connection:
        for statement in statements:
            connection.execute(statement)


def made_home(prefix, **chosen):
    """Open a stanza in a home of its own."""
    home = Path(tempfile.mkdtemp(prefix=prefix))
    home.chmod(0o755)
    return open_stanza(settings.load(hl7ops_home=home, **chosen))


@pytest.fixture(scope="package")
def identity():
    """Make an identity of age."""
    return pyrage.x25519.Identity.generate()


@pytest.fixture(scope="package", params=["plain", "encrypted"], ids=["local", "encrypted-in-s3"])
def origin(request, identity):
    """Fill a repository: full, incremental, full and snapshot; with proofs, WAL and a pin."""
    keys = (
        {"age_recipients": [str(identity.to_public())], "age_identity": str(identity)}
        if request.param == "encrypted"
        else {}
    )
    stanza = made_home("hl7ops-damage-", **keys)
    run(stanza, "create table kept as select n, repeat('x', 99) p from generate_series(1, 9999) n")
    made = [take.take(stanza)]
    for kind in ("incremental", "full", "snapshot"):
        run(stanza, f"insert into kept select n, '{kind}' from generate_series(1, 500) n")
        wal.pull(stanza, stanza.server())
        run(stanza, "update kept set p = 'y' where n % 9 = 1")
        wal.pull(stanza, stanza.server())
        made.append(take.take(stanza, kind))
    assert {verify(stanza, each.id).verdict for each in (made[1], made[3])} == {"proven"}
    stanza.catalogue.pins.put(Pin(made[0].id, "audit", made[0].finished_at))
    stanza.catalogue.pin(LegalHold(made[1].id, "case 7", "a lawyer", made[1].finished_at))
    yield SimpleNamespace(stanza=stanza, made=made, identity=identity, kind=request.param)
    stanza.home.primary.stop("immediate")
    shutil.rmtree(stanza.home.path)


@pytest.fixture(scope="package")
def stranger():
    """Fill the repository of another cluster, signed by another key."""
    stanza = made_home("hl7ops-stranger-")
    made = take.take(stanza)
    yield SimpleNamespace(stanza=stanza, made=[made], root=stanza.catalogue.storage.root)
    stanza.home.primary.stop("immediate")
    shutil.rmtree(stanza.home.path)


@pytest.fixture
def place(origin, tmp_path, s3_settings):
    """Return a directory for a repository, and what opens it: there, or brought to S3."""
    root = tmp_path / "repository"

    def opened():
        if origin.kind == "plain":
            return LocalStorage(root)
        storage = S3Storage(Address.of(settings.load(**s3_settings)))
        for path in root.rglob("*"):
            if path.is_file():
                storage.put(str(path.relative_to(root)), path.read_bytes())
        return storage

    return root, opened


@pytest.fixture
def kept(origin, stranger, place):
    """Copy the repository to be damaged; `open` it then, with its key or another cipher."""
    source, (root, opened) = origin.stanza.catalogue, place
    shutil.copytree(source.storage.root, root, ignore=shutil.ignore_patterns("holds"))

    def open_with(cipher=source.cipher):
        catalogue = Catalogue(opened(), source.stanza, source.keyring, cipher)
        return replace(origin.stanza, repositories={"copy": catalogue}, repository="copy")

    return SimpleNamespace(
        open=open_with,
        keyring=source.keyring,
        root=root,
        made=origin.made,
        stranger=stranger,
        kind=origin.kind,
        closed=Cipher(source.cipher.recipients),
        other=Cipher(identity=SecretStr(str(pyrage.x25519.Identity.generate()))),
    )
