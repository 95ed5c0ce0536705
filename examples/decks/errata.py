"""What the five decks get wrong: what each prints, what is right, and why the printed one fails, computed here.

A formula is read as it is printed and evaluated on a network's values; a rule is run; a number is worked out again.
"""

import dataclasses
import math
import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import sympy
from parts import text

import symbackprop as sbp


@dataclass(frozen=True)
class Erratum:
    """A mistake in a deck; texts have formulas between dollars.

    Attributes:
        id: as in the table of rows.
        deck: where it stands.
        printed: what the deck says.
        right: what it should say.
        verdict: why the printed one fails, with the numbers that were found.
        found: the numbers themselves, by name.
    """

    id: str
    deck: str
    printed: str
    right: str
    verdict: str
    found: dict


#: The network of deck 0's formulas, not square, so that a wrong orientation cannot hide.
WIDTHS = (2, 3, 2)


def network(widths=WIDTHS, activation="sigmoid", loss="half_squared_error", last=None):
    """Return a chain of dense layers."""
    hidden = [sbp.Dense(n, activation=activation) for n in widths[1:-1]]
    return sbp.Sequential([sbp.Input(widths[0]), *hidden, sbp.Dense(widths[-1], activation=last or activation)], loss=loss, name="deck")


def point(net, seed=1):
    """Return parameters, an input and a target at a random point."""
    rng = np.random.default_rng(seed)
    params = {name: np.round(rng.standard_normal(value.shape), 3) for name, value in net.init().items()}
    output = net.spec.calls[-1].shape[0]
    return params, np.round(rng.standard_normal(net.spec.inputs[0].shape), 3), np.round(rng.random(output), 3)


def claim(latex, notation, net=None, seed=1):
    """Return whether a formula holds, as it is printed, on a network's values; f and g are its sigmoid, h_1 its input."""
    net = net or network()
    params, x, y = point(net, seed)
    symbols = {"f": lambda z: 1 / (1 + np.exp(-z))} | ({"h_1": x} if notation == "larochelle" else {})
    return sbp.check_claim(latex, net, {**params, "x": x, "y": y}, notation=notation, symbols=symbols)


def kind(latex, *values, **options):
    """Return what becomes of a formula: "equal", "difference", "shape error", "ambiguous", or why it cannot be read."""
    try:
        return sbp.check_claim(latex, *values, **options).kind
    except sbp.DeclarationError as error:
        return str(error)


def tried(printed, right, values):
    """Return what becomes of the printed formula and of the right one, at values of their symbols."""
    return {"refused": kind(printed, values), "accepted": kind(right, values)}


def tried_on(net, notation, printed, right):
    """Return the same for formulas about a network."""
    params, x, y = point(net)
    symbols = {"f": lambda z: 1 / (1 + np.exp(-z))} | ({"h_1": x} if notation == "larochelle" else {})
    made = [kind(latex, net, {**params, "x": x, "y": y}, notation=notation, symbols=symbols) for latex in (printed, right)]
    return dict(zip(("refused", "accepted"), made, strict=True))


def said(found):
    """Return what a claim says after its formula, symbols between dollars."""
    return re.sub(r"\\?[A-Za-z]+(?:[_^](?:\{[^{}]*\}|\w))+", lambda symbol: f"${symbol.group()}$", found.message.rpartition(": ")[2])


# --- deck 0 -------------------------------------------------------------------------------------------------------------

E1_PRINTED = r"\delta_i^{(2)} = \left( \sum_{j=1}^{s_3} W_{ij}^{(2)} \delta_j^{(3)} \right) f'(z_i^{(2)})"


def e1():
    """The orientation of the weights."""
    thin, square = claim(E1_PRINTED, "ufldl"), claim(E1_PRINTED, "ufldl", network((2, 2, 2)))
    return Erratum(
        "E1", "D0",
        r"$W_{ij}^{(l)}$ leads from unit $i$ of layer $l$ to unit $j$ of layer $l+1$, beside $z = W x + b$",
        r"$W_{ij}^{(l)}$ leads to unit $i$ from unit $j$, and the sum is $\sum_j W_{ji}^{(l)} \delta_j^{(l+1)}$",
        f"On a 2-3-2 network the printed sum has no value: {said(thin)}. On a 2-2-2 network it has one, and it is wrong by up to "
        f"{square.worst:.2g}.",
        {"kind": thin.kind, "holds": thin.holds, "square": square.worst}
        | tried_on(network(), "ufldl", E1_PRINTED, E1_PRINTED.replace("W_{ij}", "W_{ji}")),
    )  # fmt: skip


