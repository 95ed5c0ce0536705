"""The ceilings of the machine with a number of threads, as JSON: `python -m benchmarks.cpu.ceilings THREADS TRIES`."""

from __future__ import annotations

import json
import os
import sys

from symbackprop.command.ceilings import measure

if __name__ == "__main__":
    threads = int(sys.argv[1])
    if threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    found = measure(threads, int(sys.argv[2]))
    bandwidth = {str(size): rate for size, rate in found.bandwidth.items()}
    print(json.dumps({"peak": found.peak, "bandwidth": bandwidth, "call": found.call, "lanes": found.lanes}))
