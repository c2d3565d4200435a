"""Decode a message by what MSH-18 says (HL7 table 0211), or by what its bytes are."""

from functools import cache

from tasks.hl7.parser.reasons import Note


_CODECS = {
    "ASCII": "ascii",
    "8859/1": "iso8859-1",
    "8859/2": "iso8859-2",
    "8859/3": "iso8859-3",
    "8859/4": "iso8859-4",
    "8859/5": "iso8859-5",
    "8859/6": "iso8859-6",
    "8859/7": "iso8859-7",
    "8859/8": "iso8859-8",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "ISO IR14": "shift_jis",
    "ISO IR87": "iso2022_jp",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5",
    "CNS 11643-1992": "big5",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "CP1252": "cp1252",
    "WINDOWS-1252": "cp1252",
}

FALLBACKS = ("utf-8", "cp1252")


def decode(content: bytes, declared: bytes) -> tuple[str, str, Note | None] | None:
    """Return the text, the codec that was used, and what was odd; None where no codec fits.

    Args:
        content: the message.
        declared: MSH-18, its first repetition.

    """
    codec = _codec(declared)
    note = Note.UNKNOWN_CHARSET if declared and codec is None else None
    for name in (codec or FALLBACKS[0], *FALLBACKS):
        try:
            text = content.decode(name)
        except UnicodeDecodeError:
            note = note or Note.OTHER_CHARSET
            continue
        return text, name, note
    return None


@cache
def _codec(declared: bytes) -> str | None:
    name = declared.decode("ascii", "replace").strip().upper()
    return _CODECS.get(name.replace("ISO8859", "8859").replace("ISO 8859", "8859"))
