"""A page in the browser to try models on pictures, served to this computer alone."""
