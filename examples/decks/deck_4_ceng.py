"""Deck 4, CENG 506: networks and backpropagation after Ng and CS231n, in their letters, corrected."""

import numpy as np
from errata import footnote, neuron
from parts import Part, document, lines, say, table, write

import symbackprop as sbp

NG = "ng"


def chain(widths, activation="sigmoid", name="deck"):
    """Return a network of dense layers with one activation for all."""
    layers = [sbp.Dense(n, activation=activation) for n in widths[1:]]
    return sbp.Sequential([sbp.Input(widths[0]), *layers], loss="half_squared_error", name=name)


def gate(*weights):
    """Return what a sigmoid unit with these weights, the bias first, makes of all inputs: the sums and the values."""
    net = chain((2, 1), name="gate")
    params = {"dense_1.W": [weights[1:]], "dense_1.b": [weights[0]]}
    runs = [sbp.worked(net, params, row, [0]).values for row in TABLE]
    return [r["dense_1.z"][0] for r in runs], [r["dense_1.a"][0] for r in runs]


SIX = sbp.Rounding(6)
TABLE = [(0, 0), (0, 1), (1, 0), (1, 1)]
GATES = {"AND": (-30, 20, 20), "OR": (-10, 20, 20), "(NOT, NOT)": (10, -20, -20)}


def gate_table(name):
    """Return the truth table of a unit."""
    sums, values = gate(*GATES[name])
    rows = [(*row, f"$g({int(z)})$", f"${SIX.latex(a)}$", round(a)) for row, z, a in zip(TABLE, sums, values, strict=True)]
    return table("$x_1$ | $x_2$ | $f_w(x)$ | value | rounded", rows, f"{name}: weights {', '.join(map(str, GATES[name]))}")


def xnor():
    """Return the network of two layers and its parameters."""
    hidden, output = np.array([GATES["AND"], GATES["(NOT, NOT)"]], float), np.array([GATES["OR"]], float)
    net = chain((2, 2, 1), name="xnor")
    names = {"dense_1.W": hidden[:, 1:], "dense_1.b": hidden[:, 0], "dense_2.W": output[:, 1:], "dense_2.b": output[:, 0]}
    return net, net.parameters(names)


def plane(net, params, title):
    """Return the decision plane of a network over the four corners."""
    x = np.array(TABLE, float)
    program = net.compile(target="numpy", dtype="float64")
    return sbp.decision_chart(program, params, x, np.round(program.predict(params, x)), title=title)


def single(name):
    """Return the decision plane of one unit."""
    net, w = chain((2, 1), name="gate"), np.array([GATES[name]], float)
    return plane(net, net.parameters({"dense_1.W": w[:, 1:], "dense_1.b": w[:, 0]}), name)


def xnor_table():
    """Return the truth table of the two layers."""
    net, params = xnor()
    runs = [sbp.worked(net, params, row, [0]).values for row in TABLE]
    cells = [
        (*row, *(round(v) for v in (*r["dense_1.a"], *r["dense_2.a"])), f"${SIX.latex(r['dense_2.a'][0])}$")
        for row, r in zip(TABLE, runs, strict=True)
    ]
    return table("$x_1$ | $x_2$ | $a_1^{(2)}$ | $a_2^{(2)}$ | $f_w(x)$ | value of $f_w(x)$", cells, "XNOR: two layers")


def capacity():
    """Return the decision planes of networks with more and more hidden units, trained on two rings."""
    rng = np.random.default_rng(4)
    angle, radius = rng.uniform(0, 2 * np.pi, 120), np.repeat((0.6, 2.0), 60) + 0.25 * rng.standard_normal(120)
    x, y = np.column_stack((radius * np.cos(angle), radius * np.sin(angle))), np.repeat((0.0, 1.0), 60)[:, None]
    charts = []
    for units in (1, 2, 4, 8):
        layers = [sbp.Input(2), sbp.Dense(units, activation="tanh"), sbp.Dense(1, activation="sigmoid")]
        net = sbp.Sequential(layers, loss="binary_cross_entropy", name="rings")
        params, program = net.init(seed=1, dtype="float64"), net.compile(target="numpy", dtype="float64")
        program.fit(params, x, y, optimizer=sbp.Adam(0.05), epochs=300, batch_size=None)
        charts.append(sbp.decision_chart(program, params, x, y, title=f"{units} hidden unit{'s' * (units > 1)}", points=41))
    return charts


