"""The whole way, one call a line: declare, derive, plan, emit, execute.

A stage is imported when it is first needed, here and nowhere else: a program that comes from the cache starts without SymPy
and Jinja.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbackprop.declare.spec import NetworkSpec
from symbackprop.errors import DeclarationError
from symbackprop.execute import cache, files
from symbackprop.execute.garbage import seldom_searched
from symbackprop.execute.load import Loaded, load, recall

if TYPE_CHECKING:
    from symbackprop.algebra.equation import System
    from symbackprop.declare.model import Model
    from symbackprop.derive.records import Derivation
    from symbackprop.emit.records import Artifact
    from symbackprop.plan.records import Plan

#: Targets that run.
RUNNING = ("numpy", "cpu", "cuda")
#: Schedules by target: "single" is one block that does whole steps, "grid" all blocks at once with few waits, "layered" a launch for
#: each kernel, "external" takes large products from cuBLAS.
SCHEDULES = {
    "numpy": ("auto", "plain", "unrolled"),
    "cpu": ("auto", "plain", "unrolled"),
    "cuda": ("auto", "single", "grid", "layered", "external"),
}
#: How exact float32 is on a GPU: as it is; with factors of cuBLAS's products rounded to 10 bits; and besides with approximate functions
#: and quotients, and numbers next to 0 taken as 0.
MATH = ("strict", "tf32", "fast")
#: Products with derivatives that a module of its own computes.
PRODUCTS = ("jvp", "vjp", "hvp")
#: Largest batches that a program without a fixed batch is planned for, one after another as they are needed.
ROWS = (64, 1024, 16384, 2**18, 2**22, 2**30)
#: Losses whose kernels take integer labels unless asked otherwise, since that is what data sets hold.
LABELLED = ("cross_entropy", "multiclass_hinge", "softmax_cross_entropy")


@dataclass(frozen=True)
class Asked:
    """Which products with derivatives a module computes.

    Attributes:
        kind: "jvp", "vjp" or "hvp".
        wrt: "parameters", "inputs" or both, in this order.
        route: to a Hessian-vector product, "reverse" or "forward"; "" for the others.
    """

    kind: str
    wrt: tuple[str, ...]
    route: str = ""


@dataclass(frozen=True)
class Options:
    """What a text depends on besides the declaration.

    Attributes:
        kind: the target, "numpy", "cpu" or "cuda".
        dtype: "float32" or "float64".
        batch: the largest batch.
        schedule: "auto", or one of the target's own.
        form: of the target of the loss, "labels" or "rows"; None without a loss.
        optimizer: its equations go into the text, its numbers are defaults only; or None.
        product: which products a module of products computes; None for the network's own module.
        recompute: names of forward values that are computed again rather than kept, or "all".
        math: how exact float32 is on a GPU, one of `MATH`.
    """

    kind: str
    dtype: str
    batch: int
    schedule: str = "auto"
    form: str | None = None
    optimizer: Any = None
    product: Asked | None = None
    recompute: tuple[str, ...] | str = ()
    math: str = "strict"


def lower(spec: NetworkSpec, target: str | None = None, per: str = "batch", mode: str = "training") -> Model:
    """Return a network as a system of equations, in training or in inference."""
    model: Model = _stage("declare.lower").lower(spec, target=target, per=per, mode=mode)
    return model


def usual_per(spec: NetworkSpec) -> str:
    """Return the form in which a network is printed: "sample", or "batch" where a layer mixes the samples of a batch."""
    per: str = _stage("declare.lower").usual_per(spec)
    return per


def sample_model(model: Model) -> Model:
    """Return the single-sample form of a model."""
    single: Model = _stage("declare.lower").sample_model(model)
    return single


def derive_network(spec: NetworkSpec, target: str | None = None, per: str = "batch") -> Derivation:
    """Return the cotangent equations of a network's loss, with the network's own (`Derivation.model`)."""
    derivation: Derivation = _stage("derive.network").derive_model(lower(spec, target, per))
    return derivation


def write(spec: NetworkSpec, options: Options) -> tuple[Model, Plan, tuple[Artifact, ...]]:
    """Return the text of a network's kernels, with what it was made from."""
    if options.product is not None:
        return _write_product(spec, options, options.product)
    model = lower(spec, options.form)
    derivation = None if model.loss is None else _stage("derive.network").derive_model(model)
    machine = _stage("plan.records").MACHINES[options.kind]
    plan: Plan = _stage("plan.make").make(model, derivation, options, inference(spec, options.form), machine)
    artifacts: tuple[Artifact, ...] = _stage("emit.render").render(plan, options.kind)
    return model, plan, artifacts


def inference(spec: NetworkSpec, form: str | None) -> System | None:
    """Return a network's equations in inference, as they are computed; None where they are those of training."""
    if not spec.has_modes:
        return None
    system = _stage("declare.lower").lower(spec, target=form, mode="inference").system
    computed: System = _stage("derive.sweep").stable_system(system)
    return computed


def _write_product(spec: NetworkSpec, options: Options, asked: Asked) -> tuple[Model, Plan, tuple[Artifact, ...]]:
    # The Hessian is that of the loss that is trained, the Jacobian that of what is predicted.
    model: Model = _stage("declare.lower").lower(spec, target=options.form, mode="training" if asked.kind == "hvp" else "inference")
    moving = tuple(p.name for p in model.parameters if p.trainable) if "parameters" in asked.wrt else ()
    if "inputs" in asked.wrt:
        moving = (*moving, *(x for x in model.inputs if not model.system.tensors[x].integer))
    products = _stage("derive.second").derive_product(model, asked.kind, moving, asked.route or "reverse")
    plan: Plan = _stage("plan.products").make_product(model, products, options, device=options.kind == "cuda")
    return model, plan, _stage("emit.render").render(plan, options.kind)


