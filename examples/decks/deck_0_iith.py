"""Deck 0, IIT Hyderabad: feedforward networks and backpropagation, in the letters of the UFLDL tutorial, corrected."""

from dataclasses import replace

from errata import footnote
from parts import Part, algorithm, document, lines, say, table, write

import symbackprop as sbp

UFLDL = "ufldl"
SIZES = (2, 3, 2)


def chain(activation, widths=SIZES, **options):
    """Return a network of dense layers with one activation for all."""
    layers = [sbp.Dense(n, activation=activation) for n in widths[1:]]
    return sbp.Sequential([sbp.Input(widths[0]), *layers], **{"loss": "half_squared_error", "name": "deck", **options})


#: The numbers of the 2-3-2 sigmoid network that the formulas are worked out with.
PARAMS = {
    "dense_1.W": [["0.1", "-0.2"], ["0.3", "0.4"], ["-0.5", "0.6"]],
    "dense_1.b": ["0.1", "-0.1", "0.2"],
    "dense_2.W": [["0.7", "-0.8", "0.9"], ["-1", "1.1", "-1.2"]],
    "dense_2.b": ["-0.3", "0.4"],
}
X = [["1", "2"], ["-1", "0.5"], ["0.3", "-0.7"], ["2", "-1"], ["0", "1.5"]]
Y = [["1", "0"], ["0", "1"], ["0.5", "0.5"], ["1", "1"], ["0", "0"]]


def descent(rate="0.1"):
    """Return three steps on x² from 3."""
    x, f = sbp.tensor("x"), sbp.tensor("f")
    square = sbp.derive(sbp.System([sbp.Equation(f[()], x[()] ** 2)]), of="f", wrt=["x"])
    return sbp.worked(square, {"x": "3"}, optimizer=sbp.GradientDescent(float(rate)), rounds=3)


def landscape():
    """Return two parameters on their way down."""
    valley, start = "u**2/4 + v**2", {"u": -3.0, "v": 1.5}
    return sbp.landscape_chart(valley, {"u": (-3.5, 3.5), "v": (-2.0, 2.0)}, way=sbp.descent(valley, start, 0.3, 12))


def losses():
    """Return the mean of half squared errors and the mean squared error over the five samples, and what each gradient's first entry is."""
    runs = [sbp.worked(chain("sigmoid", loss=loss), PARAMS, X, Y) for loss in ("half_squared_error", sbp.Loss("mse"))]
    # The package's mse averages over the two outputs as well, hence the factor 2.
    names = (
        r"$\frac{1}{2M} \sum_i \lVert h_\theta(x^{(i)}) - y^{(i)} \rVert^2$",
        r"$\frac{1}{M} \sum_i \lVert h_\theta(x^{(i)}) - "
        r"y^{(i)} \rVert^2$",
    )
    rows = [
        (name, *(f"${run.rounding.latex(factor * run.values[key].flat[0])}$" for key in ("loss", "grad.dense_1.b")))
        for name, run, factor in zip(names, runs, (1, 2), strict=True)
    ]
    return table(r"loss | value | $\nabla_{b_1^{(1)}} L$", rows, "Five samples: the second loss and its gradient are twice the first")


def overlay(formulas):
    """Return lines that appear one after another in a talk."""
    return [replace(line, step=k) for k, line in enumerate(formulas, 1)]


def backpropagation(d):
    """Return the algorithm for one sample, its formulas from the derivation."""
    output, hidden, weight, bias = d.recursion.latex(UFLDL)
    return algorithm(
        "Backpropagation",
        "0 Perform a feedforward pass, computing the activations of the layers $2, \\dots, n_l$.",
        f"0 Set ${output}$.",
        "0 For $l = n_l - 1, n_l - 2, \\dots, 2$:",
        f"1 set ${hidden}$.",
        "0 For $l = n_l - 1, n_l - 2, \\dots, 1$:",
        f"1 ${weight}$, ${bias}$.",
    )


def gradient_descent():
    """Return the algorithm over all samples."""
    return algorithm(
        "Gradient descent with backpropagation",
        "0 Repeat until the gradient's norm is below a tolerance:",
        "1 set $\\Delta W^{(l)} := 0$, $\\Delta b^{(l)} := 0$ for all $l$;",
        "1 for $i = 1, \\dots, M$:",
        "2 compute $\\nabla_{\\theta^{(l)}} L(\\theta; x^{(i)}, y^{(i)})$ by backpropagation,",
        "2 set $\\Delta \\theta^{(l)} := \\Delta \\theta^{(l)} + \\nabla_{\\theta^{(l)}} L(\\theta; x^{(i)}, y^{(i)})$;",
        "1 $W^{(l)} := W^{(l)} - \\eta \\left[ \\frac{1}{M} \\Delta W^{(l)} \\right]$, "
        "$b^{(l)} := b^{(l)} - \\eta \\left[ \\frac{1}{M} \\Delta b^{(l)} \\right]$.",
    )


