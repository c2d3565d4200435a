"""As whom a server runs: PostgreSQL refuses to run as root, so root lends it another user."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.control.errors import Refused


SERVICE_USER = "postgres"
"""The user that Debian's and Ubuntu's packages make, too."""


@dataclass(frozen=True)
class Owner:
    """The user that owns a data directory and runs its server."""

    uid: int
    gid: int

    def spawn(self) -> dict[str, Any]:
        """Return what makes `subprocess` run a program as this user."""
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def take(self, path: Path) -> None:
        """Give a file or directory to this user, without following a link."""
        if os.geteuid() != self.uid:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def take_open(self, descriptor: int) -> None:
        """Give an open file to this user."""
        if os.geteuid() != self.uid:
            os.fchown(descriptor, self.uid, self.gid)

    def can_reach(self, path: Path) -> bool:
        """Tell whether this user may read and enter a path that exists."""
        done = subprocess.run(  # noqa: S603
            ["/usr/bin/test", "-r", path, "-a", "-x", path],
            cwd="/",
            check=False,
            **self.spawn(),
        )
        return done.returncode == 0


def owner_of(path: Path) -> Owner:
    """Return the owner of a path that exists."""
    status = path.stat()
    return Owner(status.st_uid, status.st_gid)


def service_owner() -> Owner:
    """Return who runs a new embedded server: ourselves, or for root a user made for it.

    Raises:
        Refused: we are root, there is no such user and none can be made.

    """
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(SERVICE_USER)
    except KeyError:
        entry = _added_user()
    return Owner(entry.pw_uid, entry.pw_gid)


def _added_user() -> pwd.struct_passwd:
    """Add the service user to the system."""
    useradd = shutil.which("useradd", path="/usr/sbin:/usr/bin:/sbin:/bin")
    options = ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    if useradd is None or _fails([useradd, *options, SERVICE_USER]):
        raise Refused(
            "PostgreSQL does not run as root and no user can be made for it",
            expected=f"a user named {SERVICE_USER}",
            do=f"run as another user, or add one: useradd --system {SERVICE_USER}",
        )
    return pwd.getpwnam(SERVICE_USER)


def _fails(command: list[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode != 0  # noqa: S603
