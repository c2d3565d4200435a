"""Tables of HL7 v2 that a platform stores by and a report reads by."""

from collections.abc import Mapping


PATIENT_CLASSES: Mapping[str, str] = {
    "E": "emergency",
    "I": "inpatient",
    "O": "outpatient",
    "P": "preadmission",
    "R": "recurring",
    "B": "obstetrics",
    "C": "commercial account",
    "N": "not applicable",
    "U": "unknown",
}
"""HL7 table 0004, patient class (PV1-2); a loader maps local codes to `U`."""
