"""Labels and tokens that are addresses: which values keep every access in range, so that they can be tested beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import sympy
from sympy import Expr

from symbackprop.algebra.address import addresses, inside
from symbackprop.algebra.equation import Equation, System, Template
from symbackprop.algebra.nodes import interval
from symbackprop.algebra.tensor import Access
from symbackprop.errors import DeclarationError


@lru_cache(maxsize=1024)
def _integer_addresses(template: Template) -> tuple[tuple[str, Equation, Expr, Expr, Access], ...]:
    """Return (slot, equation, least, most, access) for every integer tensor that a template reads as an address."""
    if not any(t.integer for t in template.tensors.values()):
        return ()
    found = []
    for equation in template.equations:
        for address in addresses(equation.rhs):
            read = sorted(address.part.atoms(Access), key=str)
            if not read or inside(address):
                continue
            if len(read) == 1:
                factor = sympy.expand(address.part).coeff(read[0])
                low, high = interval(sympy.expand(address.part - factor * read[0]))
                if factor in (1, -1) and low is not None and high is not None:
                    ends = -low, address.extent - 1 - high
                    least, most = ends if factor == 1 else (-ends[1], -ends[0])
                    found.append((read[0].tensor.name, equation, least, most, address.access))
                    continue
            raise DeclarationError(
                f"nothing keeps the address {address.part} of {address.access} in 0..{address.extent - 1}; "
                f"guard it: sbp.InRange({address.part}, {address.extent}) * {address.access}"
            )
    return tuple(found)


def integer_ranges(system: System) -> Mapping[str, tuple[int, int]]:
    """Return for every integer tensor that is given and used as an address which values (least, most) stay in range everywhere.

    Raises:
        DeclarationError: nothing keeps an address in range, whatever the values.
    """
    found: dict[str, tuple[int, int]] = {}
    for block in system.blocks:
        for slot, equation, low, high, access in _integer_addresses(block.template):
            sizes = dict(block.sizes)
            least, most = low.xreplace(sizes), high.xreplace(sizes)
            name = block.names[slot]
            if not (least.is_Integer and most.is_Integer):
                raise DeclarationError(
                    f"{block.owner + ': ' if block.owner else ''}{equation.tensor.name} reads {access}, and which values of {name} are "
                    f"in range ({least}..{most}) depends on the batch; guard it with sbp.InRange"
                )
            before = found.get(name, (int(least), int(most)))
            found[name] = max(before[0], int(least)), min(before[1], int(most))
    return found


__all__ = ["integer_ranges"]
