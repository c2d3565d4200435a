"""Messages into a real PostgreSQL: each once, none lost, whatever happens."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from itertools import islice

import pytest

from tasks.control.errors import Refused
from tasks.hl7 import ingest
from tasks.hl7.generate import bytes_of, generate


END = datetime(2026, 11, 23, tzinfo=UTC)


def rows(server, query):
    """Return the rows of a query."""
    with server.connect() as connection:
        return connection.execute(query).fetchall()


def written(path, *lines):
    """Write segments to a file, each line one."""
    path.write_bytes("\r".join(lines).encode() + b"\r")
    return [str(path)]


def admit(event, control, *segments, patient="77"):
    """Return the segments of an ADT message."""
    return [
        f"MSH|^~\\&|ADT|HOSP|HUB|HOSP|20261120080000||ADT^{event}|{control}|P|2.5",
        f"PID|1||{patient}^^^HOSP||DOE^JANE^Q||19800203|F|||1 MAIN ST^^TOWN^ST^12345^US||555-0100",
        *segments,
    ]


@pytest.fixture(scope="module")
def traffic(tmp_path_factory):
    """Write 1,500 generated messages to a file."""
    path = tmp_path_factory.mktemp("traffic") / "traffic.hl7"
    with path.open("wb") as file:
        file.writelines(islice(bytes_of(generate(1500, seed=5, end=END, days=10)), 1500))
    return path


def test_what_is_offered_is_accounted_for_and_twice_is_once(platform, traffic):
    """The second time everything is a duplicate, also in another frame."""
    first = ingest.ingest(platform, [str(traffic)])
    assert (first.offered, first.accepted, first.quarantined) == (1500, 1500, 0)
    other = traffic.with_name("other.hl7")
    other.write_bytes(traffic.read_bytes().replace(b"\r\n", b"\n").replace(b"\x0b", b"\n"))
    again = ingest.ingest(platform, [str(traffic), str(other)])
    assert again.accepted == 0
    assert again.offered == again.duplicates == 3000
    assert rows(platform, "select count(*) from hl7.messages") == [(1500,)]


def test_what_is_no_message_is_kept_verbatim_with_its_reason(platform, tmp_path):
    """It is kept once, however its lines end."""
    path = tmp_path / "broken.hl7"
    path.write_bytes(b"MSH|^~\\&|LAB\rPID|1\r")
    counts = ingest.ingest(platform, [str(path)])
    path.write_bytes(b"MSH|^~\\&|LAB\r\nPID|1\r\n")
    ingest.ingest(platform, [str(path)])
    assert counts.reasons == {"truncated_header": 1}
    assert counts.offered == counts.quarantined == 1
    kept = rows(platform, "select reason, raw from hl7.quarantine")
    assert kept == [("truncated_header", b"MSH|^~\\&|LAB\rPID|1")]


def test_an_admission_makes_a_patient_and_a_visit(platform, tmp_path):
    """What a message says stands in the tables; what it leaves out is not overwritten."""
    visit = "PV1|1|I|WARD^1|||||||MED|||||||||V1"
    ingest.ingest(
        platform, written(tmp_path / "a", *admit("A01", "1", visit, "DG1|1||I10^Pressure^I10"))
    )
    ingest.ingest(platform, written(tmp_path / "b", *admit("A03", "2", visit)))
    assert rows(
        platform,
        "select identifier, family_name, birth_date::text, sex, city, is_deceased"
        " from hl7.patients",
    ) == [("77", "DOE", "1980-02-03", "F", "TOWN", False)]
    (encounter,) = rows(
        platform,
        "select visit_number, patient_class, location, admitted_at is not null,"
        " discharged_at is not null, is_cancelled from hl7.encounters",
    )
    assert encounter == ("V1", "I", "WARD", True, True, False)
    assert rows(platform, "select code, coding_system from hl7.diagnoses") == [("I10", "I10")]


def test_a_cancelled_discharge_opens_the_visit_again(platform, tmp_path):
    """A13 takes the discharge back, A11 the admission."""
    visit = "PV1|1|I|WARD" + "|" * 16 + "V1"
    for number, event in enumerate(("A01", "A03", "A13", "A11")):
        ingest.ingest(platform, written(tmp_path / event, *admit(event, str(number), visit)))
    found = rows(platform, "select discharged_at, is_cancelled from hl7.encounters")
    assert found == [(None, True)]


def test_a_merge_leads_from_the_former_patient_to_the_surviving_one(platform, tmp_path):
    """Who was found to be somebody else is not deleted, but led there."""
    ingest.ingest(platform, written(tmp_path / "a", *admit("A01", "1", patient="88")))
    ingest.ingest(platform, written(tmp_path / "b", *admit("A40", "2", "MRG|88^^^HOSP")))
    assert rows(
        platform,
        "select f.identifier, t.identifier from hl7.patients f join hl7.patients t"
        " on t.id = f.merged_into",
    ) == [("88", "77")]


def test_results_and_medications_are_stored_with_their_orders(platform, tmp_path):
    """Numbers are numbers, text is text, and units stay beside them."""
    head = admit("A01", "1")
    head[0] = head[0].replace("ADT^A01", "ORU^R01")
    lines = [
        *head,
        "ORC|RE|O1",
        "OBR|1|O1|F1|CBC^Count|||20261120070000",
        "OBX|1|NM|K^Potassium^LN||4.1|mmol/L|3.5-5.1|N|||F",
        "OBX|2|ST|COL^Colour^LN||yellow||||||F",
        "RXE|^^^20261120090000|ASA^Aspirin^RX|100||mg",
        "RXR|PO",
    ]
    ingest.ingest(platform, written(tmp_path / "a", *lines))
    results = rows(
        platform,
        "select code, value_number::float, value_text, unit from hl7.lab_results order by 1",
    )
    assert results == [("COL", None, "yellow", None), ("K", 4.1, None, "mmol/L")]
    drugs = rows(platform, "select code, dose::float, dose_unit, route from hl7.medications")
    assert drugs == [("ASA", 100.0, "mg", "PO")]


def test_a_key_that_is_too_long_breaks_nothing(platform, tmp_path):
    """It is left out and noted; the message keeps it."""
    counts = ingest.ingest(platform, written(tmp_path / "a", *admit("A01", "9" * 5000)))
    assert counts.accepted == 1
    assert counts.notes == {"long_value": 1}
    assert rows(platform, "select control_id from hl7.messages") == [(None,)]


def test_a_path_that_is_not_there_is_refused_and_nothing_is_loaded(platform, traffic):
    """All paths are looked at before the first message is read."""
    with pytest.raises(Refused, match="no such file or directory; seen: nowhere"):
        ingest.ingest(platform, [str(traffic), "nowhere"])
    assert rows(platform, "select count(*) from hl7.messages") == [(0,)]


CHILD = """
import os, signal, sys
from tasks.hl7 import ingest
from tasks.postgres.server import Server

