"""Folds, errors, and widths of intervals."""

import numpy as np
import pytest

from tasks.analytics.forecast.backtest import Trial, cutoffs
from tasks.analytics.forecast.candidates import NAIVE, Paths
from tasks.analytics.forecast.intervals import LEVELS, PRIOR_FOLDS, coverages, widths
from tasks.analytics.forecast.series import series
from tests.unit.analytics.forecast.test_series import days


def test_folds_of_years_are_four_weeks_apart_and_make_up_one():
    """So that a holiday of each kind is among them."""
    folds = cutoffs(1500, 30, "daily", 56)
    assert folds == [1470 - 28 * fold for fold in range(13)]


@pytest.mark.parametrize("known", [86, 100, 150, 400, 3000])
@pytest.mark.parametrize("horizon", [1, 28, 30])
def test_each_fold_knows_the_minimum_and_has_its_horizon_in_the_history(known, horizon):
    """Nothing is said of days that were not tested."""
    folds = cutoffs(known, horizon, "daily", 56)
    assert folds
    assert all(56 <= fold <= known - horizon for fold in folds)
    assert len(set(folds)) == len(folds)


def test_without_room_for_a_fold_there_is_none():
    """The caller falls back."""
    assert cutoffs(85, 30, "daily", 56) == []


def test_errors_and_scale_are_those_of_the_definition():
    """A ramp of one a day: the seasonal naive errs by 7, then by 14."""
    made = series(days(70), np.arange(70.0))
    trial = Trial(Paths(made, 14), 70, 14, [56, 49])
    test = trial.measured(NAIVE)
    assert test.mase == test.naive_mase == pytest.approx(10.5 / 7)
    assert test.wape == pytest.approx(10.5 / np.mean([*range(56, 70), *range(49, 63)]))
    assert (test.folds, test.as_of) == (2, made.dates[-1])


def test_widths_follow_what_was_missed_where_folds_are_many():
    """And are the normal ones where there are none."""
    assert widths([]) == pytest.approx((1.2816, 1.96), abs=1e-4)
    folds = [np.linspace(0, 10, 1001)] * 200
    share = 200 / (200 + PRIOR_FOLDS)
    assert widths(folds) == pytest.approx(
        (8 * share + 1.2816 * (1 - share), 9.5 * share + 1.96 * (1 - share)), abs=1e-2
    )


def test_a_fold_is_held_against_the_widths_of_the_others():
    """Else coverage would be what was asked for by construction."""
    normal = np.abs(np.random.default_rng(1).normal(size=(40, 28)))
    assert coverages(list(normal)) == pytest.approx(LEVELS, abs=0.02)
    assert coverages([np.full(28, 9.0), np.zeros(28)]) == (0.5, 0.5)
