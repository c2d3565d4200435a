"""The contract as data."""

from pathlib import Path

import pytest

from tasks.hl7.platform import clinical, promise, tables, views
from tasks.hl7.platform.promise import Column, View


TABLES = {table.name: table.columns for table in (*tables.TABLES, *clinical.TABLES)}


def columns_where(is_wrong):
    """Name the columns of the contract for which something does not hold."""
    return [
        f"{view.name}.{column.name}"
        for view in views.VIEWS
        for column in view.columns
        if is_wrong(view, column)
    ]


def test_the_contract_has_nine_views():
    """Everything else reads these, by these names."""
    assert [view.name for view in views.VIEWS] == [
        "connections",
        "patients",
        "encounters",
        "messages",
        "diagnoses",
        "medications",
        "lab_results",
        "audit_events",
        "login_events",
    ]


def test_only_connections_and_messages_are_required():
    """A platform that keeps no clinical tables can still be watched."""
    required = [view.name for view in views.VIEWS if view.is_required]
    assert required == ["connections", "messages"]


@pytest.mark.parametrize(
    "name",
    ["family_name", "given_name", "middle_name", "street", "phone", "raw", "content_sha256"],
)
def test_no_name_street_telephone_or_message_text_is_in_it(name):
    """What is not shown cannot leak."""
    assert columns_where(lambda _, column: name in (column.name, column.expression)) == []


def test_every_column_has_a_known_type():
    """The check knows what it takes."""
    assert columns_where(lambda _, column: column.type not in promise.TYPES) == []


def test_every_column_has_a_meaning():
    """Whoever defines the view elsewhere needs it."""
    assert columns_where(lambda _, column: not column.meaning) == []


def test_every_column_has_its_source_in_the_embedded_platform():
    """A view cannot promise what no table holds."""
    assert columns_where(lambda view, c: c.expression not in TABLES[view.name]) == []


def test_a_column_that_promises_a_value_comes_from_one_that_has_it():
    """NOT NULL in the contract is NOT NULL in the table."""
    assert (
        columns_where(
            lambda view, c: not c.is_nullable and TABLES[view.name][c.expression].nullable
        )
        == []
    )


def test_every_reference_leads_to_a_view_of_the_contract():
    """References can be checked."""
    names = {None, *(view.name for view in views.VIEWS)}
    assert columns_where(lambda _, column: column.references not in names) == []


def test_a_key_never_holds_null():
    """The first column of each view is its key."""
    assert [view.name for view in views.VIEWS if view.key.is_nullable] == []


def test_the_page_in_the_repository_is_the_contract_in_the_code():
    """CONTRACT.md is what whoever joins another platform reads; it must not lag behind."""
    page = Path(views.__file__).with_name("CONTRACT.md").read_text()
    assert page == views.page()


def test_a_section_shows_type_null_value_set_and_reference():
    """The page says everything that `check` will hold a view against."""
    view = View(
        "visits",
        "stays in the house",
        (
            Column("visit_id", "bigint", "key"),
            Column("class", "text", "kind", is_nullable=True, values={"I": "in", "O": "out"}),
            Column("guest_id", "bigint", "who", references="guests"),
        ),
    )
    assert promise.markdown([view]).splitlines() == [
        "## visits",
        "",
        "Stays in the house; optional. Key: `visit_id`.",
        "",
        "| column | type | NULL | meaning |",
        "|---|---|---|---|",
        "| `visit_id` | bigint | no | key |",
        "| `class` | text | yes | kind: `I` in, `O` out |",
        "| `guest_id` | bigint | no | who; a row of `guests` |",
    ]
