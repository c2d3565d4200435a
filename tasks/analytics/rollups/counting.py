"""What is counted of an hour of messages, and what each count means.

A message is one row of the contract's `messages`: one message on one connection. Where the same
message (sender and control id) has several rows in an hour, `outcome_hours` counts it once.
"""

from tasks.analytics.rollups.tables import NOBODY, SCHEMA
from tasks.repository.facts import CONTRACT


DEFINITIONS = {
    "messages": "messages by the hour in which they were received, each on its connection",
    "sent": "status S: delivered",
    "transformed": "status T: processed, and forwarded to nobody",
    "filtered": "status F: left out by a rule, which is no error",
    "queued": "status Q: waits for its receiver",
    "unfinished": "status R or P: received or pending",
    "errors": "status E, whatever the reason; the four below add up to it",
    "ack_errors": "errors answered by AE or CE: the content is the sender's to correct",
    "ack_rejects": "errors answered by AR or CR: the receiver takes none now, may be sent again",
    "timeouts": "errors without an answer, since it did not come in time",
    "other_errors": "errors of any other kind, such as a receiver that could not be reached",
    "retried": "messages that were sent more than once",
    "bytes": "their length in bytes",
}
"""What stands in `message_hours`; success is sent, transformed and filtered together."""

ROUNDING = (
    "Processing time is from `received_at` to `processed_at`, in milliseconds rounded to three"
    " significant digits; a percentile is the smallest time that so many messages did not exceed."
)

FRESH = f"""
create temp table fresh on commit drop as
select date_trunc('hour', received_at, 'UTC') as hour, coalesce(connection_id, {NOBODY})
    as connection_id, direction, message_type, coalesce(trigger_event, '') as trigger_event,
  coalesce(version, '') as version, status, coalesce(ack_code, '') as ack_code,
  coalesce(error_category, '') as error_category, attempts, size_bytes,
  case when isfinite(processed_at) then extract(epoch from processed_at - received_at) * 1000 end
    as ms,
  coalesce(sending_application, '') as application, coalesce(sending_facility, '') as facility,
  coalesce(nullif(control_id, ''), message_id::text) as control_id
from {CONTRACT}.messages
where received_at >= %(begin)s and received_at < %(end)s
  and date_trunc('hour', received_at, 'UTC') = any(%(hours)s)
"""  # noqa: S608 - names of our own

KEPT = f"""
select hour from (select hour, sum(messages) as n from {SCHEMA}.message_hours
    where hour = any(%(hours)s) group by 1) kept
  left join (select hour, count(*) as n from fresh group by 1) found using (hour)
where coalesce(found.n, 0) < kept.n
"""  # noqa: S608
"""Hours of which messages were pruned: what was counted before stays."""

_ERROR = "status = 'E'"
_ACK_ERROR = "ack_code in ('AE', 'CE')"
_ACK_REJECT = "ack_code in ('AR', 'CR')"
_TIMEOUT = f"not ({_ACK_ERROR} or {_ACK_REJECT}) and error_category = 'timeout'"

_MESSAGES = f"""
insert into {SCHEMA}.message_hours
select hour, connection_id, direction, message_type, trigger_event, version, count(*),
  count(*) filter (where status = 'S'), count(*) filter (where status = 'T'),
  count(*) filter (where status = 'F'), count(*) filter (where status = 'Q'),
  count(*) filter (where status in ('R', 'P')), count(*) filter (where {_ERROR}),
  count(*) filter (where {_ERROR} and {_ACK_ERROR}),
  count(*) filter (where {_ERROR} and {_ACK_REJECT}),
  count(*) filter (where {_ERROR} and {_TIMEOUT}),
  count(*) filter (where {_ERROR} and not ({_ACK_ERROR} or {_ACK_REJECT})
    and error_category <> 'timeout'),
  count(*) filter (where attempts > 1), sum(size_bytes)
from fresh where hour = any(%(hours)s) group by 1, 2, 3, 4, 5, 6
"""  # noqa: S608

