"""Why a piece is quarantined, and what is noted of one that is taken all the same."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a piece is no message; its bytes are kept in quarantine."""

    NO_HEADER = "no_header"
    TRUNCATED_HEADER = "truncated_header"
    BAD_DELIMITERS = "bad_delimiters"
    NO_MESSAGE_TYPE = "no_message_type"
    NUL_BYTE = "nul_byte"
    UNDECODABLE = "undecodable"
    TOO_LARGE = "too_large"


class Note(StrEnum):
    """What was odd about a message that was taken; none of it hides or changes what it says."""

    IMPOSSIBLE_DATE = "impossible_date"
    CONTINUED_LINES = "continued_lines"
    OTHER_CHARSET = "other_charset"
    UNKNOWN_CHARSET = "unknown_charset"
    LONG_VALUE = "long_value"
