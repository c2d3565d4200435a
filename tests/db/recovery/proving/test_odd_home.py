"""A home whose name is none that an address could hold as it is."""

import shutil
import tempfile
from pathlib import Path

from tasks.backup import take
from tasks.control import settings
from tasks.hl7.platform import contract, schema
from tasks.recovery.proving.verify import verify
from tasks.repository.stanza import open_stanza


def test_a_backup_is_proven_in_a_home_with_an_odd_name():
    """Blanks and signs that mean something in an address; the platform's rules are asked there."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops odd & 50%#?"))
    home.chmod(0o755)
    stanza = open_stanza(settings.load(hl7ops_home=home))
    server = stanza.server()
    schema.install(server)
    contract.install_views(server)
    proof = verify(stanza, take.take(stanza).id)
    stanza.home.primary.stop("immediate")
    shutil.rmtree(home)
    assert proof.verdict == "proven", proof.failed
    assert any(check.name == "messages of an unknown status" for check in proof.checks)