_PROCESSING = f"""
insert into {SCHEMA}.processing_hours
select hour, connection_id, array_agg(rounded order by rounded), array_agg(n order by rounded)
from (
  select hour, connection_id, count(*)::int as n,
    case when ms < 999.5 then round(ms)
      else round(least(ms, 2e9), 2 - floor(log(ms))::int) end::int as rounded
  from fresh where ms >= 0 and hour = any(%(hours)s) group by 1, 2, 4) counted
group by 1, 2
"""  # noqa: S608

_OUTCOMES = f"""
insert into {SCHEMA}.outcome_hours
select hour, count(*), count(*) filter (where is_complete), count(*) filter (where has_failed),
  count(*) filter (where not is_complete and not has_failed)
from (select hour, bool_and(status in ('S', 'T', 'F')) as is_complete,
    bool_or({_ERROR}) as has_failed
  from fresh where hour = any(%(hours)s) group by hour, application, facility, control_id) whole
group by 1
"""  # noqa: S608

COUNT = (_MESSAGES, _PROCESSING, _OUTCOMES)
"""What fills the three tables from `fresh`."""

FORGET = tuple(
    f"delete from {SCHEMA}.{table} where hour = any(%(hours)s)"  # noqa: S608
    for table in ("message_hours", "processing_hours", "outcome_hours")
)

_CLOSED = f"""
with found as (
  select m.hour, m.connection_id, m.direction, m.message_type, m.trigger_event, m.version,
    count(*) filter (where f.status = 'Q') as queued,
    count(*) filter (where f.status in ('R', 'P')) as unfinished,
    count(*) filter (where f.status = 'E') as errors
  from {SCHEMA}.message_hours m left join fresh f
    using (hour, connection_id, direction, message_type, trigger_event, version)
  where m.hour = any(%(kept)s) and m.queued + m.unfinished > 0 group by 1, 2, 3, 4, 5, 6),
closed as (
  select f.*, c.closed, least(c.closed, greatest(f.errors - m.errors, 0)) as failed
  from {SCHEMA}.message_hours m
    join found f using (hour, connection_id, direction, message_type, trigger_event, version),
    lateral (select greatest(m.queued + m.unfinished - f.queued - f.unfinished, 0)) c(closed))
update {SCHEMA}.message_hours m set queued = c.queued, unfinished = c.unfinished,
  sent = m.sent + c.closed - c.failed, errors = m.errors + c.failed,
  other_errors = m.other_errors + c.failed
from closed c
where (m.hour, m.connection_id, m.direction, m.message_type, m.trigger_event, m.version)
  = (c.hour, c.connection_id, c.direction, c.message_type, c.trigger_event, c.version)
"""  # noqa: S608

_WHOLE = f"""
update {SCHEMA}.outcome_hours o set open = found.open, complete = o.complete + o.open - found.open
from (select hour, count(distinct (application, facility, control_id))
      filter (where status in ('Q', 'R', 'P')) as open
    from unnest(%(kept)s::timestamptz[]) k(hour) left join fresh using (hour) group by 1) found
where o.hour = found.hour and o.open > found.open
"""  # noqa: S608

CLOSE = (_CLOSED, _WHOLE)
"""In hours that were pruned, what is open no longer is sent, or an error where more are there.

What became of a message that was pruned after that is not known; retention keeps queues.
"""

_SEEN = f"""
insert into {SCHEMA}.activity_hours
select hour, sum(p), sum(e) from (
  select date_trunc('hour', first_seen_at, 'UTC') as hour, 1 as p, 0 as e
  from {CONTRACT}.patients
  where merged_into is null and first_seen_at >= %(begin)s and first_seen_at < %(end)s
  union all
  select date_trunc('hour', admitted_at, 'UTC'), 0, 1 from {CONTRACT}.encounters
  where not is_cancelled and admitted_at >= %(begin)s and admitted_at < %(end)s) seen
where hour = any(%(hours)s) group by 1
"""  # noqa: S608

ACTIVITY = (
    f"delete from {SCHEMA}.activity_hours where hour = any(%(hours)s)",  # noqa: S608
    _SEEN,
)
"""Counts people of some hours anew: where the only patient was merged nothing is left."""
