"""Who is compared: the peers by name, each a module with a function ``build`` and an environment of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Peer:
    """A way to compute gradients.

    Attributes:
        module: of this package, with the function ``build``.
        packages: whose versions are recorded.
        options: of ``build``.
        environment: variables of its process.
        alone: whether it is run on one thread too; not, if it compiles anew for every number of threads and takes long.
        told: its name in tables.
    """

    module: str
    told: str
    packages: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    alone: bool = True


#: The one that is no peer: this package.
OURS = "ours"

#: The same networks as loops without tiles, which judge the accuracy of the fast ones.
PLAIN = "plain"

#: The peer whose float64 gradient the others are held against: written by hand, it shares nothing with any of them.
REFERENCE = "numpy"

#: NumPy with the BLAS kernels that its library has for AVX-512 but does not choose on every processor that has it.
DISPATCHED = "numpy-skylakex"

PEERS = {
    OURS: Peer("ours", "ours", ("numpy", "numba", "sympy")),
    PLAIN: Peer("ours", "plain loops", (), {"schedule": "plain"}, alone=False),
    REFERENCE: Peer("by_hand", "NumPy", ("numpy", "scipy")),
    DISPATCHED: Peer("by_hand", "NumPy, BLAS for AVX-512", (), {}, {"OPENBLAS_CORETYPE": "SkylakeX"}),
    "torch": Peer("with_torch", "PyTorch", ("torch",)),
    "torch-compile": Peer("with_torch", "torch.compile", (), {"compiled": True}, alone=False),
    "jax": Peer("with_jax", "JAX", ("jax", "jaxlib")),
    "pytensor": Peer("with_pytensor", "PyTensor", ("pytensor", "numba")),
    "autograd": Peer("with_autograd", "autograd", ("autograd",)),
}
