"""The table of activations: one line each, as an expression in z. Derivatives and stable forms are derived from these."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from symbackprop import algebra as alg
from symbackprop.algebra.names import check_name
from symbackprop.algebra.suggest import suggestion
from symbackprop.declare.expression import Term, build, number, parse
from symbackprop.errors import DeclarationError


@dataclass(frozen=True)
class ActivationEntry:
    """A named activation.

    Attributes:
        expression: the textbook form in z and the options; None for a system over the last axis (softmax).
        options: default values, by name.
        kinks: values of z at which the derivative jumps; its value there follows the stated conventions.
        initial: the initializer of weights in front of it.
    """

    expression: str | None
    options: tuple[tuple[str, float], ...] = ()
    kinks: tuple[float, ...] = ()
    initial: str = "glorot"


ACTIVATIONS: Mapping[str, ActivationEntry] = {
    "identity": ActivationEntry("z"),
    "sigmoid": ActivationEntry("1/(1 + exp(-z))"),
    "tanh": ActivationEntry("tanh(z)"),
    "relu": ActivationEntry("max(0, z)", kinks=(0,), initial="he"),
    "leaky_relu": ActivationEntry("select(z, z, slope*z)", (("slope", 0.1),), kinks=(0,), initial="he"),
    "elu": ActivationEntry("select(z, z, alpha*(exp(z) - 1))", (("alpha", 1.0),), kinks=(0,), initial="he"),
    "selu": ActivationEntry(
        "select(z, scale*z, scale*alpha*(exp(z) - 1))",
        (("scale", 1.0507009873554805), ("alpha", 1.6732632423543772)),
        kinks=(0,),
    ),
    "celu": ActivationEntry("select(z, z, alpha*(exp(z/alpha) - 1))", (("alpha", 1.0),), initial="he"),
    "softplus": ActivationEntry("log(1 + exp(z))", initial="he"),
    "softsign": ActivationEntry("z/(1 + abs(z))"),
    "silu": ActivationEntry("z/(1 + exp(-z))", initial="he"),
    "mish": ActivationEntry("z*tanh(log(1 + exp(z)))", initial="he"),
    "gelu": ActivationEntry("z/2*(1 + erf(z/sqrt(2)))", initial="he"),
    "gelu_tanh": ActivationEntry("z/2*(1 + tanh(sqrt(2/pi)*(z + 0.044715*z**3)))", initial="he"),
    "hard_sigmoid": ActivationEntry("min(max(0, z + 3), 6)/6", kinks=(-3, 3)),
    "hard_tanh": ActivationEntry("min(max(-1, z), 1)", kinks=(-1, 1)),
    "relu6": ActivationEntry("min(max(0, z), 6)", kinks=(0, 6), initial="he"),
    "log_sigmoid": ActivationEntry("-log(1 + exp(-z))"),
    "exponential": ActivationEntry("exp(z)"),
    "softmax": ActivationEntry(None),
    "log_softmax": ActivationEntry(None),
}

Expression = Callable[[Any], Any]


@dataclass(frozen=True)
class ActivationSpec:
    """An activation as declared: a row of the table, an own expression, or a bare name that stays unspecified.

    Attributes:
        name: its name.
        options: values of its options, sorted by name.
        own: text or a function of z; None for a row of the table or an unspecified function.
        learned: parameters with their first values, sorted by name.
        per_channel: whether each of them is one number for every channel (the first axis after the batch), else one in all.
    """

    name: str
    options: tuple[tuple[str, float], ...] = ()
    own: str | Expression | None = None
    learned: tuple[tuple[str, float], ...] = ()
    per_channel: bool = False

    def __post_init__(self) -> None:
        check_name(self.name, "activation")
        entry = ACTIVATIONS.get(self.name)
        self._check_learned(entry)
        if self.own is not None:
            if entry is not None:
                raise DeclarationError(f"activation {self.name!r} is already defined; give your expression another name")
            if isinstance(self.own, str):
                parse(self.own, ("z", *(k for k, _ in (*self.options, *self.learned))), f"activation {self.name}: expression")
            elif not callable(self.own):
                raise DeclarationError(f"activation {self.name}: the expression is a function of z or text, got {type(self.own).__name__}")
        elif entry is not None:
            known = dict(entry.options)
            for key, _ in self.options:
                if key not in known:
                    takes = f"it takes {', '.join(known)}" if known else "it takes none"
                    raise DeclarationError(f"activation {self.name} has no option {key!r}; {takes}{suggestion(key, known)}")
        elif self.options:
            raise DeclarationError(f"activation {self.name} has options but no expression")
        for key, value in (*self.options, *self.learned):
            check_name(key, "option")
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e30:
                raise DeclarationError(f"activation {self.name}: option {key} must be a finite number, got {value!r}")

    def _check_learned(self, entry: ActivationEntry | None) -> None:
        if not isinstance(self.per_channel, bool):
            raise DeclarationError(f"activation {self.name}: per_channel must be True or False, got {str(self.per_channel)[:40]!r}")
        if self.own is None and self.learned:
            known = () if entry is None or entry.expression is None else tuple(k for k, _ in entry.options)
            for key, _ in self.learned:
                if key not in known:
                    raise DeclarationError(
                        f"activation {self.name} has no {key!r} to learn (it has {', '.join(known) or 'none'}); "
                        f"give an expression in z and {key}"
                    )
        for key, _ in self.learned:
            if key in ("z", "x", "a", *(k for k, _ in self.options)):
                raise DeclarationError(
                    f"activation {self.name}: the learned parameter {key!r} has the name of something else; choose another"
                )
        if self.per_channel and not self.learned:
            raise DeclarationError(f"activation {self.name}: per_channel=True needs learned={{name: first value}}")

    @property
    def unspecified(self) -> bool:
        """Whether this is a bare name f without an expression."""
        return self.own is None and self.name not in ACTIVATIONS

    @property
    def over_axis(self) -> bool:
        """Whether it mixes the entries of the last axis."""
        return self.own is None and self.name in ACTIVATIONS and ACTIVATIONS[self.name].expression is None

    @property
    def kinks(self) -> tuple[float, ...]:
        entry = ACTIVATIONS.get(self.name)
        return entry.kinks if entry is not None and self.own is None else ()

    @property
    def initial(self) -> str:
        """The initializer of weights in front of it."""
        entry = ACTIVATIONS.get(self.name)
        return entry.initial if entry is not None and self.own is None else "glorot"

    @cached_property
    def written(self) -> str:
        """The content as text: equal texts are equal functions."""
        learned = [f"{k}~{v!r}" for k, v in self.learned] + ["per channel"] * self.per_channel
        options = ",".join([*(f"{k}={v!r}" for k, v in self.options), *learned])
        if self.own is None or isinstance(self.own, str):
            return f"{self.name}({options}){self.own or ''}"
        free = {name: alg.sympy.Symbol(name, real=True) for name in ("z", *(k for k, _ in self.learned))}
        return f"{self.name}({options}){alg.sympy.srepr(self.apply(free.pop('z'), free))}"

    def apply(self, z: Any, learned: Mapping[str, Any] | None = None) -> Any:
        """Return the activation's expression at z (not for softmax and its like); ``learned`` has what stands for its parameters."""
        if self.unspecified:
            return alg.unspecified(self.name, z)
        if self.own is None or isinstance(self.own, str):
            text = self.own or ACTIVATIONS[self.name].expression
            if text is None:
                raise DeclarationError(f"{self.name} is no function of one number")
            defaults = dict(ACTIVATIONS[self.name].options) if self.own is None else {}
            values = {k: number(v) for k, v in {**defaults, **dict(self.options)}.items()} | dict(learned or {})
            return build(_parsed(text, ("z", *sorted(values))), {"z": z, **values})
        return self._call(z, learned or {})

    def _call(self, z: Any, learned: Mapping[str, Any]) -> Any:
        variable = alg.sympy.Symbol("z", real=True)
        free = {name: alg.sympy.Symbol(name, real=True) for name in learned}
        function: Any = self.own
        try:
            result = function(variable, **dict(self.options), **free)
        except DeclarationError:
            raise
        except Exception as error:
            reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
            raise DeclarationError(
                f"activation {self.name}: the function cannot be applied to a SymPy symbol ({reason}); "
                "use SymPy's functions, for example sympy.exp(z)"
            ) from error
        if isinstance(result, int | float) and not isinstance(result, bool):
            result = alg.sympy.sympify(result)
        if not isinstance(result, alg.sympy.Expr):
            raise DeclarationError(f"activation {self.name}: the function of z returns {type(result).__name__}, not an expression")
        stray = sorted(str(s) for s in result.free_symbols if s != variable and s not in free.values())
        if stray:
            raise DeclarationError(f"activation {self.name}: {', '.join(stray)} is neither z nor an option")
        return result.xreplace({variable: z, **{free[name]: value for name, value in learned.items()}})


