"""Volumes of the days or months ahead, each with the backtest that it rests on."""
