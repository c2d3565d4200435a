"""The rules in words, for whoever reads an alert."""

from tasks.analytics.anomalies.model import HIGH, MEDIUM, Method, Rules


FALSE_ALARMS_PER_1000 = 0.3
"""Measured on eight kinds of Poisson and AR(1) noise (0.6 the worst); see the benchmark."""

RATE_FALSE_ALARMS_PER_1000 = 0.6
"""Measured on binomial noise of 40 to 200 messages an hour (0.8 the worst)."""


def of_series(rules: Rules) -> Method:
    """Describe how a series of counts, times or any values is judged."""
    held = f"{100 * rules.tail:g} %"
    return Method(
        formula=(
            f"z = residual / scale; |z| > {MEDIUM:g} medium, > {HIGH:g} high, one alert an episode."
            f" Level: the mean of the last {rules.level} of observed - expected. Spread: the"
            f" logarithm of the mean change between the last {rules.spread} buckets - its median"
            f" before. Scale: the largest of {rules.level_sigmas:g} (spread:"
            f" {rules.spread_sigmas:g}) robust standard deviations, half of what {held} of earlier"
            f" |residuals| stayed below, and a floor ({100 * rules.level_floor:g} % of the mean"
            " value; for counts what Poisson allows)."
        ),
        baseline=(
            "Expected: the median of the same hour and weekday in up to 8 weeks before, of the same"
            " hour until 3 weeks are known, of everything until 3 days are. The bucket under test"
            " is not in it, nor are earlier anomalies; the scale remembers those as"
            f" {rules.clip:g} at most. A finer expectation takes over once {rules.week.days} days"
            f" of its residuals are known. The first {rules.warm_up} buckets are only learnt from."
        ),
        expected_false_alarms_per_1000=FALSE_ALARMS_PER_1000,
    )


def of_rates(rules: Rules, least: int) -> Method:
    """Describe how a rate of errors is judged."""
    return Method(
        formula=(
            "z = (errors - p0 n) / sqrt(max(p0 (1 - p0) n, 1)) / scale; z > 2 medium,"
            " > 3 high, and the lower"
            f" Wilson bound of p lies above p0; buckets with n < {least} are not judged. Scale: the"
            f" largest of 1.5, {rules.level_sigmas:g} robust standard deviations, and half of what"
            f" {100 * rules.tail:g} % of earlier residuals stayed below."
        ),
        baseline=(
            "p0: errors of messages, pooled over up to 672 earlier buckets that did not stand out."
        ),
        expected_false_alarms_per_1000=RATE_FALSE_ALARMS_PER_1000,
    )
