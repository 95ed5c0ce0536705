"""Deck 1, UPC Barcelona: backpropagation in deep networks, in the letters of Larochelle's course, corrected."""

from errata import footnote
from parts import Part, document, kept, lines, say, table, write

import symbackprop as sbp

LA = "larochelle"


def mlp(loss="cross_entropy", last="softmax", widths=(3, 4, 4, 2), **options):
    """Return a network with hidden functions g and a softmax output."""
    hidden = [sbp.Dense(n, activation=sbp.Activation("g")) for n in widths[1:-1]]
    return sbp.Sequential([sbp.Input(widths[0]), *hidden, sbp.Dense(widths[-1], activation=last)], loss=loss, name="mlp", **options)


def output():
    """Return four pre-activations with softmax and negative log-likelihood, worked out for class 2."""
    net = sbp.Sequential([sbp.Input(4), sbp.Dense(4, activation="softmax", bias=False)], loss="cross_entropy", name="output")
    identity = [[int(i == j) for j in range(4)] for i in range(4)]
    return net, sbp.worked(net, {"dense_1.W": identity}, ["0.1257", "-0.1321", "0.6404", "0.1049"], [0, 1, 0, 0])


def square(optimizer, rounds=5):
    """Return gradient descent on w² from w = 1."""
    w, f = sbp.tensor("w"), sbp.tensor("f")
    derived = sbp.derive(sbp.System([sbp.Equation(f[()], w[()] ** 2)]), of="f", wrt=["w"])
    return sbp.worked(derived, {"w": "1"}, optimizer=optimizer, rounds=rounds)


def decayed():
    """Return what one update makes of a weight without a gradient."""
    net = sbp.Sequential([sbp.Input(1), sbp.Dense(1, bias=False)], loss="half_squared_error", name="decay")
    optimizers = {
        r"L2, $-\eta \lambda W$": sbp.SGD(0.1, weight_decay=0.01),
        r"decoupled, $-\lambda W$": sbp.SGD(0.1, weight_decay=0.1, decoupled=True),
    }
    runs = {name: sbp.worked(net, {"dense_1.W": [["-1"]]}, [0], [0], optimizer=o) for name, o in optimizers.items()}
    rows = [(name, f"${run.printed('dense_1.W', (0, 0), 1)}$") for name, run in runs.items()]
    return table("decay | $W = -1$ becomes", rows, r"$\eta = 0.1$, $\lambda = 0.01$, no gradient")


OTHERS = (sbp.SGD(0.1), sbp.Momentum(0.1, 0.9), sbp.Nesterov(0.1, 0.9), sbp.AdaGrad(0.1), sbp.RMSProp(0.1), sbp.Adam(0.1))


