"""Programs: a network's kernels behind a door that tests every argument."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop import pipeline
from symbackprop.declare.spec import NetworkSpec
from symbackprop.errors import DataError, DeclarationError, DerivationError, ShapeError
from symbackprop.execute import call, devices, door, masks, threads
from symbackprop.execute.accuracy import accuracy
from symbackprop.execute.face import Face, TargetFace
from symbackprop.execute.load import Loaded
from symbackprop.execute.memory import zeros
from symbackprop.execute.threads import limited
from symbackprop.execute.train import Course, History, Score, train
from symbackprop.public.parameters import Parameters, real_type
from symbackprop.public.products import Products

Array = npt.NDArray[Any]

_WRT = ("parameters", "inputs")
#: Checked calls after which a compiled door tests the arguments.
_PATIENCE = 8


class Program:
    """The loss of a network, its gradients and its training, as kernels.

    Made by ``net.compile(...)``. Kernels are written and loaded at first use, since the form of the target (labels or rows) and
    the size of the batch are known only then.
    """

    def __init__(
        self,
        spec: NetworkSpec,
        target: str = "cpu",
        dtype: Any = "float32",
        schedule: str = "auto",
        batch: int | None = None,
        threads: int | None = None,
        check_finite: bool = False,
        recompute: Sequence[str] | str | None = None,
        device: Any = None,
        math: str = "strict",
    ) -> None:
        pipeline.check_kind(target)
        known = pipeline.SCHEDULES[target]
        if schedule not in known:
            raise DeclarationError(f"unknown schedule {str(schedule)[:40]!r} of target {target!r} (known: {', '.join(known)})")
        if len(spec.outputs) != 1:
            raise DeclarationError(
                f"network {spec.name} has {len(spec.outputs)} outputs; a program takes a network with one, join them with Concat"
            )
        _check_computable(spec)
        self.spec = spec
        self.target = target
        self.device = devices.check_device(device, target)
        self.dtype = real_type(dtype)
        self.math = _accuracy(math, target, self.dtype.name)
        self.schedule = schedule
        self.batch = None if batch is None else _count(batch, "batch")
        if threads is not None and target == "cuda":
            raise DeclarationError("threads= is for target 'cpu'; leave it out for 'cuda', whose plan says how many there are")
        self.threads = None if threads is None else _count(threads, "threads")
        self.check_finite = bool(check_finite)
        self.recompute = _recomputed(recompute, spec)
        self._loaded: dict[tuple[str | None, int, str | None], Loaded] = {}
        self._latest: Loaded | None = None
        self._memory = threading.local()
        self._making = threading.RLock()
        self._products = Products(self)

    # --- what it is made of ---------------------------------------------------------------------------------------------

    @property
    def source(self) -> str:
        """The text of the kernels."""
        return self._any().source

    @property
    def path(self) -> Path:
        """The file that the kernels were loaded from."""
        return self._any().path

    @property
    def plan(self) -> str:
        """How the kernels do their work, in words."""
        return self._any().face.plan

    @property
    def threading(self) -> str:
        """The threading layer of Numba that threads come from, and how many there may be."""
        loaded = self._any()
        if loaded.runtime is not None:
            return "threads of the device"
        if not loaded.parallel:
            return "one thread"
        if _layer() == "workqueue":
            return "one thread, since Numba has its layer workqueue only"
        most = threads.most(self.threads)
        return f"{_layer()}, at most {most} thread{'s' * (most > 1)}"

    def _any(self) -> Loaded:
        """Return the kernels used last; before any use, those for the usual form of target."""
        return self._latest or self._kernels(self._usual_form(), 1)

    def _kernels(self, form: str | None, batch: int, optimizer: Any = None) -> Loaded:
        """Return the kernels for a form of target and a batch; with the optimizer's update if one is given."""
        largest = self.batch or pipeline.row(batch)
        rule = None if optimizer is None else optimizer.key
        key = (form, largest, rule)
        with self._making:
            if key not in self._loaded:
                # A text with an update serves every other purpose too, and what it compiled is there already.
                wider = [made for (f, size, r), made in self._loaded.items() if rule is None and (f, size) == key[:2] and r is not None]
                if wider:
                    return wider[-1]
                kind, dtype = self.target, self.dtype.name
                options = pipeline.Options(kind, dtype, largest, self.schedule, form, optimizer, None, self.recompute, self.math)
                self._loaded[key] = pipeline.compile_network(self.spec, options, self.device)
            self._latest = self._loaded[key]
            return self._latest

    def _forward(self) -> Loaded:
        """Return kernels for the output alone; any that are there will do."""
        return self._latest or self._kernels(self._usual_form(), self.batch or 1)

    def _usual_form(self) -> str | None:
        return pipeline.usual_form(self.spec)

    def _form(self, y: Any) -> str:
        """Return the form of a target: labels have one axis less than the output, rows as many."""
        loss = self.spec.loss
        if loss is None:
            raise DerivationError(f"network {self.spec.name} has no loss; declare it with loss=...")
        return loss.form_of(len(door.shape_of(y)) or np.ndim(y), 1 + len(self.spec.shapes[self.spec.outputs[0]]))

    def _work(self, loaded: Loaded, batch: int) -> Array | None:
        """Return workspace; each thread has its own, kept from call to call. A device keeps its own."""
        if loaded.runtime is not None:
            return None
        size = call.workspace(loaded.module, batch)
        kept: Array | None = getattr(self._memory, "work", None)
        if kept is None or kept.size < size:
            kept = zeros(size, self.dtype)
            self._memory.work = kept
        return kept

    def _running(self, loaded: Loaded | None = None) -> Any:
        """Return what kernels run in: so many threads as there may be; in NumPy without warnings, since NaN may propagate.

        A device that does not run is a `TargetError`.
        """
        if self.target == "numpy":
            return np.errstate(all="ignore")
        if loaded is not None and loaded.runtime is not None:
            return devices.explained(loaded.runtime)
        return limited(self.threads) if self._shared(loaded) else nullcontext()

    def _shared(self, loaded: Loaded | None) -> bool:
        """Whether the number of threads has to be set for these kernels."""
        return (loaded is None or loaded.parallel) and (self.threads is not None or _layer() == "workqueue")

    # --- the door -------------------------------------------------------------------------------------------------------

    def _parameters(self, params: Any, face: Face, name: str = "params", *, statistics: bool = True, runtime: Any = None) -> Array:
        """Return the buffer that kernels take: the parameters, and behind them the running statistics if those are wanted.

        Where kernels run on a device (``runtime``), that may be an array there, in the layout of ``params.buffer``.
        """
        if not isinstance(params, Parameters):
            if runtime is not None and runtime.interface(params) is not None:
                there = door.check_flat(params, name, face, statistics=statistics, device=runtime)
                if self.check_finite:
                    door.check_finite(door.at_hand(there, runtime), name)
                return there
            if isinstance(params, Mapping):
                missing = [r.name for r in face.parameters if r.name not in params]
                lacks = f" without {', '.join(missing)}" if missing else ""
                raise DataError(
                    f"{name}: expected Parameters, got a {type(params).__name__}{lacks}; make them with net.parameters(mapping)"
                )
            raise DataError(
                f"{name}: expected Parameters, got a {type(params).__name__}; make them with net.init(seed) or net.parameters(mapping)"
            )
        given, wanted = params.records, face.parameters
        if len(given) != len(wanted) or any(a.name != b.name or a.shape != b.shape for a, b in zip(given, wanted, strict=False)):
            raise ShapeError(f"{name}: these are not the parameters of network {face.network}: {_difference(given, wanted)}")
        flat = params.buffer if statistics else params.flat
        if statistics and [(r.name, r.shape) for r in params.statistics] != [(r.name, r.shape) for r in face.statistics]:
            raise DataError(
                f"{name}: network {face.network} keeps the running statistics {', '.join(r.name for r in face.statistics) or 'none'}, "
                f"got {', '.join(r.name for r in params.statistics) or 'none'}; make them with net.init(seed) or net.parameters(mapping)"
            )
        if flat.dtype != self.dtype:
            raise DataError(
                f"{name}: the program computes in {self.dtype}, the parameters are {flat.dtype}; "
                f"convert them with {name}.astype({self.dtype.name!r})"
            )
        array = door.check_flat(flat, name, face, statistics=statistics)
        if self.check_finite:
            for key, value in (*params.items(), *(params.state.items() if statistics else ())):
                door.check_finite(value, key)
        return array

    def _call(self, params: Any, x: Any, y: Any) -> tuple[Loaded, int, Array, tuple[Array, ...], Array]:
        """Return the kernels for a call and its arguments besides the masks, all tested."""
        form = self._form(y)
        inputs = door.split_inputs(x, self._input_faces())
        shape = door.shape_of(inputs[0]) if isinstance(inputs[0], np.ndarray) or self.device is not None else ()
        loaded = self._kernels(form, max(1, shape[0] if shape else 1))
        if loaded.runtime is not None:
            with devices.explained(loaded.runtime):
                return loaded, *self._tested(loaded, params, inputs, y, self.batch)
        face = loaded.face
        flat = self._parameters(params, face)
        batch, arrays = door.check_inputs(face, inputs, finite=self.check_finite, largest=self.batch)
        target = door.check_target(face, _target(face), y, batch, finite=self.check_finite)
        door.check_values(face, arrays, target)
        return loaded, batch, flat, arrays, target

    def _tested(
        self, loaded: Loaded, params: Any, inputs: Any, y: Any, largest: int | None
    ) -> tuple[int, Array, tuple[Array, ...], Array]:
        """Return arguments, tested, that may lie on the device of the kernels."""
        face, device = loaded.face, loaded.runtime
        flat = self._parameters(params, face, runtime=device)
        batch, arrays = door.check_inputs(face, inputs, finite=self.check_finite, largest=largest, device=device)
        target = door.check_target(face, _target(face), y, batch, finite=self.check_finite, device=device)
        door.check_values(face, arrays, target, device=device)
        return batch, flat, arrays, target

    def _input_faces(self) -> Any:
        return self.spec.inputs

    def _masks(self, loaded: Loaded, batch: int, seed: int | None) -> tuple[Array, ...]:
        """Return the random inputs of a batch; no seed is seed 0."""
        return masks.draw(loaded.face.masks, batch, 0 if seed is None else _seed(seed), self.dtype)

    # --- calls ----------------------------------------------------------------------------------------------------------

    def value_and_grad(
        self, params: Parameters, x: Any, y: Any, wrt: str | tuple[str, ...] = "parameters", out: Any = None, seed: int | None = None
    ) -> tuple[float, Any]:
        """Return the loss and its gradients.

        For target "cuda", parameters (in the layout of ``params.buffer``), inputs, target and ``out`` may lie on the device: whatever
        has ``__cuda_array_interface__`` is used where it lies. That holds for all calls below but products with derivatives.

        Args:
            params: the parameters; they are not changed.
            x: the input array, or a tuple or mapping of several.
            y: the target.
            wrt: "parameters" gives Parameters, "inputs" a mapping from input name to array; both together one mapping.
            out: Parameters (or for inputs a mapping of arrays) to write the gradients to.
            seed: of the random layers, 0 if none is given: the same seed draws the same masks, so a loop of your own passes a new
                one at every step. A network without random layers ignores it.

        Raises:
            DataError, ShapeError: an argument that the kernels cannot take; nothing is changed then.
        """
        if wrt == "parameters" and seed is None:
            known = getattr(self._memory, "door", None)
            if known is not None:
                found: tuple[float, Any] | None = known.value_and_grad(params, x, y, out)
                if found is not None:
                    return found
        return self._value_and_grad(params, x, y, wrt, out, lambda loaded, batch: self._masks(loaded, batch, seed))

    def _value_and_grad(
        self, params: Parameters, x: Any, y: Any, wrt: str | tuple[str, ...], out: Any, drawn: Callable[[Loaded, int], tuple[Array, ...]]
    ) -> tuple[float, Any]:
        parameters, inputs = _wanted(wrt)
        loaded, batch, flat, arrays, target = self._call(params, x, y)
        given = [("params", flat), *((f.name, a) for f, a in zip(loaded.face.inputs, arrays, strict=True)), ("y", target)]
        grads, slots = self._outputs(loaded, params, arrays, parameters, inputs, out, given)
        work = self._work(loaded, batch)
        random = drawn(loaded, batch)
        loss = 0.0
        with self._running(loaded):
            if grads is not None:
                loss = call.now(loaded.module, "value_and_grad", batch, (flat, *arrays, *random, target, grads.flat, work))
            if slots is not None:
                loss = call.now(loaded.module, "input_gradients", batch, (flat, *arrays, *random, target, *slots.values(), work))
        if self.check_finite:
            self._finite(loaded, loss, grads, (flat, arrays, target), _named(loaded.face, random))
        if slots is None:
            if isinstance(grads, _There):
                return loss, grads.flat
            if not random and not self.check_finite and not self._shared(loaded) and door.by_type(loaded.face):
                self._remember(loaded, params, grads, arrays, target)
            return loss, grads
        return loss, (slots if not isinstance(grads, Parameters) else {**grads, **slots})

    def _remember(self, loaded: Loaded, params: Parameters, grads: Parameters | None, arrays: tuple[Array, ...], target: Array) -> None:
        """Let the calls that follow with these parameters, in this thread, through a compiled door."""
        memory, known = self._memory, getattr(self._memory, "door", None)
        if known is not None and known.loaded is loaded and len(target) in known.batches:
            known.params, known.grads = params, grads
            return
        # Compiling the door takes longer than many calls; who calls only a few times does without.
        memory.calls = getattr(memory, "calls", 0) + 1
        if memory.calls > _PATIENCE and grads is not None and hasattr(loaded.module, "addressed") and not loaded.parallel:
            least = 1 if self.batch else 1 + max((row for row in pipeline.ROWS if row < loaded.face.batch), default=0)
            given = (params.buffer, *arrays, target, grads.flat)
            memory.door = call.Door(loaded, range(least, len(target) + 1), given, params, grads)

    def _outputs(
        self,
        loaded: Loaded,
        params: Parameters,
        arrays: tuple[Array, ...],
        parameters: bool,
        inputs: bool,
        out: Any,
        given: list[tuple[str, Array]],
    ) -> tuple[Parameters | _There | None, dict[str, Array] | None]:
        """Return the buffers of the gradients: new ones, or those of ``out``, tested."""
        face, device = loaded.face, loaded.runtime
        if inputs and any(i.integer for i in face.inputs):
            whole = ", ".join(i.name for i in face.inputs if i.integer)
            raise DataError(f"wrt='inputs': {whole} holds integers and has no gradient")
        if out is None:
            records = params.records if isinstance(params, Parameters) else face.parameters
            grads = Parameters(records, zeros(face.size, self.dtype)) if parameters else None
            return grads, {f.name: np.empty(a.shape, self.dtype) for f, a in zip(face.inputs, arrays, strict=True)} if inputs else None
        if parameters and inputs:
            raise DataError("out= takes the gradients of the parameters or of the inputs, not both; call once for each")
        if parameters and device is not None and device.interface(out) is not None:
            there = _There(door.check_flat(out, "out", face, device=device))
            door.check_apart([("out", there.flat)], given, device=device)
            return there, None
        if parameters:
            flat = self._parameters(out, face, "out", statistics=False) if not self.check_finite else out.flat
            if not out.flat.flags.writeable:
                raise DataError("out: the array is read-only; pass Parameters of its own, for example params.copy()")
            door.check_apart([("out", flat)], given, device=device)
            return out, None
        names = [f.name for f in face.inputs]
        if len(names) == 1 and (isinstance(out, np.ndarray) or (device is not None and device.interface(out) is not None)):
            out = {names[0]: out}
        if not isinstance(out, Mapping) or set(out) != set(names):
            raise DataError(f"out: expected a mapping with an array for {', '.join(names)}")
        slots = {}
        for name, array in zip(names, arrays, strict=True):
            shape, program = tuple(array.shape), f"program {face.network}"
            slots[name] = door.check_array(out[name], f"out[{name!r}]", shape, self.dtype, program=program, device=device)
            if isinstance(out[name], np.ndarray) and not out[name].flags.writeable:
                raise DataError(f"out[{name!r}]: the array is read-only; pass one of its own")
        door.check_apart([(f"out[{name!r}]", a) for name, a in slots.items()], given, device=device)
        return None, slots

    def loss(self, params: Parameters, x: Any, y: Any, seed: int | None = None) -> float:
        """Return the loss in training, penalties included; ``seed`` as for `value_and_grad`."""
        loaded, batch, flat, arrays, target = self._call(params, x, y)
        work = self._work(loaded, batch)
        random = self._masks(loaded, batch, seed)
        with self._running(loaded):
            value = float(loaded.module.loss(flat, *arrays, *random, target, work))
        if self.check_finite:
            self._finite(loaded, value, None, (flat, arrays, target), _named(loaded.face, random))
        return value

    def predict(self, params: Parameters, x: Any) -> Array:
        """Return the network's output in inference for any number of samples."""
        loaded = self._forward()
        face, device = loaded.face, loaded.runtime
        flat = self._parameters(params, face, runtime=device)
        samples, arrays = door.check_inputs(face, x, finite=self.check_finite, largest=None, device=device)
        return self._predicted(loaded, flat, arrays, samples)

    def _predicted(self, loaded: Loaded, flat: Array, arrays: tuple[Array, ...], samples: int) -> Array:
        size = min(samples, loaded.face.batch)
        out = np.empty((samples, *loaded.face.output), self.dtype)
        work = self._work(loaded, size)
        with self._running(loaded):
            for low in range(0, samples, size):
                high = min(low + size, samples)
                given = _rows(loaded, arrays, low, high)
                door.refuse(loaded.face, loaded.module.forward(flat, *given, out[low:high], work), given, low, device=loaded.runtime)
        return out

    def bind(
        self, params: Parameters, x: Any, y: Any, wrt: str | tuple[str, ...] = "parameters", seed: int | None = None, out: Any = None
    ) -> Step:
        """Test the arguments once and keep them; the step then runs at kernel speed on whatever the arrays hold.

        The masks of random layers are drawn once from ``seed`` (as for `value_and_grad`) and kept in ``step.masks``;
        ``step.draw(seed)`` draws new ones. ``wrt``, ``out`` and the form of ``step.grads`` are those of `value_and_grad`.
        """
        parameters, inputs = _wanted(wrt)
        loaded, batch, flat, arrays, target = self._call(params, x, y)
        given = [("params", flat), *((f.name, a) for f, a in zip(loaded.face.inputs, arrays, strict=True)), ("y", target)]
        grads, slots = self._outputs(loaded, params, arrays, parameters, inputs, out, given)
        for buffer in () if out is not None else (*(() if grads is None else (grads.flat,)), *(slots or {}).values()):
            buffer[...] = 0
        work = None if loaded.runtime is not None else zeros(call.workspace(loaded.module, batch), self.dtype)
        random = self._masks(loaded, batch, seed)
        kept, functions = (flat, *arrays, *random, target), []
        if grads is not None:
            functions.append(self._bound(loaded, "value_and_grad", batch, (*kept, grads.flat, work)))
        if slots is not None:
            functions.append(self._bound(loaded, "input_gradients", batch, (*kept, *slots.values(), work)))

        def test() -> None:
            door.check_values(loaded.face, arrays, target, device=loaded.runtime)

        shown: Any = grads.flat if isinstance(grads, _There) else grads
        if slots is not None:
            shown = slots if grads is None else {**shown, **slots}
        kind = TestedStep if loaded.face.checked or len(functions) > 1 else Step
        return kind(functions, shown, test, loaded.face, random, (kept, grads, slots, work))

    def _bound(self, loaded: Loaded, name: str, batch: int, arguments: tuple[Any, ...]) -> partial[float]:
        """Return an entry of a module with its arguments: by their addresses where it is compiled."""
        if loaded.runtime is not None:
            return partial(_explained, loaded.runtime, partial(getattr(loaded.module, name), *arguments))
        compiled = call.entry(loaded.module, name)
        if compiled is None:
            function = partial(getattr(loaded.module, name), *arguments)
            if self.target == "numpy":
                return partial(np.errstate(all="ignore")(function))
            return partial(_limited, self.threads, function) if self._shared(loaded) else function
        table = call.table(batch, arguments)
        if not self._shared(loaded):
            return Bound(compiled, (table, arguments))
        return partial(_limited, self.threads, Bound(compiled, (table, arguments)))

    def pack(self, params: Parameters) -> Parameters:
        """Return the parameters in the program's own layout; here it is the canonical one, so this is a copy."""
        self._parameters(params, self._forward().face)
        return params.copy()

    # --- products with derivatives --------------------------------------------------------------------------------------

    def jvp(self, params: Parameters, x: Any, tangent: Any) -> tuple[Array, Array]:
        """Return the output and how it changes along a direction: a and (∂a/∂w) v.

        Args:
            params: the parameters.
            x: the input array, or a tuple or mapping of several.
            tangent: the direction: Parameters, or arrays like ``x`` for the inputs, or a pair of both. Frozen parameters stand still.

        Raises:
            DataError, ShapeError: an argument that the kernels cannot take.
        """
        return self._products.jvp(params, x, tangent)

    def vjp(self, params: Parameters, x: Any, cotangent: Any, wrt: str | tuple[str, ...] = "parameters") -> Any:
        """Return uᵀ ∂a/∂w: the gradient of Σ u · a, for weights u of the output's shape.

        Args:
            params: the parameters.
            x: the inputs.
            cotangent: u, one number for each entry of the output.
            wrt: "parameters" gives Parameters, "inputs" a mapping from input name to array; both together one mapping.

        Raises:
            DataError, ShapeError: an argument that the kernels cannot take.
        """
        return self._products.vjp(params, x, cotangent, _wanted(wrt))

    def hvp(self, params: Parameters, x: Any, y: Any, v: Any, route: str = "forward", seed: int | None = None) -> Any:
        """Return the Hessian of the loss times ``v``, in the form of ``v``.

        Args:
            params: the parameters.
            x: the inputs.
            y: the target.
            v: Parameters, or arrays like ``x`` for the Hessian with respect to the inputs, or a pair of both for the joint one.
            route: "forward" (the tangent of the gradient) or "reverse" (the gradient of Σ v · gradient): the same vector.
            seed: of the random layers, as for `value_and_grad`.

        Raises:
            DataError, ShapeError: an argument that the kernels cannot take.
        """
        return self._products.hvp(params, x, y, v, route, seed)

    def jacobian(self, params: Parameters, x: Any, wrt: str = "inputs") -> Any:
        """Return the whole Jacobian of the output, sample by sample.

        Args:
            params: the parameters.
            x: the inputs.
            wrt: "inputs" gives (batch, *output, *input), for several inputs a mapping by name; "parameters" gives
                (batch, *output, size) in the order of ``params.flat``; the name of one gives (batch, *output, *shape).

        Raises:
            ShapeError: it would have more than 2²⁴ entries; use `jvp` or `vjp`.
            DerivationError: the network mixes the samples of a batch.
        """
        return self._products.jacobian(params, x, wrt)

    def hessian(
        self, params: Parameters, x: Any, y: Any, wrt: str = "parameters", route: str = "forward", seed: int | None = None
    ) -> Any:
        """Return the whole Hessian of the loss.

        Args:
            params: the parameters.
            x: the inputs.
            y: the target.
            wrt: "parameters" gives (size, size) in the order of ``params.flat``; "inputs" gives (batch, *input, batch, *input),
                for several inputs a mapping of mappings by name; the name of one gives (*shape, *shape).
            route: of the products that its columns are; see `hvp`.
            seed: of the random layers, as for `value_and_grad`.

        Raises:
            ShapeError: it would have more than 2²⁴ entries; use `hvp`.
        """
        return self._products.hessian(params, x, y, wrt, route, seed)

    # --- proof ----------------------------------------------------------------------------------------------------------

    def check(self, seed: int = 0, params: Mapping[str, Any] | None = None, batch: int = 4, target: str | None = None) -> Any:
        """Judge the derivation by numerical differentiation and the kernels by the interpreter.

        Args:
            seed: of the sample.
            params: parameters to check at; None draws them.
            batch: how many samples.
            target: "labels" or "rows"; None takes the form used last.

        Raises:
            DataError: an argument of another kind; the check draws its own data.
        """
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            raise DataError(f"check: seed must be an integer, got a {type(seed).__name__}; the check draws parameters and data itself")
        if params is not None and not isinstance(params, Mapping):
            raise DataError(f"check: params must be a mapping of names to arrays, got a {type(params).__name__}")
        form = target or self._known_form()
        size = batch if self.batch is None else min(batch, self.batch)
        return pipeline.check_network(self.spec, form, self._by_name(form), dtype=self.dtype, seed=seed, params=params, batch=size)

    def _known_form(self) -> str | None:
        if self._latest is not None and self._latest.face.target is not None:
            return self._latest.face.target.form
        return self._usual_form()

    def _by_name(self, form: str | None) -> Callable[[dict[str, Array], dict[str, Array], Any], tuple[float, Mapping[str, Array]]]:
        def value_and_grad(params: dict[str, Array], inputs: dict[str, Array], target: Any) -> tuple[float, Mapping[str, Array]]:
            given = Parameters.of(self.spec.parameters, params, self.dtype, self.spec.statistics)
            arrays = {i.name: np.ascontiguousarray(inputs[i.name]) for i in self.spec.inputs}
            fixed = tuple(np.ascontiguousarray(inputs[m.name]) for m in self.spec.masks)
            real = not any(i.integer for i in self.spec.inputs)
            wrt = _WRT if real else "parameters"
            return self._value_and_grad(given, arrays, np.ascontiguousarray(target), wrt, None, lambda loaded, batch: fixed)

        return value_and_grad

    def _finite(
        self,
        loaded: Loaded,
        loss: float,
        grads: Parameters | _There | None,
        given: tuple[Array, tuple[Array, ...], Array],
        random: Mapping[str, Array],
    ) -> None:
        """Refuse a result that is not finite, naming the first tensor of the forward pass that is to blame.

        Raises:
            DataError: the loss or a gradient is not finite.
        """
        device = loaded.runtime
        if np.isfinite(loss) and (grads is None or np.isfinite(door.at_hand(grads.flat, device)).all()):
            return
        flat, *inputs, y = (door.at_hand(array, device) for array in (given[0], *given[1], given[2]))
        values = {name: np.asarray(a) for name, a in Parameters(loaded.face.parameters, flat, loaded.face.statistics).items()}
        values |= dict(random) | {i.name: a for i, a in zip(self.spec.inputs, inputs, strict=True)}
        culprit = pipeline.first_not_finite(self.spec, self._form(y), {**values, "y": y}, self.dtype)
        raise DataError(f"check_finite: the {'gradient' if np.isfinite(loss) else 'loss'} is not finite; {culprit}")

    # --- training -------------------------------------------------------------------------------------------------------

    def fit(
        self,
        params: Parameters,
        x: Any,
        y: Any,
        optimizer: Any,
        epochs: int = 1,
        batch_size: int | None = 32,
        shuffle: bool = True,
        seed: int = 0,
        validation: tuple[Any, Any] | None = None,
        progress: bool | None = None,
        accuracy: bool = True,
    ) -> History:
        """Train ``params`` in place and return how it went; running statistics follow in ``params.state``.

        Args:
            params: what is trained; after an error it holds the values of the start of that epoch.
            x: inputs; lists and other types are converted.
            y: targets; converted too.
            optimizer: ``sbp.SGD(0.1)`` and its like.
            epochs: passes over the data.
            batch_size: samples of one update; None takes all of them.
            shuffle: draw a new order in every epoch.
            seed: of that order, and of the masks of random layers, which are new for every batch.
            validation: (x, y) to measure after every epoch, in inference.
            progress: show a bar; None shows it on a terminal.
            accuracy: measure it on the training data after every epoch, for losses of classes; that is one more forward pass.

        Raises:
            DataError: the loss, a gradient or a parameter is no longer finite; or data that cannot be taken.
            ShapeError: data of the wrong shape.
        """
        epochs = _count(epochs, "epochs")
        if not hasattr(optimizer, "hyper") or not hasattr(optimizer, "key"):
            raise DataError(f"fit: optimizer must be sbp.SGD(...) or its like, got {type(optimizer).__name__}")
        seed = _seed(seed, "fit: ")
        inputs, target = self._converted(x, y)
        held = None if validation is None else self._validation(validation)
        samples = (*door.shape_of(inputs[0]), 0)[0]
        size = samples if batch_size is None else _count(batch_size, "batch_size")
        if self.batch is not None and min(size, samples) > self.batch:
            raise ShapeError(
                f"fit: batches of {min(size, samples)} samples, but the program was compiled for at most {self.batch}; "
                f"use compile(batch={size})"
            )
        loaded = self._kernels(self._form(target), max(1, min(size, samples)), optimizer)
        face, device = loaded.face, loaded.runtime
        with self._running(loaded):
            _, flat, arrays, labels = self._tested(loaded, params, inputs, target, None)
            if isinstance(flat, np.ndarray) and not flat.flags.writeable:
                raise DataError("params: the array is read-only, and fit works in place; pass params.copy()")
            if held is not None:
                _, _, there, wanted = self._tested(loaded, params, *held, None)
                held = (there, wanted)
            given = [*((f.name, a) for f, a in zip(face.inputs, arrays, strict=True)), ("y", labels)]
            door.check_apart([("params", flat)], given, device=device)
            score = self._score(loaded, flat, arrays, labels, held, measured=bool(accuracy))
            course = Course(epochs, size, bool(shuffle), seed, self.check_finite)
            shown = sys.stderr.isatty() if progress is None else bool(progress)
            with pipeline.progress_bar(f"training {self.spec.name}", epochs) if shown else nullcontext() as report:
                return train(loaded.module, flat, arrays, labels, optimizer.hyper, course, score, report, face.masks, device)

    def evaluate(self, params: Parameters, x: Any, y: Any) -> dict[str, float]:
        """Return the loss of a whole data set, and the accuracy for losses of classes, both in inference.

        Data are converted as in ``fit``.
        """
        inputs, target = self._converted(x, y)
        form = self._form(target)
        there = [made for (f, _, _), made in self._loaded.items() if f == form]
        # The data go through in portions, so kernels for any batch will do.
        loaded = there[-1] if there else self._kernels(form, self.batch or max(1, *door.shape_of(inputs[0])[:1]))
        with self._running(loaded):
            samples, flat, arrays, labels = self._tested(loaded, params, inputs, target, None)
            right = accuracy(loaded.face.loss, self._predicted(loaded, flat, arrays, samples), door.at_hand(labels, loaded.runtime))
        found = {"loss": self._whole_loss(loaded, flat, arrays, labels)}
        return found if right is None else {**found, "accuracy": right}

    def _score(
        self,
        loaded: Loaded,
        flat: Array,
        arrays: tuple[Array, ...],
        labels: Array,
        held: tuple[tuple[Array, ...], Array] | None,
        *,
        measured: bool,
    ) -> Callable[[], Score]:
        known, shown = loaded.face.loss, door.at_hand(labels, loaded.runtime)
        wanted = None if held is None else door.at_hand(held[1], loaded.runtime)
        measured = measured and accuracy(known, np.zeros((1, *loaded.face.output)), shown[:1]) is not None

        def score() -> Score:
            right = accuracy(known, self._predicted(loaded, flat, arrays, len(shown)), shown) if measured else None
            if held is None or wanted is None:
                return Score(right)
            there = accuracy(known, self._predicted(loaded, flat, held[0], len(wanted)), wanted)
            return Score(right, self._whole_loss(loaded, flat, *held), there)

        return score

    def _whole_loss(self, loaded: Loaded, flat: Array, arrays: tuple[Array, ...], labels: Array) -> float:
        """Return the loss of any number of samples in inference, in portions of the planned batch.

        A mean is the weighted mean of the portions. Of a sum with a penalty each portion holds the penalty once: what two
        portions have more than their union.
        """
        samples = len(labels)
        size = min(samples, loaded.face.batch)
        work = self._work(loaded, size)
        loss = loaded.module.evaluation if loaded.face.modes else loaded.module.loss

        def part(low: int, high: int) -> float:
            return float(loss(flat, *_rows(loaded, (*arrays, labels), low, high), work))

        with self._running(loaded):
            bounds = [(low, min(low + size, samples)) for low in range(0, samples, size)]
            losses = [part(low, high) for low, high in bounds]
            if len(losses) == 1:
                return losses[0]
            if loaded.face.reduction == "mean":
                return sum(value * (high - low) for value, (low, high) in zip(losses, bounds, strict=True)) / samples
            penalty = 0.0
            if loaded.face.penalised and size > 1:
                penalty = part(0, 1) + part(1, 2) - part(0, 2)
        return sum(losses) - (len(losses) - 1) * penalty

    def _converted(self, x: Any, y: Any) -> tuple[tuple[Array, ...], Array]:
        """Return data as arrays of the types that the kernels take; what lies on a device stays as it is."""
        given = door.split_inputs(x, self._input_faces())
        inputs = tuple(
            value if self._foreign(value) else _array(value, i.name, np.dtype(np.int64) if i.integer else self.dtype)
            for value, i in zip(given, self.spec.inputs, strict=True)
        )
        form = self._form(y)
        if self._foreign(y):
            return inputs, y
        if form == "rows":
            return inputs, _array(y, "y", self.dtype)
        labels = _array(y, "y", None)
        if labels.dtype.kind == "f" and np.array_equal(labels, np.rint(labels)):
            labels = labels.astype(np.int64)
        return inputs, labels

    def _foreign(self, value: Any) -> bool:
        """Whether a value lies on the device that kernels run on."""
        if self.device is None or isinstance(value, list | tuple | int | float):
            return False
        runtime = self._any().runtime
        return runtime is not None and runtime.interface(value) is not None

    def _validation(self, validation: Any) -> tuple[tuple[Array, ...], Array]:
        if not isinstance(validation, tuple | list) or len(validation) != 2:
            raise DataError("fit: validation must be a pair (x, y)")
        return self._converted(*validation)

    def __repr__(self) -> str:
        batch = "any batch" if self.batch is None else f"batches up to {self.batch}"
        return f"Program({self.spec.name}: {self.target}, {self.dtype.name}, {batch})"


