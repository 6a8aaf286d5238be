"""The tables of docs/results.md, and the files in docs/results that they are made from."""