@lru_cache(maxsize=256)
def _parsed(text: str, names: tuple[str, ...]) -> Term:
    return parse(text, names)


def activation_spec(given: object, options: Mapping[str, float] | None = None, own: object = None) -> ActivationSpec | None:
    """Return what ``activation=`` means: None, a name of the table, or a spec.

    Raises:
        DeclarationError: unknown name, with the closest known one.
    """
    if given is None or isinstance(given, ActivationSpec):
        return given
    if isinstance(given, str):
        if given not in ACTIVATIONS:
            check_name(given, "activation")
            raise DeclarationError(
                f"unknown activation {given!r}{suggestion(given, ACTIVATIONS)} "
                f"(known: {', '.join(ACTIVATIONS)}; an own one is Activation(name, expression))"
            )
        return ActivationSpec(given)
    raise DeclarationError(f"activation must be a name or sbp.Activation(...), got {type(given).__name__}")


def activate(spec: ActivationSpec | None, z: Any, learned: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
    """Return the equations of an activation of tensor z; the last one defines ``a``. None gives no equation."""
    if spec is None:
        return ()
    a = alg.Tensor("a", z.axes)
    if not spec.over_axis:
        return (alg.Equation(a.own, spec.apply(z.own, learned)),)
    *outer, i = z.axes
    j = alg.indices("j" if i.name != "j" else "k", i.extent)
    total = alg.Tensor("S", tuple(outer), positive=True)
    first = alg.Equation(total.own, alg.Sum(alg.sympy.exp(z[(*outer, j)]), j))
    if spec.name == "softmax":
        return (first, alg.Equation(a.own, alg.sympy.exp(z.own) / total.own))
    p = alg.Tensor("p", a.axes, positive=True)
    return (first, alg.Equation(p.own, alg.sympy.exp(z.own) / total.own), alg.Equation(a.own, alg.sympy.log(p.own)))


__all__ = ["ACTIVATIONS", "ActivationEntry", "ActivationSpec", "activate", "activation_spec"]
