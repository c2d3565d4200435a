"""The Prefect server of a home: its port, its environment, and what a failing program says."""

import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tasks.control.errors import Transient
from tasks.control.prefect_server import PORTS_TRIED, PrefectServer, free_port


def listening():
    """Listen on some port of this machine."""
    taken = socket.create_server(("127.0.0.1", 0))
    return taken, taken.getsockname()[1]


def test_the_first_port_is_taken_where_it_is_free():
    """Nothing is moved without need."""
    taken, port = listening()
    taken.close()
    assert free_port(port) == port


def test_a_port_in_use_leads_to_the_next_free_one():
    """Somebody listens there already."""
    taken, port = listening()
    with taken:
        assert port < free_port(port) < port + PORTS_TRIED


def test_no_free_port_is_told_with_the_range_that_was_tried(monkeypatch):
    """The error names what to set."""
    monkeypatch.setattr("tasks.control.prefect_server.PORTS_TRIED", 1)
    taken, port = listening()
    with taken, pytest.raises(Transient, match=f"{port} to {port} are in use; next: set HL7OPS_"):
        free_port(port)


def test_nothing_leaves_this_machine(tmp_path):
    """No program of Prefect or Great Expectations tells anybody that it was used."""
    environment = PrefectServer(4200, tmp_path, "postgresql://x").environment()
    assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert environment["GX_ANALYTICS_ENABLED"] == "false"
    assert environment["DO_NOT_TRACK"] == "1"
    assert environment["PREFECT_SERVER_API_HOST"] == "127.0.0.1"


def test_a_program_that_fails_says_why(tmp_path):
    """The end of what it said stands in the error."""
    server = PrefectServer(4200, tmp_path, "postgresql://x")
    with pytest.raises(Transient, match=r"no_such_module failed; seen: .*No module named"):
        server.run("no_such_module")


def test_a_server_that_ended_is_not_waited_for(tmp_path, monkeypatch):
    """The error names the log to read."""
    server = PrefectServer(free_port(4700), tmp_path, "not-a-database://x")
    process = server.spawn("no-such-command")
    with pytest.raises(Transient, match=r"did not come up; .*read .*server\.log"):
        server.await_health(process)


class Healthy(BaseHTTPRequestHandler):
    """Somebody else's server, which says that it is well."""

    def do_GET(self):
        """Say so."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing else."""


def test_a_server_of_somebody_else_is_not_taken_for_ours(tmp_path, monkeypatch):
    """Two installations that start at once might find the same port free."""
    monkeypatch.setattr("tasks.control.prefect_server.HEALTHY_S", 1)
    other = ThreadingHTTPServer(("127.0.0.1", 0), Healthy)
    threading.Thread(target=other.serve_forever).start()
    server = PrefectServer(other.server_port, tmp_path, "postgresql://x")
    with subprocess.Popen(["sleep", "30"]) as ours:
        with pytest.raises(Transient, match="the Prefect server did not come up"):
            server.await_health(ours)
        ours.kill()
    other.shutdown()
    other.server_close()
