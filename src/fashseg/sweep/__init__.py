"""Searches over options: ``python -m fashseg.train -m hydra/sweeper=optuna ...``."""
