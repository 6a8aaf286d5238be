"""Pages: one HTML file out of blocks, complete in itself, for the screen and for paper."""
