"""The time, in one place: aware, in UTC, and in the two spellings that names and reports use."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Spell a moment for names of backups and objects: `20261123T020000Z`."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def readable(moment: datetime) -> str:
    """Spell a moment for people: `2026-11-23 02:00:00 UTC`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def exact(moment: datetime) -> str:
    """Spell a moment to the microsecond: `2026-11-23 02:00:00.000000 UTC`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
