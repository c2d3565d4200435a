"""The platform's schema as metadata and as statements, without a server."""

import pytest
from sqlalchemy import ForeignKeyConstraint, Index

from tasks.control.hl7_tables import PATIENT_CLASSES
from tasks.hl7.platform import columns, schema, tables, values


ALL = {table.name: table for table in schema.TABLES}


def types_of(table):
    """Return the names of the types of a table's columns."""
    return {type(column.type).__name__ for column in table.columns}


def test_every_table_is_in_the_schema_of_the_platform():
    """None goes to `public`, where others live."""
    assert {table.schema for table in schema.TABLES} == {"hl7"}


def test_installing_forgets_no_table():
    """What the metadata knows is what is installed."""
    assert set(columns.metadata.tables) == {table.fullname for table in schema.TABLES}


def test_every_type_has_a_hash():
    """A seal digests rows by `hash_record_extended`, which json and xml do not have."""
    used = set().union(*map(types_of, schema.TABLES))
    assert used == {
        "BigInteger", "Boolean", "Date", "DateTime", "Integer", "LargeBinary", "Numeric",
        "SmallInteger", "Text",
    }  # fmt: skip


def test_every_time_has_a_zone():
    """A time without one means another hour elsewhere."""
    naive = [
        f"{table.name}.{column.name}"
        for table in schema.TABLES
        for column in table.columns
        if type(column.type).__name__ == "DateTime" and not column.type.timezone
    ]
    assert naive == []


def test_every_table_has_a_primary_key():
    """Replication and repair need one."""
    assert [table.name for table in schema.TABLES if not table.primary_key.columns] == []


def test_the_key_of_messages_holds_the_partition_key():
    """PostgreSQL demands it; `id` leads, since that is what is looked up."""
    assert [column.name for column in tables.messages.primary_key] == ["id", "received_at"]


@pytest.mark.parametrize("name", ["message_keys", "diagnoses", "medications", "lab_results"])
def test_nothing_refers_to_messages_by_a_foreign_key(name):
    """It would cost a look-up for each row of a bulk load."""
    targets = {
        element.column.table.name
        for constraint in ALL[name].constraints
        if isinstance(constraint, ForeignKeyConstraint)
        for element in constraint.elements
    }
    assert "messages" not in targets


@pytest.mark.parametrize(
    ("table", "leading"),
    [
        ("messages", "received_at"),
        ("messages", "connection_id"),
        ("messages", "status"),
        ("messages", "control_id"),
        ("messages", "patient_identifier"),
        ("lab_results", "patient_id"),
        ("lab_results", "encounter_id"),
        ("diagnoses", "encounter_id"),
        ("medications", "encounter_id"),
        ("encounters", "admitted_at"),
        ("audit_events", "occurred_at"),
        ("login_events", "occurred_at"),
        ("quarantine", "received_at"),
    ],
)
def test_what_is_asked_for_has_an_index(table, leading):
    """Time, connection, status, control id and patient are how people ask."""
    assert leading in {next(iter(index.columns)).name for index in ALL[table].indexes}


def test_only_unfinished_messages_stand_in_the_index_of_statuses():
    """Nearly all messages are finished, and nobody looks for them by status."""
    (index,) = [i for i in tables.messages.indexes if i.name == "messages_unfinished_idx"]
    where = str(index.dialect_options["postgresql"]["where"])
    assert where == "status in ('R', 'Q', 'E', 'P')"
    assert set("RQEP") | set("FTS") == set(values.STATUSES)


def test_every_constraint_and_index_has_a_name():
    """An error names the constraint, and an operator must find it."""
    unnamed = [
        table.name
        for table in schema.TABLES
        for thing in (*table.constraints, *table.indexes)
        if not thing.name
    ]
    assert unnamed == []


def test_names_of_indexes_are_unique_within_the_schema():
    """Two tables cannot share one."""
    names = [index.name for table in schema.TABLES for index in table.indexes]
    assert len(names) == len(set(names))
    assert all(isinstance(index, Index) for table in schema.TABLES for index in table.indexes)


def test_every_statement_leaves_alone_what_is_there():
    """Installing twice is installing once."""
    assert [s for s in schema.statements() if "if not exists" not in s.lower()] == []


def test_the_schema_comes_first_and_the_default_partition_last():
    """Each statement finds what it refers to."""
    found = schema.statements()
    assert found[0] == "create schema if not exists hl7"
    assert found[1].startswith("CREATE SEQUENCE IF NOT EXISTS hl7.messages_id_seq")
    assert found[-1].endswith("partition of hl7.messages default")


def test_tables_come_after_those_that_they_refer_to():
    """Otherwise the first install fails."""
    order = [table.name for table in schema.TABLES]
    for table in schema.TABLES:
        for key in table.foreign_keys:
            target = key.column.table.name
            assert order.index(target) <= order.index(table.name)


def test_messages_are_partitioned_by_the_time_of_receipt():
    """As the statement says."""
    (made,) = [s for s in schema.statements() if s.startswith("CREATE TABLE IF NOT EXISTS hl7.mess")
               and "messages (" in s]  # fmt: skip
    assert made.endswith("PARTITION BY RANGE (received_at)")
    assert "DEFAULT nextval('hl7.messages_id_seq')" in made


@pytest.mark.parametrize(
    ("known", "codes"),
    [
        (values.STATUSES, "RFTSQEP"),
        (values.DIRECTIONS, ["inbound", "outbound"]),
        (values.ACK_CODES, ["AA", "AE", "AR", "CA", "CE", "CR"]),
        (values.SEXES, "FMOUANX"),
        (PATIENT_CLASSES, "EIOPRBCNU"),
        (values.OUTCOMES, ["success", "failure"]),
        (
            values.ERROR_CATEGORIES,
            ["content", "rejected", "timeout", "connection", "processing"],
        ),
    ],
)
def test_value_sets_are_those_of_the_standard(known, codes):
    """HL7 tables 0001, 0004 and 0008, and the states of an integration engine."""
    assert list(known) == list(codes)
    assert all(known.values())
