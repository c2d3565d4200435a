"""The rollups count what is there, again only what is new, and keep what was pruned."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tasks.analytics.rollups.refresh import refresh
from tasks.control.errors import Refused
from tests.db.analytics.conftest import END, bring


COUNTED = """
select date_trunc('hour', received_at, 'UTC') as hour, coalesce(connection_id, 0), direction,
  message_type, coalesce(trigger_event, ''), coalesce(version, ''), count(*),
  sum((status = 'S')::int), sum((status = 'E')::int), sum((status = 'Q')::int),
  sum((status in ('R', 'P'))::int), sum(size_bytes)
from hl7_contract.messages where received_at < %(end)s
group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
"""

KEPT = """
select hour, connection_id, direction, message_type, trigger_event, version, messages, sent, errors,
  queued, unfinished, bytes from hl7_analytics.message_hours order by 1, 2, 3, 4, 5, 6
"""

HOUR = END.replace(minute=0)


def test_the_rollups_equal_what_is_counted_from_the_messages(populated, ask):
    """Hour by hour, and nothing of the hour that is not over."""
    done = refresh(populated, END)
    assert done.through == HOUR
    assert ask(populated, KEPT) == ask(populated, COUNTED, end=HOUR)


def test_errors_are_told_apart_and_add_up(populated, ask):
    """AE, AR, timeouts and others, and no message stands twice or nowhere."""
    refresh(populated, END)
    ((errors, apart, every, stood),) = ask(
        populated,
        "select sum(errors), sum(ack_errors + ack_rejects + timeouts + other_errors),"
        " sum(messages), sum(sent + transformed + filtered + queued + unfinished + errors)"
        " from hl7_analytics.message_hours",
    )
    assert errors == apart > 0
    assert every == stood


def test_percentiles_of_the_rollups_are_those_of_the_messages(populated, ask, place):
    """By PostgreSQL's own percentile_disc, over times of three significant digits."""
    from tasks.analytics.messages.reading import percentiles
    from tasks.analytics.source import session
    from tasks.analytics.window import before

    refresh(populated, END)
    window = before(END, timedelta(days=21))
    (theirs,) = ask(
        populated,
        "select count(ms), percentile_disc(0.5) within group (order by ms),"
        " percentile_disc(0.95) within group (order by ms),"
        " percentile_disc(0.99) within group (order by ms), max(ms) from (select round(ms,"
        " (2 - floor(log(greatest(ms, 100))))::int)::int as ms from (select extract(epoch from"
        " processed_at - received_at) * 1000 as ms from hl7_contract.messages"
        " where received_at >= %(begin)s and received_at < %(end)s) t) t",
        begin=window.begin,
        end=window.end,
    )
    with session(place(populated)) as asking:
        (ours,) = percentiles(asking, window).itertuples(index=False)
    assert tuple(ours)[1:] == theirs


def test_a_second_refresh_changes_nothing(populated, ask):
    """Only the hours that are not settled, and those with something open, are counted again."""
    first = refresh(populated, END)
    before = ask(populated, KEPT)
    again = refresh(populated, END)
    assert ask(populated, KEPT) == before
    assert again.counted < first.counted / 5


def test_what_comes_late_is_counted_in_its_hour(populated, ask):
    """A load of old traffic is new by its ids, however old it is."""
    refresh(populated, END)
    bring(populated, 500, seed=8)
    refresh(populated, END)
    assert ask(populated, KEPT) == ask(populated, COUNTED, end=HOUR)


def test_what_was_open_is_looked_at_again_however_old_it_is(populated, ask):
    """A message that waited in a queue for weeks, and was sent at last."""
    long_ago = HOUR - timedelta(days=20)
    ask(
        populated,
        "update hl7.messages set status = 'Q' where id = (select min(id) from hl7.messages"
        " where received_at >= %(at)s) returning id",
        at=long_ago,
    )
    refresh(populated, END)
    ask(populated, "update hl7.messages set status = 'S' where status = 'Q' returning id")
    refresh(populated, END)
    assert ask(populated, KEPT) == ask(populated, COUNTED, end=HOUR)


