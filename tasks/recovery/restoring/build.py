"""Make the files of a copy from a chain: unpacked side by side, put together, and made ours."""

import logging
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tasks.control.errors import Corrupt, Refused, WrongKey
from tasks.control.phases import Progress
from tasks.postgres.copy_configuration import Configuration
from tasks.recovery.copies import combine, salvage, unpack
from tasks.recovery.copies.combine import Link, links_of
from tasks.recovery.copies.scratch import Scratch
from tasks.recovery.planning.plan import Plan
from tasks.recovery.restoring.work import FILES, Work
from tasks.repository.catalogue import Catalogue
from tasks.repository.model import CONFIGURATION, FINGERPRINT, StoredObject


log = logging.getLogger(__name__)

STREAMS = 2
"""How many objects are unpacked at once: hashing, decompression and writing go on side by side."""

VITAL = ("PG_VERSION", "global/pg_control", "backup_label")
"""Files without which a server does not start, or does not know where recovery begins."""

ACCEPT = "hl7ops restore --accept-failed-proof restores what can be read"


@dataclass(frozen=True)
class Build:
    """The copy of a plan while it is made; what is done already is not done again after a kill."""

    catalogue: Catalogue
    plan: Plan
    work: Work
    home: Path

    @property
    def copy(self) -> Scratch:
        """Where it is made."""
        return self.work.place

    @property
    def configuration(self) -> Configuration:
        """What its server is started with while it is made."""
        return self.copy.configuration(self.plan.backup.settings, self.home)

    def run(self, tell: Progress) -> None:
        """Make the data directory.

        Raises:
            Corrupt: an object is not what was kept, or the links do not follow each other.

        """
        if self.work.is_done("data"):
            return
        if not self.work.is_done("files"):
            self._files(links_of(self.plan.chain, self.copy), tell)
            self.work.done("files")
        shutil.rmtree(self.copy.path / "chain", ignore_errors=True)
        unpack.forget_map(self.copy)
        self._adapt()
        self.work.done("data")

    def _files(self, links: Sequence[Link], tell: Progress) -> None:
        """Unpack all links, and put a chain together."""
        self._unpack(links, tell)
        for link in links:
            unpack.link_tablespaces(link.backup, link.place)
        if self.work.lost:
            self._name_lost(links)
        if len(links) > 1:
            tell("combine", 0, 0)
            for half in (self.copy.data, *map(self.copy.tablespace, self.copy.mapped)):
                shutil.rmtree(half, ignore_errors=True)  # of a run that was killed
            combine.combine(links, self.copy)
        kept = links[-1].place.path / CONFIGURATION
        if kept.exists():
            kept.replace(self.copy.path / CONFIGURATION)

    def _name_lost(self, links: Sequence[Link]) -> None:
        """Name the files that differ, and see that what no server starts without is there.

        Raises:
            Corrupt: it is not; no copy can be made of this backup.

        """
        for link in links:
            self.work.lose(f"{FILES}.{link.backup.id}", salvage.differing(link.backup, link.place))
            for name in VITAL:
                if not (link.place.data / name).exists():
                    raise Corrupt(
                        "no copy can be made of this backup, whatever is accepted",
                        stanza=self.catalogue.stanza,
                        seen=f"{link.backup.id}: {name} is lost, without which no server starts;"
                        f" {'; '.join(self.work.lost[:3])}",
                        do=f"begin with another one: hl7ops restore --backup ID{self._other(link)}",
                    )

    def _unpack(self, links: Sequence[Link], tell: Progress) -> None:
        for link in links:
            link.place.make(link.place.data)
        work = [
            (link, item)
            for link in links
            for item in link.backup.objects
            if item.plain_name != FINGERPRINT  # it is compared with, and not restored
        ]
        every = sum(item.raw_bytes for _, item in work)
        done = 0
        with ThreadPoolExecutor(STREAMS, "unpack") as pool:
            futures = [pool.submit(self._object, link, item) for link, item in work]
            try:
                for (_, item), future in zip(work, futures, strict=True):
                    future.result()
                    done += item.raw_bytes
                    tell("copy", done, every)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _object(self, link: Link, item: StoredObject) -> None:
        name = f"{link.backup.id}-{item.name}"
        if not self.work.is_done(name):
            try:
                self._unpack_object(link, item, name)
            except OSError as error:
                raise Refused(
                    "the copy cannot be written",
                    stanza=self.catalogue.stanza,
                    seen=f"{self.copy.path}: {error.strerror}",
                    do="make room; the same restore then goes on where it was",
                ) from None
            self.work.done(name)

    def _unpack_object(self, link: Link, item: StoredObject, name: str) -> None:
        """Unpack an object; of one that is not what was kept what can be read, where accepted.

        Raises:
            Corrupt: it is not what was kept, and nobody has accepted that.

        """
        try:
            unpack.unpack(self.catalogue, link.backup, item, link.place)
        except WrongKey:
            raise
        except Corrupt as error:
            if not self.plan.is_accepting:
                raise Corrupt(str(error), do=f"{ACCEPT}{self._other(link)}") from None
            said = salvage.salvage(self.catalogue, link.backup, item, link.place, error)
            self.work.lose(name, [f"{said}{self._other(link)}"])

    def _other(self, link: Link) -> str:
        """Say which other backup leads there without a link; nothing where none does."""
        other = self.plan.without(link.backup.id)
        return f"; --backup {other} leads there without it" if other else ""

    def _adapt(self) -> None:
        """Give the copy what it needs to start on a machine that is not its source's."""
        data = self.copy.data
        (data / "standby.signal").unlink(missing_ok=True)
        (data / "postmaster.pid").unlink(missing_ok=True)
        lacking: dict[str, Callable[[], str]] = {
            "postgresql.conf": self._essential,
            "pg_hba.conf": lambda: "local all all peer\n",
            "pg_ident.conf": str,
        }
        for name, text in lacking.items():
            if not (data / name).exists():
                self._write(data / name, text())
        self._write(data / "recovery.signal", "")

    def _essential(self) -> str:
        """Return a configuration for a copy whose source has its own elsewhere, as Debian does."""
        needed = self.configuration.essential()
        lines = [f"{name} = {value}\n" for name, value in needed.items()]
        return "# The source's own configuration lies outside of its data directory.\n" + "".join(
            lines
        )

    def see_libraries(self) -> None:
        """See that the libraries that the source preloads are here.

        Raises:
            Refused: one is missing; names it.

        """
        libraries = self.configuration.libraries
        if missing := libraries.missing:
            raise Refused(
                "a library that the source preloads is missing",
                stanza=self.catalogue.stanza,
                seen=f"no {missing[0]}.so in {self.copy.programs.parent / 'lib'}",
                do="install its package, or set HL7OPS_PROGRAMS to a server that has it",
            )
        if left_out := set(libraries.names) - set(libraries.loaded(hot_standby=True)):
            log.warning("the copy runs without %s: it starts processes", ", ".join(left_out))

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o600)
        self.copy.owner.take(path)