@dataclass(frozen=True)
class _There:
    """Gradients that the caller wants on the device."""

    flat: Array


class Bound(partial[float]):
    """A compiled entry with the address of its table; both stay where they are as long as this does."""

    def __new__(cls, compiled: Callable[[int], float], kept: tuple[Array, tuple[Array, ...]]) -> Bound:
        made = super().__new__(cls, compiled, kept[0].ctypes.data)
        made.kept = kept
        return made

    kept: tuple[Array, tuple[Array, ...]]


class Step(partial[float]):
    """A bound call: ``step()`` returns the loss, the gradients are in ``step.grads``, the masks of random layers in ``step.masks``.

    The arrays may be changed between calls. A label or token that is then out of range is a `DataError`, and the gradients stay
    those of the call before: kernels test them before they write. A call costs what the kernels cost and less than 0.1 µs more.
    """

    grads: Any
    masks: dict[str, Array]
    _functions: tuple[partial[float], ...]
    _test: Callable[[], None]
    _face: Face
    _kept: Any

    def __new__(
        cls,
        functions: Sequence[partial[float]],
        grads: Any,
        test: Callable[[], None],
        face: Face,
        random: tuple[Array, ...],
        kept: Any,
    ) -> Step:
        # A partial of a C function is called without a frame of Python.
        made = super().__new__(cls, functions[-1].func, *functions[-1].args)
        made.grads, made.masks = grads, _named(face, random)
        made._functions, made._test, made._face, made._kept = tuple(functions), test, face, kept
        return made

    def draw(self, seed: int) -> None:
        """Draw new masks from a seed."""
        kept = tuple(self.masks.values())
        if kept:
            for array, new in zip(kept, masks.draw(self._face.masks, len(kept[0]), _seed(seed), kept[0].dtype), strict=True):
                array[...] = new

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._face.network})"

    def __reduce__(self) -> Any:
        raise TypeError("a bound call is made of addresses and cannot be copied; bind again")


