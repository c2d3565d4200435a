"""Parse and load rates beside python-hl7, on one core: generated traffic, and shared messages."""

import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import hl7

from benchmarks.place import place
from benchmarks.timing import alternating
from tasks.hl7 import ingest
from tasks.hl7.generator import bulk
from tasks.hl7.generator.generate import bytes_of, generate
from tasks.hl7.parser import envelope, findings
from tasks.hl7.parser.framing import pieces
from tasks.hl7.parser.message import Message, parse
from tasks.hl7.platform import installation


ROUNDS = 5

MESSAGES = 4000

SHARED = Path(__file__).parents[2] / "shared" / "data" / "hl7v2" / "messages_A.ndjson.gz"


def main() -> None:
    """Compare rates, and load into a real server."""
    parsing("generated", _generated(MESSAGES, seed=5))
    if SHARED.exists():
        with gzip.open(SHARED, "rt") as lines:
            parsing("shared", "".join(json.loads(line)["message"] for line in lines).encode() * 3)
    loading()


def parsing(name: str, data: bytes) -> None:
    """Print the rates over some bytes: header, patient and visit; and all that is stored."""
    contestants: dict[str, Callable[[], float]] = {
        "normalised, tokenized, fields extracted": lambda: _ours(data, in_full=False),
        "the same, and all clinical findings": lambda: _ours(data, in_full=True),
        "python-hl7, parsed only": lambda: _theirs(data),
    }
    found = alternating(contestants, ROUNDS)
    count = sum(1 for _ in pieces(io.BytesIO(data)))
    theirs = found["python-hl7, parsed only"].median
    print(f"{name}: {count:,} messages, {len(data) / 1e6:.1f} MB, {ROUNDS} alternating rounds")
    for label, times in found.items():
        rate, ratio = count / times.median, theirs / times.median
        print(f"  {label:<42} {rate:>8,.0f} messages/s   {ratio:5.1f} x   {times}")


def loading() -> None:
    """Print how fast messages go into an empty platform, and how fast again as duplicates."""
    with place() as stanza:
        server = stanza.server()
        installation.install(server)
        for seed in range(11, 11 + ROUNDS):
            file = stanza.home.path / f"{seed}.hl7"
            file.write_bytes(_generated(MESSAGES, seed=seed))
            for label in ("new", "known already"):
                found = alternating({label: lambda f=file: _load(server, str(f))}, 1)[label]
                print(f"  load, {label:<36} {MESSAGES / found.median:>8,.0f} messages/s")
        filled = bulk.fill(server, 100_000, seed=1)
        rate = filled.rows["messages"] / filled.seconds
        print(f"  filled by SQL {'':<28} {rate:>8,.0f} messages/s")


def _generated(messages: int, seed: int) -> bytes:
    end = datetime(2026, 11, 23, tzinfo=UTC)
    return b"".join(bytes_of(generate(messages, seed=seed, end=end, days=10)))


def _load(server: ingest.Server, path: str) -> float:
    ingest.ingest(server, [path])
    return 0.0


def _ours(data: bytes, *, in_full: bool) -> float:
    for piece in pieces(io.BytesIO(data)):
        message = parse(piece)
        if isinstance(message, Message):
            head = envelope.envelope(message)
            envelope.patient(message)
            envelope.visit(message, head)
            if in_full:
                list(findings.results(message))
                list(findings.diagnoses(message))
                list(findings.medications(message))
    return 0.0


def _theirs(data: bytes) -> float:
    for piece in pieces(io.BytesIO(data)):
        text = piece.bytes.decode("utf-8", errors="replace")
        try:
            hl7.parse(text.replace("\r\n", "\r").replace("\n", "\r"))
        except (hl7.HL7Exception, ValueError, IndexError, AssertionError):
            continue
    return 0.0
