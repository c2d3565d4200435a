"""What happens to generated patients, in which order: scripts of a visit's messages.

A script yields steps with the hours that they come after the first. A discharge comes after the
admission of the same visit, a result after its order, and nothing before the patient's birth.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import TypeAlias

from tasks.hl7.generator import names
from tasks.hl7.generator.conditions import Condition, Medication, vaccine
from tasks.hl7.generator.people import Person
from tasks.hl7.generator.systems import System


WARDS = ("3N", "3S", "4N", "4S", "ICU", "5W")
CLINICS = ("CLIN1", "CLIN2", "DIAB", "CARD")


@dataclass(slots=True)
class Visit:
    """A stay or an attendance, as it is known at the moment of a message."""

    person: Person
    system: System
    number: str
    patient_class: str
    location: str
    attending: str
    service: str
    reason: Condition
    age: int
    prior_location: str = ""
    admitted_at: datetime | None = None
    discharged_at: datetime | None = None
    disposition: str = ""
    merged_identifier: str = ""
    is_deceased: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What was ordered: a panel of the laboratory, a medication, a vaccine or an appointment."""

    number: str
    panel: str = ""
    medication: Medication | None = None
    vaccine: tuple[str, str] = ("", "")
    appointment_h: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One message to be: its trigger event, its visit, and the order that it is about."""

    trigger: str
    visit: Visit
    order: Order = field(default_factory=lambda: Order(""))
    is_last: bool = False


Script: TypeAlias = Iterator[tuple[float, Step]]


def opened(
    rng: Random, person: Person, system: System, *, number: str, reason: Condition, age: int
) -> Visit:
    """Return a visit that has not begun; the script says of which class it is."""
    return Visit(
        person,
        system,
        number,
        "O",
        rng.choice(CLINICS),
        rng.choice(names.DOCTORS),
        "MED",
        reason,
        age,
    )


def bed(rng: Random) -> str:
    """Return a place on a ward: ward, room and bed."""
    return f"{rng.choice(WARDS)}^{rng.randint(1, 24):02}^{rng.choice('AB')}"


def _laboratory(rng: Random, visit: Visit, at: float, turn: tuple[float, float]) -> Script:
    """Order a panel, with the result some hours later, at times preceded by a preliminary one."""
    conditions = (visit.reason, *visit.person.conditions)
    order = Order(f"{visit.number}L{int(at * 60)}", panel=rng.choice(conditions).panel)
    yield at, Step("O01", visit, order)
    yield at + rng.uniform(*turn), Step("R01", visit, order)


def _prescriptions(rng: Random, visit: Visit, at: float) -> Script:
    """Order what the reason and the chronic diagnoses are treated with."""
    given = [c.medication for c in (visit.reason, *visit.person.conditions) if c.medication]
    for index, medication in enumerate(given[:3]):
        order = Order(f"{visit.number}M{index}", medication=medication)
        yield at + 0.1 * index + rng.uniform(0, 0.1), Step("O11", visit, order)


def inpatient(rng: Random, visit: Visit) -> Script:
    """Admit, treat, perhaps transfer, discharge; one admission in fifty is taken back."""
    visit.patient_class, visit.location = "I", bed(rng)
    yield 0.0, Step("A01", visit)
    if rng.random() < 0.02:  # noqa: PLR2004
        yield rng.uniform(0.1, 1), Step("A11", visit, is_last=True)
        return
    stay = min(24 * rng.lognormvariate(1.1, 0.6), 24 * 40)
    yield from _prescriptions(rng, visit, 1.0)
    for day in range(min(int(stay / 24) + 1, 6)):
        at = 24 * day + rng.uniform(0.3, 3)
        if at + 6 < stay:
            yield from _laboratory(rng, visit, at, (1, 5))
    if rng.random() < 0.4:  # noqa: PLR2004
        yield stay * rng.uniform(0.2, 0.8), Step("A02", visit)
    if rng.random() < 0.3:  # noqa: PLR2004
        yield stay * rng.uniform(0.1, 0.9), Step("A08", visit)
    yield stay, Step("A03", visit, is_last=True)


def birth(rng: Random, visit: Visit) -> Script:
    """Be born, be examined, go home after two days."""
    visit.patient_class, visit.location, visit.service = (
        "I",
        f"NURS^{rng.randint(1, 9):02}^A",
        "NEW",
    )
    yield 0.0, Step("A01", visit)
    yield from _laboratory(rng, visit, rng.uniform(1, 6), (2, 6))
    yield rng.uniform(30, 72), Step("A03", visit, is_last=True)


def emergency(rng: Random, visit: Visit) -> Script:
    """Register in the emergency room, examine at once, send home."""
    visit.patient_class, visit.location = "E", f"ED^{rng.randint(1, 18):02}^A"
    stay = rng.uniform(2, 8)
    yield 0.0, Step("A04", visit)
    yield from _laboratory(rng, visit, rng.uniform(0.1, 0.5), (0.4, 1.4))
    if rng.random() < 0.4:  # noqa: PLR2004
        yield from _prescriptions(rng, visit, 0.8)
    yield stay, Step("A03", visit, is_last=True)


def outpatient(rng: Random, visit: Visit) -> Script:
    """Make an appointment, and keep it days later."""
    wait = 24 * rng.randint(1, 14) + rng.uniform(-1, 2)
    order = Order(f"{visit.number}S", appointment_h=wait)
    yield 0.0, Step("S12", visit, order)
    yield wait, Step("A04", visit)
    if rng.random() < 0.6:  # noqa: PLR2004
        yield from _laboratory(rng, visit, wait + 0.3, (2, 20))
    yield from _prescriptions(rng, visit, wait + 0.6)
    yield wait + 24, Step("A03", visit, is_last=True)


def laboratory(rng: Random, visit: Visit) -> Script:
    """Come for blood to be taken."""
    yield 0.0, Step("A04", visit)
    yield from _laboratory(rng, visit, 0.05, (1.5, 6))
    yield 8, Step("A03", visit, is_last=True)


def vaccination(rng: Random, visit: Visit) -> Script:
    """Come for a vaccine that is given at this age."""
    order = Order(f"{visit.number}V", vaccine=vaccine(rng, visit.age))
    yield 0.0, Step("A04", visit)
    yield rng.uniform(0.2, 0.8), Step("V04", visit, order)
    yield 1.0, Step("A03", visit, is_last=True)


def update(_rng: Random, visit: Visit) -> Script:
    """Correct what is known of somebody who is not here now, so without a visit's number."""
    visit.patient_class, visit.number = "N", ""
    yield 0.0, Step("A08", visit, is_last=True)


Writer: TypeAlias = Callable[[Random, Visit], Script]

SCRIPTS: tuple[tuple[Writer, int, int], ...] = (
    (inpatient, 10, 6),
    (emergency, 18, 24),
    (outpatient, 24, 1),
    (laboratory, 22, 4),
    (vaccination, 7, 0),
    (update, 10, 2),
)
"""Each kind of visit with its weight by day and by night."""
