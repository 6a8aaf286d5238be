"""``python -m fashseg.export``: a trained model as a file that other software reads, compared before it is kept."""
