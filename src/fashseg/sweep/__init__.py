"""Searches over options: what they try, what they have tried, and the best of it."""
