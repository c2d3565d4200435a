"""Real messages of public projects: all of them go through, and the counts are the oracle's."""

import gzip
import io
import json
import tarfile
from collections import Counter

import hl7
import pytest

from tasks.hl7.parser.envelope import envelope, patient
from tasks.hl7.parser.framing import pieces
from tasks.hl7.parser.message import Message, parse


@pytest.fixture(scope="module")
def rows(shared_data):
    """Return the rows of the shared messages."""
    with gzip.open(shared_data / "hl7v2" / "messages_A.ndjson.gz", "rt") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def oracle(shared_data):
    """Return the counts that a separate script took."""
    return json.loads((shared_data / "oracle_A.json").read_text())["hl7v2"]


def read(data):
    """Parse all pieces of some bytes."""
    return [parse(piece) for piece in pieces(io.BytesIO(data))]


@pytest.fixture(scope="module")
def found(rows):
    """Parse all of them, one behind the other, as one stream."""
    return read("".join(row["message"] for row in rows).encode())


def test_every_message_is_accounted_for(rows, found):
    """963 are offered, 958 taken, and five rejected for what is wrong with them."""
    assert len(found) == len(rows) == 963
    reasons = Counter(str(each.reason) for each in found if not isinstance(each, Message))
    assert reasons == {"bad_delimiters": 3, "truncated_header": 1, "no_message_type": 1}


def test_the_digest_is_that_of_the_source(rows, found):
    """Canonical bytes are the message itself, for every one that is taken."""
    differing = [
        row["path"]
        for row, message in zip(rows, found, strict=True)
        if isinstance(message, Message) and message.sha256.hex() != row["sha256"]
    ]
    assert differing == []


def test_the_types_are_those_of_the_oracle(found, oracle):
    """What differs are the five that were rejected, and one with delimiters of its own."""
    ours = Counter(envelope(each).kind for each in found if isinstance(each, Message))
    theirs = Counter(oracle["types"])
    assert theirs - ours == {"": 2, "ADT^A01": 2, "ORU^R01^ORU_R01": 1}
    assert ours - theirs == {}


def test_the_versions_and_segments_are_those_of_the_oracle(found, oracle):
    """Of the segments that the oracle counts, only those of the rejected are missing."""
    taken = [each for each in found if isinstance(each, Message)]
    versions = Counter(envelope(each).version or "" for each in taken)
    assert sum((Counter(oracle["versions"]) - versions).values()) == 5
    segments = Counter(segment[:3] for each in taken for segment in each.segments)
    missing = {name: count - segments[name] for name, count in oracle["segments"].items()}
    assert all(count >= 0 for count in missing.values())
    assert missing["MSH"] == 5
    assert missing["PID"] <= 6


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_result_does_not_depend_on_the_line_end(rows, found, end):
    """The same digests and the same reasons come out."""
    data = "".join(row["message"] for row in rows).encode().replace(b"\r", end)

    def told(each):
        return each.sha256 if isinstance(each, Message) else each.reason

    assert [told(each) for each in read(data)] == [told(each) for each in found]


def test_every_raw_file_goes_through_and_brings_nothing_unknown(shared_data, rows):
    """The original files, with their own line ends and envelopes, hold the same messages."""
    known = {row["sha256"] for row in rows}
    taken, rejected = set(), 0
    with tarfile.open(shared_data / "hl7v2" / "raw_files_A.tar.gz") as archive:
        files = [member for member in archive if member.isfile()]
        for member in files:
            for each in read(archive.extractfile(member).read()):
                if isinstance(each, Message):
                    taken.add(each.sha256.hex())
                else:
                    rejected += 1
    assert len(files) == 305
    assert rejected == 5
    assert taken <= known
    assert len(taken) > 300


FIELDS = (
    *(("MSH", number, 1) for number in (3, 4, 5, 6, 9, 10, 12)),
    ("MSH", 9, 2),
    ("PID", 3, 1),
    ("PID", 5, 1),
    ("PID", 5, 2),
    ("PID", 7, 1),
    ("PID", 8, 1),
    ("PV1", 2, 1),
    ("PV1", 19, 1),
)


def theirs(message, segment, number, component):
    """Read a field with python-hl7: the first repetition's component, as text."""
    try:
        text = str(message.segment(segment)[number])
    except (KeyError, IndexError):
        return ""
    first = text.split("~", maxsplit=1)[0] if segment != "MSH" or number > 2 else text
    parts = first.split("^")
    return parts[component - 1] if component <= len(parts) else ""


def test_fields_agree_with_python_hl7(found):
    """At least 99.9 % of the fields that both read are equal; each difference is explained.

    python-hl7 leaves escape sequences, subcomponents and HL7's null ("") as they are written.
    """
    compared, unexplained = 0, []
    for message in found:
        if not isinstance(message, Message) or message.delimiters.component != "^":
            continue
        other = hl7.parse(message.raw.decode(message.codec))
        for segment, number, component in FIELDS:
            mine = message.value(message.fields(segment), number, component)
            yours = theirs(other, segment, number, component)
            compared += 1
            is_explained = yours == '""' or "\\" in yours or "&" in yours
            if mine != yours and not is_explained:
                unexplained.append((segment, number, component))
    assert compared > 14_000
    assert Counter(unexplained) == {}


def test_a_patient_is_read_where_one_is_named(found):
    """The oracle knows 377 distinct identifiers, those of the rejected among them."""
    taken = [patient(each) for each in found if isinstance(each, Message)]
    assert len({each.identifier for each in taken if each}) in range(370, 378)
