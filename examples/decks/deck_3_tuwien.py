"""Deck 3, TU Wien: (training) neural networks, in the deck's own letters, corrected."""

from itertools import pairwise

from errata import footnote
from parts import Part, document, lines, say, table, write

import symbackprop as sbp

TU = "tuwien"
TWO = sbp.Rounding(decimals=2)


def mlp(D=3, H=4, T=2, loss="softmax_cross_entropy"):
    """Return a multi-layer perceptron: linear, tanh, linear."""
    return sbp.Sequential([sbp.Input(D), sbp.Dense(H, activation="tanh"), sbp.Dense(T)], loss=loss, name="mlp")


def classifier():
    """Return the linear classifier for D = 2, T = 2 and its numbers (ours)."""
    net = sbp.Sequential([sbp.Input(2), sbp.Dense(2)], loss="softmax_cross_entropy", name="linear")
    params = {"dense_1.W": [[1, 2], [3, -1]], "dense_1.b": ["0.5", "-0.5"]}
    return net, params, [1, -1], [1, 0]


def dense_graph(width, layers):
    """Return a graph whose layers of nodes each read all nodes of the one before; the last layer is added up."""
    rows = [[f"n{k}_{i}" for i in range(width)] for k in range(layers + 1)]
    text = "; ".join(f"{name} = {' + '.join(before)}" for before, row in pairwise(rows) for name in row)
    return sbp.Graph("e", f"{text}; e = {' + '.join(rows[-1])}", fuse="statements")


def paths():
    """Return how many paths and edges such graphs have, counted without walking the paths."""
    rows = []
    for width, layers in ((3, 3), (3, 10), (10, 3), (10, 10)):
        graph = dense_graph(width, layers)
        touched = graph.backward({name: 1.0 for name in graph.inputs}).edges_touched
        # The last edges only add the outputs up.
        rows.append((width, layers, f"{graph.count_paths('n0_0'):,}", f"{graph.edges - width:,}", f"{touched - width:,}"))
    return table("width | layers | paths from one input | edges | edges touched backwards", rows)


def alone():
    """Return the linear classifier without softmax as a graph."""
    i, j = sbp.indices("i j", 2, 2)
    W, x, b, w, s = sbp.tensor("W", i, j), sbp.tensor("x", j), sbp.tensor("b", i), sbp.tensor("w", i), sbp.tensor("s")
    scores = sbp.Equation(w[i], sbp.Sum(W[i, j] * x[j], j) + b[i])
    return sbp.Graph.of(sbp.System([scores, sbp.Equation(s[()], sbp.Sum(w[i], i))]))


def numerical():
    """Return the check of all derivatives of the MLP, and what it costs."""
    count = mlp(784, 100, 10).parameter_count
    rows = [("forward", r"$(L(\theta + 1_p \epsilon) - L(\theta)) / \epsilon$", f"{count + 1:,}"),
            ("central", r"$(L(\theta + 1_p \epsilon) - L(\theta - 1_p \epsilon)) / (2 \epsilon)$", f"{2 * count:,}")]  # fmt: skip
    return table("difference | formula | evaluations", rows, f"A 784-100-10 network has {count:,} parameters")


def counted(D, H, T):
    """Return the number of parameters in words."""
    return f"$H(D + 1) + T(H + 1) = {H} \\cdot {D + 1} + {T} \\cdot {H + 1} = {mlp(D, H, T).parameter_count}$"