address, path, name, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
real, calls = getattr(ingest, name), [0]


def dying(*args, **kwargs):
    calls[0] += 1
    if calls[0] == count:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **kwargs)


setattr(ingest, name, dying)
ingest.ingest(Server("main", address), [path], batch=200)
"""

CONTENT = (
    (
        "select count(*), sum(hashtextextended(encode(content_sha256, 'hex'), 0)::numeric) from"
        " hl7.messages"
    ),
    "select count(*), count(distinct message_id) from hl7.message_keys",
    (
        "select count(*), sum(hashtextextended(concat_ws('|', identifier, family_name, birth_date,"
        " sex, city), 0)::numeric) from hl7.patients"
    ),
    "select count(*) from hl7.lab_results",
    "select count(*) from hl7.medications",
    "select count(*) from hl7.diagnoses",
)


@pytest.mark.parametrize(
    ("name", "count"),
    [("store", 1), ("store", 4), ("quarantine", 3), ("_load_batch", 5), ("read", 700)],
)
def test_a_kill_loses_nothing_and_repeats_nothing(platform, traffic, name, count):
    """After it the same call brings in the rest, and the tables are those of a clean run."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, platform.address, str(traffic), name, str(count)],
        env=os.environ,
        check=False,
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-300:]
    counts = ingest.ingest(platform, [str(traffic)], batch=200)
    assert counts.accepted + counts.duplicates == 1500
    after = [rows(platform, query) for query in CONTENT]
    with platform.connect() as connection:
        connection.execute(
            "truncate hl7.messages, hl7.message_keys, hl7.patients, hl7.encounters,"
            " hl7.lab_results, hl7.medications, hl7.diagnoses"
        )
    ingest.ingest(platform, [str(traffic)], batch=200)
    assert [rows(platform, query) for query in CONTENT] == after