E2_RULE = r"\delta^{{({0})}} = ((W^{{({0})}})^\top \delta^{{({1})}}) \circ f'(z^{{({0})}})"


def e2():
    """How far the backward pass goes."""
    derivation = network((3, 5, 4, 2)).derive(per="sample")
    layers = sorted(k + 1 for k, _ in enumerate(derivation.error_terms, start=1))
    return Erratum(
        "E2", "D0",
        r"the backward pass runs over the layers $n_l, n_l - 1, \dots, 1$",
        r"error terms for $l = n_l, \dots, 2$; gradients for $l = n_l - 1, \dots, 1$",
        f"The derivation of a network with $n_l = 4$ has error terms for the layers {', '.join(map(str, layers))} only: "
        "layer 1 is the input, which has no $z$. The algorithm on a later slide is right.",
        {"layers": layers} | tried_on(network(), "ufldl", *(E2_RULE.format(k, k + 1) for k in (1, 2))),
    )  # fmt: skip


def e3():
    """Two losses, and an index that is missing."""
    half, full = network((2, 3, 1)), network((2, 3, 1), loss="mse")
    params, x, y = point(half)
    gradients = [sbp.worked(net, params, x, y).values["grad.dense_2.b"][0] for net in (half, full)]
    ratio = float(gradients[1] / gradients[0])
    return Erratum(
        "E3", "D0",
        r"$\frac{1}{M} \sum_{i=1}^M (f^{\ast}(x) - f(x; \theta))^2$, and later $\frac{1}{2} \lVert h_\theta(x) - y \rVert^2$",
        r"$\frac{1}{M} \sum_{i=1}^M (f^{\ast}(x_i) - f(x_i; \theta))^2$; the second loss is half of it",
        f"Without an index at $x$ the sum is $M$ times the same term. The gradients of the two losses differ by the factor {ratio:g}.",
        {"ratio": ratio}
        | tried(
            r"L = \frac{1}{M} \sum_{i=1}^M (t - p)^2",
            r"L = \frac{1}{M} \sum_{i=1}^M (t_i - p_i)^2",
            {"L": 2.0, "M": 2, "t": np.array([1.0, 3.0]), "p": np.array([1.0, 1.0])},
        ),
    )  # fmt: skip


def e4():
    """Letters and signs that mean something else."""
    net = network()
    params, *_ = point(net)
    rng = np.random.default_rng(2)
    X, Y = rng.standard_normal((5, 2)), rng.random((5, 2))
    derivation = net.derive(per="sample")
    one, *others = (derivation.evaluate({**params, "x": a, "y": b})["grad.dense_1.W"] for a, b in zip(X, Y, strict=True))
    off = float(np.max(np.abs(one - sum((one, *others)) / 5)))
    return Erratum(
        "E4", "D0",
        r"$\frac{\delta L}{\delta \theta}$; $\delta^{l+1}$; $\nabla L(\theta; x, y)$ inside the loop over $i$",
        r"$\frac{\partial L}{\partial \theta}$; $\delta^{(l+1)}$; $\nabla L(\theta; x^{(i)}, y^{(i)})$",
        r"$\delta$ is the letter of the error term, and without parentheses $l+1$ is an exponent. A loop that adds the gradient of one "
        rf"and the same sample is off by up to {off:.2g} on five random samples.",
        {"off": off}
        | tried_on(
            network(), "ufldl", r"\frac{\delta L}{\delta b^{(1)}} = \delta^{(2)}", r"\frac{\partial L}{\partial b^{(1)}} = \delta^{(2)}"
        ),
    )  # fmt: skip


def e5():
    """When to stop."""
    x, before, steps, quiet = 3.0, None, 0, 0
    while x != before:
        x, before, steps = x - 0.1 * 2 * x, x, steps + 1
        quiet += 2 * x > 1e-6
    return Erratum(
        "E5", "D0",
        "repeat until the gradient is zero; repeat for all points until convergence",
        "repeat until the norm of the gradient is below a tolerance; the points are already looped over in step 2",
        f"On $x^2$ from $x = 3$ with rate 0.1 the gradient is below $10^{{-6}}$ after {quiet + 1} steps and never zero: in floating "
        f"point it "
        f"stays at {_power(2 * x)} from step {steps} on.",
        {"steps": steps, "tolerance": quiet + 1, "gradient": 2 * x},
    )  # fmt: skip


