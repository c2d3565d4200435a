"""The dead-man's switch: where no proof comes in time, silence itself becomes an alarm."""

from typing import Any

import httpx

from tasks.control import automations
from tasks.control.events import VERIFIED, resource


WITHIN_S = 26 * 3600
"""A day, and two hours for a backup that takes its time."""


def arm(api: str, stanza: str, within_s: float = WITHIN_S) -> None:
    """Make the switch of a stanza, in place of an older one: no proof in time starts `overdue`.

    It has no `for_each`: with it nothing would fire until a first event was seen.

    Args:
        api: address of Prefect's API.
        stanza: whose proofs are awaited.
        within_s: seconds of silence after which it fires.

    """
    name = f"no verified backup of {stanza}"
    alarm = httpx.get(f"{api}/deployments/name/overdue/alarm", timeout=30).raise_for_status()
    automations.put(api, _switch(name, stanza, within_s, alarm.json()["id"]))


def _switch(name: str, stanza: str, within_s: float, deployment: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": "The dead-man's switch: silence is an alarm.",
        "enabled": True,
        "trigger": {
            "type": "event",
            "posture": "Proactive",
            "match": {"prefect.resource.id": resource(stanza)},
            "expect": [VERIFIED],
            "threshold": 1,
            "within": within_s,
        },
        "actions": [
            {
                "type": "run-deployment",
                "source": "selected",
                "deployment_id": deployment,
                "parameters": {"stanza": stanza},
            }
        ],
    }
