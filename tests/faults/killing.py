"""A verb that dies as by `kill -9`, at the n-th call that changes something, or right after it.

`Killer` keeps a process that has everything imported and forks for each death: a verb begins in a
tenth of a second, and no thread of the tests is forked.
"""

import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta


LOCAL = (
    "tasks.repository.local:os.fsync",
    "tasks.repository.local:Path.replace",
    "tasks.repository.local:LocalStorage._enter",
    "tasks.repository.local:LocalStorage.delete",
    "tasks.postgres.slot:advance",
)
SPARE = 4
"""Points beyond those that are asked for."""

S3 = ("botocore.client:BaseClient._make_api_call", "tasks.postgres.slot:advance")


@dataclass
class Killer:
    """Runs verbs, one at a time, in processes of their own."""

    process: subprocess.Popen

    def begin(self, verb, places, number=0, *, after=False, **environment):
        """Begin a verb that dies at a call, or right after it; number 0 lets it live."""
        known = {name.upper(): str(value) for name, value in environment.items()}
        order = {"verb": verb, "places": places, "number": number, "after": after, "env": known}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    @property
    def has_ended(self):
        """Tell whether what was begun has come to its end."""
        return bool(select.select([self.process.stdout], [], [], 0)[0])

    def end(self):
        """Wait for the end of what was begun; return its status and the calls it made."""
        answer = json.loads(self.process.stdout.readline())
        return answer["status"], answer["calls"]

    def count(self, verb, places, **environment):
        """Run a verb to its end; return how many calls it made."""
        self.begin(verb, places, **environment)
        status, calls = self.end()
        assert status == 0, f"{verb} ended with {status}"
        return calls

    def see_that_it_was_killed(self):
        """See that what was begun came to the point."""
        status, calls = self.end()
        assert status == -signal.SIGKILL, f"it ended with {status} after {calls} calls"

    def kill(self, verb, places, number, **environment):
        """Let a verb die at a call."""
        self.begin(verb, places, number, **environment)
        self.see_that_it_was_killed()

    def deaths(self, verb, places, points, **environment):
        """Let a verb die at points over all of its calls, half of them right after one.

        Yields after each; a run that makes fewer calls than the first may outlive the last points.
        """
        calls = self.count(verb, places, **environment)
        killed = 0
        for point in range(points + SPARE):
            number = 1 + point * (calls - 1) // (points + SPARE)
            self.begin(verb, places, number, after=bool(point % 2), **environment)
            status, _ = self.end()
            assert status in {0, -signal.SIGKILL}
            killed += status != 0
            yield number
        assert killed >= points


@contextmanager
def killer(*imported):
    """Yield a killer that has imported some modules already; it goes when the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.killing", *imported],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Killer(process)
        process.stdin.close()
        assert process.wait(30) == 0


counting = threading.Lock()


def _spoil(place, number, calls, *, after):
    """Let the process die at, or right after, the n-th of the calls."""
    module, _, name = place.partition(":")
    owner = __import__(module, fromlist=["x"])
    *path, last = name.split(".")
    for each in path:
        owner = getattr(owner, each)
    real = getattr(owner, last)

    def dying(*arguments, **keywords):
        with counting:
            os.write(calls, b".")
            is_it = os.fstat(calls).st_size == number
        if is_it and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return real(*arguments, **keywords)
        finally:
            if is_it:
                os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, last, dying)


def _do(verb):
    """Carry out a verb: a kind of backup, or what else changes a repository."""
    from tasks.backup import take, wal
    from tasks.backup.cleanup import cleanup
    from tasks.backup.streaming import stream
    from tasks.control import clock, settings
    from tasks.recovery.proving.verify import verify
    from tasks.repository.copying import Copier
    from tasks.repository.stanza import open_stanza

    stanza = open_stanza(settings.load())
    if verb == "cleanup":
        cleanup(stanza, now=clock.now() + timedelta(days=90))
    elif verb == "verify":
        verify(stanza, "latest")
    elif verb == "pull":
        wal.pull(stanza, stanza.server())
    elif verb == "copy":
        Copier(stanza.catalogue, stanza.repositories["s3"]).run(everything=True)
    elif verb == "restore":
        _restore(stanza)
    elif verb in ("set back", "drill"):
        _rehearse(stanza, verb)
    elif verb == "journal":
        _live(stanza.catalogue)
    elif verb == "stream":
        stream(stanza, stanza.server(), seconds=60)
    else:
        take.take(stanza, verb)


def _live(catalogue):
    """Let a backup go through all that a journal tells of, without a server."""
    from tasks.repository.legal import LegalHold
    from tasks.repository.pins import Pin
    from tasks.repository.proof import TIERS, Check, Proof
    from tests.unit.backup.made import NOW, backup

    catalogue.claim("1", 1 << 24)
    later = (NOW + timedelta(seconds=n) for n in range(9999))
    every = (backup(kind="snapshot", at=at) for at in later)
    made = next(each for each in every if each.id[-16:] not in catalogue.stamps())
    for item in made.objects:
        catalogue.storage.put(f"{catalogue.prefix(made.id)}{item.name}", b"x" * item.stored_bytes)
    catalogue.add(made)
    for at in (NOW, NOW + timedelta(hours=1)):
        checks = [Check(tier, "looked at", "pass") for tier in TIERS]
        catalogue.record(Proof(made.id, "main", at, at, checks))
    catalogue.pin(Pin(made.id, "audit", NOW))
    catalogue.pins.remove(made.id)
    catalogue.pin(LegalHold(made.id, "case 7", "a lawyer", NOW))
    catalogue.legal.release(made.id, "settled", "a judge")
    catalogue.discard(made.id)


def _restore(stanza):
    """Restore the latest in place of a copy that is there."""
    from tasks.recovery.planning.target import parse
    from tasks.recovery.restoring.directory import Destination
    from tasks.recovery.restoring.restore import restore

    path = stanza.home.path.with_name(f"{stanza.home.path.name}-copy") / "data"
    restore(stanza, parse("latest"), Destination(path, replace=True))


def _rehearse(stanza, verb):
    """Set the platform's database back to the target of the environment, or make a drill."""
    from tasks.recovery.database.setting_back import set_back
    from tasks.recovery.drill.rehearse import rehearse
    from tasks.recovery.planning.target import parse

    if verb == "drill":
        rehearse(stanza, int(os.environ["SEED"])).require()
    else:
        set_back(stanza, "hl7", parse(os.environ["TARGET"]), lambda _: True)


def _serve():
    """Fork for each order on standard input, and answer how that ended."""
    for module in ("botocore.client", *sys.argv[1:]):
        importlib.import_module(module)  # so that no child imports it
    for line in sys.stdin:
        order = json.loads(line)
        with tempfile.TemporaryFile() as calls:
            child = os.fork()
            if not child:
                os.dup2(2, 1)
                os.environ.update(order["env"])
                for place in order["places"]:
                    _spoil(place, order["number"], calls.fileno(), after=order["after"])
                _do(order["verb"])
                os._exit(0)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            answer = {"status": status, "calls": os.fstat(calls.fileno()).st_size}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
