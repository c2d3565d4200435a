"""Reports as a reader sees them: in the Prefect UI, and as files; and nobody is named in them."""

from datetime import UTC, datetime

import pytest

from tests.db.analytics import synthea
from tests.ui.test_patient_data import platform, told


REPORTS = {
    "report/executive": "## Messages",
    "report/clinical": "## Diagnoses",
    "report/performance": "## Connections",
    "report/dashboard": "## The last 24 hours",
    "report/forecast": "## Visits",
    "anomalies/hourly": "## By which rule",
}

FIRST = 1_000_000
"""Keys from here on are free in a platform that other tests share."""


@pytest.fixture(scope="module")
def analysed(installation, shared_data):
    """Bring public patients, and generated messages up to now."""
    from tasks.hl7 import ingest
    from tasks.hl7.generator import populate
    from tasks.hl7.platform import installation as schema

    server = platform(installation)
    schema.install(server)
    synthea.load(server, shared_data / "synthea_stu3", FIRST)
    now = datetime.now(UTC)
    populate.populate(server, ingest.load_generated, 2500, seed=77, end=now, days=60)
    return installation


@pytest.mark.parametrize("deployment", REPORTS)
def test_a_report_is_read_in_the_ui_and_as_a_file(analysed, browser, deployment):
    """Headline, a table, and charts that are drawn; the file needs no network."""
    kind = deployment.partition("/")[0]
    kind = deployment.partition("/")[2] if kind == "report" else kind
    run = analysed.run(deployment)
    assert analysed.await_end(run, 120) == "Completed", analysed.state(run)
    wanted = {"artifacts": {"key": {"any_": [f"{kind}-report-main"]}}}
    artifact = analysed.post("artifacts/latest/filter", wanted)[0]
    file = analysed.home / "repository" / "main" / "reports" / f"{kind}.html"
    browser.goto(f"{analysed.url}/artifacts/artifact/{artifact['latest_id']}")
    _read(browser, REPORTS[deployment])
    browser.context.set_offline(True)
    browser.goto(f"file://{file}")
    _read(browser, REPORTS[deployment])


def _read(browser, heading):
    browser.wait_for_selector(f"h2:has-text('{heading.lstrip('# ')}')")
    assert browser.locator("h1").first.inner_text().strip()
    assert browser.locator("td").count() > 5
    charts = browser.locator("img[src^='data:image/svg+xml']")
    assert charts.count() >= 1
    for place in range(charts.count()):
        drawn = "image => image.complete && image.naturalWidth > 300"
        assert charts.nth(place).evaluate(drawn)


def needles(folder):
    """Return what tells a patient: names, identifiers, birth dates, telephone numbers, streets."""
    found = set()
    for row in synthea.rows(folder, "patients"):
        name = f"{row['first_name']} {row['last_name']}"
        found |= {name, row["mrn"], row["ssn"], row["birth_date"], row["phone"], row["address"]}
    found |= {row["encounter_id"] for row in synthea.rows(folder, "encounters")}
    return {each for each in found if len(each) >= 8}


def test_nobody_is_named_by_reports_that_are_published_or_blocked(analysed, shared_data):
    """Thousands of needles, in Prefect's database, in logs and in the files; none is found.

    One report is blocked on purpose: an identifier stands in the words of a common diagnosis.
    """
    wanted = needles(shared_data / "synthea_stu3")
    assert len(wanted) > 5000
    for deployment in ("report/clinical", "risk/nightly"):
        assert analysed.await_end(analysed.run(deployment), 120) == "Completed"
    server = platform(analysed)
    with server.connect() as connection:
        connection.execute(
            "update hl7.diagnoses set description = (select identifier from hl7.patients"
            " where id = %s) where patient_id >= %s and code = '444814009'",
            [FIRST, FIRST],
        )
    try:
        assert analysed.await_end(analysed.run("report/clinical"), 120) == "Failed"
    finally:
        with server.connect() as connection:
            connection.execute(
                "update hl7.diagnoses set description = 'Viral sinusitis' where code = '444814009'"
            )
    shown = analysed.post(
        "artifacts/latest/filter", {"artifacts": {"key": {"any_": ["clinical-report-main"]}}}
    )[0]["data"]
    assert shown.startswith("# NOT PUBLISHED: clinical report of main")
    assert "no identifier of a patient" in shown
    files = (analysed.home / "repository" / "main" / "reports").glob("*.html")
    everything = told(analysed) + "".join(file.read_text() for file in files)
    assert "NOT PUBLISHED" in everything
    assert [needle for needle in wanted if needle in everything] == []
