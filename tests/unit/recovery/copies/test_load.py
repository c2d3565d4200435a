"""What is told where a dump could not be loaded: objects, and what this machine lacks."""

import pytest

from tasks.control.errors import Corrupt, Refused
from tasks.recovery.copies.load import locations, not_loaded


LINES = (
    'pg_restore: creating TABLE "public.a"',
    "pg_restore: error: could not execute query: ERROR:  value 'Miller' is wrong",
)


def test_an_object_is_named_and_no_row_is_quoted():
    """The text of an error may quote a row."""
    told = not_loaded("main", "database hl7", LINES)
    assert isinstance(told, Corrupt)
    assert 'TABLE "public.a"' in str(told)
    assert "Miller" not in str(told)


@pytest.mark.parametrize("lacking", ["No space left on device", "out of memory"])
def test_what_this_machine_lacks_is_told_as_that(lacking):
    """It says nothing of the dump."""
    told = not_loaded("main", "database hl7", [*LINES, f"ERROR:  could not extend file: {lacking}"])
    assert isinstance(told, Refused)
    assert lacking in str(told)


def test_tablespaces_are_read_from_the_script():
    """With quotes in their names."""
    assert locations("CREATE TABLESPACE a OWNER b LOCATION '/x/it''s';") == ["/x/it's"]
