"""The platform's tables as metadata, in the PostgreSQL schema `hl7`; the clinical ones aside.

Every type has a hash, so that a copy can be held against a seal without text forms. `messages` and
`message_keys` refer to each other by value only: a foreign key to a partitioned table would need
its partition key in the referring row and costs a look-up for each row of a bulk load.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
    true,
)

from tasks.control.hl7_tables import PATIENT_CLASSES
from tasks.hl7.platform import values
from tasks.hl7.platform.columns import SCHEMA, identity, metadata, one_of, patient, time, words


connections = Table(
    "connections",
    metadata,
    identity(),
    Column("name", Text, nullable=False, unique=True),
    words("system", nullable=False),
    words("direction", nullable=False),
    words("sending_application"),
    words("sending_facility"),
    words("receiving_application"),
    words("receiving_facility"),
    words("version"),
    words("charset"),
    Column("is_active", Boolean, nullable=False, server_default=true()),
    time("created_at", nullable=False, server_default=func.now()),
    one_of("direction", values.DIRECTIONS),
)
"""Interfaces to the connected systems: electronic medical records, laboratory, pharmacy."""

patients = Table(
    "patients",
    metadata,
    identity(),
    words("identifier", nullable=False),
    Column("assigning_authority", Text, nullable=False, server_default=""),
    words("family_name"),
    words("given_name"),
    words("middle_name"),
    Column("birth_date", Date),
    words("sex"),
    Column("is_deceased", Boolean, nullable=False, server_default=false()),
    time("deceased_at"),
    words("street"),
    words("city"),
    words("region"),
    words("postal_code"),
    words("country"),
    words("phone"),
    Column("merged_into", BigInteger, ForeignKey("hl7.patients.id")),
    time("first_seen_at", nullable=False, server_default=func.now()),
    time("updated_at", nullable=False, server_default=func.now()),
    UniqueConstraint("identifier", "assigning_authority"),
    one_of("sex", values.SEXES),
)

encounters = Table(
    "encounters",
    metadata,
    identity(),
    patient(),
    words("visit_number", nullable=False),
    words("patient_class", nullable=False),
    words("location"),
    words("service"),
    time("admitted_at"),
    time("discharged_at"),
    words("disposition"),
    Column("is_cancelled", Boolean, nullable=False, server_default=false()),
    time("updated_at", nullable=False, server_default=func.now()),
    UniqueConstraint("patient_id", "visit_number"),
    one_of("patient_class", PATIENT_CLASSES),
    Index("encounters_admitted_at_idx", "admitted_at"),
    Index("encounters_visit_number_idx", "visit_number"),
)

message_ids = Sequence("messages_id_seq", metadata=metadata, schema=SCHEMA, cache=1)
"""A sequence rather than an identity: partitioned tables have identities from PostgreSQL 17 on."""

messages = Table(
    "messages",
    metadata,
    Column("id", BigInteger, message_ids, server_default=message_ids.next_value()),
    time("received_at", nullable=False),
    time("sent_at"),
    time("processed_at"),
    time("message_time"),
    Column("connection_id", BigInteger, ForeignKey("hl7.connections.id")),
    Column("size_bytes", Integer, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default=text("1")),
    words("direction", nullable=False),
    words("status", nullable=False),
    words("ack_code"),
    words("error_code"),
    words("error_category"),
    words("message_type", nullable=False),
    words("trigger_event"),
    words("structure"),
    words("version"),
    words("charset"),
    words("control_id"),
    words("sending_application"),
    words("sending_facility"),
    words("receiving_application"),
    words("receiving_facility"),
    words("patient_identifier"),
    Column("content_sha256", LargeBinary, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    PrimaryKeyConstraint("id", "received_at"),
    one_of("direction", values.DIRECTIONS),
    one_of("status", values.STATUSES),
    one_of("ack_code", values.ACK_CODES),
    one_of("error_category", values.ERROR_CATEGORIES),
    Index("messages_received_at_idx", "received_at"),
    Index("messages_connection_id_received_at_idx", "connection_id", "received_at"),
    Index("messages_patient_identifier_idx", "patient_identifier", "received_at"),
    Index("messages_control_id_idx", "control_id"),
    Index(
        "messages_unfinished_idx",
        "status",
        "received_at",
        postgresql_where=text("status in ('R', 'Q', 'E', 'P')"),
    ),
    postgresql_partition_by="RANGE (received_at)",
)
"""Partitioned by month of `received_at`; finished messages, nearly all, cost no status index.

`charset` is what the text was decoded by, which MSH-18 need not tell truly.
"""

message_keys = Table(
    "message_keys",
    metadata,
    Column("content_sha256", LargeBinary, primary_key=True),
    time("received_at", nullable=False),
    Column("message_id", BigInteger, nullable=False),
)
"""What was ingested, by the digest of its bytes: the key that reaches across partitions."""

quarantine = Table(
    "quarantine",
    metadata,
    identity(),
    time("received_at", nullable=False),
    Column("connection_id", BigInteger, ForeignKey("hl7.connections.id")),
    Column("position", BigInteger),
    Column("size_bytes", Integer, nullable=False),
    words("reason", nullable=False),
    Column("source_sha256", LargeBinary),
    Column("content_sha256", LargeBinary, nullable=False, unique=True),
    Column("raw", LargeBinary, nullable=False),
    Index("quarantine_received_at_idx", "received_at"),
)
"""What could not be taken for a message, with a reason that names no content."""

audit_events = Table(
    "audit_events",
    metadata,
    identity(),
    time("occurred_at", nullable=False),
    words("actor", nullable=False),
    words("action", nullable=False),
    words("object_type", nullable=False),
    words("object_id"),
    words("outcome", nullable=False),
    words("source_address"),
    one_of("outcome", values.OUTCOMES),
    Index("audit_events_occurred_at_idx", "occurred_at"),
    Index("audit_events_actor_idx", "actor", "occurred_at"),
)
"""Who did what to which object of the platform, and when."""

login_events = Table(
    "login_events",
    metadata,
    identity(),
    time("occurred_at", nullable=False),
    words("username", nullable=False),
    words("outcome", nullable=False),
    words("reason"),
    words("source_address"),
    one_of("outcome", values.OUTCOMES),
    Index("login_events_occurred_at_idx", "occurred_at"),
    Index("login_events_username_idx", "username", "occurred_at"),
)

TABLES = (
    connections,
    patients,
    encounters,
    messages,
    message_keys,
    quarantine,
    audit_events,
    login_events,
)
"""Those that are referred to first."""
