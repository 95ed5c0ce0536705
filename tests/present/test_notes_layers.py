"""Lecture notes on networks with layers of other kinds, penalties and branches: what is printed is complete and means what it says."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import symbackprop as sbp


def penalised() -> sbp.Network:
    return sbp.Sequential(
        [sbp.Input(5), sbp.Dense(4, "relu"), sbp.Dense(3)],
        loss="softmax_cross_entropy", regularizer=sbp.L2(1e-4), name="penalised",
    )  # fmt: skip


def residual() -> sbp.Network:
    x = sbp.Input(4)
    return sbp.Network(inputs=x, outputs=sbp.Dense(3)(x + sbp.Dense(4, "tanh")(x)), loss="half_squared_error", name="residual")


def images() -> sbp.Network:
    layers = [sbp.Input((1, 8, 8)), sbp.Conv2D(2, 3, activation="relu"), sbp.MaxPool2D(2), sbp.Flatten(), sbp.Dense(3)]
    return sbp.Sequential(layers, loss="softmax_cross_entropy", name="images")


def normed() -> sbp.Network:
    return sbp.Sequential([sbp.Input(5), sbp.Dense(4), sbp.LayerNorm(), sbp.Dense(3)], loss="half_squared_error", name="normed")


def attending() -> sbp.Network:
    layers = [sbp.Input((4, 6)), sbp.Attention(heads=2), sbp.Flatten(), sbp.Dense(3)]
    return sbp.Sequential(layers, loss="softmax_cross_entropy", name="attending")


def recurrent() -> sbp.Network:
    return sbp.Sequential([sbp.Input((4, 3)), sbp.SimpleRNN(5), sbp.Dense(2)], loss="half_squared_error", name="recurrent")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Callable[[], sbp.Network]], str]:
    folder = tmp_path_factory.mktemp("notes")

    @cache
    def written(network: Callable[[], sbp.Network]) -> str:
        path: Path = folder / f"{network.__name__}.md"
        sbp.notes(network(), path)
        return path.read_text(encoding="utf-8")

    return written


def section(text: str, title: str) -> str:
    """What stands below a heading."""
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_gradient_of_a_penalty_has_no_factor_of_its_own(page):
    lines = section(page(penalised), "All samples")
    assert r"\nabla_{W^{(1)}} R_1 &= 0.0001 W^{(1)}" in lines
    assert r"\nabla_{R_1}" not in lines


def test_words_in_bold_are_bold(page):
    # Stars beside a blank neither open nor close: "**for **" would be printed with its stars.
    assert "**for** $l = 2, 1$ **do**" in page(penalised)
    assert "**for **" not in page(penalised)
    assert "** do**" not in page(penalised)


@pytest.mark.parametrize(
    ("network", "values"), [(residual, ["add"]), (normed, ["layernorm"]), (attending, ["a", "O", "P", "S", "Q"])]
)
def test_each_gradient_that_is_used_is_derived(page, network, values):
    left = "".join(line.partition("&=")[0] for line in section(page(network), "Error terms").splitlines())
    for value in values:
        assert any(mark in left for mark in (rf"\mathrm{{{value}", rf"\partial {value}_")), value


def test_the_last_state_of_a_recurrence_is_that_of_the_last_moment(page):
    # h^(2)(3) would be a power of a power.
    text = page(recurrent)
    assert "^{(2)(3)}" not in text
    assert r"a^{(2)} &= h_4^{(2)}" in section(text, "Forward pass")


def test_arrays_of_any_rank_are_in_the_table_of_symbols(page):
    text = section(page(images), "The network")
    assert r"| $x$ | $1 \times 8 \times 8$ | input |" in text
    assert r"| $W^{(1)}$ | $2 \times 1 \times 3 \times 3$ | weights from layer $1$ to layer $2$ |" in text
    assert "units" not in text.partition("**Table")[0]
    assert "intermediate value" not in text


def test_parameters_are_called_so(page):
    rows = [line for line in page(normed).splitlines() if line.startswith(r"| $\gamma") or line.startswith(r"| $\beta")]
    assert len(rows) == 2
    assert all(row.endswith("| parameter |") for row in rows)


@pytest.mark.parametrize("network", [images, recurrent, normed, attending])
def test_there_is_no_general_rule_where_nothing_repeats(page, network):
    assert "## The recursion" not in page(network)


def test_a_general_rule_stands_where_layers_repeat(page):
    assert "## The recursion" in page(penalised)


def test_layers_without_a_pre_activation_count(page):
    assert "has 2 layers with weights" in page(attending)


def gated() -> sbp.Network:
    return sbp.Sequential([sbp.Input((4, 3)), sbp.LSTM(5), sbp.Dense(2)], loss="half_squared_error", name="gated")


def test_what_a_value_sends_to_its_own_next_value_is_in_every_line(page):
    # c_t reads c_{t-1}: a line with ∂L/∂m ∂m/∂c alone would not equal the next one.
    lines = [line for line in section(page(gated), "Error terms").splitlines() if line.startswith(r"\nabla_{c_t^{(2)}} L &=")]
    assert len(lines) == 1
    assert r"+ (\nabla_{c_{t+1}^{(2)}} L) \circ f_{t+1}^{(2)}" in lines[0]


def test_values_of_one_block_are_each_derived(page):
    assert "In the same way" not in section(page(gated), "Error terms")


def test_where_indices_are_computed_it_is_said_from_where_they_count(page):
    assert "entries are counted from 0" in section(page(images), "Forward pass")
    assert "counted from 0" not in page(penalised)


@pytest.mark.parametrize("network", [recurrent, gated])
def test_over_which_moments_time_runs_is_said_once(page, network):
    text = section(page(network), "Forward pass")
    assert r"Time runs over $t = 1, \dots, 4$; before and after there is nothing: $h_0^{(2)} = 0$" in text
    # Neither indicators nor places that are computed are left.
    assert r"\mathbf{1}" not in section(page(network), "Error terms")
    assert "counted from 0" not in page(network)


def test_padding_is_said_once(tmp_path):
    layers = [sbp.Input((1, 8, 8)), sbp.Conv2D(2, 3, padding=1), sbp.MaxPool2D(3, 2, 1), sbp.Flatten(), sbp.Dense(3)]
    sbp.notes(sbp.Sequential(layers, loss="softmax_cross_entropy", name="padded"), tmp_path / "notes.md")
    text = (tmp_path / "notes.md").read_text(encoding="utf-8")
    assert "What lies outside of $x$ counts as 0. What lies outside of $z^{(2)}$ takes no part in the maximum." in text
    assert r"\le " not in text


@pytest.mark.parametrize("network", [images, gated])
def test_formulas_that_are_long_stay_on_the_page(network, tmp_path, require_tool):
    from symbackprop.present.document.pdf import compiled

    require_tool("pdflatex")
    sbp.notes(network(), tmp_path / "notes.tex", notation="nielsen")
    wide = [o for o in compiled((tmp_path / "notes.tex").read_text()).overfull if o.points > 20]
    assert not wide


def test_a_sample_that_goes_by_the_letter_of_the_input_is_not_counted(tmp_path):
    sbp.notes(penalised(), tmp_path / "notes.md", notation="nielsen")
    text = (tmp_path / "notes.md").read_text(encoding="utf-8")
    assert "**for each** sample $x$ **do**" in text
    assert "x = 1" not in text


@pytest.mark.parametrize("notation", ["ng", "bishop", "tuwien"])
@pytest.mark.parametrize("network", [images, recurrent, gated, attending, normed])
def test_notations_with_conventions_of_their_own_take_every_layer(network, notation, tmp_path):
    # Folded biases and turned weights rebuild equations of templates, whose sizes are open.
    sbp.notes(network(), tmp_path / "notes.md", notation=notation)
    assert "## Gradients" in (tmp_path / "notes.md").read_text(encoding="utf-8")


def test_the_bias_of_a_recurrent_layer_is_no_column_of_its_weights(tmp_path):
    sbp.notes(gated(), tmp_path / "notes.md", notation="ng")
    forward = section((tmp_path / "notes.md").read_text(encoding="utf-8"), "Forward pass")
    assert r"u^{(2)\langle t \rangle} &= W_x^{(1)} x^{\langle t \rangle} + b^{(1)}" in forward
    assert r"z^{(3)} &= w^{(2)} a^{(2)}" in forward


@pytest.mark.parametrize("network", [recurrent, gated])
def test_a_recurrent_layer_is_no_rung_of_a_recursion_over_layers(network):
    with pytest.raises(sbp.DerivationError, match="do not repeat one pattern"):
        _ = network().derive(per="sample").recursion


def test_a_value_beside_a_matrix_is_in_every_entry(page):
    # I − 1/4 would be read with 1/4 on the diagonal only.
    assert r"I - \mathbf{1} \mathbf{1}^{\top} - \hat{x}^{(2)} (\hat{x}^{(2)})^{\top} \right)" in section(page(normed), "Error terms")