def _power(value):
    """Return a number as a formula with a power of ten."""
    mantissa, exponent = f"{value:.0e}".split("e")
    return rf"${mantissa} \cdot 10^{{{int(exponent)}}}$"


def e6():
    """What depth counts."""
    net = network()
    return Erratum(
        "E6", "D0",
        r"the depth does not count the input, but $n_l$ and a 3-layer network do",
        r"depth $= n_l - 1$",
        f"The 2-3-2 network of the notes has depth {net.depth} and $n_l = {net.n_l}$.",
        {"depth": net.depth, "n_l": net.n_l},
    )  # fmt: skip


# --- deck 1 -------------------------------------------------------------------------------------------------------------


def e7():
    """Where the hidden layers begin."""
    net = network((3, 4, 4, 2), last="softmax", loss="cross_entropy")
    read = tried_on(network(), "larochelle", "h_1 = f(a_1)", "h_2 = f(a_2)")
    hidden = net.depth - 1
    return Erratum(
        "E7", "D1",
        r"$h^{(k)} = g(a^{(k)})$ for $k = 1, \dots, L$, with $h^{(1)} = x$ and $L$ hidden layers",
        r"$k = 2, \dots, L$, which is $L - 1$ hidden layers",
        f"For $k = 1$ the formula cannot be evaluated, because there is no $a_1$: layer 1 is the input. With $L + 1 = {net.n_l}$ "
        f"there are "
        f"{hidden} hidden layers.",
        {"hidden": hidden, "L": net.n_l - 1} | read,
    )  # fmt: skip


def e8():
    """A penalty inside the sum."""
    W, lam, samples = np.array([[1, -2], [0.5, 3]]), 0.01, 5
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(2, bias=False)], loss="half_squared_error", regularizer=sbp.L2(lam), name="decay")
    x = np.zeros((samples, 2))
    once = float(sbp.worked(net, {"dense_1.W": W}, x, x).values["loss"][()])
    printed = sum(float(sbp.worked(net, {"dense_1.W": W}, row, row).values["loss"][()]) for row in x)
    return Erratum(
        "E8", "D1",
        r"$\frac{\lambda}{2} \lVert W \rVert^2$ inside the loss of one sample, summed over all; $\arg\min_\theta L(\cdot; W)$",
        r"$\frac{1}{N} \sum_n L_n + \frac{\lambda}{2} \lVert W \rVert^2$; $\arg\min_W$",
        f"With {samples} samples the penalty {once:g} is counted {samples} times: {printed:g}. What is minimised over must be what "
        f"the loss "
        "depends on.",
        {"once": once, "printed": printed, "samples": samples}
        | tried(
            r"L = \sum_{n=1}^N (\ell_n + R)",
            r"L = \sum_{n=1}^N \ell_n + R",
            {"L": 6 + once, "N": 3, r"\ell": np.array([1.0, 2.0, 3.0]), "R": once},
        ),
    )  # fmt: skip


def e9():
    """The gradient of the weights."""
    wrong = claim(r"\frac{\partial L}{\partial W_1} = \delta_2 \bullet h_1", "larochelle")
    bias = claim(r"\frac{\partial L}{\partial b_1} = \delta_2", "larochelle")
    return Erratum(
        "E9", "D1",
        r"$\frac{\partial L}{\partial W_k} = \delta_{k+1} \bullet h_k$, and no gradient of the biases",
        r"$\frac{\partial L}{\partial W_k} = \delta_{k+1} h_k^\top$ and $\frac{\partial L}{\partial b_k} = \delta_{k+1}$",
        f"The sign of the elementwise product cannot be meant: {said(wrong)}.",
        {"kind": wrong.kind, "holds": wrong.holds, "bias": bias.holds}
        | tried_on(
            network(), "larochelle",
            r"\frac{\partial L}{\partial W_1} = \delta_2 \bullet h_1", r"\frac{\partial L}{\partial W_1} = \delta_2 h_1^\top",
        ),
    )  # fmt: skip


