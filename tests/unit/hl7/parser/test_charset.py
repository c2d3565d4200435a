"""The character set of a message: what it declares, or what its bytes are."""

import pytest

from tasks.hl7.parser.charset import decode
from tasks.hl7.parser.reasons import Note


@pytest.mark.parametrize(
    ("declared", "codec", "text"),
    [
        (b"", "utf-8", "Müller"),
        (b"UNICODE UTF-8", "utf-8", "Müller"),
        (b"utf-8", "utf-8", "Müller"),
        (b"8859/1", "iso8859-1", "Müller"),
        (b"ISO8859/1", "iso8859-1", "Müller"),
        (b"ISO 8859/15", "iso8859-15", "5 €"),
        (b"8859/2", "iso8859-2", "Dvořák"),
        (b"8859/5", "iso8859-5", "Иванов"),
        (b"8859/7", "iso8859-7", "Παπαδόπουλος"),
        (b"8859/8", "iso8859-8", "כהן"),
        (b"ISO IR87", "iso2022_jp", "山田"),
        (b"ISO IR14", "shift_jis", "山田"),
        (b"GB 18030-2000", "gb18030", "王"),
        (b"KS X 1001", "euc_kr", "김"),
        (b"BIG-5", "big5", "王"),
        (b"WINDOWS-1252", "cp1252", "5 €"),
        (b"ASCII", "ascii", "Mueller"),
    ],
)
def test_the_declared_set_is_used(declared, codec, text):
    """As HL7 table 0211 names them, and as senders write them."""
    assert decode(text.encode(codec), declared) == (text, codec, None)


def test_a_set_that_does_not_fit_its_bytes_is_noted():
    """Many senders declare ASCII and send UTF-8; the message is taken, and the note says so."""
    assert decode("Müller".encode(), b"ASCII") == ("Müller", "utf-8", Note.OTHER_CHARSET)
    assert decode("Müller".encode("cp1252"), b"") == ("Müller", "cp1252", Note.OTHER_CHARSET)


def test_a_set_that_is_not_known_is_noted():
    """The bytes decide then."""
    assert decode("Müller".encode(), b"EBCDIC") == ("Müller", "utf-8", Note.UNKNOWN_CHARSET)


def test_bytes_that_no_set_fits_are_not_guessed():
    """0x81 stands for nothing in Windows-1252, and this is no UTF-8."""
    assert decode(b"M\x81ller", b"") is None
