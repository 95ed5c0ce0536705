"""Training steps on an NVIDIA GPU beside those of the peers, in one run of at most nine minutes: `python -m benchmarks.cuda`."""
