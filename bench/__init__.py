"""Speed, side by side with plain loops: see README.md."""
