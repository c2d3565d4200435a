"""Figures of messages equal what SQL over the contract's messages counts, without any rollup."""

import math
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from statsmodels.stats.proportion import proportion_confint

from tasks.analytics import kpis
from tasks.analytics.messages import figures, reading
from tasks.analytics.rollups.refresh import refresh
from tasks.analytics.source import session
from tasks.analytics.window import WEEK, before
from tasks.hl7.platform import installation, partitions
from tests.db.analytics import synthea
from tests.db.analytics.conftest import END, bring
from tests.db.conftest import database


WINDOW = before(END, WEEK)

EACH = """(
select m.*, coalesce(c.name, '(none)') as connection, m.received_at >= %(begin)s as is_now,
  extract(epoch from processed_at - received_at) * 1000 as ms,
  case status when 'S' then 'sent' when 'T' then 'processed, forwarded to nobody'
    when 'F' then 'filtered' when 'Q' then 'queued' when 'R' then 'received or pending'
    when 'P' then 'received or pending'
    else case when ack_code like '_E' then 'error: AE, the content'
      when ack_code like '_R' then 'error: AR, rejected'
      when error_category = 'timeout' then 'error: timeout' else 'error: other' end end as outcome
from hl7_contract.messages m left join hl7_contract.connections c using (connection_id)
where received_at >= %(prior)s and received_at < %(end)s) each"""

GOOD, BAD = "status in ('S', 'T', 'F')", "status = 'E'"

TROUBLE = """
update hl7.messages m set connection_id = case when n %% 41 > 0 then m.connection_id end,
  control_id = (array[m.control_id, '', '', 'a' || n / 27, 'a' || n / 27, null,
    'b' || n / 27, 'b' || n / 27, m.control_id])[n %% 27 + 1],
  sending_application = 'ONE', sending_facility = 'ONE',
  status = (array['E', 'E', 'E', 'E', 'Q', 'R', 'P', 'T', 'F'])[n %% 27 + 1],
  ack_code = (array['AE', 'CR', null, null])[n %% 27 + 1],
  error_category = (array['timeout', 'timeout', 'timeout', 'processing'])[n %% 27 + 1]
from (select id, row_number() over (order by received_at desc, id) as n from hl7.messages) o
where m.id = o.id and n %% 27 < 9 returning 1"""


@pytest.fixture(scope="module")
def traffic(cluster_server):
    """Bring 6,000 messages of 60 days, let a third of them end in every way, count the hours."""
    with database(cluster_server, "traffic") as server:
        installation.install(server)
        bring(server, 6000)
        with server.connect(statement_timeout_s=60) as connection:
            connection.execute(TROUBLE, {})
        refresh(server, END)
        yield server


@pytest.fixture
def week(traffic, place, ask):
    """Read the last week, and return it with what asks the messages of the same time."""
    with session(place(traffic)) as asking:
        read = reading.read(asking, WINDOW)

    def count(columns, more=""):
        asked = {"prior": WINDOW.prior.begin, "begin": WINDOW.begin, "end": WINDOW.end}
        return ask(traffic, f"select {columns} from {EACH} {more}", **asked)

    return SimpleNamespace(read=read, count=count)


def counted(condition="true"):
    """Return the SQL that counts a condition in the week, and in the one before it."""
    return ", ".join(
        f"count(*) filter (where {period} and {condition})" for period in ("is_now", "not is_now")
    )


def interval(count, n):
    """Return Wilson's interval as statsmodels has it."""
    return pytest.approx(proportion_confint(count, n, method="wilson"))


def test_outcomes_are_those_of_the_messages(week):
    """Each of the nine occurs, AE, AR and timeouts apart; with shares and intervals."""
    theirs = {name: row for name, *row in week.count(f"outcome, {counted()}", "group by 1")}
    ((every, earlier),) = week.count(counted())
    found = figures.outcomes(week.read).set_index("outcome")
    assert set(found.index) == set(theirs)
    for name, (now, then) in theirs.items():
        row = found.loc[name]
        assert row["messages"] == now > 0
        assert row["share"] == now / every
        assert (row["lo"], row["hi"]) == interval(now, every)
        assert row["share_before"] == then / earlier
    assert found["share"].sum() == pytest.approx(1)


