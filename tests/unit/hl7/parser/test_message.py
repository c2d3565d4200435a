"""A message as segments and fields: delimiters of its own, repetitions, parts, notes."""

import pytest

from tasks.hl7.parser.framing import LARGEST_BYTES, Piece
from tasks.hl7.parser.message import Message, Rejected, parse
from tasks.hl7.parser.reasons import Note, Reason


HEAD = r"MSH|^~\&|ADT|HOSP|HUB|HOSP|20261123080000||ADT^A01^ADT_A01|42|P|2.5"


def taken(*segments, head=HEAD):
    """Parse segments that make a message."""
    found = parse(Piece(0, "\r".join([head, *segments]).encode()))
    assert isinstance(found, Message)
    return found


def refused(content):
    """Return the reason for which bytes are no message."""
    found = parse(Piece(0, content))
    assert isinstance(found, Rejected)
    return found.reason


def test_fields_are_numbered_as_hl7_does():
    """MSH-1 is the separator itself, so that MSH-9 is the type."""
    message = taken("PID|1||77")
    header, pid = message.fields("MSH"), message.fields("PID")
    assert (header[1], header[2], header[9], header[10]) == ("|", "^~\\&", "ADT^A01^ADT_A01", "42")
    assert (pid[1], pid[2], pid[3]) == ("1", "", "77")
    assert message.fields("PV1") == []


def test_the_first_segment_of_a_name_counts():
    """Later ones are read where several are wanted."""
    assert taken("PID|1||77", "PID|2||88").fields("PID")[3] == "77"


@pytest.mark.parametrize(
    ("field", "component", "sub", "value"),
    [
        ("A", 1, 1, "A"),
        ("A", 2, 1, ""),
        ("A", 1, 2, ""),
        ("A^B^C", 2, 1, "B"),
        ("A^B^C", 4, 1, ""),
        ("A&x^B&y&z", 2, 3, "z"),
        ("A^B~C^D", 2, 1, "B"),
        ("~C", 1, 1, ""),
        ('""', 1, 1, ""),
        (r"a\T\b&c", 1, 1, "a&b"),
        ("", 1, 1, ""),
    ],
)
def test_a_value_is_a_part_of_the_first_repetition(field, component, sub, value):
    """Escapes are resolved last, so that an escaped delimiter does not cut."""
    message = taken(f"ZZZ|{field}")
    assert message.value(message.fields("ZZZ"), 1, component, sub) == value


def test_a_field_that_is_not_there_is_empty():
    """Old senders leave the end of a segment away."""
    message = taken("PID|1")
    assert message.value(message.fields("PID"), 30) == ""
    assert message.value([], 3) == ""


def test_delimiters_are_those_that_the_message_declares():
    """Any five characters do, also where they have another meaning elsewhere."""
    message = taken("PID!1!!77@x#88", head="MSH!@#?%!ADT!HOSP!HUB!HOSP!2026!!ADT@A01!42!P!2.5")
    assert message.value(message.fields("PID"), 3) == "77"
    assert message.value(message.fields("MSH"), 9, 2) == "A01"


def test_a_fifth_encoding_character_is_taken():
    """The truncation character of v2.7 changes nothing else."""
    message = taken("PID|1||77^x", head=HEAD.replace("^~\\&", "^~\\&#"))
    assert message.value(message.fields("PID"), 3) == "77"


def test_segments_of_a_sender_are_kept():
    """Z segments, and names that HL7 does not know, are segments like others."""
    message = taken("ZPI|1|x", "IN1|1", "OBX1|1", "AB|2")
    assert [segment.split("|")[0] for segment in message.segments] == [
        "MSH",
        "ZPI",
        "IN1",
        "OBX1",
        "AB",
    ]
    assert message.notes == []


def test_several_continued_lines_are_one_note():
    """The text is whole, with the line ends that it had."""
    message = taken("NTE|1||one", "two | three", "four")
    assert message.segments[-1] == "NTE|1||one\ntwo | three\nfour"
    assert message.notes == [Note.CONTINUED_LINES]


def test_a_declared_set_of_characters_is_used():
    """MSH-18, its first repetition."""
    head = HEAD + "||||||8859/1~UNICODE UTF-8"
    found = parse(Piece(0, f"{head}\rPID|1||77||Müller".encode("latin-1")))
    assert found.value(found.fields("PID"), 5) == "Müller"
    assert found.codec == "iso8859-1"


def test_a_key_that_is_too_long_is_empty_and_noted():
    """The message keeps it; an index could not."""
    message = taken(f"PID|1||{'7' * 251}", f"ZZZ|{'7' * 250}")
    assert message.key(message.fields("PID"), 3) == ""
    assert message.notes == [Note.LONG_VALUE]
    assert message.key(message.fields("ZZZ"), 1) == "7" * 250


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.NO_HEADER),
        (b"hello", Reason.NO_HEADER),
        (b"MS", Reason.NO_HEADER),
        (b"MSH", Reason.TRUNCATED_HEADER),
        (b"MSH|", Reason.TRUNCATED_HEADER),
        (b"MSH|^~\\&", Reason.TRUNCATED_HEADER),
        (b"MSH|^~\\&|A|B|C|D|2026|", Reason.TRUNCATED_HEADER),
        (HEAD.replace("^~\\&", "^~\\").encode(), Reason.BAD_DELIMITERS),
        (HEAD.replace("^~\\&", "^^\\&").encode(), Reason.BAD_DELIMITERS),
        (HEAD.replace("^~\\&", "ABCD").encode(), Reason.BAD_DELIMITERS),
        (HEAD.replace("^~\\&", "^~E&").encode(), Reason.BAD_DELIMITERS),
        (HEAD.replace("^~\\&", "^~ &").encode(), Reason.BAD_DELIMITERS),
        (HEAD.replace("^~\\&", "^~\t&").encode(), Reason.BAD_DELIMITERS),
        (HEAD.replace("^~\\&", "^~\\&#$").encode(), Reason.BAD_DELIMITERS),
        (HEAD.replace("^~\\&", "^~\\\u00a7").encode(), Reason.BAD_DELIMITERS),
        (HEAD.replace("ADT^A01^ADT_A01", " ").encode(), Reason.NO_MESSAGE_TYPE),
        (HEAD.encode() + b"\rNTE|1||\0", Reason.NUL_BYTE),
        (HEAD.encode() + b"\rNTE|1||\x81", Reason.UNDECODABLE),
    ],
)
def test_what_is_no_message_has_a_reason(content, reason):
    """None of it is an exception."""
    assert refused(content) == reason


def test_what_is_too_large_is_no_message():
    """64 MiB is more than any message; it is kept, in parts."""
    assert refused(HEAD.encode() + b"\r" + b"x" * LARGEST_BYTES) == Reason.TOO_LARGE
