"""What messages say about patients: diagnoses, medications and laboratory results.

`message_id` says which message a row was read from; it is no foreign key, see `tables`.
"""

from sqlalchemy import BigInteger, Column, Index, Numeric, Table, Text, UniqueConstraint

from tasks.hl7.platform import values
from tasks.hl7.platform.columns import encounter, identity, metadata, one_of, patient, time, words


diagnoses = Table(
    "diagnoses",
    metadata,
    identity(),
    patient(),
    encounter(),
    Column("message_id", BigInteger),
    time("recorded_at", nullable=False),
    time("onset_at"),
    time("abated_at"),
    words("code", nullable=False),
    Column("coding_system", Text, nullable=False, server_default=""),
    words("description"),
    words("kind"),
    UniqueConstraint(
        "patient_id",
        "encounter_id",
        "coding_system",
        "code",
        name="diagnoses_natural_key",
        postgresql_nulls_not_distinct=True,
    ),
    Index("diagnoses_code_idx", "code"),
    Index("diagnoses_encounter_id_idx", "encounter_id"),
)

medications = Table(
    "medications",
    metadata,
    identity(),
    patient(),
    encounter(),
    Column("message_id", BigInteger),
    time("started_at", nullable=False),
    time("ended_at"),
    words("order_number"),
    words("code", nullable=False),
    Column("coding_system", Text, nullable=False, server_default=""),
    words("description"),
    Column("dose", Numeric),
    words("dose_unit"),
    words("route"),
    UniqueConstraint(
        "patient_id",
        "order_number",
        "coding_system",
        "code",
        "started_at",
        name="medications_natural_key",
        postgresql_nulls_not_distinct=True,
    ),
    Index("medications_code_idx", "code"),
    Index("medications_encounter_id_idx", "encounter_id"),
)

lab_results = Table(
    "lab_results",
    metadata,
    identity(),
    patient(),
    encounter(),
    Column("message_id", BigInteger),
    time("observed_at", nullable=False),
    Column("value_number", Numeric),
    words("value_text"),
    words("order_number"),
    words("code", nullable=False),
    Column("coding_system", Text, nullable=False, server_default=""),
    words("description"),
    words("unit"),
    words("reference_range"),
    words("abnormal_flag"),
    words("result_status"),
    one_of("result_status", values.RESULT_STATUSES),
    Index("lab_results_patient_id_observed_at_idx", "patient_id", "observed_at"),
    Index("lab_results_code_observed_at_idx", "code", "observed_at"),
    Index("lab_results_encounter_id_idx", "encounter_id"),
)

TABLES = (diagnoses, medications, lab_results)