def notes():
    """Return the document."""
    d, deep = mlp().derive(per="sample"), mlp("softmax_cross_entropy", None, (3, 4, 4, 4, 2)).derive(per="sample")
    net, run = output()
    one, fused = net.derive(per="sample"), mlp("softmax_cross_entropy", None).derive(per="sample")
    penalty = mlp(regularizer=sbp.L2(0.01)).derive()
    momentum = square(sbp.Momentum(0.1, 0.9))
    parts = (
        Part("The network", "D1.1 D1.2 E7", (
            sbp.Figure(mlp().scene(LA)),
            say("Here $a$ is the pre-activation and $h$ the activation, with $h_1 = x$; the hidden layers are $k = 2, \\dots, "
                "L$.", footnote("E7")),
            lines(d.formulas(*(f"dense_{k}.{part}" for k in (1, 2, 3) for part in "za"), notation=LA)),
        )),
        Part("Softmax and negative log-likelihood", "D1.3 D1.4", (
            say("The output $p(c_k = 1 \\mid x)$ and the loss, unit by unit, with four classes:"),
            lines(run.lines(["dense_1.a"], notation=LA)),
            lines(run.lines(["loss.L"], notation=LA)),
        )),
        Part("Regularization and the objective", "D1.5 D1.6 D1.7 E8", (
            say("The penalty $\\frac{\\lambda}{2} \\lVert W \\rVert^2$ is added once, to the mean over the samples; it is on "
                "weights, not on biases. "
                "What is minimised is", footnote("E8")),
            lines(r"W^{\ast} = \arg \min_W \left( \frac{1}{N} \sum_{n=1}^N L(x^n, y^n; W) + \frac{\lambda}{2} \lVert W \rVert^2 \right)"),
            lines(penalty.gradients["dense_3.W"].latex(notation=LA), penalty.gradients["dense_3.b"].latex(notation=LA)),
            say("Stochastic gradient descent takes one sample for each update, mini-batch gradient descent a few: the formulas are "
                "those of a batch, "
                "and its size is free."),
        )),
        Part("The error in the top layer", "D1.8 E10", (
            say("Through the softmax, the full Jacobian $J = \\operatorname{diag}(p) - p p^\\top$ is needed:", footnote("E10")),
            lines(one.error_terms["dense_1"].lines(notation=LA, form="index")),
            say("Where the target is one class, $\\sum_c y_c = 1$, and this is"),
            lines(fused.error_terms["dense_3"].latex(notation=LA)),
            lines(run.lines(["delta.dense_1"], notation=LA)),
        )),
        Part("Weight updates", "D1.9 E9", (
            lines(d.gradients["dense_2.W"].lines(notation=LA)),
            say("and the same for the biases.", footnote("E9")),
            lines(d.gradients["dense_2.b"].lines(notation=LA)),
        )),
        Part("The error in the layer below", "D1.10 D1.14", (
            lines(deep.error_terms["dense_2"].lines(notation=LA)),
            say("In general:"), lines(deep.recursion.latex(LA)),
            say("The gradient in layer $k$ depends only on the error above, $\\delta_{k+1}$, and the output below, $h_k$. So the "
                "layers can be done one "
                f"after another from the last one down; of the forward pass this network keeps {kept(d, LA)}."),
        )),
        Part("Optimization", "D1.11 D1.12 E11", (
            lines(square(sbp.SGD(0.1)).update_lines(notation=LA)[:1]),
            say("With momentum the velocity comes first, then the weight; on $w^2$ from $w = 1$:", footnote("E11")),
            lines(momentum.update_lines(notation=LA)),
            momentum.history(["w"], notation=LA, title="step"),
        )),
        Part("Weight decay", "D1.13 E12", (
            say("Decay shrinks every weight, whatever its sign.", footnote("E12")), decayed(),
        )),
        Part("Vanishing gradients", "D1.15", sbp.page("vanishing gradient", LA).blocks),
        Part("Other optimizers", "D1.16", (
            sbp.Paragraph((
                "More about backpropagation ", sbp.Cite("cs231n"), " and about optimizers ", sbp.Cite("ruder"),
                ". Each is a system of equations:",
            )),
            *(block for o in OTHERS[2:] for block in (say(f"{type(o).__name__}:"), lines(rules(o)))),
        )),
    )  # fmt: skip
    return document("Backpropagation in deep networks", "Deep learning lectures, UPC Barcelona, corrected", parts, SOURCES)


def rules(optimizer):
    """Return an optimizer's equations for one weight, without numbers."""
    return [line.latex.partition(" = ")[0] for line in square(optimizer, 1).update_lines(notation=LA)]


SOURCES = (
    sbp.Source("cs231n", "A. Karpathy", "Backpropagation, intuitions", "CS231n course notes, Stanford "
                                                                       "University", url="https://cs231n.github.io/optimization-2/"),
    sbp.Source("ruder", "S. Ruder", "An overview of gradient descent optimization algorithms", year="2016", url="https://www.ruder.io/optimizing-gradient-descent/"),
    sbp.Source("larochelle", "H. Larochelle", "Neural networks class", "Université de Sherbrooke", "2013"),
)  # fmt: skip

if __name__ == "__main__":
    write("deck_1_upc", notes())
