"""A place to measure in: a home of its own, taken away with all that runs in it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks.control import settings
from tasks.repository.stanza import Stanza, open_stanza


@contextmanager
def place(**chosen: Any) -> Iterator[Stanza]:  # noqa: ANN401 - settings are of every type
    """Yield a stanza with an empty embedded cluster of its own."""
    home = Path(tempfile.mkdtemp(prefix="hl7ops-bench-"))
    home.chmod(0o755)
    stanza = open_stanza(settings.load(hl7ops_home=home, **chosen))
    try:
        yield stanza
    finally:
        for cluster in (stanza.home.primary, stanza.home.control):
            cluster.stop("immediate")
        shutil.rmtree(home)
