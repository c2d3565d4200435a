"""A bucket as a storage: whole objects or none, checked answers, and what a store may say."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from tasks.control.errors import Corrupt, Refused, Transient
from tasks.repository.s3.storage import S3Storage
from tasks.repository.storage import Stored


BIG = os.urandom(12 << 20)
"""Two full parts and a rest."""


def stored(storage, name, data):
    """Write an object in uneven pieces."""
    with storage.write(name) as file:
        for at in range(0, len(data), 700_001):
            file.write(data[at : at + 700_001])


@pytest.mark.parametrize("size", [0, 1, 5 << 20, (5 << 20) + 1, 12 << 20])
def test_an_object_is_there_when_it_is_whole(storage, size):
    """Of any size: none, one part, and several; while it goes up nothing bears its name."""
    data = BIG[:size]
    with storage.write("main/a/one") as file:
        file.write(data)
        assert not storage.exists("main/a/one")
        assert storage.objects("main/") == []
    assert storage.get("main/a/one") == data
    assert storage.objects("main/") == [Stored("main/a/one", size)]
    assert storage.leftovers("main/") == []


def interrupted(storage):
    """Begin to write an object of several parts, and break off."""
    with storage.write("main/one") as file:
        file.write(BIG)
        raise KeyboardInterrupt


def test_a_write_that_breaks_leaves_nothing(storage):
    """The store forgets the parts that it had; what was there before stays."""
    storage.put("main/one", b"old")
    with pytest.raises(KeyboardInterrupt):
        interrupted(storage)
    assert storage.get("main/one") == b"old"
    assert storage.leftovers("main/") == []


KILLED = """
import json, os, signal, sys
from tasks.control import settings
from tasks.repository.s3.address import Address
from tasks.repository.s3.storage import S3Storage
storage = S3Storage(Address.of(settings.load(**json.loads(sys.stdin.read()), s3_part_mib=5)))
with storage.write("main/one") as file:
    file.write(b"1" * (12 << 20))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_write_left_is_listed_as_a_leftover_and_collected(storage, s3_settings):
    """Parts of an upload that nobody completed cost money until somebody aborts it."""
    import json

    said = json.dumps(s3_settings).encode()
    subprocess.run([sys.executable, "-c", KILLED], input=said, check=False)
    assert storage.objects("main/") == []
    (left,) = storage.leftovers("main/")
    assert left.name.startswith("main/one#unfinished-")
    storage.delete(left.name)
    storage.delete(left.name)
    assert storage.leftovers("main/") == []


def test_an_object_that_is_missing_is_named(storage):
    """It is a failed proof, not a broken program; deleting it is fine."""
    with pytest.raises(Corrupt, match="an object is missing from the repository; seen: no main/x"):
        storage.get("main/x")
    storage.delete("main/x")


def test_only_what_is_below_the_prefix_is_ours(storage, address):
    """Two repositories share a bucket and do not see each other."""
    S3Storage(replace(address, prefix="elsewhere")).put("main/other", b"1")
    storage.put("main/mine", b"2")
    assert [item.name for item in storage.objects("main/")] == ["main/mine"]
    assert storage.place == f"s3://backups/{address.prefix} at {address.endpoint}"


def test_more_objects_than_fit_a_page_are_all_listed(storage):
    """The store lists a thousand at a time.

    F20 of the failures that others met: a newer client's bulk deletion was refused by stores that
    are not Amazon's. Here objects are deleted one by one, against a server that is not Amazon's.
    """
    for number in range(1001):
        storage.put(f"main/{number:04}", b"")
    assert len(storage.objects("main/")) == 1001
    for item in storage.objects("main/")[:20]:
        storage.delete(item.name)
    assert len(storage.objects("main/")) == 981


