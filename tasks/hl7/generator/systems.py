"""The systems that the generated platform is connected to; each speaks HL7 in its own way."""

from dataclasses import dataclass


PLATFORM = ("HL7HUB", "PLATFORM")
"""Application and facility of the platform itself."""


@dataclass(frozen=True, slots=True)
class System:
    """One interface: its direction, dialect and habits."""

    name: str
    kind: str
    direction: str
    application: str
    facility: str
    version: str
    charset: str = ""
    codec: str = "ascii"
    ending: str = "\r"
    encoding_characters: str = "^~\\&"
    is_enhanced: bool = False
    """Whether it acknowledges in the enhanced mode, by CA, CE and CR."""
    keeps_acks: bool = False
    """Whether acknowledgements are stored as messages of their own."""

    @property
    def sender(self) -> tuple[str, str]:
        """Application and facility that its messages come from."""
        return (self.application, self.facility) if self.direction == "inbound" else PLATFORM

    @property
    def receiver(self) -> tuple[str, str]:
        """Application and facility that its messages go to."""
        return PLATFORM if self.direction == "inbound" else (self.application, self.facility)


HARBOR = System("Harborside EMR", "emr", "inbound", "MEDLEDGER", "HARBORSIDE", "2.5.1",
                "UNICODE UTF-8", "utf-8", keeps_acks=True)  # fmt: skip
NORTH = System("Northgate EMR", "emr", "inbound", "CAREBOOK", "NORTHGATE", "2.3",
               "8859/1", "latin-1")  # fmt: skip
MEADOW = System("Meadow Clinic EMR", "emr", "inbound", "CLINICA", "MEADOW", "2.4", ending="\n")
LABORATORY = System("Central laboratory", "laboratory", "inbound", "COREPATH", "CENTRALLAB",
                    "2.7", "UNICODE UTF-8", "utf-8", encoding_characters="^~\\&#",
                    is_enhanced=True)  # fmt: skip
SCHEDULING = System("Scheduling", "scheduling", "inbound", "DAYPLAN", "HARBORSIDE", "2.3.1",
                    "8859/1", "latin-1", ending="\r\n")  # fmt: skip
PHARMACY = System("Pharmacy", "pharmacy", "outbound", "DOSEWELL", "PHARMACY", "2.5",
                  "UNICODE UTF-8", "utf-8", keeps_acks=True)  # fmt: skip
REGISTRY = System("Immunization registry", "registry", "outbound", "IMMREG", "STATEREG", "2.5.1",
                  "UNICODE UTF-8", "utf-8")  # fmt: skip

SYSTEMS = (HARBOR, NORTH, MEADOW, LABORATORY, SCHEDULING, PHARMACY, REGISTRY)

_HOMES = (HARBOR,) * 5 + (NORTH,) * 3 + (MEADOW,) * 2


def home(number: int) -> System:
    """Return the electronic medical record that keeps a patient: half of them are Harborside's."""
    return _HOMES[number % len(_HOMES)]
