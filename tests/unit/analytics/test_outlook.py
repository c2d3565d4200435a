"""What is ahead of the platform, where its volumes are small."""

from datetime import date, timedelta

import pytest

from tasks.analytics.outlook import Daily, foresee


def daily(name, counts):
    """Return a volume of days in a row."""
    first = date(2026, 10, 1)
    return Daily(name, [first + timedelta(days=n) for n in range(len(counts))], counts)


@pytest.mark.parametrize(("name", "is_told"), [("visits", False), ("messages", True)])
def test_a_forecast_does_not_repeat_days_of_few_people(name, is_told):
    """The seasonal naive tells the last week's days again; messages are nobody."""
    made = foresee(daily(name, [40.0, 35.0, 30.0, 25.0, 20.0, 15.0, 4.0] * 4))
    assert (made.forecast is not None) == is_told
    assert is_told or "1 to 10" in made.refusal


def test_days_of_none_and_of_many_are_forecast():
    """Zero is nobody, and eleven hide each other."""
    made = foresee(daily("visits", [40.0, 35.0, 30.0, 25.0, 20.0, 11.0, 0.0] * 4))
    assert made.forecast.is_fallback
