"""What is offered to an ingest: all of it is looked at before the first byte is read."""

import os
import sys

import pytest

from tasks.control.errors import Refused
from tasks.hl7.sources import find


def names(found):
    """Return the names of what was found, in order."""
    return [path.name for path in found.paths]


def test_files_come_as_they_are_named_and_directories_by_name(tmp_path):
    """Also what lies deeper, hidden or not."""
    for name in ("b/2", "b/1", "b/c/3", "b/.4", "a"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    found = find([str(tmp_path / "b"), str(tmp_path / "a"), "-"])
    assert names(found) == [".4", "1", "2", "3", "a", "-"]
    assert found.passed_over == 0


def test_entries_that_are_no_files_are_counted(tmp_path):
    """A link that leads nowhere may have stood for a message that somebody expects."""
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "good").symlink_to(tmp_path / "file")
    (tmp_path / "broken").symlink_to(tmp_path / "gone")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "elsewhere").symlink_to(tmp_path.parent)
    os.mkfifo(tmp_path / "pipe")
    found = find([str(tmp_path)])
    assert names(found) == ["file", "good"]
    assert found.passed_over == 4


def test_a_pipe_that_is_named_is_read(tmp_path):
    """As `<(zcat messages.gz)` is."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)
    os.write(writer, b"MSH")
    (stream,) = find([str(pipe)]).streams()
    os.close(writer)
    assert stream.closed
    assert names(find([str(pipe)])) == ["pipe"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "an empty path; expected: files, directories or -"),
        (" ", "an empty path"),
        ("nowhere", "no such file or directory; seen: nowhere"),
        ("/dev/zero", "neither a file nor a directory; seen: /dev/zero"),
        ("nul\0byte", "no such file or directory"),
    ],
)
def test_what_cannot_be_meant_is_refused(source, said):
    """An empty variable of a script is not the current directory."""
    with pytest.raises(Refused, match=said):
        find([source])


def test_a_closed_standard_input_is_refused(monkeypatch):
    """There is nothing to wait for."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(Refused, match="standard input is closed"):
        find(["-"])


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    """Before anything is loaded."""
    (tmp_path / "file").write_bytes(b"x")
    monkeypatch.setattr("tasks.hl7.sources.os.access", lambda _path, _mode: False)
    with pytest.raises(Refused, match=r"a file cannot be read; .*, 1 in all"):
        find([str(tmp_path)])
