"""Automations of a Prefect server, over its API: one of a name, in place of an older one."""

from typing import Any

import httpx


def put(api: str, automation: dict[str, Any]) -> None:
    """Make an automation, in place of those of the same name.

    Args:
        api: address of Prefect's API.
        automation: as the API takes it; its name is what it is known by.

    """
    wanted = {"automations": {"name": {"any_": [automation["name"]]}}}
    for old in post(f"{api}/automations/filter", wanted):
        httpx.delete(f"{api}/automations/{old['id']}", timeout=30).raise_for_status()
    post(f"{api}/automations/", automation)


def post(address: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Post a document, and return the one that is answered."""
    return httpx.post(address, json=body, timeout=30).raise_for_status().json()