def e10():
    """The output's error through softmax."""
    net = sbp.Sequential([sbp.Input(4), sbp.Dense(4, activation="softmax", bias=False)], loss="cross_entropy", name="output")
    given = {"dense_1.W": np.eye(4), "x": np.array([0.1257, -0.1321, 0.6404, 0.1049]), "y": np.array([0.0, 1, 0, 0])}
    derivation = net.derive(per="sample")
    jacobian = derivation.jacobian("dense_1.a", "dense_1.z").evaluate(given)
    right, p = derivation.error_terms["dense_1"].evaluate(given), derivation.evaluate(given)["dense_1.a"]
    # The slope of each output alone is the diagonal of the Jacobian.
    printed, fixed = (
        kind(latex, net, given, notation="larochelle")
        for latex in (r"\delta_2 = \frac{\partial L}{\partial h_2} \bullet (h_2 \bullet (1 - h_2))", r"\delta_2 = h_2 - y")
    )
    wrong = -given["y"] / p * np.diag(jacobian)
    shown = [", ".join(f"{v:.3f}".rstrip("0").rstrip(".") for v in vector) for vector in (wrong + 0.0, right)]
    return Erratum(
        "E10", "D1",
        r"$\delta_K = \frac{\partial L}{\partial h_K} \bullet g'(a_K)$ with a softmax output",
        r"$\delta_K = J^\top \frac{\partial L}{\partial h_K}$ with $J = \operatorname{diag}(p) - p p^\top$; for this loss $\delta_K "
        r"= p - y$",
        f"The Jacobian of softmax is not diagonal. At $a = (0.1257, -0.1321, 0.6404, 0.1049)$ and class 2 the printed formula gives "
        f"$({shown[0]})$; right is $({shown[1]})$.",
        {"wrong": wrong, "right": right, "jacobian": jacobian, "refused": printed, "accepted": fixed},
    )  # fmt: skip


def e11():
    """The order of a momentum step."""
    w, v, printed = 1.0, 0.0, []
    for _ in range(5):
        w, v = w - 0.1 * v, 0.9 * v + 2 * w
        printed.append(round(w, 10))
    weight, f = sbp.tensor("w"), sbp.tensor("f")
    square = sbp.derive(sbp.System([sbp.Equation(f[()], weight[()] ** 2)]), of="f", wrt=["w"])
    run = sbp.worked(square, {"w": "1"}, optimizer=sbp.Momentum(0.1, 0.9), rounds=5)
    right = [float(s.values["w"][()]) for s in run.states[1:]]
    shown = [", ".join(f"{value:g}" for value in values) for values in (printed, right)]
    return Erratum(
        "E11", "D1",
        r"$W \leftarrow W - \eta \Delta$, then $\Delta \leftarrow 0.9 \Delta + \frac{\partial L}{\partial W}$",
        r"$\Delta$ first, then $W$",
        f"On $w^2$ from $w = 1$ with $\\eta = 0.1$ the printed order gives {shown[0]}: the first step is lost, and $\\Delta$ is "
        f"always one "
        f"step old. Right is {shown[1]}.",
        {"printed": printed, "right": right},
    )  # fmt: skip


def e12():
    """Weight decay of negative weights."""
    w, lam, lr = -1.0, 0.01, 0.1
    net = sbp.Sequential([sbp.Input(1), sbp.Dense(1, bias=False)], loss="half_squared_error", name="decay")

    def after(optimizer):
        return float(sbp.worked(net, {"dense_1.W": [[w]]}, [0], [0], optimizer=optimizer).updated["dense_1.W"][0, 0])

    l2, decoupled = after(sbp.SGD(lr, weight_decay=lam)), after(sbp.SGD(lr, weight_decay=lam / lr, decoupled=True))
    values = {"W": w, r"\eta": lr, "g": 0.0, r"\lambda": lam}
    wrong = sbp.check_claim(r"V = W - \eta g - \lambda \lvert W \rvert", {**values, "V": decoupled})
    fixed = kind(r"V = W - \eta g - \lambda W", {**values, "V": decoupled})
    printed = decoupled - wrong.worst
    return Erratum(
        "E12", "D1",
        r"$W \leftarrow W - \eta \frac{\partial L}{\partial W} - \lambda \lvert W \rvert$",
        r"$- \eta \lambda W$ for L2, or $- \lambda W$ decoupled from the rate",
        f"A weight of {w:g} without any gradient grows to {printed:g} ($\\lambda = 0.01$); L2 with $\\eta = 0.1$ gives {l2:g}, decoupled "
        f"decay {decoupled:g}.",
        {"printed": printed, "l2": l2, "decoupled": decoupled, "refused": wrong.kind, "accepted": fixed},
    )  # fmt: skip


