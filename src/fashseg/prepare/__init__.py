"""The verb ``prepare``: what it does for each data set."""
