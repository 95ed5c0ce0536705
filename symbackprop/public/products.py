"""Products with derivatives as kernels: Jacobian-vector, vector-Jacobian and Hessian-vector products, small Jacobians and Hessians.

Each product is a module of its own, written and compiled when it is first asked for. A full Jacobian or Hessian is built by
columns (or rows) of products: one compiled function serves every entry, where the symbolic form of a whole Jacobian would be
one more set of kernels with a sum for each pair of axes. What is used most is a product anyway.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from symbackprop import pipeline
from symbackprop.algebra.suggest import suggestion
from symbackprop.declare.spec import NetworkSpec
from symbackprop.errors import DataError, DerivationError, ShapeError
from symbackprop.execute import door
from symbackprop.execute.face import Face, InputFace
from symbackprop.execute.load import Loaded
from symbackprop.public.parameters import Parameters

Array = npt.NDArray[Any]

#: A full Jacobian or Hessian has at most so many entries.
LARGEST = 2**24


class Owner(Protocol):
    """What products ask of the program that they belong to."""

    spec: NetworkSpec
    target: str
    dtype: np.dtype[Any]
    schedule: str
    math: str
    batch: int | None
    check_finite: bool
    device: Any

    @property
    def _making(self) -> AbstractContextManager[Any]: ...
    def _parameters(self, params: Any, face: Face, name: str = "params", *, statistics: bool = True) -> Array: ...
    def _masks(self, loaded: Loaded, batch: int, seed: int | None) -> tuple[Array, ...]: ...
    def _form(self, y: Any) -> str: ...
    def _usual_form(self) -> str | None: ...
    def _input_faces(self) -> Any: ...
    def _work(self, loaded: Loaded, batch: int) -> Array | None: ...
    def _running(self, loaded: Loaded | None = None) -> AbstractContextManager[Any]: ...


class Products:
    """The products of one program; made by it, and called through its methods."""

    def __init__(self, program: Owner) -> None:
        self._program = program
        self._loaded: dict[tuple[pipeline.Asked, str | None, int], Loaded] = {}
        self._apart: bool | None = None

    # --- products -------------------------------------------------------------------------------------------------------

    def jvp(self, params: Parameters, x: Any, tangent: Any) -> tuple[Array, Array]:
        """See `Program.jvp`."""
        call = _Call(self, "jvp", params, x, _directions(tangent, "tangent"))
        out, moved = (np.empty((call.batch, *call.face.output), self._program.dtype) for _ in range(2))
        call.run(out, moved)
        return out, moved

    def vjp(self, params: Parameters, x: Any, cotangent: Any, wrt: tuple[bool, bool]) -> Any:
        """See `Program.vjp`; ``wrt`` says whether the parameters and whether the inputs are meant."""
        call = _Call(self, "vjp", params, x, (None, None), wrt=wrt)
        shape = (call.batch, *call.face.output)
        u = door.check_array(cotangent, "cotangent", shape, self._program.dtype, program=f"program {call.face.network}")
        call.given.append(self._finite(u, "cotangent"))
        grads, slots = call.results()
        call.run(*(() if grads is None else (grads.flat,)), *slots.values())
        if grads is None:
            return slots
        return {**grads, **slots} if wrt[1] else grads

    def hvp(self, params: Parameters, x: Any, y: Any, v: Any, route: str, seed: int | None = None) -> Any:
        """See `Program.hvp`."""
        if route not in ("reverse", "forward"):
            raise DataError(f"route must be 'reverse' or 'forward', got {str(route)[:40]!r}")
        given = _directions(v, "v")
        call = _Call(self, "hvp", params, x, given, y=y, route=route, labelled=True, seed=seed)
        products, slots = call.results()
        call.run(*(() if products is None else (products.flat,)), *slots.values())
        inputs: Any = None
        if given[1] is not None:
            inputs = slots if isinstance(given[1], Mapping) else tuple(slots.values())
            inputs = inputs[0] if isinstance(given[1], np.ndarray) else inputs
        if products is None:
            return inputs
        return products if inputs is None else (products, inputs)

    # --- the whole ------------------------------------------------------------------------------------------------------

    def jacobian(self, params: Parameters, x: Any, wrt: str) -> Any:
        """See `Program.jacobian`."""
        inputs = self._wanted_inputs(wrt)
        if inputs is None:
            return self._parameter_jacobian(params, x, wrt)
        if not self._samples_apart():
            raise DerivationError(
                f"network {self._program.spec.name} mixes the samples of a batch, so that there is no Jacobian for each of them; "
                f"use jvp or vjp"
            )
        call = _Call(self, "vjp", params, x, (None, None), wrt=(False, True))
        output, batch = call.face.output, call.batch
        sizes = {i.name: math.prod(i.shape) for i in call.moving}
        rows = math.prod(output)
        self._limit(batch * rows * sum(sizes[name] for name in inputs), f"the Jacobian of {rows} outputs for {batch} samples", "jvp or vjp")
        full = {i.name: np.zeros((batch, rows, sizes[i.name]), self._program.dtype) for i in call.moving if i.name in inputs}
        if sum(sizes[name] for name in inputs) < rows:
            moving = {i.name: np.zeros((batch, *i.shape), self._program.dtype) for i in call.moving}
            for name in inputs:
                column = moving[name].reshape(batch, sizes[name])
                for k in range(sizes[name]):
                    column[:, k] = 1
                    full[name][:, :, k] = self.jvp(params, x, moving)[1].reshape(batch, rows)
                    column[:, k] = 0
        else:
            weights = np.zeros((batch, *output), self._program.dtype)
            row = weights.reshape(batch, rows)
            for k in range(rows):
                row[:, k] = 1
                for name, found in self.vjp(params, x, weights, (False, True)).items():
                    if name in full:
                        full[name][:, k] = found.reshape(batch, sizes[name])
                row[:, k] = 0
        shaped = {i.name: full[i.name].reshape(batch, *output, *i.shape) for i in call.moving if i.name in full}
        return shaped if wrt == "inputs" and len(call.face.inputs) > 1 else next(iter(shaped.values()))

    def _parameter_jacobian(self, params: Parameters, x: Any, wrt: str) -> Array:
        call = _Call(self, "vjp", params, x, (None, None), wrt=(True, False))
        output, batch = call.face.output, call.batch
        rows = math.prod(output)
        start, stop, shape = self._part(params, wrt)
        self._limit(batch * rows * (stop - start), f"the Jacobian of {rows} outputs for {batch} samples", "jvp or vjp")
        full = np.zeros((batch, rows, stop - start), self._program.dtype)
        if stop - start < rows or not self._samples_apart():
            v = Parameters(params.records, np.zeros_like(params.flat))
            for k in range(stop - start):
                v.flat[start + k] = 1
                full[:, :, k] = self.jvp(params, x, v)[1].reshape(batch, rows)
                v.flat[start + k] = 0
        else:
            weights = np.zeros((1, *output), self._program.dtype)
            for n in range(batch):
                alone = tuple(a[n : n + 1] for a in call.arrays)
                for k in range(rows):
                    weights.flat[k] = 1
                    full[n, k] = self.vjp(params, alone, weights, (True, False)).flat[start:stop]
                    weights.flat[k] = 0
        return full.reshape(batch, *output, *shape)

    def hessian(self, params: Parameters, x: Any, y: Any, wrt: str, route: str, seed: int | None = None) -> Any:
        """See `Program.hessian`."""
        inputs = self._wanted_inputs(wrt)
        if inputs is None:
            self._program._parameters(params, self._face("hvp", y, x))
            start, stop, shape = self._part(params, wrt)
            self._limit((stop - start) ** 2, f"the Hessian of {stop - start} parameters", "hvp")
            v = Parameters(params.records, np.zeros_like(params.flat))
            square = np.zeros((stop - start, stop - start), self._program.dtype)
            for k in range(stop - start):
                v.flat[start + k] = 1
                square[:, k] = self.hvp(params, x, y, v, route, seed).flat[start:stop]
                v.flat[start + k] = 0
            return square.reshape(*shape, *shape)
        call = _Call(self, "hvp", params, x, (None, None), y=y, wrt=(False, True), route=route, labelled=True)
        arrays = {i.name: a for i, a in zip(call.face.inputs, call.arrays, strict=True) if not i.integer}
        total = sum(arrays[name].size for name in inputs)
        self._limit(total**2, f"the Hessian of {total} input values", "hvp")
        moving = {name: np.zeros_like(a) for name, a in arrays.items()}
        full = {a: {b: np.zeros((arrays[a].size, arrays[b].size), self._program.dtype) for b in inputs} for a in inputs}
        for b in inputs:
            for k in range(arrays[b].size):
                moving[b].flat[k] = 1
                for a, column in self.hvp(params, x, y, moving, route, seed).items():
                    if a in full:
                        full[a][b][:, k] = column.ravel()
                moving[b].flat[k] = 0
        shaped = {a: {b: full[a][b].reshape(*arrays[a].shape, *arrays[b].shape) for b in inputs} for a in inputs}
        return shaped if wrt == "inputs" and len(call.face.inputs) > 1 else shaped[inputs[0]][inputs[0]]

    # --- what they are made of ------------------------------------------------------------------------------------------

    def module(self, asked: pipeline.Asked, form: str | None, batch: int) -> Loaded:
        """Return the kernels of a product, compiled when they are first asked for."""
        program = self._program
        key = (asked, form, program.batch or pipeline.row(batch))
        with program._making:
            if key not in self._loaded:
                kind, dtype = program.target, program.dtype.name
                options = pipeline.Options(kind, dtype, key[2], program.schedule, form, product=asked, math=program.math)
                self._loaded[key] = pipeline.compile_network(program.spec, options, program.device)
            return self._loaded[key]

    def _face(self, kind: str, y: Any, x: Any) -> Face:
        form = self._program._form(y)
        return self.module(pipeline.Asked(kind, ("parameters",), "reverse"), form, 1).face

    def _wanted_inputs(self, wrt: str) -> tuple[str, ...] | None:
        """Return the inputs that a Jacobian or Hessian is taken with respect to; None where it is parameters."""
        spec = self._program.spec
        real = tuple(i.name for i in spec.inputs if not i.integer)
        owned = {r.name: r for r in spec.parameters}
        if wrt == "parameters" or wrt in owned:
            if wrt in owned and not owned[wrt].trainable:
                raise DataError(f"wrt={wrt!r}: this parameter is frozen, so nothing is derived with respect to it")
            return None
        if wrt == "inputs" or wrt in [i.name for i in spec.inputs]:
            if not real or (wrt != "inputs" and wrt not in real):
                raise DataError(f"wrt={wrt!r}: {', '.join(i.name for i in spec.inputs if i.integer)} holds integers and has no derivative")
            return real if wrt == "inputs" else (wrt,)
        known = ("inputs", "parameters", *real, *owned)
        raise DataError(f"wrt={str(wrt)[:60]!r} is neither{suggestion(str(wrt), known)} (known: {', '.join(known)})")

    def _part(self, params: Parameters, wrt: str) -> tuple[int, int, tuple[int, ...]]:
        """Return where a parameter, or all of them, lie in the flat buffer, and the shape."""
        if wrt == "parameters":
            return 0, params.flat.size, (params.flat.size,)
        start = 0
        for record in params.records:
            if record.name == wrt:
                return start, start + (record.size or 0), tuple(int(s) for s in record.shape)
            start += record.size or 0
        raise KeyError(wrt)

    def _limit(self, entries: int, what: str, way_out: str) -> None:
        if entries > LARGEST:
            raise ShapeError(
                f"{what} has {entries:,} entries, more than {LARGEST:,}; take products with {way_out}, fewer samples, or wrt= one parameter"
            )

    def _samples_apart(self) -> bool:
        if self._apart is None:
            self._apart = pipeline.samples_apart(self._program.spec)
        return self._apart

    def _finite(self, array: Array, name: str) -> Array:
        if self._program.check_finite:
            door.check_finite(array, name)
        return array


class _Call:
    """One call of a product: its kernels and its arguments, all tested."""

    def __init__(
        self,
        products: Products,
        kind: str,
        params: Parameters,
        x: Any,
        directions: tuple[Parameters | None, Any],
        *,
        y: Any = None,
        wrt: tuple[bool, bool] | None = None,
        route: str = "",
        labelled: bool = False,
        seed: int | None = None,
    ) -> None:
        program = self.program = products._program
        flat_direction, along = directions
        wanted = wrt or (flat_direction is not None, along is not None)
        words = tuple(word for word, there in zip(("parameters", "inputs"), wanted, strict=True) if there)
        if wanted[1] and all(i.integer for i in program.spec.inputs):
            raise DataError(f"inputs: {', '.join(i.name for i in program.spec.inputs)} holds integers and has no derivative")
        form = program._form(y) if labelled else program._usual_form()
        inputs = door.split_inputs(x, program._input_faces())
        samples = len(inputs[0]) if isinstance(inputs[0], np.ndarray) and inputs[0].ndim else 1
        self.kind = kind
        self.loaded = products.module(pipeline.Asked(kind, words, route), form, max(1, samples))
        self.face = face = self.loaded.face
        self.params = params
        self.wanted = wanted
        flat = program._parameters(params, face)
        self.batch, self.arrays = door.check_inputs(face, inputs, finite=program.check_finite, largest=program.batch)
        self.moving: tuple[InputFace, ...] = tuple(i for i in face.inputs if not i.integer)
        self.given: list[Array] = [flat, *self.arrays]
        #: What the kernels test themselves: tokens and labels.
        self.tested = self.arrays
        if labelled:
            assert face.target is not None
            target = door.check_target(face, face.target, y, self.batch, finite=program.check_finite)
            self.tested = (*self.arrays, target)
            self.given += [*program._masks(self.loaded, self.batch, seed), target]
        name = "tangent" if kind == "jvp" else "v"
        if flat_direction is not None:
            self.given.append(program._parameters(flat_direction, face, name, statistics=False))
        if along is not None:
            called = f"program {face.network}"
            for given, one in zip(door.split_inputs(along, self.moving), self.moving, strict=True):
                what = f"{name} of {one.name}"
                array = door.check_array(given, what, (self.batch, *one.shape), program.dtype, program=called)
                self.given.append(products._finite(array, what))

    def results(self) -> tuple[Parameters | None, dict[str, Array]]:
        """Return arrays for what belongs to the parameters, and to the inputs, where they are wanted."""
        flat = Parameters(self.params.records, np.empty_like(self.params.flat)) if self.wanted[0] else None
        moving = self.moving if self.wanted[1] else ()
        return flat, {i.name: np.empty((self.batch, *i.shape), self.program.dtype) for i in moving}

    def run(self, *outputs: Array) -> None:
        work = self.program._work(self.loaded, self.batch)
        with self.program._running(self.loaded):
            status = getattr(self.loaded.module, self.kind)(*self.given, *outputs, work)
        door.refuse(self.face, status, self.tested)


def _directions(given: Any, name: str) -> tuple[Parameters | None, Any]:
    """Return directions for the parameters and for the inputs, each None where it is not given."""
    if isinstance(given, Parameters):
        return given, None
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], Parameters):
        return given
    if isinstance(given, np.ndarray | tuple | Mapping):
        return None, given
    raise DataError(
        f"{name}: expected Parameters, an array (or a tuple or mapping of arrays) like the inputs, or a pair of both, "
        f"got a {type(given).__name__}"
    )


__all__ = ["LARGEST", "Products"]
