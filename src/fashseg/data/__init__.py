"""Data sets: readers, drawings, splits, and the DataModule that serves them."""