def test_rates_per_connection_are_those_of_the_rows(week):
    """Success, errors, filtered and queued, of all rows."""
    found = figures.rates(week.read).set_index(["of", "rate"])
    ((every, earlier),) = week.count(counted())
    for rate, condition in {
        "success": GOOD,
        "error": BAD,
        "filtered": "status = 'F'",
        "queued": "status = 'Q'",
    }.items():
        ((now, then),) = week.count(counted(condition))
        row = found.loc["connection", rate]
        assert (row["n"], row["count"], row["share"]) == (every, now, now / every)
        assert (row["lo"], row["hi"]) == interval(now, every)
        assert row["share_before"] == then / earlier
        assert not row["is_small"]


def test_rates_per_message_count_what_is_one_message_once_an_hour(week):
    """Sender and control id make it one; one without a control id is one of its own."""
    whole = (
        "group by date_trunc('hour', received_at, 'UTC'), sending_application, sending_facility,"
        " case when control_id > '' then control_id else message_id::text end, is_now"
    )
    rows = week.count(f"is_now, every({GOOD}), bool_or({BAD}), count(*)", whole)
    assert max(n for *_, n in rows) > 1
    now, then = ([row for row in rows if row[0] is period] for period in (True, False))
    found = figures.rates(week.read).set_index(["of", "rate"])
    for rate, holds in {
        "success": lambda row: row[1],
        "error": lambda row: row[2],
        "open": lambda row: not row[1] and not row[2],
    }.items():
        row = found.loc["message", rate]
        assert (row["n"], row["count"]) == (len(now), sum(map(holds, now)))
        assert row["share_before"] == sum(map(holds, then)) / len(then)


def test_connections_are_told_apart(week):
    """What each carried, and how it ended; messages of none as well."""
    names = ("filtered", "queued", "ack_errors", "ack_rejects", "timeouts", "other_errors")
    said = {name: figures.OUTCOMES[name] for name in names}
    parts = [f"count(*) filter (where is_now and outcome = '{each}')" for each in said.values()]
    columns = ", ".join(["connection", counted(), counted(GOOD), *parts])
    found = figures.by_connection(week.read).set_index("connection")
    theirs = week.count(columns, "group by 1")
    assert set(found.index) == {row[0] for row in theirs} > {"(none)"}
    for name, now, then, good, _, *rest in theirs:
        row = found.loc[name]
        assert (row["messages"], row["before"], row["success"]) == (now, then, good / now)
        assert (row["lo"], row["hi"]) == interval(good, now)
        assert row["is_small"] == (now < 30)
        assert list(row[list(said)]) == rest


def test_times_of_connections_stand_beside_those_of_the_week_before(week):
    """Within the stated rounding; whatever had a time now is there, and all together."""
    wanted = (
        ("p50", "0.5", ""),
        ("p95", "0.95", ""),
        ("p99", "0.99", ""),
        ("p95_before", "0.95", "not"),
    )
    times = [
        f"percentile_disc({p}) within group (order by ms) filter (where {when} is_now)"
        for _, p, when in wanted
    ]
    found = figures.times(week.read).set_index("connection")
    theirs = week.count(", ".join(["connection", *times]), "group by 1")
    ((*whole,),) = week.count(", ".join(times), "")
    assert list(found.index) == [*sorted(row[0] for row in theirs if row[1] is not None), "all"]
    for name, *exact in (*theirs, ("all", *whole)):
        for (column, *_), each in zip(wanted, exact, strict=True):
            if each is not None and name in found.index:
                row = found.loc[name]
                assert abs(row[column] - float(each)) <= max(0.5, 0.005 * float(each))
                assert row["change"] == pytest.approx(row["p95"] / row["p95_before"] - 1)


@pytest.mark.parametrize("is_prior", [False, True])
def test_times_of_all_are_within_the_stated_rounding(week, is_prior):
    """Three significant digits of a millisecond, whole ones below a second."""
    found = (week.read.overall_before if is_prior else week.read.overall).iloc[0]
    where = f"where is_now is {not is_prior}"
    names = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "longest": 1}
    times = [f"percentile_disc({p}) within group (order by ms)" for p in names.values()]
    ((measured, *theirs),) = week.count(f"count(ms), {', '.join(times)}", where)
    assert found["measured"] == measured
    for name, exact in zip(names, map(float, theirs), strict=True):
        assert abs(found[name] - exact) <= max(0.5, 0.005 * exact)


