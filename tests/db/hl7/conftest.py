"""The platform, installed in the test's own database."""

from datetime import UTC, datetime

import pytest

from tasks.hl7.platform import schema


@pytest.fixture
def platform(server):
    """Install the platform as of 23 November 2026."""
    schema.install(server, now=datetime(2026, 11, 23, tzinfo=UTC))
    return server