class TestedStep(Step):
    """A bound call of a network with labels or tokens, which may be out of range by now, or of more than one entry."""

    def __call__(self) -> float:
        """Return the loss."""
        for function in self._functions:
            loss = function()
        if loss != loss:
            self._test()
        return loss


def _rows(loaded: Loaded, arrays: tuple[Array, ...], low: int, high: int) -> tuple[Array, ...]:
    """Return some samples of each array."""
    if loaded.runtime is None:
        return tuple(a[low:high] for a in arrays)
    return tuple(loaded.runtime.part(a, low, high) for a in arrays)


def _explained(runtime: Any, function: Callable[[], float]) -> float:
    with devices.explained(runtime):
        return function()


def _layer() -> str:
    return threads.layer()


def _limited(threads: int | None, function: Callable[[], float]) -> float:
    with limited(threads):
        return function()


def _check_computable(spec: NetworkSpec) -> None:
    for layer in spec.layers:
        for _, option in layer.options:
            if getattr(option, "unspecified", False):
                raise DeclarationError(
                    f"layer {layer.name}: the function {option.name} has no expression, so nothing can be computed with it; "
                    f"give one with Activation({option.name!r}, expression)"
                )
    for name, shape in [*((i.name, i.shape) for i in spec.inputs), *(value for c in spec.calls for value in c.values.items())]:
        for size in shape:
            if not isinstance(size, int):
                raise ShapeError(f"network {spec.name}: {name} has the symbolic size {size}; compiling needs numbers")


