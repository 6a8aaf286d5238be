"""The page of a run: what is kept for it while the run is made, what it says, and how it is drawn."""
