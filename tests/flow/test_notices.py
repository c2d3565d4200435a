"""What analytics finds reaches people through Prefect's notification blocks."""

import json
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import urlsplit

import httpx
import pytest
from prefect.settings import PREFECT_API_URL

from tasks.control import events, notices
from tasks.control.errors import Refused


@pytest.fixture(autouse=True)
def left_as_it_was(prefect_api):
    """Take away the automations and blocks that a test made; others share the server."""
    yield
    api = PREFECT_API_URL.value()
    for kind in ("automations", "block_documents"):
        for each in httpx.post(f"{api}/{kind}/filter", json={}, timeout=30).json():
            if each["name"] in ("on-call", "lead") or each["name"].startswith("findings of ward"):
                httpx.delete(f"{api}/{kind}/{each['id']}", timeout=30).raise_for_status()


@pytest.fixture
def listener():
    """Listen as a chat does, and return the address with what was heard."""
    heard = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Ear)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"json://127.0.0.1:{server.server_port}/", heard
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_anomaly_is_heard_where_the_block_leads(prefect_api, listener):
    """Event, automation, notification block and delivery are Prefect's own."""
    from prefect.blocks.notifications import SlackWebhook

    address, heard = listener
    SlackWebhook(url=address, allow_private_urls=True).save("on-call", overwrite=True)
    api = PREFECT_API_URL.value()
    assert urlsplit(api).hostname
    notices.arm(api, "ward", "slack-webhook/on-call")
    notices.arm(api, "ward", "slack-webhook/on-call")
    found = httpx.post(
        f"{api}/automations/filter",
        json={"automations": {"name": {"any_": ["findings of ward to slack-webhook/on-call"]}}},
        timeout=30,
    ).json()
    assert len(found) == 1
    payload = {"subject": "2 anomalies", "text": "message count, begun at 03:00"}
    deadline = time.monotonic() + 60
    while not heard and time.monotonic() < deadline:
        events.emit(events.ANOMALY, "ward", payload)
        events.emit(events.ANOMALY, "another", payload)
        time.sleep(2)
    assert "ward: 2 anomalies" in json.dumps(heard[0])
    assert "begun at 03:00" in json.dumps(heard[0])
    assert "another" not in json.dumps(heard)


def test_a_block_that_is_not_there_is_refused(prefect_api):
    """By type and name, with where to make it."""
    with pytest.raises(Refused, match="slack-webhook/nobody"):
        notices.arm(PREFECT_API_URL.value(), "ward", "slack-webhook/nobody")


@pytest.mark.parametrize("block", ["pager-duty-webhook/on-call", "sendgrid-email/lead"])
def test_pagerduty_and_email_are_armed_alike(prefect_api, block):
    """Blocks of the other kinds are found by type and name, too."""
    from prefect.blocks.notifications import PagerDutyWebHook, SendgridEmail

    if block.startswith("pager"):
        PagerDutyWebHook(integration_key="x" * 32, api_key="y" * 20).save("on-call", overwrite=True)
    else:
        SendgridEmail(
            api_key="z" * 20, sender_email="ops@example.org", to_emails=["lead@example.org"]
        ).save("lead", overwrite=True)
    notices.arm(PREFECT_API_URL.value(), "ward", block)
    found = httpx.post(
        f"{PREFECT_API_URL.value()}/automations/filter",
        json={"automations": {"name": {"any_": [f"findings of ward to {block}"]}}},
        timeout=30,
    ).json()
    assert [each["actions"][0]["type"] for each in found] == ["send-notification"]
