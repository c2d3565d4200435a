"""What a message says about a patient: diagnoses, medications and laboratory results."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from tasks.hl7.parser.envelope import when
from tasks.hl7.parser.message import Message
from tasks.hl7.platform.values import RESULT_STATUSES


@dataclass(frozen=True, slots=True)
class Coded:
    """A coded value: code, words and coding system (CE or CWE)."""

    code: str
    description: str | None
    system: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A diagnosis (DG1)."""

    coded: Coded
    kind: str | None
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Medication:
    """A medication that is ordered (RXE, RXO) or was given (RXA)."""

    coded: Coded
    order_number: str | None
    dose: Decimal | None
    dose_unit: str | None
    route: str | None
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class Result:
    """One observation (OBX) of an order (OBR)."""

    coded: Coded
    order_number: str | None
    number: Decimal | None
    text: str | None
    unit: str | None
    reference_range: str | None
    abnormal_flag: str | None
    status: str | None
    observed_at: datetime | None


NUMERIC = ("NM", "SN")
"""Value types (OBX-2) that hold numbers: numeric, structured numeric."""

_DRUG = {"RXE": (2, 3, 5), "RXO": (1, 2, 4), "RXA": (5, 6, 7)}
"""Where the drug, its amount and its unit stand, by segment."""


def diagnoses(message: Message) -> Iterator[Diagnosis]:
    """Read the diagnoses that have a code."""
    for segment in _segments(message, "DG1"):
        fields = message.split(segment)
        coded = _coded(message, fields, 3)
        if coded is not None:
            kind = message.value(fields, 6) or None
            yield Diagnosis(coded, kind, when(message, fields, 5))


def medications(message: Message) -> Iterator[Medication]:
    """Read the medications that have a code, each with the order and the route beside it."""
    mark = message.delimiters.field
    order: list[str] = []
    for index, segment in enumerate(message.segments):
        name = segment.partition(mark)[0]
        if name == "ORC":
            order = message.split(segment)
        elif name in _DRUG:
            fields = message.split(segment)
            drug, amount, unit = _DRUG[name]
            coded = _coded(message, fields, drug)
            if coded is None:
                continue
            began = when(message, fields, 3) if name == "RXA" else when(message, order, 7, 4)
            yield Medication(
                coded=coded,
                order_number=message.key(order, 2) or None,
                dose=_number(message.value(fields, amount)),
                dose_unit=message.value(fields, unit) or None,
                route=_route(message, index),
                started_at=began or when(message, order, 9),
            )


def results(message: Message) -> Iterator[Result]:
    """Read the observations that have a code, each with the time of its order."""
    field = message.delimiters.field
    observation, request = f"OBX{field}", f"OBR{field}"
    order: list[str] = []
    for segment in message.segments:
        if segment.startswith(request):
            order = message.split(segment)
        elif segment.startswith(observation):
            fields = message.split(segment)
            coded = _coded(message, fields, 3)
            if coded is not None:
                yield _result(message, fields, order, coded)


def _result(message: Message, fields: list[str], order: list[str], coded: Coded) -> Result:
    value = message.value
    is_number = value(fields, 2) in NUMERIC
    written = value(fields, 5, 2 if value(fields, 2) == "SN" else 1)
    number = _number(written) if is_number else None
    status = value(fields, 11)
    return Result(
        coded=coded,
        order_number=message.key(order, 3) or message.key(order, 2) or None,
        number=number,
        text=None if number is not None else (value(fields, 5) or None),
        unit=value(fields, 6) or None,
        reference_range=value(fields, 7) or None,
        abnormal_flag=value(fields, 8) or None,
        status=status if status in RESULT_STATUSES else None,
        observed_at=when(message, fields, 14) or when(message, order, 7),
    )


def _segments(message: Message, name: str) -> Iterator[str]:
    prefix = name + message.delimiters.field
    return (segment for segment in message.segments if segment.startswith(prefix))


def _coded(message: Message, fields: list[str], number: int) -> Coded | None:
    code = message.key(fields, number)
    if not code:
        return None
    words = message.value(fields, number, 2) or None
    return Coded(code, words, message.key(fields, number, 3))


def _route(message: Message, index: int) -> str | None:
    """Return the route that follows a drug (RXR), if one does."""
    following = message.segments[index + 1 : index + 2]
    is_route = bool(following) and following[0].startswith(f"RXR{message.delimiters.field}")
    return (message.value(message.split(following[0]), 1) or None) if is_route else None


def _number(text: str) -> Decimal | None:
    """Return a finite number, or None."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found.adjusted()) < 1000 else None  # noqa: PLR2004
