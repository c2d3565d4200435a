"""What a store answers, in the house's errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from tasks.control.errors import Corrupt, NotWritable, OpsError, Refused, Transient


_BUSY = {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling"}

_DENIED = {
    "AccessDenied": "a policy that lets us list, read, write and delete",
    "InvalidAccessKeyId": "a key that the store knows",
    "SignatureDoesNotMatch": "the secret that belongs to the key",
    "ExpiredToken": "a token that is still good",
    "403": "a policy that lets us list, read, write and delete",
}

_GONE = {"NoSuchKey", "404", "NotFound"}


@contextmanager
def answered(name: str, place: str) -> Iterator[None]:
    """Turn what the store or the way to it says into the house's errors.

    Args:
        name: which object it is about.
        place: the store, for people.

    Raises:
        Corrupt: there is no such object.
        Refused: the store is not there, or does not let us.
        Transient: the store is busy, or the connection broke.

    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - with S3 only

    try:
        yield
    except ClientError as error:
        raise _said(error.response, name, place) from None
    except BotoCoreError as error:
        raise _unsaid(error, place) from None
    except ValueError as error:  # an endpoint that is no address
        raise Refused(
            "the store has no such address",
            seen=str(error),
            expected="such as https://s3.example.org",
            do="correct S3_ENDPOINT_URL",
        ) from None


def code_of(response: object) -> str:
    """Return the code of an error of the store."""
    error = response.get("Error", {}) if isinstance(response, dict) else {}
    return str(error.get("Code", ""))


def _said(response: dict[str, object], name: str, place: str) -> OpsError:
    """Return what an answer of the store means."""
    code = code_of(response)
    data = response.get("ResponseMetadata", {})
    status = data.get("HTTPStatusCode", 0) if isinstance(data, dict) else 0
    if code in _GONE:
        return Corrupt("an object is missing from the repository", seen=f"no {name} in {place}")
    if code == "NoSuchBucket":
        return Refused(
            "there is no such bucket", seen=place, do="make it, or correct S3_BUCKET and its region"
        )
    if code in _DENIED:
        kind = NotWritable if code in ("AccessDenied", "403") else Refused
        return kind(
            "the store does not let us",
            seen=f"{code} in {place}",
            expected=_DENIED[code],
            do="correct S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY or the bucket's policy",
        )
    if code in _BUSY or status == HTTPStatus.TOO_MANY_REQUESTS or status >= 500:  # noqa: PLR2004
        return Transient(
            "the store is busy", seen=f"{code} ({status}) for {name} in {place}", do="try again"
        )
    return OpsError("the store did not do it", seen=f"{code} ({status}) for {name} in {place}")


def _unsaid(error: Exception, place: str) -> OpsError:
    """Return what it means that no answer came."""
    kind = type(error).__name__
    if kind in ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"):
        return Refused(
            "no keys for the store",
            seen=f"{kind} for {place}",
            expected="S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, or a role of this machine",
            do="set them",
        )
    if kind in ("ParamValidationError", "InvalidEndpointDiscoveryConfigurationError"):
        return Refused("the store's address does not hold", seen=str(error).partition("\n")[0])
    return Transient(
        "the store cannot be reached", seen=f"{kind} at {place}", do="see network and endpoint"
    )
