"""Who comes to the generated hospitals: new and known patients, newborns and duplicates."""

from collections.abc import Container
from datetime import date, datetime
from itertools import count
from random import Random

from tasks.hl7.generator import conditions, people, systems, visits
from tasks.hl7.generator.conditions import Condition
from tasks.hl7.generator.people import Person
from tasks.hl7.generator.systems import System
from tasks.hl7.generator.visits import Step, Visit


_RETURNING = 0.6
"""Share of visits by somebody who is known already."""

_FOR_A_CHRONIC_REASON = 0.35
_BIRTH = 0.008
_DUPLICATE = 0.008

_DEATH = 0.04
_OLD = 60
"""Age in years from which one inpatient in 25 dies in the hospital."""

_DAYTIME = range(7, 18)

_FIRST_BIRTH = 5_000_000
"""Numbers of the newborn begin here, above those of all other patients."""

Steps = list[tuple[float, Step]]


class Crowd:
    """The patients of a run: how many are known, who is here, and who has died."""

    def __init__(self, seed: int, today: date) -> None:
        """Begin with nobody known; `today` is the day on which ages are drawn."""
        self._rng = Random(seed + 3)  # noqa: S311 - repeatable is what is wanted
        self._seed = seed
        self._today = today
        self._known = 0
        self._births = count(_FIRST_BIRTH)
        self._duplicates = count(1)
        self._visits = count(1)
        self._unavailable: set[str] = set()

    def arrival(self, at: datetime, quiet: Container[str]) -> Steps:
        """Return what somebody begins now, with the hours after which each step follows.

        Args:
            at: the moment of the first step.
            quiet: names of the systems that send nothing now.

        """
        fate = self._rng.random()
        if fate < _BIRTH and systems.HARBOR.name not in quiet:
            return self._birth(at)
        person, system = self._somebody(quiet)
        if fate < _BIRTH + _DUPLICATE:
            return self._found_twice(person, system, at)
        weights = [day if at.hour in _DAYTIME else night for _, day, night in visits.SCRIPTS]
        script = self._rng.choices(visits.SCRIPTS, weights)[0][0]
        if script is visits.outpatient and systems.SCHEDULING.name in quiet:
            script = visits.laboratory
        steps = list(script(self._rng, self._visit(person, system, at)))
        return self._begun(steps, person)

    def happen(self, step: Step, at: datetime) -> None:
        """Bring the visit up to date with the event that a message tells of."""
        visit = step.visit
        if step.trigger in ("A01", "A04"):
            visit.admitted_at = at
        elif step.trigger == "A02":
            visit.prior_location, visit.location = visit.location, visits.bed(self._rng)
        elif step.trigger == "A03":
            self._discharge(visit, at)
        if step.is_last and not visit.is_deceased:
            self._unavailable.discard(visit.person.identifier)

    def _begun(self, steps: Steps, person: Person) -> Steps:
        if len(steps) > 1:
            self._unavailable.add(person.identifier)
        return steps

    def _somebody(self, quiet: Container[str]) -> tuple[Person, System]:
        """Choose who comes: somebody known who is not here, or somebody new."""
        if self._known and self._rng.random() < _RETURNING:
            for _ in range(8):
                number = self._rng.randint(1, self._known)
                person, system = self._numbered(number)
                if person.identifier not in self._unavailable and system.name not in quiet:
                    return person, system
        for _ in range(16):
            self._known += 1
            person, system = self._numbered(self._known)
            if system.name not in quiet:
                break
        return person, system

    def _numbered(self, number: int) -> tuple[Person, System]:
        system = systems.home(number)
        return people.person(self._seed, number, system.facility, self._today), system

    def _visit(
        self, person: Person, system: System, at: datetime, reason: Condition | None = None
    ) -> Visit:
        age = person.age(at.date())
        if reason is None and person.conditions and self._rng.random() < _FOR_A_CHRONIC_REASON:
            reason = self._rng.choice(person.conditions)
        reason = reason or conditions.acute(self._rng, age, person.sex)
        number = f"V{self._seed % 10_000:04}{next(self._visits):08}"
        return visits.opened(self._rng, person, system, number=number, reason=reason, age=age)

    def _birth(self, at: datetime) -> Steps:
        number = next(self._births)
        system = systems.HARBOR
        child = people.newborn(self._seed, number, system.facility, at.date())
        visit = self._visit(child, system, at, conditions.NEWBORN)
        return list(visits.birth(self._rng, visit))

    def _found_twice(self, person: Person, system: System, at: datetime) -> Steps:
        """Register somebody a second time in the emergency room, and merge the two later."""
        twin = people.duplicate(person, next(self._duplicates))
        visit = self._visit(twin, system, at)
        survivor = self._visit(person, system, at, visit.reason)
        survivor.merged_identifier = twin.identifier
        steps = list(visits.emergency(self._rng, visit))
        steps.append((steps[-1][0] + 1, Step("A40", survivor, is_last=True)))
        return self._begun(steps, person)

    def _discharge(self, visit: Visit, at: datetime) -> None:
        visit.discharged_at = at
        is_old = visit.person.age(at.date()) >= _OLD
        visit.is_deceased = visit.patient_class == "I" and is_old and self._rng.random() < _DEATH
        usual = self._rng.choices(("01", "02", "03", "07"), (88, 5, 6, 1))[0]
        visit.disposition = "20" if visit.is_deceased else usual