# --- deck 2 -------------------------------------------------------------------------------------------------------------


def scores(loss="softmax_cross_entropy"):
    """Return the derivation of a loss of three scores, and the scores of the lecture with class 1."""
    net = sbp.Sequential([sbp.Input(3), sbp.Activation("identity")], loss=loss, name="scores")
    return net.derive(per="sample", target="labels"), {"x": [3.2, 5.1, -1.7], "y": 0}


def e13():
    """The index of the hinge loss."""
    derivation, given = scores("multiclass_hinge")
    right = float(derivation.evaluate(given)["loss"])
    s = given["x"]
    printed = [sum(max(0, s[j] - s[0] + 1) for i in range(3) if i != 0) for j in range(3)]
    return Erratum(
        "E13", "D2",
        r"$L_i = \sum_{i \ne y_i} \max(0, s_j - s_{y_i} + 1)$",
        r"$L_i = \sum_{j \ne y_i} \max(0, s_j - s_{y_i} + 1)$",
        f"$i$ is the sample, and $j$ is not bound: for the scores (3.2, 5.1, -1.7) and class 1 the sum is {printed[0]:g}, "
        f"{printed[1]:g} or "
        f"{printed[2]:g}, for whatever $j$ means; right is {right:g}.",
        {"printed": printed, "right": right}
        | tried(
            r"L_i = \sum_{i \ne y_i} \max(0, s_j - s_{y_i} + 1)",
            r"L_i = \sum_{j \ne y_i} \max(0, s_j - s_{y_i} + 1)",
            {"L_i": right, "s": np.array(s), "y_i": 1},
        ),
    )  # fmt: skip


def e14():
    """The class of the cross-entropy loss."""
    derivation, given = scores()
    right = float(derivation.evaluate(given)["loss"])
    each = [float(derivation.evaluate({**given, "y": k})["loss"]) for k in range(3)]
    loss = r"L_i = -\log \left( \frac{{e^{{{0}}}}}{{\sum_j e^{{s_j}}}} \right)"
    read = tried(loss.format("s_k"), loss.format("s_{y_i}"), {"L_i": right, "s": np.array(given["x"]), "y_i": 1})
    return Erratum(
        "E14", "D2",
        r"$L_i = -\log P(Y = k \mid X = x_i)$ with $s_k$",
        r"$k = y_i$",
        f"$k$ is free: the printed loss of one sample has the values {', '.join(f'{v:.3f}' for v in each)}; right is {right:.3f}, "
        f"that of "
        "$k = y_i = 1$.",
        {"each": each, "right": right} | read,
    )  # fmt: skip


def e15():
    """A sign in the sigmoid's derivative."""
    read = tried(r"f' = \frac{e^{-x}}{(1 + e^x)^2}", r"f' = \frac{e^{-x}}{(1 + e^{-x})^2}", {"x": 1.0, "f'": _slope(1.0)})
    printed = math.exp(-1) / (1 + math.e) ** 2
    return Erratum(
        "E15", "D2",
        r"$\frac{d\sigma}{dx} = \frac{e^{-x}}{(1 + e^x)^2}$",
        r"$\frac{e^{-x}}{(1 + e^{-x})^2}$",
        f"At $x = 1$ the printed formula gives {printed:.4f}, the derivative is {_slope(1.0):.4f}.",
        {"printed": printed, "right": _slope(1.0)} | read,
    )  # fmt: skip


def _slope(x):
    """Return the derivative of the sigmoid by the engine."""
    return sbp.Graph("s", "1/(1 + exp(-x))").backward(x=x).gradients["x"]


def e16():
    """A quotient instead of a product."""
    printed, right = 0.73 / (1 - 0.73), 0.73 * (1 - 0.73)
    return Erratum(
        "E16", "D2",
        r"$\frac{0.73}{1 - 0.73} \cdot 1 = 0.2$",
        r"$0.73 \cdot (1 - 0.73) \cdot 1 = 0.1971$",
        f"The quotient is {printed:.2f}; the product is {right:.4f}.",
        {"printed": printed, "right": right}
        | tried(r"\frac{0.73}{1 - 0.73} \cdot 1 = 0.2", r"0.73 \cdot (1 - 0.73) \cdot 1 = 0.1971", {}),
    )  # fmt: skip


