"""Buckets that are not as expected: one alert an episode, with the rule that raised it."""