def notes():
    """Return the document."""
    shared = sbp.Graph("w", "h1 = tanh(x); h2 = exp(x); h3 = sigmoid(x); g1 = h1*h2; g2 = h2*h3; w = g1 + g2").backward(x=0.5)
    example = sbp.Graph("e", "c = a + b; d = b + 1; e = c * d").backward(a=2, b=1)
    net, params, x, y = classifier()
    linear = sbp.Sequential([sbp.Input(2), sbp.Dense(2)], loss="half_squared_error", name="linear")
    attached = sbp.Graph("H", "e1 = exp(w1); e2 = exp(w2); p1 = e1 / (e1 + e2); H = -log(p1)").backward(w1=-0.5, w2=3.5)
    whole, numbers = sbp.Graph.of(net, (params, x, 0), target="labels").backward(), sbp.worked(net, params, x, y, wrt=("x",))
    d, update = mlp().derive(per="sample"), sbp.worked(net, params, x, y, optimizer=sbp.Nesterov(0.1, 0.9))
    parts = (
        Part("Networks are graphs", "D3.1 D3.2 E25", (
            say("A feedforward network is a directed acyclic graph of scalar functions and thus a function from $x \\in "
                "\\mathbb{R}^D$ to "
                "$w \\in \\mathbb{R}^T$; with cycles it is recurrent. Neurons at the same distance from the inputs form a layer. In "
                "$w = f(g_1(h_1(x), h_2(x)), g_2(h_2(x), h_3(x)))$ the neuron $h_2$ is read twice:", footnote("E25")),
            sbp.Figure(shared.scene(rounding=TWO)),
        )),
        Part("Linear networks", "D3.3", (
            say("Each output neuron is linear, $n_t(x) = w_t x + b_t$ with $w_t$ a row of $W$:"),
            lines(linear.derive(per="sample").formulas("dense_1.z", notation=TU)),
            lines(linear.derive(per="sample").expanded("dense_1.z", notation=TU)),
        )),
        Part("Multi-layer perceptrons", "D3.4 D3.5 P6", (
            say("A linear layer and a layer of activation functions, tanh or the logistic sigmoid. Activations count as layers of "
                "their own, or as "
                "part of the layer before:"),
            sbp.Figure(mlp().scene(TU, kind="boxes", view="own")), sbp.Figure(mlp().scene(TU, kind="boxes", view="same")),
            lines(d.formulas("dense_1.z", "dense_1.a", "dense_2.z", notation=TU)),
            say(f"The parameters are weights and biases, {counted(3, 4, 2)} of them; for 784 inputs, 100 hidden units and 10 "
                f"classes {counted(784, 100, 10)}."),
        )),
        Part("Training", "D3.6 D3.12 D3.19", (
            say("Such networks can be configured to be universal approximators: they can represent any decision boundary and "
                "approximate any function to "
                "any degree. Classifiers are trained by mini-batch gradient descent with Nesterov momentum on the average cross-entropy"),
            lines(r"L(\theta) = \frac{1}{S} \sum_{s=1}^S H(y_s, \operatorname{softmax}(f(x_s; \theta)))"),
            say("so that its gradient is the average of the samples' gradients. One step for a bias, with $v$ the velocity:"),
            lines(update.update_lines(["dense_1.b"], notation=TU)[:2]),
        )),
        Part("Numerical gradients", "D3.7 E26", (
            numerical(),
            say("The central difference is preferable; both are far too slow for training, and good for checking.", footnote("E26")),
        )),
        Part("Derivatives in graphs", "D3.8 D3.9 D3.10 D3.11 P2", (
            say("Recall that if $F(x) = f(g(x))$ then $F'(x) = f'(g(x)) g'(x)$. For $e(a, b) = (a + b)(b + 1)$ with $a = 2$, $b = 1$:"),
            sbp.Figure(example.scene()),
            say("Every node can compute its local gradients by itself:"),
            sbp.Figure(example.scene(local=True, paths="b")),
            say("The derivative of $e$ is the sum over all paths of the products along them."),
            lines(example.path_lines("a")), lines(example.path_lines("b")),
        )),
        Part("Simple functions", "D3.13 E27", (
            say("Networks, softmax and cross-entropy are graphs of simple functions.", footnote("E27")),
            sbp.derivative_table(("x1 + x2", "x1*x2", "tanh(x)", "exp(x)", "log(x)", "x1/x2")),
        )),
        Part("A classifier as a graph", "D3.14 P7", (
            say("The linear classifier with $D = 2$ and $T = 2$; its two outputs are $w_1$ and $w_2$ (the sum at the end only joins "
                "them):"),
            sbp.Figure(alone().scene()),
            say("Softmax and cross-entropy, attached to $w = (-0.5, 3.5)$, with the first class as target:"),
            sbp.Figure(attached.scene(rounding=TWO)),
            say("Both together, with $x = (1, -1)$ (the numbers are ours); below, the derivatives of all parameters:"),
            sbp.Figure(whole.scene(rounding=TWO)),
            numbers.table(["dense_1.z", "loss.p", "loss.L", "grad.dense_1.W", "grad.dense_1.b", "grad.x"], notation=TU),
        )),
        Part("Too many paths", "D3.15 D3.16", (
            say("The number of paths grows exponentially, but reverse mode touches every edge once: at a node $n$, all of whose "
                "consumers are done, each "
                "input $c$ gets $\\frac{\\partial n}{\\partial c} \\frac{\\partial e}{\\partial n}$, and what arrives is added up."),
            paths(),
        )),
        Part("Backpropagation, step by step", "D3.18", (
            say("The forward pass, then the backward pass edge by edge; each step is a frame."),
            *(sbp.Figure(example.scene().frame(k)) for k in range(0, 4)), *example.blocks()[1:],
        )),
        Part("In practice", "D3.17", (
            say("Deep networks are always trained in this way. The graph is not as fine: its nodes are whole layers,"),
            lines(d.formulas("delta.dense_1", "grad.dense_1.W", "grad.dense_1.b", notation=TU)),
            say("and the samples of a batch are computed in parallel: their gradients are averaged by one matrix product."),
            lines(mlp().derive().gradients["dense_1.W"].latex(notation=TU)),
        )),
    )  # fmt: skip
    return document("(Training) neural networks", "Deep Learning for Visual Computing, TU Wien, corrected", parts, SOURCES)


SOURCES = (
    sbp.Source(
        "olah",
        "C. Olah",
        "Calculus on Computational Graphs: Backpropagation",
        year="2015",
        url="https://colah.github.io/posts/2015-08-Backprop/",
    ),
)

if __name__ == "__main__":
    write("deck_3_tuwien", notes())
