"""Charlson's index by hand: a code of each category, the weights, and what trumps what."""

import pytest

from tasks.analytics.risk import charlson


@pytest.mark.parametrize(
    ("code", "category", "points"),
    [
        ("I25.2", "myocardial infarction", 1),
        ("I50.9", "congestive heart failure", 1),
        ("I70.0", "peripheral vascular disease", 1),
        ("I63.9", "cerebrovascular disease", 1),
        ("G30.9", "dementia", 1),
        ("J45.909", "chronic pulmonary disease", 1),
        ("M05.79", "rheumatic disease", 1),
        ("K25.4", "peptic ulcer disease", 1),
        ("K74.60", "mild liver disease", 1),
        ("E11.9", "diabetes without complication", 1),
        ("E11.22", "diabetes with complication", 2),
        ("G81.90", "hemiplegia or paraplegia", 2),
        ("N18.30", "renal disease", 2),
        ("C50.911", "malignancy", 2),
        ("K76.6", "moderate or severe liver disease", 3),
        ("C78.7", "metastatic solid tumour", 6),
        ("B20", "AIDS", 6),
    ],
)
def test_each_category_has_its_weight_of_1987(code, category, points):
    """One code of ICD-10-CM each; its category and no other."""
    assert charlson.categories([code]) == {category}
    assert charlson.index([category]) == points


@pytest.mark.parametrize(
    ("codes", "points"),
    [
        ([], 0),
        (["I10", "E78.5", "J06.9", "C44.90", "I25.10"], 0),
        (["E11.9", "E11.22"], 2),
        (["K74.60", "K72.10"], 3),
        (["C50.911", "C79.51"], 6),
        (["E11.9", "E10.9", "E119"], 1),
        (["I50.9", "N18.30", "E11.9", "J44.9"], 5),
        (["I13.0", "I13.11"], 3),
        (["I21.4", "I63.9", "F03.90", "J44.9", "E11.22", "N18.6", "C79.9"], 14),
    ],
)
def test_an_index_is_the_sum_of_what_is_not_trumped(codes, points):
    """The severer of two of a kind counts alone, and each category once."""
    assert charlson.index(charlson.categories(codes)) == points


def test_all_categories_together_make_29_points():
    """33 by their weights, less the milder ones: liver 1, diabetes 1, malignancy 2."""
    names = [each.name for each in charlson.CATEGORIES]
    assert len(names) == 17
    assert sum(each.weight for each in charlson.CATEGORIES) == 33
    assert charlson.index(names) == 29


@pytest.mark.parametrize(
    ("age", "more"),
    [(0, 0), (49, 0), (50, 1), (59, 1), (60, 2), (70, 3), (79, 3), (80, 4), (99, 4)],
)
def test_each_decade_from_fifty_on_is_a_point(age, more):
    """Four at most."""
    assert charlson.with_age(3, age) == 3 + more
