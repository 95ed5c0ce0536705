# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Backpropagation for a lecture: a tour
#
# You declare a network, and get the formulas that you would otherwise derive by hand: in your own letters, step by step, with numbers,
# with pictures, as an article, as slides, as a page. Nothing here is looked up in a table of gradients: one rule derives everything, and
# what is printed is checked against what is computed.
#
# This file is a notebook in percent format: open it in Jupyter (with jupytext) or in your editor, or run it as a script.

# %%
import dataclasses
from pathlib import Path

import numpy as np

import symbackprop as sbp

HERE = Path("lecture_tour")
HERE.mkdir(exist_ok=True)

# %% [markdown]
# ## Declare
#
# Three inputs, four hidden units, two outputs. The network shows itself.

# %%
net = sbp.Sequential(
    [sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(2, activation="sigmoid")],
    loss="half_squared_error",
    name="tour",
)
net

# %% [markdown]
# ## Derive
#
# `per="sample"` is the form of the blackboard: one sample, no batch. The result is the δ recursion.

# %%
derivation = net.derive(per="sample")
derivation

# %% [markdown]
# Single results go by the names of the layers and parameters. They are SymPy equations inside, in index form and in matrix form.

# %%
derivation.error_terms["dense_1"]

# %%
print(derivation.gradients["dense_1.W"].index)
print(derivation.gradients["dense_1.W"].matrix)

# %% [markdown]
# For a deep network one writes the rule for a general layer.

# %%
derivation.recursion

# %% [markdown]
# ## Step by step
#
# Three depths: `"result"`, `"lecture"` (the lines of a blackboard) and `"rewrite"` (every rewrite that was made). Each line has the name of
# its rule. `preview` shows in a notebook what a document would say.

# %%
sbp.preview(derivation.error_terms["dense_1"], depth="lecture")

# %%
sbp.preview(derivation.gradients["dense_2.W"], depth="rewrite")

# %% [markdown]
# The derivative of an activation is an exercise of its own. The trick of adding and subtracting one is a general rewrite, so it serves
# tanh and your own functions as well.

# %%
sbp.derivative_steps("sigmoid")

# %%
sbp.derivative_steps("tanh")

# %% [markdown]
# ## A single weight
#
# Indices are counted as they are printed: row 2, column 3 of the first matrix. The boxed factor is what the layers above contribute.

# %%
derivation.weight("dense_1.W", 2, 3)

# %% [markdown]
# ## In your own letters
#
# A notation is one record: letters, numbering of layers, which layer a weight belongs to, orientation of W, bias inside or outside, signs.
# There are eight presets, and yours is one `replace` away. The mathematics stays the same.

# %%
for name in sbp.notations():
    print(f"{name:11}", derivation.error_terms["dense_1"].text(notation=name))

# %%
mine = dataclasses.replace(sbp.notation("ufldl"), name="mine", error=r"\varepsilon", weight="U", hadamard=r"\odot")
sbp.preview(derivation.error_terms["dense_1"], notation=mine)

# %% [markdown]
# The same from a table, as it may stand in a TOML file of yours.

# %%
ours = sbp.notation_from_toml({"base": "bishop", "name": "ours", "loss": "J"})
sbp.preview(derivation.gradients["dense_2.b"], notation=ours, depth="result")

# %% [markdown]
# ## Layout and shapes
#
# Does the gradient have the shape of the parameter, or of its transpose? Both conventions exist; say which one, and all formulas follow.
# With `shapes=True` the shape stands under each factor.

# %%
for layout in ("gradient", "numerator"):
    print(f"{layout:10}", derivation.gradients["dense_1.W"].latex(layout=layout))

# %%
sbp.preview(derivation.error_terms["dense_1"], depth="result", shapes=True)

# %% [markdown]
# ## With numbers
#
# A worked example plugs values in: forwards, backwards, and one update. Everything is computed exactly and rounded once, for print.