def notes():
    """Return the document."""
    net = chain(sbp.Activation("f"))
    d, deep = net.derive(per="sample"), chain(sbp.Activation("f"), ("s_1", "s_2", "s_3", "s_4")).derive(per="sample")
    one = sbp.worked(chain("sigmoid"), PARAMS, X[0], Y[0])
    every = sbp.worked(chain("sigmoid"), PARAMS, X, Y, optimizer=sbp.GradientDescent(0.5))
    fall = descent()
    parts = (
        Part("Feedforward networks", "D0.1 D0.2 P5 E6", (
            say("A feedforward network is a composition of layers, $y = f^{(3)}(f^{(2)}(f^{(1)}(x)))$: a directed acyclic graph of "
                "neurons, "
                "each a function from a vector to a scalar."),
            sbp.Figure(net.scene(UFLDL)),
            say(f"Its depth is {net.depth}, since the input does not count; it has $n_l = {net.n_l}$ layers, since here it "
                f"does.", footnote("E6")),
        )),
        Part("Two losses", "D0.3 D0.4 E3", (
            say("The loss of one sample, and the mean over $M$ samples:", footnote("E3")),
            lines(d.formulas("loss.L", notation=UFLDL), d.latex(notation=UFLDL).splitlines()[-1]),
            losses(),
        )),
        Part("Gradient descent in one dimension", "D0.5", (
            say("The derivative says which way is up: where $f'(x) \\ne 0$, a small push $p$ along its sign increases $f$, a push "
                "against it "
                "decreases it. On $f(x) = x^2$ from $x = 3$ with $\\eta = 0.1$:"),
            lines(fall.update_lines(notation=UFLDL)),
            fall.history(["x"], notation=UFLDL, title="step"),
            say("Each step multiplies $x$ by $1 - 2\\eta$: it converges for $0 < \\eta < 1$ and diverges for $\\eta > 1$."),
        )),
        Part("Why the negative gradient?", "D0.6 P13", sbp.page("negative gradient", UFLDL).blocks),
        Part("Gradient descent", "D0.7 E4 E5", (
            say("Start with random weights $\\theta$, compute the gradient of the loss, and update", footnote("E4")),
            lines(r"\theta_i \leftarrow \theta_i - \eta \frac{\partial L}{\partial \theta_i}"),
            say("until the norm of the gradient is below a tolerance.", footnote("E5")),
            landscape(),
        )),
        Part("Forward pass", "D0.8 D0.9", (
            say("$W^{(l)}$ leads from layer $l$ to layer $l + 1$; its rows belong to the units of layer $l + 1$."),
            sbp.Display(tuple(overlay(d.formulas(*FORWARD, notation=UFLDL)))),
            say("$f$ can be the sigmoid, ReLU, the identity and others; its derivative is"),
            *(lines(sbp.derivative_steps(name).lines("result")) for name in ("sigmoid", "relu", "identity")),
        )),
        Part("Error terms", "D0.10 D0.11 D0.12 E1", (
            say("For each unit $\\delta_i^{(l)} = \\frac{\\partial L}{\\partial z_i^{(l)}}$ says how much the unit is responsible "
                "for the loss. At the output:"),
            lines(d.error_terms["dense_2"].lines(notation=UFLDL, form="index")),
            say("In hidden layers, in vector form and unit by unit:", footnote("E1")),
            lines(d.error_terms["dense_1"].lines(notation=UFLDL)),
            lines(deep.recursion.latex(UFLDL, "index")[1]),
        )),
        Part("Gradients", "D0.13", (
            lines(d.gradients["dense_1.W"].lines(notation=UFLDL)),
            lines(d.gradients["dense_1.b"].lines(notation=UFLDL)),
        )),
        Part("Algorithms", "D0.14 D0.15 E2", (
            backpropagation(deep), say("Error terms are needed down to layer 2 only.", footnote("E2")), gradient_descent(),
        )),
        Part("The formulas with numbers", "", (
            say("A 2-3-2 network with sigmoid units (the numbers are ours), one sample:"),
            *one.blocks(UFLDL, letters=False),
            say("All five samples: accumulating the gradients and dividing by $M$ gives the gradient of the mean loss."),
            every.table(["loss", "grad.dense_1.W", "grad.dense_1.b", "grad.dense_2.W", "grad.dense_2.b"], notation=UFLDL),
            say(f"One update with $\\eta = 0.5$ takes the loss to ${every.printed('loss', (), 1)}$."),
        )),
        Part("Homework: the derivatives of sigmoid and tanh", "D0.16", (
            *(lines(sbp.derivative_steps(name).lines()) for name in ("sigmoid", "tanh")),
        )),
        Part("Readings", "D0.17", (
            sbp.Paragraph(("Chapters 4 and 6 of the Deep Learning book ", sbp.Cite("goodfellow"), ", the UFLDL tutorial "
                                                                                                  "", sbp.Cite("ufldl"),
                           " and the CS231n notes ", sbp.Cite("cs231n"), ".")),
        )),
    )  # fmt: skip
    return document(
        "Feedforward neural networks and backpropagation", "Deep Learning for Computer Vision, IIT Hyderabad, corrected", parts, SOURCES
    )


FORWARD = ("dense_1.z", "dense_1.a", "dense_2.z", "dense_2.a")
SOURCES = (
    sbp.Source("goodfellow", "I. Goodfellow, Y. Bengio and A. Courville", "Deep Learning", "MIT Press", "2016", "https://www.deeplearningbook.org"),
    sbp.Source("ufldl", "A. Ng and others", "UFLDL Tutorial", "Stanford University", url="https://ufldl.stanford.edu/tutorial"),
    sbp.Source("cs231n", "F.-F. Li, A. Karpathy and J. Johnson", "CS231n: Convolutional Neural Networks", "Stanford University", url="https://cs231n.github.io"),
)  # fmt: skip

if __name__ == "__main__":
    write("deck_0_iith", notes())