def e17():
    """The size of a padded image."""
    image, kernel = np.zeros((5, 5)), np.arange(1, 10).reshape(3, 3)
    image[2, 2] = 1
    made = sbp.convolve(image, kernel)
    rows = [int(k) + 1 for k in np.flatnonzero(made["result"].any(axis=1))]
    return Erratum(
        "E17", "D2",
        "a padded image of 10 rows and 9 columns, all zero, and a result with nonzero rows 5 to 7",
        "9 rows and 9 columns, a 1 in the middle, nonzero rows 4 to 6",
        f"The padded image is {made['padded'].shape[0]} by {made['padded'].shape[1]} with the sum {made['padded'].sum():g}; the "
        f"rows of the "
        f"result that are not zero are {rows[0]} to {rows[-1]}. The cropped 5 by 5 result of the deck is right.",
        {"shape": made["padded"].shape, "rows": rows, "sum": made["padded"].sum()},
    )  # fmt: skip


def e18():
    """What inputs of a gate are called."""
    words = {name: (sbp.notation(name).input_word, sbp.notation(name).consumer_word) for name in ("cs231n", "tuwien", "ufldl")}
    return Erratum(
        "E18", "D2, D3",
        "the inputs of a gate are its parents (deck 2) or its children (deck 3)",
        "inputs and consumers",
        f"What deck 2 calls {words['cs231n'][0]} deck 3 calls {words['tuwien'][0]}, and the other way round; the notes say "
        f"{words['ufldl'][0]} and {words['ufldl'][1]}.",
        words,
    )  # fmt: skip


# --- deck 3 -------------------------------------------------------------------------------------------------------------


def e25():
    """One letter with three meanings."""
    net = sbp.Sequential([sbp.Input(4), sbp.Dense(3, activation="tanh"), sbp.Dense(2)], loss="softmax_cross_entropy", name="mlp")
    given, made = net.spec.inputs[0].shape, net.spec.calls[-1].shape
    return Erratum(
        "E25", "D3",
        r"$w$ is the output, $w_t$ a row of weights, $w_s$ a target; $f: w \mapsto w$; $f(x) = f(g_1, g_2)$",
        r"$f: x \mapsto w$; the outermost function has a name of its own",
        f"A network takes $x$ with {given[0]} entries to $w$ with {made[0]}: $w \\mapsto w$ cannot be, and one letter has three "
        f"meanings.",
        {"input": given, "output": made},
    )  # fmt: skip


def e26():
    """What differences cost."""
    net = sbp.Sequential([sbp.Input(784), sbp.Dense(100, activation="tanh"), sbp.Dense(10)], loss="softmax_cross_entropy", name="mlp")
    count, eps = net.parameter_count, 1e-3
    difference = math.tanh(0.7 + eps) - math.tanh(0.7 - eps)
    return Erratum(
        "E26", "D3",
        r"$(L(\theta + 1_p \epsilon) - L(\theta - 1_p \epsilon)) / 2\epsilon$; $\nabla L_p$; evaluate $L$ "
        r"$\operatorname{dim}(\theta)$ times",
        r"$/ (2 \epsilon)$; $(\nabla L)_p$; $\operatorname{dim}(\theta) + 1$ times forward, $2 \operatorname{dim}(\theta)$ times central",
        f"Read from left to right, $/2\\epsilon$ multiplies by $\\epsilon$: for $\\tanh$ at 0.7 it gives {difference / 2 * eps:.2g} "
        f"instead of "
        f"{difference / (2 * eps):.4f}. The 784-100-10 network has {count} parameters, so {count + 1} or {2 * count} evaluations.",
        {"count": count, "printed": difference / 2 * eps, "right": difference / (2 * eps)}
        | tried(
            r"D = (F(x + h) - F(x - h)) / 2h", r"D = (F(x + h) - F(x - h)) / (2h)",
            {"D": difference / (2 * eps), "F": np.tanh, "x": 0.7, "h": eps},
        ),
    )  # fmt: skip


def e27():
    """The derivatives of a sum."""
    run = sbp.Graph("f", "x1 + x2").backward(x1=3, x2=5)
    ones = [step.local for step in run.steps]
    return Erratum(
        "E27", "D3",
        r"the derivative of $x_1 + x_2$ is 1; image from colah.github.org",
        r"1 and 1; colah.github.io",
        f"A sum of two has two local gradients: {' and '.join(f'{v:g}' for v in ones)}.",
        {"ones": ones},
    )  # fmt: skip


# --- decks 2 and 4 ------------------------------------------------------------------------------------------------------


