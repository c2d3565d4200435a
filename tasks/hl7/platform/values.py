"""The value sets of the platform's columns: one place for its tables, contract and generator."""

from collections.abc import Mapping


STATUSES: Mapping[str, str] = {
    "R": "received",
    "F": "filtered",
    "T": "transformed",
    "S": "sent",
    "Q": "queued",
    "E": "error",
    "P": "pending",
}
"""State of a message, as integration engines count it; F, T and S are complete."""

ACK_CODES: Mapping[str, str] = {
    "AA": "accepted",
    "AE": "error in the content, the sender's to correct",
    "AR": "rejected by the receiver, may be sent again",
    "CA": "commit accepted",
    "CE": "commit error",
    "CR": "commit rejected",
}
"""HL7 table 0008, acknowledgement code (MSA-1)."""

ERROR_CATEGORIES: Mapping[str, str] = {
    "content": "the message says something that the receiver cannot take",
    "rejected": "the receiver takes no message of this kind now",
    "timeout": "no acknowledgement came in time",
    "connection": "the receiver could not be reached",
    "processing": "a step of the platform failed",
}
"""Why a message failed, without a word of the message itself."""

DIRECTIONS: Mapping[str, str] = {
    "inbound": "received from a connected system",
    "outbound": "sent to a connected system",
}

SEXES: Mapping[str, str] = {
    "F": "female",
    "M": "male",
    "O": "other",
    "U": "unknown",
    "A": "ambiguous",
    "N": "not applicable",
    "X": "unspecified",
}
"""HL7 table 0001, administrative sex (PID-8)."""

RESULT_STATUSES: Mapping[str, str] = {
    "F": "final",
    "P": "preliminary",
    "C": "correction of a final result",
    "X": "no result can be obtained",
    "D": "deleted",
    "I": "pending in the laboratory",
    "R": "not verified",
    "S": "partial",
    "U": "status changed to final",
    "W": "wrong, was for another patient",
    "O": "order detail only",
    "N": "not asked for",
    "B": "appended",
    "V": "verified",
    "A": "amended",
}
"""HL7 table 0085, observation result status (OBX-11)."""

OUTCOMES: Mapping[str, str] = {"success": "done", "failure": "refused or failed"}
"""Outcome of an audited action or of a login."""
