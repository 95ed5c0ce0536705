"""Notations: one record fixes the letters, the numbering and the signs of every printed formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from symbackprop.errors import DeclarationError
from symbackprop.present.letters import check_letter, close_word

LAYOUTS = ("gradient", "numerator", "denominator")


@dataclass(frozen=True)
class Notation:
    r"""How formulas are written. Own ones come from a preset with `dataclasses.replace`.

    Letters are single letters, Greek macros such as ``\delta``, or one with a subscript (``n_l``).

    Attributes:
        name: of the preset.
        source: whose notation it is.
        input: letter of the input.
        target: of the target.
        pre: of the pre-activation.
        activation: of the activation.
        probability: of softmax probabilities inside a loss.
        weight: of a weight matrix.
        bias: of a bias.
        error: of the error term, ∂L/∂(pre-activation).
        loss: of the loss.
        sample_loss: of the loss of one sample, where it stands beside the total one.
        function: of the activation function while it is unspecified.
        output_function: the same for the output layer, where it has a name of its own.
        width: number of units of a layer, ``s_l``.
        samples: how many samples a batch has.
        rate: the learning rate.
        layer: the symbol of a general layer.
        last: the symbol of the last layer.
        first: the number of the input layer.
        weight_of: "source" if W^(l) leads from layer l to l+1, "destination" if it leads from l-1 to l.
        layer_mark: where the layer stands on a whole vector or matrix: "superscript" or "subscript" (entries always have it above).
        hadamard: sign of the elementwise product.
        transposed: sign of the transpose.
        gradient: "nabla" for ∇_W L, "partial" for ∂L/∂W.
        output_error: "target first" for −(y − a), "output first" for a − y.
    """

    name: str
    source: str = ""
    input: str = "x"
    target: str = "y"
    pre: str = "z"
    activation: str = "a"
    probability: str = "p"
    weight: str = "W"
    bias: str = "b"
    error: str = r"\delta"
    loss: str = "L"
    sample_loss: str = r"\ell"
    function: str = "f"
    output_function: str = "f"
    width: str = "s"
    samples: str = "N"
    rate: str = r"\eta"
    layer: str = "l"
    last: str = "n_l"
    first: int = 1
    weight_of: str = "source"
    layer_mark: str = "superscript"
    hadamard: str = r"\circ"
    transposed: str = r"\top"
    gradient: str = "nabla"
    output_error: str = "output first"

    def __post_init__(self) -> None:
        for key in _LETTERS:
            check_letter(getattr(self, key), f"notation {self.name}: {key}")
        for key, allowed in _CHOICES.items():
            value = getattr(self, key)
            if value not in allowed:
                raise DeclarationError(f"notation {self.name}: {key} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
        if not isinstance(self.first, int) or self.first not in (0, 1):
            raise DeclarationError(f"notation {self.name}: the input layer has number 0 or 1, got {self.first!r}")

    def letter(self, role: str) -> str:
        """Return the letter of a role, for example "pre"."""
        return str(getattr(self, role))


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "weight_of": ("source", "destination"),
    "layer_mark": ("superscript", "subscript"),
    "hadamard": (r"\circ", r"\bullet", r"\odot", r"\cdot"),
    "transposed": (r"\top", "T", r"\mathsf{T}"),
    "gradient": ("nabla", "partial"),
    "output_error": ("output first", "target first"),
}
_LETTERS = tuple(f.name for f in fields(Notation) if f.name not in ("name", "source", "first", *_CHOICES))

#: The presets. Each derives the same equations; they differ in writing only.
PRESETS: Mapping[str, Notation] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Notation(
                "ufldl",
                source="Balasubramanian, after the UFLDL tutorial",
                samples="M",
                output_error="target first",
            ),
            Notation(
                "larochelle",
                source="Sayrol, after Larochelle",
                pre="a",
                activation="h",
                function="g",
                output_function="o",
                layer="k",
                last="K",
                layer_mark="subscript",
                hadamard=r"\bullet",
                gradient="partial",
            ),
        )
    }
)


def notations() -> tuple[str, ...]:
    """Return the names of the presets."""
    return tuple(PRESETS)


def notation(given: str | Notation) -> Notation:
    """Return a preset by name; a record is returned as it is.

    Raises:
        DeclarationError: there is no preset of this name.
    """
    if isinstance(given, Notation):
        return given
    if not isinstance(given, str) or given not in PRESETS:
        raise DeclarationError(f"unknown notation {str(given)[:60]!r}{close_word(str(given)[:60], PRESETS)} (known: {', '.join(PRESETS)})")
    return PRESETS[given]


def layout(given: str) -> str:
    """Return the name of a layout, checked.

    Raises:
        DeclarationError: there is no such layout.
    """
    if given not in LAYOUTS:
        raise DeclarationError(f"unknown layout {str(given)[:60]!r} (known: {', '.join(LAYOUTS)})")
    return given


__all__ = ["LAYOUTS", "PRESETS", "Notation", "layout", "notation", "notations"]