def e28():
    """Patterns and ties."""
    patterns = {op: next(iter(sbp.Graph("f", body).patterns.values())) for op, body in (("+", "x + y"), ("max", "max(x, y)"), ("*", "x*y"))}
    relu = sbp.Graph("f", "max(0, x)").backward(x=0).gradients["x"]
    tie = sbp.Graph("f", "max(x, y)").backward(x=2, y=2)
    return Erratum(
        "E28", "D2",
        r"multiply gate: ...; no word on a tie of a maximum",
        r"the multiply gate sends each input the gradient times the other input",
        f"The local gradients say so: an add gate {patterns['+']}, a max gate {patterns['max']}, a multiply gate {patterns['*']}. "
        f"At the kink the convention of these notes holds: $\\max(0, x)$ has slope {relu:g} at 0, and of a tie the first gets all "
        f"({tie.gradients['x']:g} and {tie.gradients['y']:g}).",
        {"patterns": patterns, "relu": relu, "tie": (tie.gradients["x"], tie.gradients["y"])},
    )  # fmt: skip


# --- deck 4 -------------------------------------------------------------------------------------------------------------


def neuron(rounds=19, rate=1.0, decimals=2):
    """Return the sigmoid neuron of the deck, trained towards 0.43."""
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(1, activation="sigmoid", bias=False)], loss="half_squared_error", name="neuron")
    start = {"dense_1.W": [["2", "-3", "-3"]]}
    return sbp.worked(net, start, ["-1", "-2", "1"], ["0.43"], optimizer=sbp.GradientDescent(rate), rounds=rounds, decimals=decimals)


def e19():
    """A product of rounded factors."""
    u, e, s, f = (sbp.tensor(name) for name in "uesf")
    steps = [sbp.Equation(e[()], sympy.exp(u[()])), sbp.Equation(s[()], 1 + e[()]), sbp.Equation(f[()], 1 / s[()])]
    chain = sbp.worked(sbp.derive(sbp.System(steps), of="f", wrt=["u", "e", "s"]), {"u": "-1"}, decimals=2).chain("grad.u")
    rounded = math.exp(-1) * -0.53
    inputs = [len(sbp.Graph("f", f"1/(1 + exp(-(w0*x0 + w1*x1 + {last})))").inputs) for last in ("w2*x2", "w2")]
    return Erratum(
        "E19", "D4",
        r"$(e^{-1})(-0.53) = -0.20$; several slides have $w_2 x_2$ in the exponent",
        r"$(e^{-1})(-0.5344\dots) = -0.1966\dots$; the exponent is $w_0 x_0 + w_1 x_1 + w_2$",
        f"From the rounded factor the product is {rounded:.3f}, which prints as {rounded:.2f}; the exact value is "
        f"{float(chain.value):.4f} and "
        f"prints as {chain.shown}. Rounded numbers are never reckoned with. With $w_2 x_2$ the graph has "
        f"{inputs[0]} inputs, the slides give {inputs[1]}.",
        {"rounded": rounded, "exact": float(chain.value), "shown": chain.shown, "inputs": inputs}
        | tried("(e^{-1})(-0.53) = -0.20", "(e^{-1})(-0.5344466) = -0.20", {}),
    )  # fmt: skip


def e20():
    """A round and a loss."""
    run = neuron(3)
    w = run.updated["dense_1.W"][0]
    shown = [run.rounding.text(v) for v in w]
    error = float(run.values["dense_1.a"][0]) - 0.43
    loss = float(run.values["loss"][()])
    return Erratum(
        "E20", "D4",
        r"round 3: $w_0 = 2.14$ with $w_2 = -3.15$; the loss is 0.3",
        r"$w_0 = 2.15$; the error $a - y$ is 0.3, the loss is $\frac{1}{2} \cdot 0.3^2$",
        f"$w_0 - 2 = -(w_2 + 3)$ in every round, because $x_0 = -1$; round 3 is {shown[0]}, {shown[1]}, {shown[2]}. The error is "
        f"{error:.3f}, the loss {loss:.3f}.",
        {"round": [float(v) for v in w], "shown": shown, "error": error, "loss": loss}
        | tried("w_0 - 2 = -(w_2 + 3)", "u_0 - 2 = -(w_2 + 3)", {"w_0": 2.14, "u_0": 2.15, "w_2": -3.15}),
    )  # fmt: skip


#: A network with four layers, as in the deck, its widths all different.
FOUR = (3, 4, 2, 1)


