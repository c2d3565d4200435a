"""The structure tier: what cannot be walked is named, and condemns nothing."""

from tasks.recovery.proving import amcheck


def test_a_database_in_which_amcheck_cannot_be_made_is_named(copy, stanza):
    """The other databases are walked all the same."""
    with copy.database("postgres").connect() as connection:
        connection.execute(
            "create function pg_catalog.bt_index_check(regclass) returns void"
            " language sql as 'select null::void'"
        )
    try:
        (check,) = amcheck.check(copy.database("template1"), stanza.programs)
    finally:
        with copy.database("postgres").connect() as connection:
            connection.execute("drop function pg_catalog.bt_index_check(regclass)")
    assert check.outcome == "partial"
    assert "database postgres (no amcheck" in check.seen
    assert "hl7" not in check.seen

    (check,) = amcheck.check(copy.database("template1"), stanza.programs)
    assert check.outcome == "pass"