def compile_network(spec: NetworkSpec, options: Options, device: Any = None) -> Loaded:
    """Return a network's kernels, ready to run on a device: from the cache where an earlier process made them."""
    check_kind(options.kind)
    with seldom_searched():
        key = cache.key(spec.json, _cached_options(options))
        known = recall(key, device)
        if known is not None:
            return known
        model, plan, artifacts = write(spec, options)
        face = _stage("execute.describe").describe(
            spec, model, kind=options.kind, module=Path(artifacts[0].path).name, dtype=options.dtype, batch=options.batch, plan=str(plan)
        )
        return load(key, face, {Path(a.path).name: a.text for a in artifacts}, device)


def artifacts(
    spec: NetworkSpec,
    targets: tuple[str, ...],
    dtype: str,
    batch: int | None = None,
    optimizer: Any = None,
    form: str | None = None,
    products: tuple[str, ...] = (),
) -> tuple[Artifact, ...]:
    """Return the texts of a network for several targets; paths are relative to the output folder.

    Raises:
        DeclarationError: a target or a product has an unknown name.
    """
    for product in products:
        if product not in PRODUCTS:
            raise DeclarationError(f"unknown product {str(product)[:40]!r} (known: {', '.join(PRODUCTS)})")
    made: dict[str, Artifact] = {}
    for kind in targets:
        if kind == "latex":
            texts = latex(spec, form)
        else:
            check_kind(kind)
            options = Options(kind, dtype, batch or ROWS[0], form=form or usual_form(spec), optimizer=optimizer)
            _, _, texts = write(spec, options)
            for product in products:
                asked = Asked(product, ("parameters",), "forward" if product == "hvp" else "")
                texts += write(spec, replace(options, optimizer=None, product=asked))[2]
        made.update((text.path, text) for text in texts)
    return tuple(made.values())


def latex(spec: NetworkSpec, form: str | None = None) -> tuple[Artifact, ...]:
    """Return the formulas of a network as text: of one sample, closed by the mean over the batch, or of a batch if samples mix."""
    whole = derive_network(spec, form)
    one = derive_network(spec, form, "sample") if usual_per(spec) == "sample" else whole
    mean = spec.loss is None or spec.loss.reduction == "mean"
    forms = _stage("derive.times").whole_forms(one, whole)
    made: tuple[Artifact, ...] = _stage("present.network").network_fragment(one, whole, forms, mean=mean)
    return made


def generate(
    spec: NetworkSpec,
    root: str | os.PathLike[str],
    targets: tuple[str, ...] = ("numpy", "cpu"),
    dtype: str = "float32",
    batch: int | None = None,
    optimizer: Any = None,
    form: str | None = None,
    products: tuple[str, ...] = (),
) -> tuple[Path, ...]:
    """Write a network's modules to ``<root>/<name>/`` and return their paths."""
    made = artifacts(spec, targets, dtype, batch, optimizer, form, products)
    return files.write_all(root, {a.path: a.text for a in made})


def check_kind(kind: str) -> None:
    """Refuse a target that nothing is written for.

    Raises:
        DeclarationError: there is none of that name.
    """
    if kind not in RUNNING:
        raise DeclarationError(f"unknown target {str(kind)[:40]!r} (known: {', '.join(RUNNING)})")


def usual_form(spec: NetworkSpec) -> str | None:
    """Return the form of target that kernels are written for where nobody asks; None without a loss."""
    if spec.loss is None:
        return None
    return "labels" if spec.loss.name in LABELLED else spec.loss.forms[0]


def row(batch: int) -> int:
    """Return the largest batch of the row of the schedule table that a batch belongs to."""
    return next((largest for largest in ROWS if batch <= largest), batch)


def check_network(spec: NetworkSpec, form: str | None, value_and_grad: Any, **options: Any) -> Any:
    """Return the report on a network's derivation and on a program made from it."""
    derivation = derive_network(spec, form)
    return _stage("validate.check").check_network(derivation.model, derivation, value_and_grad, **options)


def samples_apart(spec: NetworkSpec) -> bool:
    """Return whether no sample of a batch has to do with another one's output."""
    apart: bool = _stage("derive.second").samples_apart(_stage("declare.lower").lower(spec, target=usual_form(spec), mode="inference"))
    return apart


def first_not_finite(spec: NetworkSpec, form: str | None, values: Mapping[str, Any], dtype: Any) -> str:
    """Return where the first value of a computation lies that is not finite, in words."""
    culprit: str = _stage("execute.culprit").first_not_finite(derive_network(spec, form), values, dtype)
    return culprit


def progress_bar(title: str, epochs: int) -> Any:
    """Return a progress bar over epochs, as a context."""
    return _stage("execute.progress").bar(title, epochs)


def _cached_options(options: Options) -> dict[str, object]:
    rule = options.optimizer
    kept = None if rule is None else (rule.key, tuple(rule.hyper))
    return {
        "kind": options.kind,
        "dtype": options.dtype,
        "batch": options.batch,
        "schedule": options.schedule,
        "form": options.form,
        "rule": kept,
        "product": options.product,
        "recompute": options.recompute,
        "math": options.math,
    }


def _stage(name: str) -> Any:
    return importlib.import_module(f"symbackprop.{name}")
