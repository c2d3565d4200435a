"""Messages into a real PostgreSQL: each once, none lost, whatever happens."""

import gzip
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from tasks.control.errors import Refused
from tasks.hl7 import ingest
from tasks.hl7.generator.generate import bytes_of, generate


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
    other.write_bytes(traffic.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
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


def test_two_loads_of_the_same_file_at_once_bring_each_message_once(platform, traffic):
    """Neither waits for ever, and together they accept what one would."""
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: ingest.ingest(platform, [str(traffic)], batch=100), "ab"))
    assert sum(counts.accepted for counts in both) == 1500
    assert sum(counts.duplicates for counts in both) == 1500
    assert rows(platform, "select count(*), count(distinct content_sha256) from hl7.messages") == [
        (1500, 1500)
    ]


def test_a_connection_that_is_not_known_is_refused_with_those_that_are(platform, traffic):
    """Nothing is loaded under a misspelt name."""
    with pytest.raises(Refused, match=r"does not know this connection; seen: LAB; .*none yet"):
        ingest.ingest(platform, [str(traffic)], connection="LAB")
    with platform.connect() as connection:
        connection.execute(
            "insert into hl7.connections (name, system, direction) values"
            " ('laboratory', 'laboratory', 'inbound')"
        )
    with pytest.raises(Refused, match="seen: LAB; expected: one of laboratory"):
        ingest.ingest(platform, [str(traffic)], connection="LAB")
    assert rows(platform, "select count(*) from hl7.messages") == [(0,)]
    assert ingest.ingest(platform, [str(traffic)], connection="laboratory").accepted == 1500
    assert rows(platform, "select count(distinct connection_id) from hl7.messages") == [(1,)]


def test_a_directory_is_loaded_with_what_is_below_it(platform, tmp_path):
    """In the order of names."""
    (tmp_path / "b").mkdir()
    written(tmp_path / "b" / "2.hl7", *admit("A01", "2"))
    written(tmp_path / "1.hl7", *admit("A01", "1"))
    (tmp_path / "empty.hl7").touch()
    counts = ingest.ingest(platform, [str(tmp_path)])
    assert (counts.offered, counts.accepted) == (2, 2)
    assert rows(platform, "select control_id from hl7.messages order by id") == [("1",), ("2",)]


def test_standard_input_is_read_as_a_file(platform, tmp_path, monkeypatch):
    """`-` stands for it."""
    (path,) = written(tmp_path / "a", *admit("A01", "1"))
    with Path(path).open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert ingest.ingest(platform, ["-"]).accepted == 1


def test_a_platform_that_is_not_installed_is_refused(server, traffic):
    """The error says what to do."""
    with pytest.raises(Refused, match="the platform's tables are missing"):
        ingest.ingest(server, [str(traffic)])


def test_progress_is_told_after_each_batch(platform, traffic):
    """Up to all that was offered."""
    told = []
    ingest.ingest(platform, [str(traffic)], batch=600, progress=told.append)
    assert told == [600, 1200, 1500]


def test_the_shared_messages_go_in_and_add_up(platform, shared_data, tmp_path):
    """All 963 of them, in one file."""
    path = tmp_path / "all.hl7"
    with gzip.open(shared_data / "hl7v2" / "messages_A.ndjson.gz", "rt") as lines:
        path.write_bytes("".join(json.loads(line)["message"] for line in lines).encode())
    counts = ingest.ingest(platform, [str(path)])
    assert counts.offered == 963
    assert counts.accepted + counts.duplicates + counts.quarantined == 963
    assert counts.quarantined == 5
    (kept,) = rows(
        platform,
        "select (select count(*) from hl7.messages), (select count(*) from hl7.quarantine)",
    )
    assert kept == (counts.accepted, 5)
    again = ingest.ingest(platform, [str(path)])
    assert (again.accepted, again.duplicates, again.quarantined) == (0, 958, 5)
    assert rows(platform, "select count(*) from hl7.quarantine") == [(5,)]


def test_every_message_that_was_taken_comes_back_to_the_byte(platform, traffic):
    """What is stored is what was sent, with CR at the ends of segments."""
    ingest.ingest(platform, [str(traffic)])
    stored = {raw for (raw,) in rows(platform, "select raw from hl7.messages")}
    sent = bytes_of(generate(1500, seed=5, end=END, days=10))
    assert stored == {message.replace(b"\r\n", b"\r").replace(b"\n", b"\r") for message in sent}


def test_what_is_passed_over_in_a_directory_is_told(platform, traffic):
    """It is not among what was offered, since nobody knows what it would have held."""
    (traffic.parent / "broken").symlink_to("gone")
    counts = ingest.ingest(platform, [str(traffic.parent)])
    assert counts.passed_over == 1
    assert counts.accepted == 1500


ODD = {
    "a text where a number should be": "OBX|1|NM|K||lots||||||F",
    "a number that no column holds": "OBX|1|NM|K||1e5000||||||F",
    "a date that is none": "OBX|1|NM|K||1|||||F|||20269999",
    "a year long ago": "OBX|1|NM|K||1|||||F|||00011231",
    "a year far away": "OBX|1|NM|K||1|||||F|||99991231",
    "a code of a page": f"OBX|1|NM|{'K' * 5000}||1",
    "words of a page": f"OBX|1|TX|K||{'word ' * 50000}",
    "a quoted NUL": "OBX|1|TX|K||a\\X00\\b",
    "an unpaired half of a character": "OBX|1|TX|K||\\XED A0 80\\ \\XEDA080\\",
    "quotes and semicolons": "OBX|1|TX|K'; drop table hl7.messages; --||'\"\\\\",
    "a diagnosis without end": "DG1|1||" + "^".join("x" * 300),
    "a dose that is infinite": "RXE||ASA|Infinity||mg",
}


@pytest.mark.parametrize("odd", ODD)
def test_nothing_that_a_message_says_breaks_the_load(platform, tmp_path, odd):
    """It is taken, and its neighbours too."""
    for number, segments in enumerate(([], [ODD[odd]], [])):
        written(tmp_path / f"{number}.hl7", *admit("A08", str(number)), *segments)
    counts = ingest.ingest(platform, [str(tmp_path)])
    assert (counts.offered, counts.accepted) == (3, 3)
