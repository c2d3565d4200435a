"""However messages travel, the tables are the same afterwards."""

import gzip
import json
from datetime import UTC, datetime

import pytest

from tasks.hl7 import ingest
from tasks.hl7.generator.generate import bytes_of, generate


END = datetime(2026, 11, 23, tzinfo=UTC)

TABLES = {
    "messages": "encode(content_sha256, 'hex'), encode(raw, 'hex'), message_type, trigger_event,"
    " control_id, version, message_time, sending_application, ack_code, patient_identifier",
    "quarantine": "encode(content_sha256, 'hex'), reason",
    "patients": "identifier, assigning_authority, family_name, given_name, birth_date, sex, city,"
    " phone, is_deceased",
    "encounters": "visit_number, patient_class, location, is_cancelled",
    "diagnoses": "code, coding_system, description, kind",
    "medications": "code, coding_system, order_number, dose, dose_unit, route",
    "lab_results": "code, coding_system, order_number, value_number, value_text, unit,"
    " reference_range, abnormal_flag",
}
"""What messages say; times of arrival and keys are left out."""


def framed(messages, begin=b"", end=b"", line=b"\r"):
    """Put messages behind each other in a way of travelling."""
    unified = (each.replace(b"\r\n", b"\r").replace(b"\n", b"\r") for each in messages)
    return b"".join(begin + each.replace(b"\r", line) + end for each in unified)


WAYS = {
    "CR": {},
    "LF": {"line": b"\n"},
    "CRLF": {"line": b"\r\n"},
    "MLLP": {"begin": b"\x0b", "end": b"\x1c\r"},
    "MLLP with LF": {"begin": b"\x0b", "end": b"\x1c\r\n", "line": b"\n"},
    "marks": {"begin": b"\xef\xbb\xbf"},
    "batches": {"begin": b"BHS|^~\\&|A\r", "end": b"BTS|1\r"},
    "blank lines": {"end": b"\r\n\r\n"},
}


def contents(server):
    """Return a digest of each table."""
    with server.connect() as connection:
        return {
            table: connection.execute(
                "select count(*), sum(hashtextextended(concat_ws('|',"
                f" {columns}), 0)::numeric) from hl7.{table}"
            ).fetchone()
            for table, columns in TABLES.items()
        }


def clear(server):
    """Empty the tables that messages go to."""
    with server.connect() as connection:
        connection.execute(
            "truncate hl7.messages, hl7.message_keys, hl7.quarantine, hl7.patients,"
            " hl7.encounters, hl7.diagnoses, hl7.medications, hl7.lab_results"
        )


@pytest.fixture(scope="module")
def messages(shared_data):
    """Return generated messages, and the shared ones that have no line end inside a field."""
    generated = list(bytes_of(generate(300, seed=8, end=END, days=5)))
    with gzip.open(shared_data / "hl7v2" / "messages_A.ndjson.gz", "rt") as lines:
        shared = [json.loads(line)["message"].encode() for line in lines]
    return generated + shared


@pytest.fixture
def expected(platform, messages, tmp_path):
    """Load them one a file, and empty the tables again."""
    for number, message in enumerate(messages):
        (tmp_path / f"{number:05}.hl7").write_bytes(message)
    counts = ingest.ingest(platform, [str(tmp_path)])
    found = counts, contents(platform)
    clear(platform)
    return found


def test_the_tables_do_not_depend_on_the_way(platform, messages, expected, tmp_path):
    """Line ends, frames, marks and envelopes change nothing of what is stored."""
    counts, tables = expected
    assert counts.offered == len(messages)
    path = tmp_path / "way.hl7"
    for name, way in WAYS.items():
        path.write_bytes(framed(messages, **way))
        found = ingest.ingest(platform, [str(path)])
        assert (found.offered, found.accepted) == (counts.offered, counts.accepted), name
        assert found.reasons == counts.reasons, name
        assert contents(platform) == tables, name
        clear(platform)
