"""What the generated laboratory measures; codes are LOINC, ranges those of adults."""

from dataclasses import dataclass
from random import Random

from tasks.hl7.generator.people import Person


@dataclass(frozen=True, slots=True)
class Analyte:
    """A quantity: its code, unit, reference range and what a diagnosis makes of its mean."""

    code: str
    name: str
    unit: str
    low: float
    high: float
    digits: int = 0
    shifts: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of one specimen, with the flag of HL7 table 0078."""

    analyte: Analyte
    value: str
    flag: str


_GLUCOSE = Analyte("2345-7", "Glucose", "mg/dL", 70, 99, 0, (("E11.9", 62),))
_SODIUM = Analyte("2951-2", "Sodium", "mmol/L", 136, 145, 0, (("I50.9", -3),))
_POTASSIUM = Analyte("2823-3", "Potassium", "mmol/L", 3.5, 5.1, 1, (("N18.30", 0.5),))
_CREATININE = Analyte("2160-0", "Creatinine", "mg/dL", 0.6, 1.2, 2, (("N18.30", 0.9),))
_UREA = Analyte("3094-0", "Urea nitrogen", "mg/dL", 7, 20, 0, (("N18.30", 16),))
_HEMOGLOBIN = Analyte("718-7", "Hemoglobin", "g/dL", 12.0, 16.5, 1, (("N18.30", -1.6),))
_LEUKOCYTES = Analyte("6690-2", "Leukocytes", "10*3/uL", 4.0, 11.0, 1, (("J18.9", 6.0),))
_PLATELETS = Analyte("777-3", "Platelets", "10*3/uL", 150, 400)
_HBA1C = Analyte("4548-4", "Hemoglobin A1c", "%", 4.0, 5.6, 1, (("E11.9", 2.4),))
_LDL = Analyte("13457-7", "LDL cholesterol", "mg/dL", 40, 129, 0, (("E78.5", 45),))
_HDL = Analyte("2085-9", "HDL cholesterol", "mg/dL", 40, 80)
_TRIGLYCERIDE = Analyte("2571-8", "Triglyceride", "mg/dL", 50, 149, 0, (("E78.5", 60),))
_TSH = Analyte("3016-3", "Thyrotropin", "m[IU]/L", 0.4, 4.2, 2, (("E03.9", 2.6),))
_TROPONIN = Analyte("6598-7", "Troponin T", "ng/mL", 0.0, 0.04, 3, (("I25.10", 0.03),))
_BNP = Analyte("30934-4", "BNP", "pg/mL", 5, 100, 0, (("I50.9", 420),))

PANELS = {
    "metabolic": ("51990-0", "Basic metabolic panel",
                  (_GLUCOSE, _SODIUM, _POTASSIUM, _CREATININE, _UREA)),
    "blood": ("58410-2", "Complete blood count", (_HEMOGLOBIN, _LEUKOCYTES, _PLATELETS)),
    "diabetes": ("55399-0", "Diabetes panel", (_GLUCOSE, _HBA1C, _CREATININE)),
    "lipids": ("57698-3", "Lipid panel", (_LDL, _HDL, _TRIGLYCERIDE)),
    "thyroid": ("55204-2", "Thyroid panel", (_TSH,)),
    "heart": ("89577-1", "Cardiac panel", (_TROPONIN, _BNP, _POTASSIUM)),
}  # fmt: skip
"""Code, name and analytes of each panel."""

_PANIC = 0.6
"""Beyond this share of the range's width outside it, a value is flagged LL or HH."""


def measure(rng: Random, panel: str, person: Person, reason: str) -> list[Measured]:
    """Measure a panel of a person; diagnoses shift the means of what they are known for."""
    known = {reason, *(condition.code for condition in person.conditions)}
    return [_measure(rng, analyte, known) for analyte in PANELS[panel][2]]


def _measure(rng: Random, analyte: Analyte, known: set[str]) -> Measured:
    """Draw about 4 % of healthy values outside the range, as ranges are defined to have."""
    width = analyte.high - analyte.low
    mean = analyte.low + width / 2 + sum(shift for code, shift in analyte.shifts if code in known)
    value = max(round(rng.gauss(mean, width / 4.1), analyte.digits), 0.0)
    return Measured(analyte, f"{value:.{analyte.digits}f}", flag(analyte, value))


def flag(analyte: Analyte, value: float) -> str:
    """Return the flag of HL7 table 0078 for a value in the analyte's unit."""
    width = analyte.high - analyte.low
    if value < analyte.low:
        return "LL" if value < analyte.low - _PANIC * width else "L"
    if value > analyte.high:
        return "HH" if value > analyte.high + _PANIC * width else "H"
    return "N"
