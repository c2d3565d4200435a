"""Who is told when analytics finds something: a notification block of Prefect, by automation."""

from typing import Any

import httpx

from tasks.control import automations
from tasks.control.errors import Refused
from tasks.control.events import NOTICES, resource


SUBJECT = "HL7 Ops, {{ event.resource.name }}: {{ event.payload.subject }}"

BODY = (
    "{{ event.payload.text }}\n\nEvent {{ event.event }} at {{ event.occurred }}."
    " The page in Prefect says more."
)


def arm(api: str, stanza: str, block: str) -> None:
    """Let a notification block be told of every finding of a stanza; again changes nothing.

    Args:
        api: address of Prefect's API.
        stanza: whose findings.
        block: type and name of a block that was made in the UI, such as `slack-webhook/on-call`,
            `pager-duty-webhook/on-call` or `sendgrid-email/lead`.

    Raises:
        Refused: there is no such block.

    """
    automations.put(api, _notice(stanza, block, _found(api, block)))


def _found(api: str, block: str) -> str:
    """Return the id of a block."""
    kind, _, name = block.partition("/")
    answer = httpx.get(f"{api}/block_types/slug/{kind}/block_documents/name/{name}", timeout=30)
    if answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.UNPROCESSABLE_ENTITY):
        raise Refused(
            "there is no such notification block",
            seen=block,
            expected="type and name of a block, such as slack-webhook/on-call",
            do="make it in the Prefect UI under Blocks",
        )
    return str(answer.raise_for_status().json()["id"])


def _notice(stanza: str, block: str, block_id: str) -> dict[str, Any]:
    return {
        "name": f"findings of {stanza} to {block}",
        "description": "; ".join(NOTICES.values()),
        "enabled": True,
        "trigger": {
            "type": "event",
            "posture": "Reactive",
            "match": {"prefect.resource.id": resource(stanza)},
            "expect": list(NOTICES),
            "threshold": 1,
            "within": 0,
        },
        "actions": [
            {
                "type": "send-notification",
                "block_document_id": block_id,
                "subject": SUBJECT,
                "body": BODY,
            }
        ],
    }