E21_RULE = r"\delta^{(3)} = ((w^{(3)})^T %s \delta^{(4)}) %s a^{(3)} %s (1 - a^{(3)})"


def e21():
    """One sign for two products."""
    # The biases apart, so that only the sign is tried; E22 is about the bias.
    ng = dataclasses.replace(sbp.notation("ng"), name="separate", bias_form="separate")
    tail = r"a^{(3)} %s (1 - a^{(3)})"
    mixed, matrix, entries = (
        claim(rf"\delta^{{(3)}} = (w^{{(3)}})^T {first} \delta^{{(4)}} {second} {tail % second}", ng, network(FOUR))
        for first, second in ((r"\cdot", r"\cdot"), ("", ""), (r"\circ", r"\circ"))
    )
    return Erratum(
        "E21", "D4",
        r"$\delta^{(3)} = (w^{(3)})^T \cdot \delta^{(4)} \cdot a^{(3)} \cdot (1 - a^{(3)})$, one sign for two products",
        r"$\delta^{(3)} = ((w^{(3)})^T \delta^{(4)}) \circ a^{(3)} \circ (1 - a^{(3)})$",
        f"On a 3-4-2-1 network no single meaning of the dot has a value: as the matrix product {said(matrix).partition(';')[0]}, as the "
        f"elementwise product {said(entries)}. It holds only if the first dot is the one and the others are the other.",
        {"mixed": mixed.holds, "matrix": matrix.kind, "elementwise": entries.kind, "notes": mixed.notes}
        | tried_on(network(FOUR), ng, *(E21_RULE % (sign, "\\circ", "\\circ") for sign in ("\\circ", ""))),
    )  # fmt: skip


E22_RULE = r"\delta^{(3)} = ((w^{(3)})^T \delta^{(4)}) \circ a^{(3)} \circ (1 - a^{(3)})"


def e22():
    """The bias in the backward pass."""
    printed = claim(r"\delta^{(3)} = ((w^{(3)})^T \delta^{(4)}) \circ (a^{(3)} \circ (1 - a^{(3)}))", "ng", network(FOUR))
    bias = claim(r"\frac{\partial E}{\partial w_{i0}^{(3)}} = \delta_i^{(4)}", "ng", network(FOUR))
    return Erratum(
        "E22", "D4",
        r"$(w^{(l)})^T \delta^{(l+1)}$ with the bias in column 0 of $w^{(l)}$",
        r"column 0 is dropped; $\frac{\partial E}{\partial w_{i0}^{(l)}} = \delta_i^{(l+1)}$, because $a_0 = 1$",
        f"The bias unit has no $\\delta$, and so the two sides differ in size: {said(printed)}.",
        {"holds": printed.holds, "kind": printed.kind, "bias": bias.holds}
        | tried_on(network(FOUR), "ng", E22_RULE, E22_RULE.replace("w", r"\bar{w}").replace(" a^", r" \bar{a}^")),
    )  # fmt: skip


def e23():
    """Layers and their indices."""
    net = network((3, 3, 1))
    return Erratum(
        "E23", "D4",
        r"a 2-layer network whose output is $a^{(3)}$",
        r"two layers of weights; the layer index counts the input too",
        f"The network has depth {net.depth} and its last index is {net.n_l}: index = depth + 1.",
        {"depth": net.depth, "last": net.n_l},
    )  # fmt: skip


def e24():
    """Whether the loss always falls."""
    small, large = neuron(1), neuron(1, rate=100.0)
    before, after, wild = (float(v["loss"][()]) for v in (small.values, small.updated, large.updated))
    return Erratum(
        "E24", "D4",
        "gradients, when applied to weights, decrease the loss at each iteration",
        "they do so if the rate is small enough",
        f"The neuron's loss falls from {before:.3f} to {after:.3f} with rate 1, and rises to {wild:.3f} with rate 100.",
        {"before": before, "after": after, "wild": wild},
    )  # fmt: skip


_MAKERS = {f"E{k}": globals()[f"e{k}"] for k in range(1, 29)}


@cache
def erratum(name: str) -> Erratum:
    """Return a mistake with its verdict."""
    return _MAKERS[name]()


def footnote(name: str) -> sbp.Footnote:
    """Return what the notes say about a mistake at the foot of the page."""
    e = erratum(name)
    return sbp.Footnote(text(f"{e.id}. The deck prints: {e.printed}. {e.verdict}"))
