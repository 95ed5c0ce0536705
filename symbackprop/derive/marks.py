"""The marks of derived slots: ``~z`` for a cotangent, ``^z`` for what reaches it from outside, ``'z`` for a tangent.

A template that was derived has such slots itself. Before it is derived again its marks move to the end, ``z~``: so the
derivative with respect to ``z`` and a slot that holds the first derivative never share a name.
"""

from __future__ import annotations

from functools import lru_cache

from symbackprop.algebra.equation import Block, System, Template
from symbackprop.algebra.tensor import Tensor

COTANGENT, OUTSIDE, TANGENT = "~", "^", "'"
_MARKS = COTANGENT + OUTSIDE + TANGENT


def settled_name(slot: str) -> str:
    """Return the name of a slot with its marks at the end."""
    bare = slot.lstrip(_MARKS)
    return bare + slot[: len(slot) - len(bare)]


def settled(system: System) -> System:
    """Return the same system in slots that may be derived again."""
    blocks = tuple(map(settled_block, system.blocks))
    return system if blocks == system.blocks else System(blocks=blocks, tensors=system.tensors)


def settled_block(block: Block) -> Block:
    """Return the same block in slots that may be derived again."""
    template = _settled(block.template)
    if template is block.template:
        return block
    return Block(template, {settled_name(slot): real for slot, real in block.names.items()}, block.sizes, block.owner)


@lru_cache(maxsize=4096)
def _settled(template: Template) -> Template:
    swap = {
        t: Tensor(settled_name(name), t.axes, t.role, integer=t.integer, positive=t.positive)
        for name, t in template.tensors.items()
        if name[0] in _MARKS
    }
    if not swap:
        return template
    return Template(
        "settled:" + template.key,
        tuple(e.xreplace(swap) for e in template.equations),
        tuple(f.xreplace(swap) for f in template.facts),
        tuple(map(settled_name, template.kept)),
    )


__all__ = ["COTANGENT", "OUTSIDE", "TANGENT", "settled", "settled_block", "settled_name"]
