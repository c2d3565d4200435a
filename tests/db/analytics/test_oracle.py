"""Figures of public data equal what a script of somebody else counted straight from the files."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tasks.analytics.clinical import reading as clinical
from tasks.analytics.messages import figures, reading
from tasks.analytics.patients import figures as people
from tasks.analytics.patients import reading as patients
from tasks.analytics.rollups.refresh import refresh
from tasks.analytics.source import session
from tasks.analytics.window import before
from tests.db.analytics import synthea


AT = datetime(2020, 1, 1, tzinfo=UTC)

LATE = datetime(2030, 1, 1, tzinfo=UTC)

YEARS = timedelta(days=365 * 150)


@pytest.fixture(params=["synthea_r4", "synthea_stu3"])
def extract(request, platform, shared_data):
    """Load an extract, and return the server with what the oracle says of it."""
    synthea.load(platform, shared_data / request.param)
    oracle = json.loads((shared_data / "oracle_A.json").read_text())["synthea"][request.param]
    return platform, oracle, shared_data / request.param


def test_age_and_sex_are_those_of_the_oracle(extract, place):
    """The living at the start of 2020, in the oracle's bands."""
    server, oracle, folder = extract
    with session(place(server)) as asking:
        read = patients.read(asking, before(AT, timedelta(days=30)))
    found = people.by_age_and_sex(read).set_index("age_band")
    for band, sexes in oracle["age_gender_2020-01-01"].items():
        assert {sex: int(found.loc[band, sex]) for sex in sexes} == sexes
    unborn = [
        row for row in synthea.rows(folder, "patients") if row["birth_date"] > AT.date().isoformat()
    ]
    assert found.loc["unknown"].sum() == len(unborn)


def test_sex_deceased_and_visits_are_those_of_the_oracle(extract, place):
    """All patients, when everything has happened."""
    server, oracle, _ = extract
    with session(place(server)) as asking:
        read = patients.read(asking, before(LATE, YEARS))
    cube = read.cube.groupby("sex")["patients"].sum().to_dict()
    assert cube == oracle["gender"]
    totals = people.totals(read).set_index("figure")["now"]
    assert totals["deceased"] == oracle["deceased"]
    assert totals["known"] == oracle["rows_patients"]
    theirs = Counter()
    for name, count in oracle["encounter_class"].items():
        theirs[synthea.CLASSES[name]] += count
    ours = read.visits.set_index("patient_class")["admissions"].to_dict()
    assert ours == theirs
    assert totals["visits"] == oracle["rows_encounters"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("diagnoses", "top10_dx_by_distinct_patients"),
        ("medications", "top10_rx_by_distinct_patients"),
    ],
)
def test_the_commonest_codes_are_those_of_the_oracle(extract, place, kind, name):
    """By distinct patients, in their order where no two have the same count."""
    server, oracle, _ = extract
    with session(place(server)) as asking:
        read = clinical.read(asking, before(LATE, timedelta(days=30)))
    listed = getattr(read, kind).head(10)
    ours = dict(zip(listed["code"], listed["patients"], strict=True))
    theirs = {code: count for code, _, count in oracle[name]}
    last = min(theirs.values())
    assert sorted(ours.values()) == sorted(theirs.values())
    assert {c: n for c, n in ours.items() if n > last} == {
        c: n for c, n in theirs.items() if n > last
    }


def test_types_and_versions_are_those_of_the_oracle(platform, shared_data, tmp_path, place):
    """What was accepted of the real messages, by type and by version."""
    import gzip

    from tasks.hl7 import ingest

    with gzip.open(shared_data / "hl7v2" / "messages_A.ndjson.gz", "rt") as lines:
        raw = [json.loads(line)["message"] for line in lines]
    for number, text in enumerate(raw):
        (tmp_path / f"{number}.hl7").write_bytes(text.encode())
    done = ingest.ingest(platform, [str(tmp_path)])
    oracle = json.loads((shared_data / "oracle_A.json").read_text())["hl7v2"]
    now = datetime.now(UTC) + timedelta(hours=2)
    refresh(platform, now)
    with session(place(platform)) as asking:
        read = reading.read(asking, before(now, timedelta(days=7)))
    kinds = figures.by_kind(read, ["message_type", "trigger_event"])
    ours = {
        "^".join(filter(None, (row.message_type, row.trigger_event))): row.messages
        for row in kinds.itertuples()
    }
    theirs = Counter(oracle["types"])
    theirs["ORU^R01"] += theirs.pop("ORU^R01^ORU_R01")
    lost = done.quarantined + done.duplicates
    assert sum(ours.values()) == done.accepted == oracle["messages"] - lost
    assert sum((theirs - Counter(ours)).values()) == lost
    assert Counter(ours) - theirs == Counter()
    versions = figures.by_kind(read, ["version"])
    ours = Counter(dict(zip(versions["version"], versions["messages"], strict=True)))
    assert ours - Counter(oracle["versions"]) == Counter()