def test_pruned_messages_stay_counted(populated, ask):
    """Statistics outlive the messages, also where an hour was pruned in part."""
    refresh(populated, END)
    before = ask(populated, KEPT)
    ask(populated, "delete from hl7.messages where received_at < %(at)s returning 1", at=HOUR)
    done = refresh(populated, END)
    assert ask(populated, KEPT) == before
    assert done.kept > 0


def test_what_was_open_is_closed_also_where_the_others_were_pruned(populated, ask):
    """Retention keeps a queue; when it is sent, and one fails, the totals stay what they were."""
    opened = "update hl7.messages set status = 'Q' where mod(id, 50) = 0 returning 1"
    queued = len(ask(populated, opened))
    refresh(populated, END)
    sums = "select sum(messages), sum(queued), sum(errors) from hl7_analytics.message_hours"
    ((every, open_, errors),) = ask(populated, sums)
    assert queued >= open_ > 20
    ask(populated, "delete from hl7.messages where status in ('S', 'T', 'F') returning 1")
    ask(
        populated,
        "update hl7.messages set status = 'E' where id = (select min(id)"
        " from hl7.messages where status = 'Q') returning 1",
    )
    ask(populated, "update hl7.messages set status = 'S' where status = 'Q' returning 1")
    refresh(populated, END)
    assert ask(populated, sums) == [(every, 0, errors + 1)]
    whole = "select sum(messages), sum(complete) + sum(failed), sum(open)"
    ((messages, done, left),) = ask(populated, f"{whole} from hl7_analytics.outcome_hours")
    assert (messages, left) == (done + left, 0)
    settled = refresh(populated, END)
    assert settled.counted <= 25


def test_two_at_once_count_the_same(populated, ask):
    """Each hour is counted under one lock."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: refresh(populated, END), range(2)))
    assert ask(populated, KEPT) == ask(populated, COUNTED, end=HOUR)


def test_a_look_back_does_not_set_the_rollups_back(populated, ask):
    """A refresh of a moment that has passed leaves what was counted through."""
    refresh(populated, END)
    refresh(populated, END - timedelta(days=3))
    assert ask(populated, "select through from hl7_analytics.state") == [(HOUR,)]


def test_a_platform_without_messages_is_counted_as_nothing(platform, ask):
    """No hour, and no failure."""
    assert refresh(platform, END).counted == 0
    assert ask(platform, KEPT) == []


def test_who_may_not_make_the_tables_is_told(populated, ask):
    """The role, and what to do about it."""
    with populated.connect() as connection:
        connection.execute("create role clerk login")
        connection.execute("grant usage on schema hl7_contract to clerk")
    try:
        from dataclasses import replace

        from psycopg import conninfo

        clerk = replace(populated, address=conninfo.make_conninfo(populated.address, user="clerk"))
        with pytest.raises(Refused, match="create a schema"):
            refresh(clerk, END)
    finally:
        with populated.connect() as connection:
            connection.execute("drop owned by clerk")
            connection.execute("drop role clerk")


def test_times_that_no_clock_shows_are_left_out(populated, ask):
    """PostgreSQL knows infinity and years before Christ; one such row stops nothing."""
    for table, column in (
        ("patients", "first_seen_at"),
        ("encounters", "admitted_at"),
        ("messages", "processed_at"),
    ):
        ask(
            populated,
            f"update hl7.{table} set {column} = 'infinity'"
            f" where id = (select min(id) from hl7.{table}) returning 1",
        )
    ask(
        populated,
        "update hl7.patients set birth_date = '-infinity' where mod(id, 9) = 0 returning 1",
    )
    refresh(populated, END)
    rows = ask(populated, "select max(hour) from hl7_analytics.activity_hours")
    assert rows[0][0] < END