# %%
params = net.init(seed=1, dtype="float64")
x, y = np.array([0.1, 0.5, 0.9]), np.array([0.0, 1.0])
example = sbp.worked(net, params, x, y, optimizer=sbp.GradientDescent(0.5))
sbp.preview(example.table(["dense_1.z", "dense_1.a", "dense_2.z", "dense_2.a", "loss"]))

# %%
sbp.preview(example.lines(["delta.dense_2"]))

# %% [markdown]
# ## Computational graphs
#
# The circuit of the lecture: values above the edges, gradients below. Text is taken as it is written, gate by gate.

# %%
graph = sbp.Graph("f", "(x + y) * z")
run = graph.backward(x=-2, y=5, z=-4)
run

# %%
sbp.preview(run.lines("x"))

# %% [markdown]
# The gradient is a sum over paths. Here are two of them.

# %%
twice = sbp.Graph("e", "c = a + b; d = b + 1; e = c*d").backward(a=2, b=1)
for names, product in twice.paths("b"):
    print(" -> ".join(names), "=", product)

# %% [markdown]
# Pictures are files in any form: SVG, TikZ to paste, DOT, plain text; with `frames=True` one a step, for slides that build up.

# %%
run.draw(HERE / "circuit.svg")
run.draw(HERE / "circuit.tex", frames=True)
net.draw(HERE / "network.svg")
print(run.text())

# %% [markdown]
# ## Charts

# %%
sbp.preview([sbp.activation_chart("sigmoid"), "The slope of a sigmoid is at most 1/4: gradients vanish layer by layer."])

# %% [markdown]
# ## Is the formula on the slide right?
#
# Enter it as it is printed. A wrong shape or a wrong value is found by computing both sides on random values.

# %%
print(sbp.check_claim(r"\nabla_{W^{(1)}} L = \delta^{(2)} x^T", net))
print(sbp.check_claim(r"\nabla_{W^{(1)}} L = x \delta^{(2)}", net))

# %% [markdown]
# ## Documents
#
# The ending of the file says what is written: `.html` is one page that works offline, `.md` is for GitHub, Quarto, MyST and Jupyter, `.tex`
# is an article, slides (`kind="beamer"`) or a fragment to paste; `.pdf` needs an installed pdflatex.

# %%
numbers = (params, x, y)
sbp.notes(net, HERE / "notes.html", example=numbers, shapes=True)
sbp.notes(net, HERE / "notes.md", notation="goodfellow")
sbp.notes(net, HERE / "notes.tex", notation=mine, example=numbers, optimizer=sbp.GradientDescent(0.5))
sbp.notes(net, HERE / "slides.tex", kind="beamer")
sbp.notes(net, HERE / "paste.tex", kind="fragment", depth="result")
print((HERE / "notes.md").read_text(encoding="utf-8")[:400])

# %% [markdown]
# Homework: the steps become blanks, and the solutions go to a second file.

# %%
for path in sbp.notes(net, HERE / "homework.html", homework=True):
    print(path.name)

# %% [markdown]
# A document of your own is plain data: sections of words, formulas, derivations, pictures.

# %%
own = sbp.Document(
    "Why gradients vanish",
    (
        sbp.Section(
            "One layer", (sbp.Paragraph(("Going back one layer multiplies by ", sbp.Math("f'(z)"), ".")), derivation.error_terms["dense_1"])
        ),
        sbp.page("vanishing gradient"),
    ),
    author="A. Lecturer",
)
for path in sbp.notes(own, HERE / "vanishing.html"):
    print(path.name)

# %% [markdown]
# ## The proof
#
# What was derived is compiled and checked: the equations against numerical differentiation, the code against the equations.

# %%
report = net.compile(target="numpy", dtype="float64").check()
assert report.ok
report

# %% [markdown]
# Now change the activation, the loss or a letter, and run it again. That is the whole point.
