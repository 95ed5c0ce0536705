"""Gradients on a processor beside those of the peers, in one run: `python -m benchmarks.cpu`."""