def _accuracy(name: Any, target: str, dtype: str) -> str:
    """Return how exact float32 is, a word of `pipeline.MATH`."""
    if name not in pipeline.MATH:
        raise DeclarationError(f"unknown math {str(name)[:40]!r} (known: {', '.join(pipeline.MATH)})")
    if name != "strict" and (target != "cuda" or dtype != "float32"):
        raise DeclarationError(f"math={name!r} is for target 'cuda' in float32, not for {target!r} in {dtype}; leave it out")
    return str(name)


def _recomputed(names: Sequence[str] | str | None, spec: NetworkSpec) -> tuple[str, ...] | str:
    """Return the names of values to compute again, sorted, or "all"; whether they are on the tape is seen when kernels are planned."""
    if names is None or isinstance(names, str):
        if names not in (None, "all"):
            raise DeclarationError(
                f"recompute takes a list of names, 'all' or None, got {names[:40]!r}; for one value write [{names[:40]!r}]"
            )
        return names or ()
    made = tuple(sorted(set(map(str, names))))
    layers = {*spec.layer, "loss"}
    for name in made:
        if name.partition(".")[0] not in layers:
            raise DeclarationError(f"recompute: {name} belongs to no layer of {spec.name}; a value is called dense_1.a, d.tape lists them")
    return made


