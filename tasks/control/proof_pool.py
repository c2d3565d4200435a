"""Proofs on a machine of their own: a run of `verify`, on the work pool that is named for it."""

from dataclasses import dataclass

import httpx


DEPLOYMENT = "verify/on-demand"
"""What proves a backup; it is deployed on the work pool of proofs where one is named."""


@dataclass(frozen=True)
class HandedOver:
    """A proof that another machine makes: the work pool, and the name and id of its run."""

    pool: str
    name: str
    run: str


def deploy(api: str, pool: str) -> None:
    """Have proofs run on a work pool, which is made where there is none of its name.

    Args:
        api: address of Prefect's API.
        pool: the name; a worker of it is started on the machine that proves.

    """
    body = {"name": pool, "type": "process", "description": "Proofs of HL7 Ops."}
    made = httpx.post(f"{api}/work_pools/", json=body, timeout=30)
    if made.status_code != httpx.codes.CONFLICT:
        made.raise_for_status()
    found = httpx.get(f"{api}/deployments/name/{DEPLOYMENT}", timeout=30).raise_for_status()
    address = f"{api}/deployments/{found.json()['id']}"
    httpx.patch(address, json={"work_pool_name": pool}, timeout=30).raise_for_status()