WRONG = {
    "bucket": ({"bucket": "nowhere"}, Refused, "there is no such bucket; seen: s3://nowhere"),
    "key": ({"access_key": SecretStr("KEY0000000000000000")}, Refused, "InvalidAccessKeyId"),
    "secret": ({"secret_key": SecretStr("open-sesame")}, Refused, "SignatureDoesNotMatch"),
    "address": ({"endpoint": "nowhere"}, Refused, "the store has no such address"),
    "server": ({"endpoint": "http://127.0.0.1:1"}, Transient, "the store cannot be reached"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_store_that_does_not_let_us_is_told_by_what_is_wrong(address, what, monkeypatch):
    """And never by its secret."""
    monkeypatch.setattr("tasks.repository.s3.address.ATTEMPTS", 1)
    changes, kind, said = WRONG[what]
    with pytest.raises(kind, match=said) as raised:
        S3Storage(replace(address, **changes)).objects("main/")
    assert "open-sesame" not in str(raised.value)


def test_a_machine_without_keys_is_told_what_to_set(address, monkeypatch, tmp_path):
    """Neither keys nor a role."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    keyless = S3Storage(replace(address, access_key=None, secret_key=None))
    with pytest.raises(Refused, match=r"no keys for the store.*S3_ACCESS_KEY_ID"):
        keyless.objects("main/")


def test_what_the_store_answers_is_checked(troubled, proxy):
    """A store that says that it took other bytes is not believed."""
    proxy.headers = {"ETag": '"d41d8cd98f00b204e9800998ecf8427e"'}
    for data in (b"1", BIG):
        with pytest.raises(Transient, match="the store took other bytes than were sent"):
            stored(troubled, "main/one", data)


def test_a_store_that_has_less_than_was_sent_is_not_believed(troubled, proxy, monkeypatch):
    """Though all parts were answered for."""
    real = troubled._client.head_object  # noqa: SLF001
    monkeypatch.setattr(
        troubled._client,  # noqa: SLF001
        "head_object",
        lambda **key: real(**key) | {"ContentLength": 7},
    )
    with pytest.raises(Transient, match="the store has not what was sent; seen: main/one"):
        stored(troubled, "main/one", BIG)


def test_an_object_that_grows_too_large_for_its_parts_is_refused(storage, monkeypatch):
    """With the setting to change."""
    monkeypatch.setattr("tasks.repository.s3.upload.PARTS", 1)
    with pytest.raises(Refused, match=r"too large for its parts; .*next: raise S3_PART_MIB"):
        stored(storage, "main/one", BIG)
    assert storage.leftovers("main/") == []


def test_what_the_store_keeps_locked_is_not_deleted(troubled, proxy, monkeypatch):
    """A lock that the bucket put on an object is told with its end, and nothing is lost."""
    troubled.put("main/one", b"1")
    monkeypatch.setitem(troubled.__dict__, "_locks", value=True)
    assert troubled.locked_until("main/one") is None
    proxy.headers = {
        "x-amz-object-lock-mode": "COMPLIANCE",
        "x-amz-object-lock-retain-until-date": "2099-01-01T00:00:00Z",
    }
    assert troubled.locked_until("main/one") == datetime(2099, 1, 1, tzinfo=UTC)
    with pytest.raises(Refused, match=r"the store keeps an object locked; .*2099-01-01"):
        troubled.delete("main/one")
    proxy.headers = {"x-amz-object-lock-legal-hold": "ON"}
    with pytest.raises(Refused, match="the store keeps an object locked"):
        troubled.delete("main/one")
    proxy.headers = {"x-amz-object-lock-retain-until-date": "2020-01-01T00:00:00Z"}
    troubled.delete("main/one")
    assert not troubled.exists("main/one")


def test_what_is_asked_of_the_store_goes_with_every_object(address, proxy):
    """Storage class and encryption by the store are part of each request that makes an object."""
    wanted = replace(address, storage_class="STANDARD_IA", encryption="aws:kms", kms_key="k1")
    assert wanted.kept_as() == {
        "StorageClass": "STANDARD_IA",
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "k1",
    }
    storage = S3Storage(wanted)
    for data in (b"1", BIG):
        stored(storage, "main/one", data)
        assert hashlib.sha256(storage.get("main/one")).digest() == hashlib.sha256(data).digest()
