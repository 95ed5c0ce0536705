"""What the symbols of a network mean in a notation: made from the notation's record alone, so that what is printed can be tested.

Layers are counted here, letters are put together here, and arrays are laid out here; nothing of this is shared with the printer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbackprop.algebra.padding import padded_tensors
from symbackprop.declare.model import LayerRecord, Model
from symbackprop.errors import DeclarationError
from symbackprop.present import notation as notations
from symbackprop.present.naming import mixing
from symbackprop.present.notation import Notation
from symbackprop.present.ranges import counted_from_zero
from symbackprop.present.reader.bound import Bindings, Bound, Derived
from symbackprop.present.reader.functions import KNOWN, softmax
from symbackprop.present.reader.parser import GREEK
from symbackprop.present.reader.values import Array

_GREEK_CAPITALS = {
    r"\delta": r"\Delta",
    r"\gamma": r"\Gamma",
    r"\theta": r"\Theta",
    r"\lambda": r"\Lambda",
    r"\sigma": r"\Sigma",
    r"\phi": r"\Phi",
    r"\varphi": r"\Phi",
    r"\psi": r"\Psi",
    r"\omega": r"\Omega",
    r"\xi": r"\Xi",
}
_SAMPLE_SLOT = {"superscript parenthesised": "parenthesised", "superscript": "above", "subscript": ""}


def network_bindings(
    model: Model,
    values: Mapping[str, Any],
    notation: str | Notation = "ufldl",
    *,
    layout: str = "gradient",
    samples: Mapping[str, Any] | None = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    jacobian: Callable[[str, str], Any] | None = None,
    each: Callable[[], Sequence[Mapping[str, Any]]] | None = None,
) -> Bindings:
    """Return the meaning of a network's symbols in a notation.

    Args:
        model: the network, of a batch or of one sample.
        values: forward values, error terms and gradients by the engine's names: ``dense_1.W``, ``delta.dense_1``, ``grad.dense_1.W``.
        notation: a preset's name or a record.
        layout: of derivatives in matrix formulas.
        samples: for a network of one sample, the values of the batch that it belongs to; without them the batch is this sample.
        functions: what unspecified activations are, by their label ("f").
        jacobian: gives the derivative of one of the network's values by another, by the engine's names, or None.
        each: for a network of one sample, gives the values of each sample of the batch: for gradients of the losses of others.

    Raises:
        DeclarationError: a value is missing.
    """
    record = notations.notation(notation)
    return _Network(model, dict(values), record, notations.layout(layout), samples, jacobian, each).bindings(functions or {})


@dataclass(frozen=True)
class _Place:
    """Where a layer stands: the numbers of its linear part and of its output, counted from 0 for the input; or its own name."""

    pre: int | str
    out: int | str


class _Network:
    def __init__(
        self,
        model: Model,
        values: dict[str, Any],
        notation: Notation,
        layout: str,
        samples: Mapping[str, Any] | None,
        jacobian: Callable[[str, str], Any] | None,
        each: Callable[[], Sequence[Mapping[str, Any]]] | None,
    ) -> None:
        self.model = model
        self.n = notation
        self.layout = layout
        self.batch = model.per == "batch"
        self.given = values
        self.samples = samples
        self.jacobian = jacobian
        self.each = each
        self.slopes: dict[tuple[str, str], Derived | None] = {}
        self.bound: list[Bound] = []
        self.derivatives: dict[str, Derived] = {}
        self.done: set[str] = set()

    def bindings(self, functions: Mapping[str, Callable[..., Any]]) -> Bindings:
        places = self.places()
        wide = self.extended()
        for x in self.model.inputs:
            letter = self.n.input if len(self.model.inputs) == 1 else x
            self.values_of(x, letter, None, wide=x in wide)
            if not any(isinstance(place.pre, str) for place in places.values()):
                # The input is the activation of the input layer: a^(1) = x.
                self.values_of(x, self.n.activation, 0, wide=x in wide)
        for r in self.model.layers:
            self.layer(r, places[_called(r)], wide)
        if self.model.target is not None:
            self.target(self.model.target)
        if self.model.loss is not None:
            self.loss(self.model.loss)
        self.others(places)
        self.sizes(places)
        self.functions(functions)
        self.count()
        arguments = {*self.model.inputs, self.model.target or "", *(p.name for p in self.model.parameters)}
        return Bindings(tuple(self.bound), self.derivative, after={}, arguments=frozenset(arguments), said="at the values of the network")

    # --- counting ---

    def places(self) -> dict[str, _Place]:
        """Return where each layer stands."""
        value, chain = self.model.inputs[0], len(self.model.inputs) == 1
        for r in self.model.layers:
            chain = chain and r.inputs == (value,) and r.use == 1
            value = r.output
        found: dict[str, _Place] = {}
        layer = own = 0
        for r in self.model.layers:
            if not chain:
                found[_called(r)] = _Place(_called(r), _called(r))
                continue
            counted = self.n.activation_layer == "own"
            if self.counts(r):
                layer, own = layer + 1, own + 1
            pre = own if counted else layer
            if r.output != r.pre and (r.pre is not None or r.kind == "Activation"):
                own += 1
            found[_called(r)] = _Place(pre, own if counted else layer)
        return found

    def counts(self, r: LayerRecord) -> bool:
        """Return whether a layer has a number of its own."""
        return r.pre is not None or not mixing(self.model).isdisjoint(r.parameters)

    def extended(self) -> dict[str, str]:
        """Return what has a constant unit 0 in front where biases are folded: the inputs of layers with weights and biases."""
        if not self.n.folded:
            return {}
        return {r.inputs[0]: r.name for r in self.model.layers if self.weights(r) and self.bias(r)}

    def weights(self, r: LayerRecord) -> str:
        return next((p for p in r.parameters if p.endswith(".W")), "")

    def bias(self, r: LayerRecord) -> str:
        return next((p for p in r.parameters if p.endswith(".b")), "")

    # --- arrays ---

    def array(self, name: str) -> Array | None:
        return np.asarray(self.given[name], dtype=np.float64) if name in self.given else None

    def has_batch(self, name: str) -> bool:
        tensor = self.model.system.tensors.get(name)
        return self.batch and tensor is not None and tensor.rank > 0 and tensor.axes[0].extent == self.model.batch

    def laid(self, array: Array, many: bool) -> Array:
        """Return an array as the notation lays it out: a batch may have a column for each sample."""
        return array.T if many and array.ndim == 2 and self.n.batch_samples == "columns" else array

    def derivative_layout(self, array: Array) -> Array:
        """Return a derivative as it stands in matrix formulas: in numerator layout it is transposed."""
        if self.layout != "numerator":
            return array
        return array[np.newaxis, :] if array.ndim == 1 else array.T if array.ndim == 2 else array

    # --- spelling ---

    def spelled(self, letter: str, number: int | str | None, name: str, entries: Array | None, whole: Array | None, **more: Any) -> None:
        """Bind a letter of a layer: without indices, and with them."""
        if number is None:
            self.add(letter, name=name, entries=entries, whole=whole, **more)
            return
        mark = self.n.layer_mark
        text = str(number) if isinstance(number, str) else str(number + self.n.first)
        bare = mark == "superscript bare" and not isinstance(number, str)
        named = isinstance(number, str)
        if mark == "subscript" and not named:
            self.add(letter, below=text, name=name, entries=None, whole=whole, **more)
            # Its entries have the layer above, and so may the whole: both are common beside each other.
            self.add(letter, above=text, name=name, entries=entries, whole=whole, **more)
            if entries is not None and self.batch:
                self.add(letter, below=text, name=name, entries=entries, whole=None, **more)
        else:
            self.add(letter, above=text, parenthesised=not bare, name=name, entries=entries, whole=whole, **more)

    def add(self, letter: str, **fields: Any) -> None:
        head, _, tail = letter.partition("_")
        if tail and not fields.get("below"):
            fields["below"] = tail
        self.bound.append(Bound(head, **fields))

    def capital(self, letter: str) -> str:
        return _GREEK_CAPITALS.get(letter, letter.upper() if len(letter) == 1 else letter)

    # --- quantities ---

    def values_of(self, name: str, letter: str, number: int | str | None, *, wide: bool = False, error: bool = False) -> None:
        """Bind forward values or error terms: of one sample, or of a batch."""
        array = self.array(name)
        if array is None:
            return
        self.done.add(name)
        many = self.has_batch(name) or (error and self.batch)
        plain = array
        first: tuple[int, ...] = ()
        if wide:
            array = np.concatenate([np.ones((*array.shape[:-1], 1)), array], axis=-1)
            first = (1, 0) if many else (0,)
        if many and self.n.batch_samples == "columns":
            first = first[::-1]
        dressed, bare = self.laid(array, many), self.laid(plain, many)
        if error:
            whole, bare_whole = self.derivative_layout(dressed), self.derivative_layout(bare)
        else:
            whole, bare_whole = dressed, bare
        drawn = f"\\bar{{{letter}}}"
        if not many:
            self.spelled(letter, number, name, dressed, whole, first=first)
            if wide:
                self.spelled(drawn, number, name, bare, bare_whole)
            if name in self.model.inputs or name == self.model.target:
                self.sampled(name, letter)
        else:
            # Entries go by the small letter, the whole by the capital one; one sample is a vector.
            self.spelled(letter, number, name, dressed, None, first=first)
            if self.n.batch_samples == "rows":
                self.spelled(letter, number, name, dressed, None, first=first, sample=_SAMPLE_SLOT[self.n.sample_mark])
            self.spelled(self.capital(letter), number, name, None, whole if whole.ndim == 2 or whole.ndim == 1 else None)
            if wide:
                self.spelled(drawn, number, name, bare, None)
                self.spelled(f"\\bar{{{self.capital(letter)}}}", number, name, None, bare_whole)
        gradient = self.array(f"grad.{name}")
        if not error and gradient is not None:
            self.slope(name, gradient, many)

    def sampled(self, name: str, letter: str) -> None:
        """Bind the values of all samples beside those of one."""
        whole = np.asarray(self.samples[name] if self.samples is not None else np.asarray(self.given[name])[np.newaxis], dtype=np.float64)
        self.add(letter, name=name, entries=whole, whole=None, sample=_SAMPLE_SLOT[self.n.sample_mark])

    def slope(self, name: str, gradient: Array, many: bool) -> None:
        laid = self.laid(gradient, many)
        self.derivatives[name] = Derived(laid, self.derivative_layout(laid), (1,) * gradient.ndim, laid, self.layout == "numerator")

    def layer(self, r: LayerRecord, place: _Place, wide: Mapping[str, str]) -> None:
        weights, bias = self.weights(r), self.bias(r)
        if weights:
            self.weight(weights, bias, place.pre, folded=bool(bias) and self.n.folded)
        if bias and not (self.n.folded and weights):
            self.bias_of(bias, place.pre)
        for p in r.parameters:
            if p not in (weights, bias) and p not in self.done:
                self.word(p, p.rpartition(".")[2], self.carried(place.pre))
        if r.pre is not None:
            self.values_of(r.pre, self.n.pre, place.pre, wide=r.pre in wide)
            delta = f"delta.{_called(r)}"
            if delta in self.given:
                array = np.asarray(self.given[delta], dtype=np.float64)
                self.slope(r.pre, array, self.has_batch(r.pre))
                if self.n.error_term == "letter":
                    self.values_of(delta, self.n.error, place.pre, error=True)
        if r.output not in self.done and (self.counts(r) or r.kind == "Activation"):
            last = r.output in self.model.outputs and len(self.model.outputs) == 1 and not isinstance(place.out, str)
            own = last and bool(self.n.output)
            self.values_of(r.output, self.n.output if own else self.n.activation, None if own else place.out, wide=r.output in wide)

    def oriented(self, array: Array) -> Array:
        """Return weights with the index first that the notation has first."""
        return array.T if self.n.weight_index == "source first" and array.ndim == 2 else array

    def carried(self, number: int | str) -> int | str:
        """Return the number that a layer's parameters carry."""
        return number - 1 if self.n.weight_of == "source" and not isinstance(number, str) else number

    def weight(self, name: str, bias: str, number: int | str, *, folded: bool) -> None:
        if name in self.done:
            return
        self.done |= {name, bias} if folded else {name}
        plain = self.array(name)
        if plain is None:
            raise DeclarationError(f"{name} has no value")
        shifted = self.carried(number)
        letters = dict.fromkeys((self.n.weight, self.n.weight_matrix or self.n.weight))
        array, first = plain, (1, 1)
        gradient, bias_gradient = self.array(f"grad.{name}"), self.array(f"grad.{bias}")
        if folded:
            column = self.array(bias)
            if column is None:
                raise DeclarationError(f"{bias} has no value")
            array, first = np.concatenate([column[:, np.newaxis], plain], axis=1), (1, 0)
            if gradient is not None and bias_gradient is not None:
                gradient = np.concatenate([bias_gradient[:, np.newaxis], gradient], axis=1)
        if self.n.weight_index == "source first":
            first = first[::-1]
        made = self.oriented(array)
        for letter in letters:
            self.spelled(letter, shifted, name, made, made, first=first)
            if folded:
                self.spelled(f"\\bar{{{letter}}}", shifted, name, self.oriented(plain), self.oriented(plain))
        if gradient is not None:
            laid = self.oriented(gradient)
            self.derivatives[name] = Derived(laid, self.derivative_layout(laid), first, laid, self.layout == "numerator")

    def bias_of(self, name: str, number: int | str) -> None:
        if name in self.done:
            return
        self.done.add(name)
        array = self.array(name)
        if array is None:
            raise DeclarationError(f"{name} has no value")
        shifted = self.carried(number)
        self.spelled(self.n.bias, shifted, name, array, array)
        gradient = self.array(f"grad.{name}")
        if gradient is not None:
            self.derivatives[name] = Derived(gradient, self.derivative_layout(gradient), (1,), gradient, self.layout == "numerator")

    def word(self, name: str, word: str, number: int | str | None) -> None:
        """Bind something that goes by its own name."""
        array = self.array(name)
        if array is None:
            return
        self.done.add(name)
        many = self.has_batch(name)
        word, capital = _in_latex(word), _in_latex(word[:1].upper() + word[1:] if len(word.removesuffix("_hat")) == 1 else word)
        if many:
            self.spelled(word, number, name, self.laid(array, True), None)
            self.spelled(capital, number, name, None, self.laid(array, True))
        else:
            self.spelled(word, number, name, array, array if array.ndim < 3 else None)
        gradient = self.array(f"grad.{name}")
        if gradient is not None:
            self.slope(name, gradient, many)

    # --- loss and the rest ---

    def target(self, name: str) -> None:
        array = self.array(name)
        if array is None:
            return
        integer = self.model.system.tensors[name].integer
        if not integer:
            self.values_of(name, self.n.target, None)
            return
        # Classes are counted from 1 on paper, and from 0 in data.
        self.done.add(name)
        self.add(self.n.target, name=name, entries=array + 1 if array.ndim else None, whole=array + 1)
        classes = next((t.axes[-1].extent for t in (self.model.system.tensors[self.model.outputs[0]],) if t.rank), None)
        if classes is not None and classes.is_Integer:
            units = np.eye(int(classes))[array.astype(np.int64)]
            self.add("e", below=self.n.target, name="one-hot", whole=units)

    def loss(self, name: str) -> None:
        total = self.array(name)
        if total is None:
            return
        self.done |= {name, "loss.L"}
        if self.batch:
            each = self.array("loss.L")
            all_ = total
        else:
            from_batch = self.samples or {}
            each = np.asarray(from_batch.get("loss.L", np.atleast_1d(total)), dtype=np.float64)
            all_ = np.asarray(from_batch.get(name, total), dtype=np.float64)
        one = {"total": self.n.loss, "sample": self.n.sample_loss, "indexed": self.n.sample_loss}[self.n.one_loss]
        if self.n.one_loss != "total" or (self.batch and each is None):
            self.add(self.n.loss, name=name if self.batch else "loss of all", whole=all_, total=all_)
        if each is not None:
            called = "loss.L" if self.batch else "loss of each"
            apart = self.batch and self.n.sample_loss != self.n.loss
            self.add(self.n.sample_loss, name=called, entries=each, whole=each if apart else None)
            self.add(self.n.sample_loss, name=called, style="bold", entries=each, whole=each)
        if not self.batch:
            below = self.n.sample if self.n.one_loss == "indexed" else ""
            self.add(one, below=below, name=name, whole=total, each=each, total=all_)
        elif each is not None and self.n.one_loss != "indexed":
            self.add(one, name=name, whole=all_ if self.n.one_loss == "total" else each, each=each, total=all_)
        data = self.array("loss.data")
        if data is not None:
            self.done.add("loss.data")
            self.add(self.n.loss, below="data", name="loss.data", whole=data)

    def count(self) -> None:
        """Count from 0 along axes whose places are computed somewhere, and let what lies outside of a padded array be 0."""
        equations = self.model.system.equations
        zero = counted_from_zero(equations)
        padded, left_out = padded_tensors(equations)
        errors = {f"delta.{_called(r)}": r.pre for r in self.model.layers if r.pre is not None}

        def first(name: str, rank: int) -> tuple[int, ...]:
            return tuple(0 if (name, k) in zero else 1 for k in range(rank))

        for k, b in enumerate(self.bound):
            of = errors.get(b.name) or b.name
            if b.entries is None or 0 in b.first or b.sample or not any((of, axis) in zero for axis in range(b.entries.ndim)):
                continue
            # An input gradient gathers from errors and kernels, which are 0 outside as well.
            zeros = b.name in padded or b.name in errors or any(b.name == p.name for p in self.model.parameters)
            outside = -np.inf if b.name in left_out and not zeros else 0.0 if zeros else None
            self.bound[k] = replace(b, first=first(of, b.entries.ndim), outside=outside)
        for name, d in self.derivatives.items():
            if any((name, axis) in zero for axis in range(d.entries.ndim)):
                self.derivatives[name] = replace(d, first=first(name, d.entries.ndim))

    def others(self, places: Mapping[str, _Place]) -> None:
        roles = {"loss.p": self.n.probability, "loss.S": self.n.normalizer}
        for name in self.model.system.tensors:
            if name in self.done or name not in self.given:
                continue
            if name in roles:
                self.values_of(name, roles[name], None)
            elif name.startswith("loss."):
                self.word(name, name.removeprefix("loss.").replace("penalty_", "R_").replace("part_", "T_"), None)
            else:
                owner = name.partition(".")[0]
                ends = any(r.output == name for r in self.model.layers)
                place = places[owner].pre if owner in places and not ends else owner if ends else None
                self.word(name, name.rpartition(".")[2], place)

    def sizes(self, places: Mapping[str, _Place]) -> None:
        arrays = [self.array(x) for x in self.model.inputs]
        first = next((a for a in arrays if a is not None), None)
        if first is not None and first.ndim:
            self.add(self.n.width, below=str(self.n.first), name="width of the input", whole=np.asarray(float(first.shape[-1])))
        last = 0
        for r in self.model.layers:
            pre = self.array(r.pre) if r.pre is not None else None
            place = places[_called(r)].pre
            if pre is not None and pre.ndim and isinstance(place, int):
                self.add(self.n.width, below=str(place + self.n.first), name=f"width of {r.name}", whole=np.asarray(float(pre.shape[-1])))
                out = places[_called(r)].out
                last = max(last, out if isinstance(out, int) else 0, place)
        self.add(self.n.last, name="last layer", whole=np.asarray(float(last + self.n.first)))
        count = 1
        if self.batch:
            count = first.shape[0] if first is not None and first.ndim else 1
        elif self.samples is not None:
            count = len(np.asarray(self.samples[self.model.inputs[0]]))
        self.add(self.n.samples, name="samples", whole=np.asarray(float(count)))

    def functions(self, given: Mapping[str, Callable[..., Any]]) -> None:
        letters = (self.n.function, self.n.output_function)
        if not given:
            self.activations(letters)
        for (label, work), letter in zip(given.items(), letters, strict=False):
            self.add(letter if len(given) == 1 or letters[0] != letters[1] else label, name=f"function {label}", function=work)

    def activations(self, letters: tuple[str, str]) -> None:
        """Bind the letter of the activation function to the network's own, where all layers have the same one."""
        used = [r.activation or "identity" for r in self.model.layers if r.pre is not None]
        if not used:
            return
        found = {letters[0]: used[:-1] or used, letters[1]: used[-1:]} if letters[0] != letters[1] else {letters[0]: used}
        for letter, names in found.items():
            name = names[0]
            if len(set(names)) > 1 or (name not in KNOWN and name not in ("identity", "softmax")):
                continue
            work = KNOWN.get(name, softmax if name == "softmax" else _same)
            self.add(letter, name=f"function {letter}", function=work, vector=name == "softmax")

    def derivative(self, top: str, bottom: str) -> Derived | None:
        if top == self.model.loss and bottom in self.derivatives:
            return self.derivatives[bottom]
        if (top, bottom) not in self.slopes:
            of_others = {"loss of all": self.of_all, "loss of each": self.of_each}.get(top)
            self.slopes[top, bottom] = of_others(bottom) if of_others is not None else self.jacobian_of(top, bottom)
        return self.slopes[top, bottom]

    def of_all(self, bottom: str) -> Derived | None:
        """Return the gradient of the loss over all samples with respect to a parameter."""
        if self.batch:
            return self.derivatives.get(bottom)
        return self.gradients_in(self.samples).get(bottom) if self.samples is not None else None

    def of_each(self, bottom: str) -> Derived | None:
        """Return the gradients of the losses of all samples with respect to a parameter."""
        found = [self.gradients_in(values).get(bottom) for values in (self.each() if self.each is not None else ())]
        made = [d for d in found if d is not None and d.whole is not None and d.gradient is not None]
        if not made or len(made) < len(found):
            return None
        stacks = [np.stack([getattr(d, part) for d in made]) for part in ("entries", "whole", "gradient")]
        return Derived(stacks[0], stacks[1], (1, *made[0].first), stacks[2], made[0].turned, stacked=True)

    def gradients_in(self, values: Mapping[str, Any]) -> dict[str, Derived]:
        """Return the gradients of parameters among other values, laid out in the same way."""
        names = [f"grad.{p.name}" for p in self.model.parameters]
        changed = {**self.given, **{name: values[name] for name in names if name in values}}
        other = _Network(self.model, changed, self.n, self.layout, None, None, None)
        other.bindings({})
        return {p.name: other.derivatives[p.name] for p in self.model.parameters if p.name in other.derivatives}

    def jacobian_of(self, top: str, bottom: str) -> Derived | None:
        """Return the derivative of one value by another: the axes of the first, then those of the second."""
        tensors = self.model.system.tensors
        if self.jacobian is None or top not in tensors or bottom not in tensors:
            return None
        given = self.jacobian(top, bottom)
        if given is None:
            return None
        array = np.asarray(given, dtype=np.float64)
        rank = tensors[top].rank
        first = [1] * array.ndim
        bias = next((self.bias(r) for r in self.model.layers if self.weights(r) == bottom), "")
        if bias and self.n.folded:
            column = np.asarray(self.jacobian(top, bias), dtype=np.float64)
            array, first[-1] = np.concatenate([column[..., np.newaxis], array], axis=-1), 0
        source_first = self.n.weight_index == "source first" and any(self.weights(r) == bottom for r in self.model.layers)
        columns = self.n.batch_samples == "columns"
        if source_first or (columns and self.has_batch(bottom) and array.ndim - rank == 2):
            array, first[-2:] = np.swapaxes(array, -1, -2), first[-2:][::-1]
        if columns and self.has_batch(top) and rank == 2:
            array, first[:2] = np.swapaxes(array, 0, 1), first[:2][::-1]
        if rank == 0:
            return Derived(array, self.derivative_layout(array), tuple(first), array, self.layout == "numerator")
        # Rows are what is differentiated, except in denominator layout.
        whole = array.T if array.ndim == 2 and self.layout == "denominator" else array
        return Derived(array, whole, tuple(first), turned=self.layout == "denominator")


def _in_latex(word: str) -> str:
    r"""Return how a name of the declaration is written: ``gamma`` is \gamma, ``x_hat`` is \hat{x}."""
    base, _, rest = word.partition("_")
    letter = f"\\{base}" if f"\\{base}" in GREEK else base
    return f"\\hat{{{letter}}}" if rest == "hat" else f"{letter}_{rest}" if rest else letter


def _same(x: Array) -> Array:
    return x


def _called(r: LayerRecord) -> str:
    return r.name if r.use == 1 else f"{r.name}_{r.use}"


def also(bindings: Bindings, more: Bindings) -> Bindings:
    """Return both; the second wins where they have the same spelling."""
    made = bindings.updated(*more.bound)

    def derivative(top: str, bottom: str) -> Derived | None:
        return more.derivatives(top, bottom) or bindings.derivatives(top, bottom)

    return replace(
        made,
        derivatives=derivative,
        definitions={**bindings.definitions, **more.definitions},
        after={**bindings.after, **more.after},
    )


__all__ = ["also", "network_bindings"]
