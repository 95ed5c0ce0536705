"""Networks as users hold them: a declaration, with the whole pipeline as methods."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import symbackprop
from symbackprop.declare.graph import chain, network_spec
from symbackprop.declare.layers import Input, Node
from symbackprop.declare.layers.wiring import written
from symbackprop.declare.losses import Loss
from symbackprop.declare.network_file import read_network_file
from symbackprop.declare.regularizers import L1, L2, ElasticNet
from symbackprop.declare.spec import NetworkSpec
from symbackprop.public.parameters import Parameters, real_type


class Network:
    """A network of any directed acyclic wiring.

    Args:
        inputs: an `Input`, or several in the order in which arrays are given.
        outputs: a node, or several if there is no loss.
        loss: a name or ``sbp.Loss(...)``.
        regularizer: ``sbp.L1(...)``, ``sbp.L2(...)`` or ``sbp.ElasticNet(...)``.
        name: names the written modules too.
    """

    spec: NetworkSpec

    def __init__(
        self,
        inputs: Input | Sequence[Input],
        outputs: Node | Sequence[Node],
        loss: str | Loss | None = None,
        regularizer: L1 | L2 | ElasticNet | None = None,
        name: str = "network",
    ) -> None:
        self.spec = network_spec(inputs, outputs, loss, regularizer, name)

    @classmethod
    def of_spec(cls, spec: NetworkSpec) -> Network:
        """Return the network of a spec."""
        made = Network.__new__(Network)
        made.spec = spec
        return made

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Network:
        """Return the network that a TOML file declares; nothing in the file is run."""
        return cls.of_spec(read_network_file(path))

    @property
    def name(self) -> str:
        """What the network is called; its modules have this name."""
        return self.spec.name

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers, in order."""
        return tuple(layer.name for layer in self.spec.layers)

    @property
    def parameter_count(self) -> int | None:
        """How many numbers the parameters are, or None as long as a size is symbolic."""
        sizes = [record.size for record in self.spec.parameters]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @property
    def depth(self) -> int:
        """The largest number of layers with parameters between an input and an output: the input does not count."""
        weighted = {record.name.rsplit(".", 1)[0] for record in self.spec.parameters}
        deepest = {i.name: 0 for i in self.spec.inputs}
        for call in self.spec.calls:
            deepest |= dict.fromkeys(call.values, max(deepest[x] for x in call.inputs) + (call.layer in weighted))
        return max(deepest[name] for name in self.spec.outputs)

    @property
    def n_l(self) -> int:
        """The number of layers, the input counted: depth + 1."""
        return self.depth + 1

    def freeze(self, *names: str) -> Network:
        """Keep parameters fixed, by their names or that of their layer; returns this network."""
        self.spec = self.spec.freeze(*names)
        return self

    def init(self, seed: int = 0, dtype: Any = "float32") -> Parameters:
        """Return first values of the parameters: He in front of relu and its like, Glorot otherwise, zero for biases."""
        return Parameters.initial(self.spec.parameters, seed, dtype, self.spec.statistics)

    def parameters(self, mapping: Mapping[str, Any], dtype: Any = None) -> Parameters:
        """Return parameters with the given values, all of them; the type is the values' unless ``dtype`` says otherwise.

        Running statistics have their first values unless the mapping has them too.
        """
        return Parameters.of(self.spec.parameters, mapping, dtype, self.spec.statistics)

    def model(self, target: str | None = None, per: str = "batch") -> Any:
        """Return the network as a system of equations with the roles of its tensors."""
        return symbackprop.pipeline.lower(self.spec, target=target, per=per)

    def derive(self, per: str = "batch", target: str | None = None) -> Any:
        """Return the derivation of the loss: error terms and gradients, with every step.

        Args:
            per: "batch", or "sample" for the lecture's single-sample form.
            target: "labels" or "rows" for class losses; None takes rows where the loss has them.
        """
        record = symbackprop.pipeline.derive_network(self.spec, target=target, per=per)
        return symbackprop.Derivation(record, self.spec)

    def compile(
        self,
        target: str = "cpu",
        dtype: Any = "float32",
        schedule: str = "auto",
        batch: int | None = None,
        threads: int | None = None,
        check_finite: bool = False,
        recompute: Sequence[str] | str | None = None,
        device: Any = None,
        math: str = "strict",
    ) -> Any:
        """Return a program that computes the loss and its gradients; nothing is compiled before its first use.

        Args:
            target: "cpu", "numpy" or "cuda".
            dtype: "float32" or "float64".
            schedule: "auto"; "plain" for plain loops everywhere; "unrolled" for a line of code for every scalar, where the network is
                small enough and no sample depends on another one. For target "cuda": "auto"; "single" for one block that keeps the
                parameters in its shared memory; "grid" for all blocks at once; "layered" for a launch for each kernel; "external"
                for the same with large products done by cuBLAS.
            batch: the largest batch; None plans for what comes.
            threads: at most so many; None takes all.
            check_finite: whether NaN and infinity are refused.
            recompute: forward values that are not kept for the backward pass but computed again, by name (``"dense_1.a"``), or "all";
                the gradients have the same bits, the workspace is smaller. ``program.plan`` shows what the backward pass reads.
            device: what target "cuda" runs on: "auto", "builtin" or "numba-cuda" is a GPU through the CUDA target that Numba takes,
                its own, or that of the package numba-cuda; "lockstep" runs the kernels in Python, for tiny sizes and without a GPU.
            math: how exact float32 is for target "cuda": "strict" as it is; "tf32" lets cuBLAS round the factors of its products to 10
                bits, so that results are right to about 1e-3 of the largest; "fast" takes approximate functions and quotients besides,
                right to about 1e-5 where they are of ordinary size, and numbers next to 0 as 0.

        Raises:
            DeclarationError: an option is none of these, or (at first use) ``recompute`` names no value that the backward pass reads.
        """
        return symbackprop.Program(
            self.spec,
            target=target,
            dtype=dtype,
            schedule=schedule,
            batch=batch,
            threads=threads,
            check_finite=check_finite,
            recompute=recompute,
            device=device,
            math=math,
        )

    def artifacts(
        self,
        targets: Sequence[str] = ("numpy", "cpu"),
        dtype: Any = "float32",
        batch: int | None = None,
        optimizer: Any = None,
        target_form: str | None = None,
        products: Sequence[str] = (),
    ) -> tuple[Any, ...]:
        """Return what `generate` would write: records with ``path``, relative to the output folder, and ``text``."""
        made: tuple[Any, ...] = symbackprop.pipeline.artifacts(
            self.spec,
            tuple(targets),
            real_type(dtype).name,
            batch=batch,
            optimizer=optimizer,
            form=target_form,
            products=tuple(products),
        )
        return made

    def generate(
        self,
        root: str | os.PathLike[str],
        targets: Sequence[str] = ("numpy", "cpu"),
        dtype: Any = "float32",
        batch: int | None = None,
        optimizer: Any = None,
        target_form: str | None = None,
        products: Sequence[str] = (),
    ) -> tuple[Path, ...]:
        """Write stand-alone modules to ``<root>/<name>/`` and return their paths.

        ``products=("hvp",)`` writes Hessian-vector products with respect to the parameters too, as ``<name>_hvp_cpu.py``; so do
        "jvp" and "vjp".
        """
        paths: tuple[Path, ...] = symbackprop.pipeline.generate(
            self.spec,
            root,
            targets=tuple(targets),
            dtype=real_type(dtype).name,
            batch=batch,
            optimizer=optimizer,
            form=target_form,
            products=tuple(products),
        )
        return paths

    def scene(self, notation: Any = "ufldl", kind: str = "auto", view: str | None = None, **options: Any) -> Any:
        """Return the network's picture as a record.

        Args:
            notation: a preset's name or a `Notation`.
            kind: "neurons" draws every unit, "boxes" every layer, "auto" neurons where that can be.
            view: "same" draws an activation with its layer, "own" as a layer of its own; None leaves that to the notation.
            **options: ``highlight="dense_1.W[1,3]"`` lets all ways from a weight or an error term to the loss stand out, step by step
                with ``frames=True``; ``values=params`` writes numbers on the edges; ``loss=True`` draws target and loss (boxes).
        """
        from symbackprop.present.scene.network import network_scene

        if options.get("highlight") is not None and "note" not in options and self.spec.loss is not None:
            options["note"] = self._chain(str(options["highlight"]), notation)
        return network_scene(self.model(per=symbackprop.pipeline.usual_per(self.spec)), notation, kind, activation_layer=view, **options)

    def _chain(self, highlight: str, notation: Any) -> Any:
        """The chain rule of a single weight as a label, or None for anything else."""
        from symbackprop.present.scene.records import Label

        name, _, rest = highlight.partition("[")
        indices = re.findall(r"\d+", rest)
        if name.strip() not in {r.name for r in self.spec.parameters if r.trainable}:
            return None
        entry = self.derive(per=symbackprop.pipeline.usual_per(self.spec)).weight(name.strip(), *map(int, indices), notation=notation)
        plain = " ".join(re.split(r"\s{2,}", line.strip())[0] for line in entry.text().splitlines())
        return Label(plain, rf"\displaystyle {' '.join(line.latex for line in entry.lines(boxed=False))}")

    def draw(
        self,
        path: str | os.PathLike[str],
        notation: Any = "ufldl",
        kind: str = "auto",
        view: str | None = None,
        *,
        frames: bool = False,
        step: int | None = None,
        **options: Any,
    ) -> tuple[Path, ...]:
        """Write the network's picture.

        Args:
            path: ``net.svg``, ``.tex`` (a tikzpicture), ``.dot``, ``.txt``, ``.pdf`` or ``.png``.
            notation: as for `scene`, like ``kind``, ``view`` and the options.
            kind: "auto", "neurons" or "boxes".
            view: "same", "own" or None.
            frames: write one file for each step; in a ``.tex`` file one picture with overlays.
            step: draw this frame only.
            **options: as for `scene`.

        Returns:
            The files that were written.
        """
        from symbackprop.public.drawing import draw_scene

        if options.get("highlight") is not None:
            options["frames"] = frames or step is not None
        return draw_scene(self.scene(notation, kind, view, **options), path, frames=frames, step=step)

    def __repr__(self) -> str:
        loss = f", loss={self.spec.loss.name}" if self.spec.loss is not None else ""
        count = self.parameter_count
        shown = f", {count} parameters" if count is not None else ""
        return f"{type(self).__name__}({self.name}: {len(self.spec.layers)} layers{shown}{loss})"

    def _repr_html_(self) -> str:
        head = "<tr><th>layer</th><th>kind</th><th>reads</th><th>output</th><th>parameters</th></tr>"
        rows = []
        for call in self.spec.calls:
            owned = [
                f"{r.name.rsplit('.', 1)[1]} {written(r.shape)}" for r in self.spec.parameters if r.name.rsplit(".", 1)[0] == call.layer
            ]
            given = ", ".join(map(written, call.values.values()))
            cells = (", ".join(call.values), self.spec.layer[call.layer].kind, ", ".join(call.inputs), given, ", ".join(owned))
            rows.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
        return f"<table><caption>{html.escape(repr(self))}</caption>{head}{''.join(rows)}</table>"

    def _repr_svg_(self) -> str:
        from symbackprop.present.scene.svg import svg

        return svg(self.scene())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """The picture and the table together, where a front end shows HTML."""
        from symbackprop.present.display import bundle

        return bundle(repr(self), svg=self._repr_svg_(), html=self._repr_html_())


class Sequential(Network):
    """A network of layers one after another; the first item is an `Input`."""

    def __init__(
        self,
        layers: Sequence[Any],
        loss: str | Loss | None = None,
        regularizer: L1 | L2 | ElasticNet | None = None,
        name: str = "network",
    ) -> None:
        start, end = chain(layers, name)
        super().__init__(start, end, loss, regularizer, name)


__all__ = ["Network", "Sequential"]
