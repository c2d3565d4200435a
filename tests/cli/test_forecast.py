"""`hl7ops forecast` as an outside program calls it."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from flows.__main__ import app
from flows.verbs.several import repeated
from tasks.control.errors import Refused
from tests.unit.analytics.forecast.test_methods import noisy
from tests.unit.analytics.forecast.test_series import days


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Write 100 days."""
    path = tmp_path_factory.mktemp("forecast") / "days.csv"
    lines = [f"{day},{value:.0f}" for day, value in zip(days(100), noisy(100), strict=True)]
    path.write_text("\n".join(["date,value", *lines]) + "\n")
    return str(path)


def told(*arguments):
    """Return the one document that it prints."""
    done = CliRunner().invoke(app, ["forecast", *arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_one_document_holds_the_forecast_and_its_backtest(file):
    """The documented keys are there."""
    document = told(file, "--horizon", "14")
    assert (document["history"], document["horizon"]) == (100, 14)
    assert document["method"]
    assert set(document["forecast"][0]) == {"date", "mean", "lo80", "hi80", "lo95", "hi95"}
    assert [each["date"] for each in document["forecast"]] == [str(day) for day in days(114)[100:]]
    assert {"mase", "wape", "coverage80", "coverage95", "folds"} <= document["backtest"].keys()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--origins", "2026-05-24", "2026-05-17"],
        ["--origins", "2026-05-24", "--origins", "2026-05-17"],
        ["--origins=2026-05-24,2026-05-17"],
    ],
)
@pytest.mark.parametrize("is_first", [False, True])
def test_origins_are_forecast_in_the_order_that_they_are_given(file, arguments, is_first):
    """Several at once, one each, or with commas; before the file or after it."""
    order = [file, *arguments] if is_first else [*arguments, file]
    document = told(*order, "--horizon", "7")
    assert [each["origin"] for each in document["origins"]] == ["2026-05-24", "2026-05-17"]
    assert [each["forecast"][0]["date"] for each in document["origins"]] == [
        "2026-05-25",
        "2026-05-18",
    ]
    assert [len(each["forecast"]) for each in document["origins"]] == [7, 7]


@pytest.mark.parametrize(
    ("given", "parsed"),
    [
        (["--o", "x", "file"], ["--o", "x", "file"]),
        (["--o", "2026-05-24", "file"], ["--o", "2026-05-24", "file"]),
        (["--o", "2026-05-24", "--json", "2026-x"], ["--o", "2026-05-24", "--json", "2026-x"]),
        (["--o"], ["--o"]),
    ],
)
def test_only_dates_follow_a_first_value(given, parsed):
    """Whatever else stands there is an argument of its own."""
    assert repeated(given, {"--o"}) == parsed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--horizon", "7"], "forecast 30 days ahead"),
        (["none.csv"], "cannot be read"),
        (["FILE", "--origins", "2026-02-30"], "an origin is no date"),
        (["FILE", "--origins", "2027-01-01"], "no history at the origin"),
    ],
)
def test_what_cannot_be_done_is_refused(file, arguments, said):
    """With exit code 3 and a line that says what to do."""
    given = [file if each == "FILE" else each for each in arguments]
    done = CliRunner().invoke(app, ["forecast", *given])
    assert isinstance(done.exception, Refused)
    assert said in str(done.exception)


def test_people_read_a_table_the_method_in_words_and_the_backtest(file):
    """Each day with its weekday."""
    done = CliRunner().invoke(app, ["forecast", file, "--horizon", "7"])
    assert done.exit_code == 0
    assert "seasonal naive" in done.output
    assert "folds to 2026-06-09" in done.output
    assert np.all([name in done.output for name in ("Method", "Why", "MASE", "Wed 2026-06-10")])
