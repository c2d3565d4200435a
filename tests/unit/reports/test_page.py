"""The parts of a page: tables, folds, sizes and durations."""

import pytest

from reports.page import details, duration, page, size, table


def test_a_table_has_a_header_a_rule_and_its_rows():
    """Text stands to the left, a column of numbers to the right, thousands are set apart."""
    assert table(["what", "rows"], [("patients", 1200), ("messages", 7)]) == (
        "| what | rows |\n| --- | ---: |\n| patients | 1,200 |\n| messages | 7 |"
    )


def test_a_column_with_one_text_among_its_numbers_stands_to_the_left():
    """Only a column of nothing but numbers is set as numbers."""
    assert table(["n"], [(1,), ("none",)]).splitlines()[1] == "| --- |"


def test_a_table_without_rows_keeps_its_header():
    """Nothing to list is a table with a header and a rule."""
    assert table(["a", "b"], []) == "| a | b |\n| --- | --- |"


def test_a_row_that_is_too_short_is_refused():
    """Rows of unlike lengths are a mistake of the caller, not a crooked table."""
    with pytest.raises(ValueError, match="shorter"):
        table(["a", "b"], [("1", "2"), ("3",)])


def test_no_cell_can_break_the_table():
    """A bar is escaped, a line break becomes a blank, and nothing becomes a dash."""
    assert table(["a"], [("x|y",), ("x\ny",), ("",)]).splitlines()[2:] == [
        "| x\\|y |",
        "| x y |",
        "| - |",
    ]


def test_what_is_folded_stands_between_blank_lines():
    """Without them markdown inside the fold is shown as it is written."""
    assert details("All", "| a |") == "<details><summary>All</summary>\n\n| a |\n\n</details>"


def test_a_page_leaves_out_the_parts_that_are_not_there():
    """Parts are a blank line apart; None and nothing leave no gap."""
    assert page("# One", None, "", "Two") == "# One\n\nTwo\n"


@pytest.mark.parametrize(
    ("count", "spelt"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_340_000_000, "1.3 GB"),
        (2_500_000_000_000, "2.5 TB"),
        (7_000_000_000_000_000, "7000.0 TB"),
    ],
)
def test_a_size_is_spelt_in_powers_of_a_thousand(count, spelt):
    """The unit is the largest that leaves at least one; beyond terabytes there is none."""
    assert size(count) == spelt


@pytest.mark.parametrize(
    ("seconds", "spelt"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (12.4, "12 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7800, "2 h 10 min"),
        (90_000, "25 h 00 min"),
    ],
)
def test_a_duration_is_spelt_as_finely_as_it_matters(seconds, spelt):
    """Tenths below ten seconds, seconds below an hour, minutes above."""
    assert duration(seconds) == spelt
