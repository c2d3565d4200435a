"""The platform for analytics: installed, filled by the generator, or with public patients in it."""

from datetime import UTC, datetime

import pytest

from tasks.analytics import source
from tasks.control import settings
from tasks.hl7 import ingest
from tasks.hl7.generator import populate
from tasks.hl7.platform import installation


END = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)

YOUNG = """
update hl7.patients p set is_deceased = false, deceased_at = null,
  first_seen_at = case when n <= 5 then begin - interval '1 day'
    else greatest(first_seen_at, begin) end
from (select id, row_number() over (order by id) as n,
    date_trunc('hour', %(end)s::timestamptz) - interval '30 days' as begin
  from hl7.patients where merged_into is null) o
where o.id = p.id returning 1"""
"""Lets five patients have been known before the last month, and all others since."""


@pytest.fixture
def platform(server):
    """Install the platform with its contract."""
    installation.install(server)
    return server


def bring(server, messages, seed=7, days=60):
    """Bring generated messages of some days before the end."""
    return populate.populate(server, ingest.load_generated, messages, seed=seed, end=END, days=days)


@pytest.fixture
def populated(platform):
    """Bring 1,500 messages of 60 days."""
    bring(platform, 1500)
    return platform


@pytest.fixture
def place():
    """Return what makes a source of a server."""
    return lambda server: source.choose(settings.load(), server)


@pytest.fixture
def ask():
    """Return what asks a server a question of one's own."""

    def ask(server, text, **values):
        with server.connect(statement_timeout_s=30) as connection:
            return connection.execute(text, values).fetchall()

    return ask
