"""The LaTeX of a whole network, as it is written to a file."""

from __future__ import annotations

import subprocess

import pytest

import symbackprop as sbp
from symbackprop.present.notation import PRESETS


def residual():
    x = sbp.Input(3)
    h = sbp.Dense(3, activation="sigmoid")(x)
    return sbp.Network(inputs=x, outputs=sbp.Dense(2)(sbp.Concat()(x + h, h)), loss="huber", name="residual")


def chain(**options):
    layers = [sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(2)]
    return sbp.Sequential(layers, loss="softmax_cross_entropy", name="chain", **options)


def test_a_fragment_is_written_beside_the_modules(tmp_path):
    (path,) = chain(regularizer=sbp.L2(0.02)).generate(tmp_path, targets=("latex",))
    assert path == tmp_path / "chain" / "chain_latex.tex"
    text = path.read_text(encoding="utf-8")
    for line in (
        r"\delta^{(3)} &= p - ",
        r"\delta^{(2)} &= \left( (W^{(2)})^{\top} \delta^{(3)} \right) \circ (1 - a^{(2)} \circ a^{(2)})",
        r"\nabla_{W^{(2)}} L &= \delta^{(3)} (a^{(2)})^{\top}",
        r"L(\theta) &= \frac{1}{M} \sum_{i=1}^M L(\theta; x^{(i)}, y^{(i)})",
        r"\nabla_{W^{(1)}} L &= (\Delta^{(2)})^{\top} X + 0.02 W^{(1)}",
    ):
        assert line in text
    assert text.isascii()


def test_the_sum_over_samples_is_written_as_a_sum(tmp_path):
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(2)], loss=sbp.Loss("half_squared_error", reduction="sum"), name="total")
    (path,) = net.generate(tmp_path, targets=("latex",))
    assert r"L(\theta) &= \sum_{i=1}^M L(\theta; x^{(i)}, y^{(i)})" in path.read_text(encoding="utf-8")


def test_the_same_network_gives_the_same_bytes(tmp_path):
    texts = {net.generate(tmp_path / str(k), targets=("latex",))[0].read_bytes() for k, net in enumerate((residual(), residual()))}
    assert len(texts) == 1


@pytest.mark.parametrize("net", [chain(), residual()], ids=lambda net: net.name)
def test_what_is_written_compiles(net, tmp_path, require_tool):
    require_tool("pdflatex")
    (path,) = net.generate(tmp_path, targets=("latex",))
    body = path.read_text(encoding="utf-8")
    steps = "\n".join(rf"\[ {line} \]" for preset in PRESETS for line in net.derive().latex(notation=preset, form="index").split("\n"))
    document = f"\\documentclass{{article}}\n\\usepackage{{amsmath}}\n\\begin{{document}}\n{body}\n{steps}\n\\end{{document}}\n"
    (tmp_path / "note.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "note.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
