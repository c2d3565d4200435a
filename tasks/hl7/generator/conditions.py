"""What generated patients suffer from, and what is given for it.

Codes are ICD-10-CM and RxNorm; prevalences are round figures that make a believable mix of ages,
not epidemiology.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Medication:
    """A drug as it is ordered."""

    code: str
    name: str
    dose: str
    unit: str
    route: str = "PO"


@dataclass(frozen=True, slots=True)
class Condition:
    """A diagnosis: whom it befalls and which panel of the laboratory follows it."""

    code: str
    name: str
    from_age: int = 0
    to_age: int = 120
    sexes: str = "FM"
    share: float = 0.0
    medication: Medication | None = None
    panel: str = "metabolic"

    def can_befall(self, age: int, sex: str) -> bool:
        """Tell whether somebody of this age in years and this sex can have it."""
        return self.from_age <= age <= self.to_age and (sex in self.sexes or self.sexes == "FM")


CHRONIC = (
    Condition("I10", "Essential hypertension", 35, share=0.38,
              medication=Medication("314076", "lisinopril 10 MG tablet", "10", "mg")),
    Condition("E78.5", "Hyperlipidemia", 40, share=0.32, panel="lipids",
              medication=Medication("617311", "atorvastatin 40 MG tablet", "40", "mg")),
    Condition("E11.9", "Type 2 diabetes mellitus", 35, share=0.16, panel="diabetes",
              medication=Medication("860975", "metformin 500 MG tablet", "500", "mg")),
    Condition("J45.909", "Asthma", 4, share=0.08, panel="blood",
              medication=Medication("745679", "albuterol inhaler", "2", "puff", "IH")),
    Condition("J44.9", "Chronic obstructive pulmonary disease", 50, share=0.11, panel="blood",
              medication=Medication("580261", "tiotropium 18 MCG capsule", "18", "ug", "IH")),
    Condition("N18.30", "Chronic kidney disease, stage 3", 55, share=0.13),
    Condition("I50.9", "Heart failure", 60, share=0.09, panel="heart",
              medication=Medication("310429", "furosemide 20 MG tablet", "20", "mg")),
    Condition("I48.91", "Atrial fibrillation", 60, share=0.1, panel="heart",
              medication=Medication("1364445", "apixaban 5 MG tablet", "5", "mg")),
    Condition("I25.10", "Coronary artery disease", 50, share=0.12, panel="heart",
              medication=Medication("243670", "aspirin 81 MG tablet", "81", "mg")),
    Condition("E03.9", "Hypothyroidism", 30, share=0.09, sexes="F", panel="thyroid",
              medication=Medication("966221", "levothyroxine 50 MCG tablet", "50", "ug")),
    Condition("F32.9", "Depression", 16, share=0.1, panel="thyroid",
              medication=Medication("312940", "sertraline 50 MG tablet", "50", "mg")),
    Condition("M81.0", "Osteoporosis", 60, share=0.2, sexes="F",
              medication=Medication("904419", "alendronate 70 MG tablet", "70", "mg")),
    Condition("N40.0", "Benign prostatic hyperplasia", 55, share=0.25, sexes="M",
              medication=Medication("863669", "tamsulosin 0.4 MG capsule", "0.4", "mg")),
    Condition("F03.90", "Dementia", 75, share=0.14, panel="blood"),
)  # fmt: skip
"""Kept for life once diagnosed; `share` is that of those who can have it."""

ACUTE = (
    Condition("J18.9", "Pneumonia", panel="blood",
              medication=Medication("1659131", "ceftriaxone 1 G injection", "1", "g", "IV")),
    Condition("R07.9", "Chest pain", 30, panel="heart"),
    Condition("N39.0", "Urinary tract infection", 12, sexes="F",
              medication=Medication("311995", "nitrofurantoin 100 MG capsule", "100", "mg")),
    Condition("S52.501A", "Fracture of the lower end of the radius", 5, panel="blood",
              medication=Medication("313782", "acetaminophen 325 MG tablet", "650", "mg")),
    Condition("K35.80", "Acute appendicitis", 5, 50, panel="blood",
              medication=Medication("313782", "acetaminophen 325 MG tablet", "650", "mg")),
    Condition("J06.9", "Upper respiratory infection", 0, 70, panel="blood"),
    Condition("A09", "Gastroenteritis", panel="metabolic",
              medication=Medication("312086", "ondansetron 4 MG tablet", "4", "mg")),
    Condition("I63.9", "Cerebral infarction", 55, panel="heart",
              medication=Medication("243670", "aspirin 81 MG tablet", "81", "mg")),
    Condition("S06.0X0A", "Concussion", 3, 60, panel="blood"),
    Condition("K80.20", "Calculus of gallbladder", 25, panel="metabolic",
              medication=Medication("313782", "acetaminophen 325 MG tablet", "650", "mg")),
    Condition("M54.50", "Low back pain", 18, panel="blood",
              medication=Medication("310965", "ibuprofen 200 MG tablet", "400", "mg")),
)  # fmt: skip
"""Reasons for a visit that pass."""

CHECK_UP = Condition("Z00.00", "General adult examination", panel="blood")
NEWBORN = Condition("Z38.00", "Single liveborn infant", 0, 0, panel="blood")

VACCINES = (
    ("03", "MMR", 1, 18),
    ("10", "IPV", 0, 6),
    ("20", "DTaP", 0, 6),
    ("33", "pneumococcal polysaccharide", 65, 120),
    ("115", "Tdap", 11, 64),
    ("140", "influenza, seasonal", 1, 120),
    ("187", "zoster recombinant", 50, 120),
)
"""CVX code, name, and the ages in years between which it is given."""


def chronic(rng: Random, age: int, sex: str) -> Iterator[Condition]:
    """Yield what somebody of this age and sex lives with."""
    for condition in CHRONIC:
        if rng.random() < condition.share and condition.can_befall(age, sex):
            yield condition


def acute(rng: Random, age: int, sex: str) -> Condition:
    """Choose a reason for a visit that this person can have."""
    while True:
        condition = rng.choice(ACUTE)
        if condition.can_befall(age, sex):
            return condition


def vaccine(rng: Random, age: int) -> tuple[str, str]:
    """Choose a vaccine that is given at this age: code and name."""
    return rng.choice([(code, name) for code, name, low, high in VACCINES if low <= age <= high])
