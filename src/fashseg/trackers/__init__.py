"""Where the curves of a run go besides its folder: CSV, MLflow, Weights & Biases, each by Lightning's own logger."""