@pytest.mark.parametrize("columns", [["message_type", "trigger_event"], ["version"]])
def test_kinds_are_those_of_the_messages(week, columns):
    """Each with its errors and the week before, the most frequent first."""
    named = ", ".join(f"coalesce({name}, '') as {name}" for name in columns)
    numbers = ", ".join(str(place) for place, _ in enumerate(columns, 1))
    order = f"group by {numbers} order by count(*) filter (where is_now) desc, {numbers}"
    theirs = week.count(f"{named}, {counted()}, {counted(BAD)}", order)
    every = sum(row[-4] for row in theirs)
    found = figures.by_kind(week.read, columns)
    for row, (*names, now, then, errors, _) in zip(
        found.itertuples(index=False), theirs, strict=True
    ):
        grown = (now - then) / then if then else math.nan
        assert list(row[:-1]) == [*names, now, now / every, errors, then]
        assert row.change == pytest.approx(grown, nan_ok=True)


@pytest.mark.parametrize("end", [datetime(2026, 10, 26, 6, tzinfo=UTC), WINDOW.end])
def test_the_hours_of_a_week_are_those_of_the_clock_on_the_wall(traffic, place, ask, end):
    """Also in the week in which 02:00 came twice."""
    window = before(end, WEEK)
    with session(place(traffic)) as asking:
        found = figures.by_hour_of_week(reading.read(asking, window), ZoneInfo("Europe/Zurich"))
    local = "received_at at time zone 'Europe/Zurich'"
    theirs = ask(
        traffic,
        f"select extract(isodow from {local})::int - 1, extract(hour from {local})::int, count(*)"
        " from hl7_contract.messages where received_at >= %(begin)s and received_at < %(end)s"
        " group by 1, 2 order by 1, 2",
        begin=window.begin,
        end=window.end,
    )
    assert [tuple(row) for row in found.itertuples(index=False)] == theirs


def test_what_waits_and_since_when(week, traffic, place, ask):
    """On each connection, however old; the headline tells the age of the oldest."""
    theirs = ask(
        traffic,
        "select coalesce(connection_id, 0), count(*) filter (where status = 'Q'),"
        " count(*) filter (where status <> 'Q'), min(received_at) filter (where status = 'Q')"
        " from hl7_contract.messages where status in ('Q', 'R', 'P') and received_at < %(end)s"
        " group by 1 order by 1",
        end=WINDOW.end,
    )
    assert [tuple(row) for row in week.read.waiting.itertuples(index=False)] == theirs
    oldest = min(at for *_, at in theirs if at)
    assert oldest < WINDOW.prior.begin
    with session(place(traffic)) as asking:
        (kpi,) = [each for each in kpis.read(asking, END, 500) if "queue" in each.name]
    assert kpi.value == (WINDOW.end - oldest).total_seconds()


def test_headlines_are_those_of_the_messages(week, traffic, place):
    """Volume and success of both weeks."""
    with session(place(traffic)) as asking:
        volume, success, *_ = kpis.read(asking, END, 500)
    ((now, then, good, well),) = week.count(f"{counted()}, {counted(GOOD)}")
    assert (volume.value, volume.before) == (now, then)
    assert (success.value, success.before) == (good / now, well / then)


def test_a_week_has_its_begin_and_not_its_end(platform, place):
    """Four messages at the edges of two weeks, and one in the hour that is not over."""
    tick = timedelta(microseconds=1)
    edges = (WINDOW.prior.begin, WINDOW.begin - tick, WINDOW.begin, WINDOW.end - tick, WINDOW.end)
    rows = [(at, "inbound", "S", "ADT", number, "x", "y") for number, at in enumerate(edges)]
    partitions.ensure(platform, edges[0], edges[-1])
    names = "received_at direction status message_type size_bytes content_sha256 raw"
    with platform.connect() as connection:
        synthea.copy(connection, "messages", names, rows)
    refresh(platform, END)
    with session(place(platform)) as asking:
        found = figures.by_connection(reading.read(asking, WINDOW))
    assert [tuple(row)[:3] for row in found.itertuples(index=False)] == [("(none)", 2, 2)]
