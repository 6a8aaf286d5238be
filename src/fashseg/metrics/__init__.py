"""Metrics: a pure function and a thin torchmetrics class for each."""
