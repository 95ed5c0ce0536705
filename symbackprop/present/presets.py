"""The record of a notation: letters, numbering and signs of every printed formula; and the presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from symbackprop.errors import DeclarationError
from symbackprop.present.letters import check_letter


@dataclass(frozen=True)
class Notation:
    r"""How formulas are written. Own ones come from a preset with `dataclasses.replace`.

    Letters are single letters, Greek macros such as ``\delta``, or one with a subscript (``n_l``).

    Two conventions change more than letters. With ``bias_form="folded"`` every layer's input has a component 0 that is 1 and the
    weights have a column 0 that is the bias, z_i = Σ_{j=0}^s w_ij a_j; a bar drops component 0 and column 0, as the backward pass
    needs: δ = (w̄ᵀ δ) ∘ f'(z). With ``weight_index="source first"`` the weights are stored the other way round: z = Wᵀ a + b,
    δ = (W δ) ∘ f'(z), ∇_W L = a δᵀ.

    Attributes:
        name: of the preset.
        source: whose notation it is.
        input: letter of the input.
        target: of the target.
        pre: of the pre-activation.
        activation: of the activation.
        probability: of softmax probabilities inside a loss.
        normalizer: of the sum of exponentials under them.
        output: of the network's output, where it has one of its own (y or ŷ instead of a); "" if not.
        weight: of a weight.
        weight_matrix: of a whole weight matrix, where it differs from that of a weight; "" if not.
        bias: of a bias.
        error: of the error term, ∂L/∂(pre-activation).
        loss: of the loss.
        sample_loss: of the loss of one sample, where it stands beside the total one.
        one_loss: what a derivation for one sample differentiates: "total" writes the letter of the loss, "sample" that of the loss of
            one sample, "indexed" the latter with the sample's index (E_n).
        function: of the activation function while it is unspecified.
        output_function: the same for the output layer, where it has a name of its own.
        width: number of units of a layer, ``s_l``.
        samples: how many samples a batch has.
        rate: the learning rate.
        layer: the symbol of a general layer.
        last: the symbol of the last layer.
        first: the number of the input layer.
        weight_of: "source" if W^(l) leads from layer l to l+1, "destination" if it leads from l-1 to l.
        layer_mark: where the layer stands on a whole vector or matrix: "superscript" (in parentheses), "superscript bare", "subscript"
            (entries then have it above, in parentheses).
        hadamard: sign of the elementwise product.
        transposed: sign of the transpose.
        gradient: "nabla" for ∇_W L, "partial" for ∂L/∂W.
        output_error: "target first" for −(y − a), "output first" for a − y.
        error_term: "letter" for δ, "derivative" where error terms have no letter: ∇_s L.
        weight_index: "destination first" (W_ij: i in the layer that it leads to, z = W x) or "source first" (z = Wᵀ x).
        bias_form: "separate", or "folded" into column 0 of the weights.
        activation_layer: "same", or "own" where an activation counts as a layer of its own.
        batch_samples: "rows" or "columns", how a batch is written: ∇_W L = Δᵀ A or Δ Aᵀ.
        sample: index of a sample.
        sample_mark: where it stands: "superscript parenthesised", "superscript" or "subscript".
        time_mark: where the moment t of a recurrence stands: "subscript", "superscript parenthesised" or "superscript angled".
        average: "mean" or "sum", for a loss over samples where the network does not say which.
        vectors: "plain", "bold" (italic) or "bold upright".
        indices: letters of the units: of the layer itself, of the layer below it.
        input_word: what the inputs of a node of a graph are called.
        consumer_word: what the nodes that read it are called.
    """

    name: str
    source: str = ""
    input: str = "x"
    target: str = "y"
    pre: str = "z"
    activation: str = "a"
    probability: str = "p"
    normalizer: str = "S"
    output: str = ""
    weight: str = "W"
    weight_matrix: str = ""
    bias: str = "b"
    error: str = r"\delta"
    loss: str = "L"
    sample_loss: str = r"\ell"
    one_loss: str = "total"
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
    error_term: str = "letter"
    weight_index: str = "destination first"
    bias_form: str = "separate"
    activation_layer: str = "same"
    batch_samples: str = "rows"
    sample: str = "n"
    sample_mark: str = "subscript"
    time_mark: str = "subscript"
    average: str = "mean"
    vectors: str = "plain"
    indices: str = "ij"
    input_word: str = "input"
    consumer_word: str = "consumer"

    def __post_init__(self) -> None:
        for key in ("name", "source", "input_word", "consumer_word"):
            if not isinstance(getattr(self, key), str):
                raise DeclarationError(f"notation {str(self.name)[:40]}: {key} must be text, got {getattr(self, key)!r}")
        for key in _LETTERS:
            if getattr(self, key) != "" or key not in _OPTIONAL:
                check_letter(getattr(self, key), f"notation {self.name}: {key}")
        for key, allowed in _CHOICES.items():
            value = getattr(self, key)
            if value not in allowed:
                raise DeclarationError(f"notation {self.name}: {key} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
        if not isinstance(self.first, int) or self.first not in (0, 1):
            raise DeclarationError(f"notation {self.name}: the input layer has number 0 or 1, got {self.first!r}")
        if len(self.indices) != 2 or not self.indices.isascii() or not self.indices.isalpha() or len(set(self.indices)) != 2:
            raise DeclarationError(f"notation {self.name}: indices must be two different letters such as 'ij', got {self.indices!r}")
        if self.one_loss == "sample" and self.sample_loss == self.loss:
            raise DeclarationError(f"notation {self.name}: one_loss 'sample' needs a sample_loss other than the loss {self.loss!r}")
        shown = [key for key in _DISTINCT if not (key == "bias" and self.folded)]
        for k, key in enumerate(shown):
            for other in shown[:k]:
                if getattr(self, key) == getattr(self, other):
                    raise DeclarationError(f"notation {self.name}: {other} and {key} cannot share the letter {getattr(self, key)!r}")

    def letter(self, role: str) -> str:
        """Return the letter of a role, for example "pre"."""
        return str(getattr(self, role))

    @property
    def folded(self) -> bool:
        """Whether biases are column 0 of the weights."""
        return self.bias_form == "folded"

    def weight_layer(self) -> int:
        """Return which layer's number a weight carries, counted from the layer that it leads to: 0, or −1 for the one below."""
        return -1 if self.weight_of == "source" else 0


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "weight_of": ("source", "destination"),
    "layer_mark": ("superscript", "superscript bare", "subscript"),
    "hadamard": (r"\circ", r"\bullet", r"\odot", r"\cdot"),
    "transposed": (r"\top", "T", r"\mathsf{T}"),
    "gradient": ("nabla", "partial"),
    "output_error": ("output first", "target first"),
    "one_loss": ("total", "sample", "indexed"),
    "error_term": ("letter", "derivative"),
    "weight_index": ("destination first", "source first"),
    "bias_form": ("separate", "folded"),
    "activation_layer": ("same", "own"),
    "batch_samples": ("rows", "columns"),
    "sample_mark": ("superscript parenthesised", "superscript", "subscript"),
    "time_mark": ("subscript", "superscript parenthesised", "superscript angled"),
    "average": ("mean", "sum"),
    "vectors": ("plain", "bold", "bold upright"),
}
_OPTIONAL = ("output", "weight_matrix")
_OTHER = ("name", "source", "first", "indices", "input_word", "consumer_word", *_CHOICES)
_LETTERS = tuple(f.name for f in fields(Notation) if f.name not in _OTHER)
#: Roles that occur side by side: one letter for two of them would be misread.
_DISTINCT = ("input", "target", "pre", "activation", "weight", "bias", "error")

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
                sample="i",
                sample_mark="superscript parenthesised",
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
                sample_mark="superscript",
            ),
            Notation(
                "cs231n",
                source="van der Sommen, after Stanford CS231n",
                pre="s",
                activation="h",
                normalizer="Z",
                sample_loss="L",
                one_loss="indexed",
                width="D",
                last="F",
                first=0,
                weight_of="destination",
                layer_mark="subscript",
                hadamard=r"\odot",
                transposed="T",
                error_term="derivative",
                indices="jk",
                sample="i",
                input_word="parent",
                consumer_word="child",
            ),
            Notation(
                "tuwien",
                source="Pramerdorfer, TU Wien",
                pre="v",
                normalizer="Z",
                function=r"\varphi",
                output_function=r"\varphi",
                width="H",
                samples="S",
                layer="k",
                last="K",
                first=0,
                weight_of="destination",
                layer_mark="subscript",
                hadamard=r"\odot",
                transposed="T",
                gradient="partial",
                error_term="derivative",
                sample="s",
                input_word="child",
                consumer_word="parent",
            ),
            Notation(
                "ng",
                source="CENG 506, after Ng's Machine Learning course",
                weight="w",
                loss="E",
                function="g",
                output_function="g",
                samples="m",
                rate=r"\alpha",
                last="L",
                transposed="T",
                gradient="partial",
                bias_form="folded",
                sample="i",
                sample_mark="superscript parenthesised",
                time_mark="superscript angled",
            ),
            Notation(
                "goodfellow",
                source="Goodfellow, Bengio and Courville, Deep Learning (2016), algorithms 6.3 and 6.4",
                pre="a",
                activation="h",
                error="g",
                loss="J",
                sample_loss="L",
                one_loss="sample",
                width="n",
                samples="m",
                rate=r"\epsilon",
                layer="k",
                last="l",
                first=0,
                weight_of="destination",
                hadamard=r"\odot",
                sample="i",
                sample_mark="superscript parenthesised",
                time_mark="superscript parenthesised",
                vectors="bold",
            ),
            Notation(
                "bishop",
                source="Bishop, Pattern Recognition and Machine Learning (2006), section 5.3",
                target="t",
                pre="a",
                activation="z",
                probability="y",
                output="y",
                weight="w",
                weight_matrix="W",
                loss="E",
                sample_loss="E",
                one_loss="indexed",
                function="h",
                output_function=r"\sigma",
                width="M",
                last="L",
                first=0,
                weight_of="destination",
                hadamard=r"\odot",
                transposed="T",
                gradient="partial",
                bias_form="folded",
                average="sum",
                vectors="bold upright",
                indices="ji",
            ),
            Notation(
                "nielsen",
                source="Nielsen, Neural Networks and Deep Learning (2015), chapter 2",
                weight="w",
                loss="C",
                sample_loss="C",
                one_loss="indexed",
                function=r"\sigma",
                output_function=r"\sigma",
                samples="n",
                last="L",
                weight_of="destination",
                layer_mark="superscript bare",
                hadamard=r"\odot",
                transposed="T",
                sample="x",
                indices="jk",
                gradient="partial",
            ),
        )
    }
)


__all__ = ["PRESETS", "Notation"]