MAZUR = {
    "dense_1.W": [["0.15", "0.20"], ["0.25", "0.30"]],
    "dense_1.b": ["0.35", "0.35"],
    "dense_2.W": [["0.40", "0.45"], ["0.50", "0.55"]],
    "dense_2.b": ["0.60", "0.60"],
}


#: In the order of the post.
QUANTITIES = (
    *("dense_1.z", "dense_1.a", "dense_2.z", "dense_2.a", "loss", "grad.dense_2.a", "delta.dense_2", "grad.dense_2.W"),
    *("grad.dense_1.a", "delta.dense_1", "grad.dense_1.W"),
)


def mazur(rounds=1, digits=9):
    """Return the post's example; its biases are not updated."""
    net = chain((2, 2, 2), name="mazur").freeze("dense_1.b", "dense_2.b")
    options = {"optimizer": sbp.GradientDescent(0.5), "rounds": rounds, "keep": (9_999,), "digits": digits}
    return sbp.worked(net, MAZUR, ["0.05", "0.10"], ["0.01", "0.99"], wrt=("dense_1.a", "dense_2.a"), **options)


def notes(rounds=10_000):
    """Return the document."""
    circuit = sbp.Graph("f", "(x + y) * z").backward(x=-2, y=5, z=-4)
    text = "1/(1 + exp(-(w0*x0 + w1*x1 + w2)))"
    values = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}
    gates, fused = sbp.Graph("f", text).backward(values), sbp.Graph("f", text, fuse="sigmoid").backward(values)
    unit, two, four = chain((3, 1)), chain((3, 3, 1), sbp.Activation("g")).derive(per="sample"), chain((3, 3, 3, 1))
    d, run, post = four.derive(per="sample"), neuron(), mazur()
    long = mazur(rounds)
    parts = (
        Part("A neuron", "D4.1 P10", (
            say("A neuron adds up its inputs, each times a weight, and applies the activation function $g$, here the sigmoid. The "
                "bias is "
                "the weight $w_0$ of an input $x_0 = 1$."),
            sbp.Figure(sbp.neuron_scene(unit.model(per="sample"), NG)),
            lines(unit.derive().formulas(notation=NG, form="index")[:2]),
        )),
        Part("Logic with one unit", "D4.2 D4.3", (
            say("With inputs 0 and 1 a single unit computes AND and OR: a linear classifier."),
            gate_table("AND"), gate_table("OR"), single("AND"), single("OR"),
        )),
        Part("XNOR needs two layers", "D4.4 P12", (
            say("XNOR is (NOT $x_1$ AND NOT $x_2$) OR ($x_1$ AND $x_2$); one straight line cannot do it. The weights of the unit "
                "(NOT, NOT) "
                "are only in a picture of the deck: 10, -20, -20."),
            xnor_table(), plane(*xnor(), "XNOR"),
        )),
        Part("More units, more complex boundaries", "D4.17 E23", (
            say(f"A network with one hidden layer has {chain((3, 3, 1)).depth} layers of weights; its last layer index is "
                f"{chain((3, 3, 1)).n_l}, since the input is layer 1. As layers and units are added, more complex functions can be "
                f"modelled.", footnote("E23")),
            *capacity(),
        )),
        Part("Forward propagation", "D4.5 P5", (
            sbp.Figure(chain((3, 3, 1)).scene(NG)),
            lines(two.expanded("dense_1.z", notation=NG)),
            say("With the sums in their places, and $x_0 = a_0^{(2)} = 1$ written out:"),
            lines(two.expanded("dense_1.a", notation=NG, inside=["dense_1.z"], units=True)),
            lines(two.expanded("dense_2.a", notation=NG, inside=["dense_2.z"], units=True)),
        )),
        Part("Activation functions", "D4.6 P11", (
            say("The leaky ReLU of the deck has the slope 0.1 below zero; the slope is a parameter."),
            *(sbp.activation_chart(name) for name in ("sigmoid", "relu", "tanh", "leaky_relu")),
        )),
        Part("Derivatives in a graph of gates", "D4.7 P1", (
            say("Values are written above the edges, gradients below them."),
            *circuit.blocks(),
        )),
        Part("A sigmoid neuron, gate by gate", "D4.8 D4.9 P15 E19", (
            sbp.Figure(gates.scene(rounding=sbp.Rounding(decimals=2))),
            say("Each gate multiplies what arrives by its local gradient. The gate $e^u$ sends", footnote("E19")),
            lines(gates.lines(gate_of(gates, "exp"), sbp.Rounding(decimals=2))),
            sbp.Figure(fused.scene(rounding=sbp.Rounding(decimals=2))),
        )),
        Part("The derivative of the sigmoid", "D4.10", (
            say("One gate for the whole sigmoid has the local gradient $(1 - \\sigma) \\sigma$. The trick is to add and subtract 1."),
            lines(sbp.derivative_steps("sigmoid").lines()),
        )),
        Part("A weight update", "D4.11 E20 E24", (
            say("The neuron gives 0.73 and should give 0.43. With $E = \\frac{1}{2} (a - y)^2$ and the learning rate 1 (both "
                "inferred from the "
                "deck's numbers) the first round is", footnote("E24")),
            lines(run.lines(["delta.dense_1", "grad.dense_1.W"], notation=NG)),
            lines(run.update_lines(notation=NG)),
            say("and after 19 rounds the output is within 0.0001 of 0.43.", footnote("E20")),
            run.history(["dense_1.W", "dense_1.a"], (1, 2, 3, 10, 19), notation=NG),
        )),
        Part("Backpropagation through layers", "D4.12 D4.13 E21 E22", (
            say("$\\delta_j^{(l)} = \\frac{\\partial E}{\\partial z_j^{(l)}}$ is the error of unit $j$ of layer $l$. For the output "
                "unit of a network "
                "with four layers and $E = \\frac{1}{2} (a - y)^2$"),
            lines(d.error_terms["dense_3"].lines(notation=NG, form="index")),
            say("and back through the hidden layers; a bar drops the bias unit and its column.", footnote("E21"), footnote("E22")),
            lines(d.error_terms["dense_2"].lines(notation=NG)),
            lines(d.error_terms["dense_1"].latex(notation=NG)),
        )),
        Part("One error term, one weight", "D4.14 D4.15 P9", (
            lines(d.entry("delta.dense_2", 1, notation=NG).lines()),
            lines(d.weight("dense_3.W", 1, 1, notation=NG).lines()),
            lines(d.weight("dense_2.W", 1, 3, notation=NG).lines()),
            say("In general, for $j = 0$ too, where $a_0 = 1$:"),
            lines(d.recursion.latex(NG, "index")[-2:]),
            sbp.Figure(four.scene(NG, highlight="dense_2.W[1,3]")),
        )),
        Part("A complete example with numbers", "D4.16", (
            say("The example of Mazur's post: two inputs, two hidden units, two outputs, learning rate 0.5. The biases are kept."),
            *post.blocks(NG, tables=False),
            post.table(QUANTITIES, notation=NG),
            post.table(["dense_1.W", "dense_2.W", "loss"], notation=NG, after=1),
            say("After 9,999 updates the error is what the post reports for 10,000 passes:"),
            long.history(["dense_2.a", "loss"], notation=NG),
        )),
    )  # fmt: skip
    return document("Neural networks and backpropagation", "CENG 506, lecture 3, corrected", parts, SOURCES)


def gate_of(run, kind):
    """Return the node that a gate of a kind reads."""
    return next(g.inputs[0] for g in run.graph.circuit.gates if g.operation == kind)


SOURCES = (
    sbp.Source("ng", "A. Ng", "CS229: Machine Learning", "Stanford University", url="https://cs229.stanford.edu"),
    sbp.Source("cs231n", "F.-F. Li, A. Karpathy and J. Johnson", "CS231n: Convolutional Neural Networks", "Stanford University", url="https://cs231n.github.io"),
    sbp.Source("mazur", "M. Mazur", "A step by step backpropagation example", year="2015",
               url="https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/"),
)  # fmt: skip

if __name__ == "__main__":
    write("deck_4_ceng", notes())