def _count(value: object, name: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value.__index__()) < 1:
        raise DataError(f"{name} must be a positive integer, got {value!r}")
    return int(value.__index__())


def _seed(value: object, what: str = "") -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise DataError(f"{what}seed must be an integer, got {value!r}")
    return int(value.__index__())


def _named(face: Face, random: tuple[Array, ...]) -> dict[str, Array]:
    return {mask.name: array for mask, array in zip(face.masks, random, strict=True)}


def _wanted(wrt: str | tuple[str, ...]) -> tuple[bool, bool]:
    chosen = _WRT if wrt == "both" else (wrt,) if isinstance(wrt, str) else tuple(wrt)
    if not chosen or any(name not in _WRT for name in chosen):
        raise DataError(f"wrt must be 'parameters', 'inputs' or both of them, got {wrt!r}")
    return "parameters" in chosen, "inputs" in chosen


def _target(face: Face) -> TargetFace:
    if face.target is None:
        raise DerivationError(f"network {face.network} has no loss; declare it with loss=...")
    return face.target


def _array(value: Any, name: str, dtype: np.dtype[Any] | None) -> Array:
    try:
        array = np.asarray(value)
    except ValueError:
        raise DataError(f"{name}: the value is no array of numbers; check that all rows have one length") from None
    if array.dtype.kind == "b" and dtype is None:
        array = array.astype(np.int64)
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name}: expected numbers, got {array.dtype}")
    return np.ascontiguousarray(array, dtype)


def _difference(given: tuple[Any, ...], wanted: tuple[Any, ...]) -> str:
    have, want = {r.name: r.shape for r in given}, {r.name: r.shape for r in wanted}
    missing = [name for name in want if name not in have]
    if missing:
        return f"{', '.join(missing)} is missing"
    extra = [name for name in have if name not in want]
    if extra:
        return f"{', '.join(extra)} is none of them"
    for name, shape in want.items():
        if have[name] != shape:
            return f"{name} has shape {have[name]}, expected {shape}"
    return "their order differs"


__all__ = ["Program", "Step"]
