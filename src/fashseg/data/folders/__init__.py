"""Data sets of one's own: pictures in folders or in a table, with classes or masks."""
