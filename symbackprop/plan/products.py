"""A plan for products with derivatives: one function, made as those of a network are."""

from __future__ import annotations

import math
from dataclasses import replace

from symbackprop.declare.model import Model
from symbackprop.derive.records import Products
from symbackprop.plan.device.make import planned
from symbackprop.plan.make import Options, _arena, _digest, _live, slots_of_masks, slots_of_statistics
from symbackprop.plan.records import CPU, CUDA, Call, Entry, Place, Plan, Signature, Slot, needed
from symbackprop.plan.workshop import Workshop, shape_of

#: For each kind: the flat buffers for what is given and what is written, and what the function does.
_WORDS = {
    "jvp": ("v", "", "Write the network's output, and how it changes along the directions v"),
    "vjp": ("", "grads", "Write the gradients of the sum of the network's outputs, weighted by u"),
    "hvp": ("v", "hv", "Write the Hessian of the loss times the directions v"),
}


def make_product(model: Model, products: Products, options: Options, *, device: bool = False) -> Plan:
    """Return the plan of a module of products.

    Args:
        model: the network.
        products: what is computed.
        options: type, largest batch and schedule.
        device: whether it is for a device of many threads, whose kernels are launched one after the other.
    """
    size, kind, tensors = model.batch, products.kind, products.tensors
    flat_in, flat_out, doc = _WORDS[kind]
    offsets = {p.name: p.offset or 0 for p in model.parameters}
    asked = (*(model.outputs if kind == "jvp" else ()), *products.results.values())
    chosen = _live(products.blocks, frozenset(asked))
    read_between = frozenset(asked).union(*(names for _, names in chosen.values()))
    workshop = Workshop(size, options.batch, "plain" if device else options.schedule, CPU, tensors)
    calls: list[Call] = []
    for number, block in enumerate(products.blocks):
        if number in chosen:
            calls += workshop.calls(block, chosen[number][0], read_between)

    def shape(name: str) -> tuple[int | str, ...]:
        return shape_of(tensors[name], {}, size)

    known = {p: Place("params", 0, offset, shape(p)) for p, offset in offsets.items()}
    statistics, masks = tuple(slots_of_statistics(model)), tuple(slots_of_masks(model)) if kind == "hvp" else ()
    known.update((s.name, Place("params", 0, s.offset, s.shape)) for s in statistics)
    target = model.target if kind == "hvp" else None
    data = (*model.inputs, *(m.name for m in masks), *((target,) if target else ()))
    given: list[tuple[str, str | None]] = [(flat_in, None)] if any(w in offsets for w in products.given) else []
    written: list[tuple[str, str | None]] = [(flat_out, None)] if any(w in offsets for w in products.results) else []
    for w, name in products.given.items():
        if w in offsets:
            known[name] = Place(flat_in, 0, offsets[w], shape(w))
        else:
            given.append(("u" if kind == "vjp" else f"v_{w}", name))
    if kind == "jvp":
        written += [("out", name) for name in model.outputs]
    for w, name in products.results.items():
        if w in offsets:
            known[name] = Place(flat_out, 0, offsets[w], shape(w))
        else:
            written.append(("tangent" if kind == "jvp" else f"{flat_out}_{w}", name))
    arrays = [*data, *(t for _, t in (*given, *written) if t is not None)]
    known.update((t, Place("argument", 0, 0, shape(t))) for t in arrays)
    places, per_sample, fixed = _arena(calls, known, workshop.shapes, frozenset(asked), CUDA if device else CPU, workshop.batch)
    missing = [p for p in model.parameters if (flat_out, None) in written and p.name not in products.results]
    zeroed = tuple((flat_out, p.offset or 0, (p.offset or 0) + math.prod(int(s) for s in p.shape)) for p in missing)
    plan = Plan(
        name=model.name,
        dtype=options.dtype,
        batch=options.batch,
        schedule=options.schedule,
        machine=CPU,
        parameters=tuple(Slot(p.name, p.offset or 0, tuple(int(s) for s in p.shape), p.trainable) for p in model.parameters),
        inputs=model.inputs,
        target=target,
        outputs=model.outputs,
        loss=None,
        gradients=(),
        input_gradients=(),
        tensors=tensors,
        entries=(Entry(kind, needed(calls, asked), places),),
        per_sample=per_sample,
        fixed=fixed,
        digest=_digest(products.blocks, None),
        ranges=tuple((name, *ends) for name, ends in model.ranges.items() if name in data),
        statistics=statistics,
        masks=masks,
        product=Signature(kind, tuple(given), tuple(written), zeroed, doc),
    )
    return replace(plan, device=planned(plan, size, "layered", accuracy=options.math)) if device else plan


__all__ = ["make_product"]
