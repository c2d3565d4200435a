"""However messages travel, the same messages come out, and nothing is dropped."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.hl7.parser.framing import pieces
from tasks.hl7.parser.message import Message, Rejected, parse
from tasks.hl7.parser.reasons import Note, Reason


ADMIT = b"MSH|^~\\&|ADT|HOSP|HUB|HOSP|20261123080000||ADT^A01|1|P|2.5\rPID|1||77^^^HOSP\r"
RESULT = b"MSH|^~\\&|LAB|HOSP|HUB|HOSP|20261123080500||ORU^R01|2|P|2.5\rOBX|1|NM|K^Potassium||4.1\r"


def read(data):
    """Parse all pieces of some bytes."""
    return [parse(piece) for piece in pieces(io.BytesIO(data))]


def mllp(*messages):
    """Put each message into a frame."""
    return b"".join(b"\x0b" + message + b"\x1c\r" for message in messages)


WAYS = {
    "CR": ADMIT + RESULT,
    "LF": (ADMIT + RESULT).replace(b"\r", b"\n"),
    "CRLF": (ADMIT + RESULT).replace(b"\r", b"\r\n"),
    "MLLP": mllp(ADMIT, RESULT),
    "MLLP with LF": mllp(ADMIT.replace(b"\r", b"\n"), RESULT.replace(b"\r", b"\n")),
    "byte order marks": b"\xef\xbb\xbf" + ADMIT + b"\xef\xbb\xbf" + RESULT,
    "a batch": b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + ADMIT + RESULT + b"BTS|2\rFTS|1\r",
    "blank lines": b"\r\n\r\n" + ADMIT + b"\r\n\r\n" + RESULT + b"\r\n\x1a",
}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_messages_come_out_however_they_travel(way):
    """Line ends, frames, marks and envelopes change neither the messages nor their digests."""
    assert [message.raw for message in read(WAYS[way])] == [ADMIT, RESULT]


def test_concatenated_messages_are_never_one():
    """The segments of two headers do not end in one message."""
    (first, second) = read(ADMIT + RESULT)
    assert [segment[:3] for segment in first.segments] == ["MSH", "PID"]
    assert [segment[:3] for segment in second.segments] == ["MSH", "OBX"]


def test_a_line_that_is_no_segment_belongs_to_the_one_before():
    """Text that goes over several lines stays in its field, and this is noted."""
    (message,) = read(ADMIT + b"NTE|1||first line\rsecond line\r")
    assert message.segments[-1] == "NTE|1||first line\nsecond line"
    assert message.notes == [Note.CONTINUED_LINES]


REJECTED = {
    Reason.NO_HEADER: b"PID|1||77\r",
    Reason.TRUNCATED_HEADER: b"MSH|^~\\&|ADT\r",
    Reason.BAD_DELIMITERS: ADMIT.replace(b"^~\\&|A", b"^~^&|A", 1),
    Reason.NO_MESSAGE_TYPE: ADMIT.replace(b"ADT^A01", b"", 1),
    Reason.NUL_BYTE: ADMIT.replace(b"77", b"7\x007", 1),
}


@pytest.mark.parametrize("reason", REJECTED)
def test_what_is_no_message_is_rejected_with_its_bytes(reason):
    """Each reason has its bytes kept verbatim, beside a message that is taken."""
    rejected, taken = read(b"\x0b" + REJECTED[reason] + b"\x1c\r" + mllp(RESULT))
    assert isinstance(rejected, Rejected)
    assert rejected.reason == reason
    assert rejected.piece.bytes == REJECTED[reason].rstrip(b"\r")
    assert taken.raw == RESULT


def test_lines_after_an_envelope_are_kept():
    """Segments that stand in a batch without a header are quarantined, not dropped."""
    (rejected,) = read(b"BHS|^~\\&|A\rPID|1||77\rBTS|0\r")
    assert rejected.reason == Reason.NO_HEADER
    assert b"PID|1||77" in rejected.piece.bytes


class Dripping(io.BytesIO):
    """A stream that gives a few bytes at a time."""

    def read(self, size=-1):
        """Give at most seven."""
        return super().read(min(size, 7))


def test_blocks_may_end_anywhere():
    """A header that is cut in two by a block is still one."""
    found = [parse(piece) for piece in pieces(Dripping(WAYS["a batch"]))]
    assert [message.raw for message in found] == [ADMIT, RESULT]


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(data):
    """Whatever is offered is a message or is rejected with a reason."""
    for noise in (data, ADMIT + data, b"MSH|" + data, data + RESULT):
        found = read(noise)
        assert all(isinstance(each, Message | Rejected) for each in found)
        for message in found:
            if isinstance(message, Message):
                heads = [s for s in message.segments if s.startswith("MSH|")]
                assert len(heads) == 1


SAFE = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x0b\x1c\x1a\0"), max_size=30)


@given(st.lists(SAFE, min_size=1, max_size=5, unique=True), st.sampled_from(["\r", "\n", "\r\n"]))
def test_any_text_survives_any_line_end(texts, end):
    """Digests depend on what messages say, not on what ends their lines."""
    messages = [ADMIT.decode() + f"NTE|1||x{text}x\r" for text in texts]
    plain = [message.sha256 for message in read("".join(messages).encode())]
    ended = "".join(messages).replace("\r", end).encode()
    assert [message.sha256 for message in read(ended)] == plain
    assert [message.sha256 for message in read(mllp(*(m.encode() for m in messages)))] == plain
    assert len(plain) == len(texts)
