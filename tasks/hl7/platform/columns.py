"""What the platform's tables are made of: their metadata and the kinds of their columns."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    MetaData,
    Text,
)


SCHEMA = "hl7"

metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    },
)


def one_of(column: str, known: Iterable[str]) -> CheckConstraint:
    """Allow the values of a set, and NULL where the column does."""
    listed = ", ".join(f"'{value}'" for value in known)
    return CheckConstraint(f"{column} in ({listed})", name=column)


def identity() -> Column[int]:
    """Return the key that the server numbers."""
    return Column("id", BigInteger, Identity(), primary_key=True)


def time(name: str, **options: Any) -> Column[Any]:  # noqa: ANN401 - options of a column
    """Return a timestamptz column, NULL unless told otherwise."""
    return Column(name, DateTime(timezone=True), **options)


def words(name: str, *, nullable: bool = True) -> Column[str]:
    """Return a text column, NULL allowed unless told otherwise."""
    return Column(name, Text, nullable=nullable)


def patient() -> Column[int]:
    """Return the reference to the patient that a row is about."""
    return Column("patient_id", BigInteger, ForeignKey("hl7.patients.id"), nullable=False)


def encounter() -> Column[int]:
    """Return the reference to the visit that a row belongs to, where it is known."""
    return Column("encounter_id", BigInteger, ForeignKey("hl7.encounters.id"))
