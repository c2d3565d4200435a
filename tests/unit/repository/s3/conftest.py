"""A repository in the bucket of a real S3 server, and a way to it on which things go wrong."""

from dataclasses import replace

import pytest

from tasks.control import settings
from tasks.repository.s3 import address as addresses
from tasks.repository.s3.address import Address
from tasks.repository.s3.storage import S3Storage
from tests.faults.proxy import proxied


@pytest.fixture
def address(s3_settings):
    """Return the address of an empty place in the bucket, with parts as small as they may be."""
    return Address.of(settings.load(**s3_settings, s3_part_mib=5))


@pytest.fixture
def storage(address):
    """Open it."""
    return S3Storage(address)


@pytest.fixture(scope="session")
def proxy(s3):
    """Stand between us and the server."""
    with proxied(s3.server.endpoint) as running:
        yield running


@pytest.fixture
def troubled(address, proxy, monkeypatch):
    """Open the same place through the proxy, with little patience for silence."""
    monkeypatch.setattr(addresses, "READ_S", 0.5)
    proxy.heal()
    yield S3Storage(replace(address, endpoint=proxy.endpoint))
    proxy.heal()
