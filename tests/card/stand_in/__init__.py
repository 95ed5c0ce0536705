"""A card and its driver in Python: they stand in for libcuda.so.1, run kernels in lock-step, and are stricter than a GPU is.

`install` makes a shared library of that name whose functions are Python's. Numba's CUDA targets, cuda.bindings and cuda.core then run
as they do on a GPU: kernels are compiled to machine code, loaded, given their arguments as bytes and launched, by themselves or from a
graph. What a launch asks for is held against the limits of the card and against what stands in the machine code (registers, shared
memory, sizes of parameters). Then the text of the kernel is run on what the bytes of the arguments say.

- Work on a stream is done as late as the rules allow: when somebody waits for it. Who reads too early sees what was there before.
- Memory holds NaN before it is written and after it was given back; who still uses it is told so.
- While a stream records a graph, waiting for it is an error, as on a GPU.

What it cannot show: what the machine code computes (its text is run), weak ordering, time.
"""

from stand_in.card import Card
from stand_in.library import install

__all__ = ["Card", "install"]
