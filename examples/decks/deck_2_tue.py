"""Deck 2, TU Eindhoven: neural networks, backpropagation and convolution, in the letters of CS231n, corrected."""

import numpy as np
import sympy
from errata import footnote
from parts import Part, document, kept, lines, say, table, write

import symbackprop as sbp

CS = "cs231n"
SCORES = ["3.2", "5.1", "-1.7"]
TWO = sbp.Rounding(decimals=2)


def scores(loss):
    """Return three scores, made by an identity matrix, and a loss of them, worked out for class 1."""
    net = sbp.Sequential([sbp.Input(3), sbp.Dense(3, bias=False)], loss=loss, name="scores")
    return sbp.worked(net, {"dense_1.W": np.eye(3, dtype=int)}, SCORES, 0, digits=5)


def quadratic(*wrt):
    """Return f = ‖W x‖² as a system of one's own, derived."""
    n = sbp.sizes("n")
    i, j = sbp.indices("i j", n, n)
    W, x, q, f = sbp.tensor("W", i, j), sbp.tensor("x", j), sbp.tensor("q", i), sbp.tensor("f")
    system = sbp.System([sbp.Equation(q[i], sbp.Sum(W[i, j] * x[j], j)), sbp.Equation(f[()], sbp.Sum(q[i] ** 2, i))])
    return sbp.derive(system, of="f", wrt=wrt)


def loss_graph():
    """Return the equations of a linear classifier with hinge loss and penalty, for one sample of class 1."""
    C, D = sbp.sizes("C D")
    c, j = sbp.indices("c j", C, D)
    W, x, s = sbp.tensor("W", c, j), sbp.tensor("x", j), sbp.tensor("s", c)
    hinge, R, L = sbp.tensor("hinge"), sbp.tensor("R"), sbp.tensor("L")
    margin = sympy.Max(0, s[c] - s[0] + 1) * sbp.Indicator(sympy.Ne(c, 0))
    return sbp.System([
        sbp.Equation(s[c], sbp.Sum(W[c, j] * x[j], j)),
        sbp.Equation(hinge[()], sbp.Sum(margin, c)),
        sbp.Equation(R[()], sbp.Sum(W[c, j] ** 2, c, j)),
        sbp.Equation(L[()], hinge[()] + R[()]),
    ])  # fmt: skip


def relu_jacobian(size=4096):
    """Return the Jacobian of max(0, x); it is described, never built."""
    i = sbp.indices("i", size)
    x, f, total = sbp.tensor("x", i), sbp.tensor("f", i), sbp.tensor("total")
    system = sbp.System([sbp.Equation(f[i], sympy.Max(0, x[i])), sbp.Equation(total[()], sbp.Sum(f[i], i))])
    return sbp.derive(system, of="total", wrt=["x"]).jacobian("f", "x")


def without_bias(depth):
    """Return F = W2 max(0, W1 x) and its like."""
    layers = [sbp.Dense(4, activation="relu", bias=False) for _ in range(depth - 1)]
    return sbp.Sequential([sbp.Input(3), *layers, sbp.Dense(2, bias=False)], loss="half_squared_error", name="scores")


def differences():
    """Return a table of forward differences against the derivative."""
    f, slope = np.tanh, sbp.Graph("f", "tanh(x)").backward(x=0.7).gradients["x"]
    rows = [(f"$10^{{{k}}}$", f"{(f(0.7 + 10.0**k) - f(0.7)) / 10.0**k:.10f}") for k in (-1, -3, -5, -8, -11, -14)]
    return table("$h$ | $(f(x + h) - f(x)) / h$", [*rows, ("derivative", f"{slope:.10f}")], "tanh at 0.7")


def rings():
    """Return frames of a training run: decision boundary and loss so far."""
    rng = np.random.default_rng(4)
    angle, radius = rng.uniform(0, 2 * np.pi, 120), np.repeat((0.6, 2.0), 60) + 0.25 * rng.standard_normal(120)
    x, y = np.column_stack((radius * np.cos(angle), radius * np.sin(angle))), np.repeat((0.0, 1.0), 60)[:, None]
    layers = [sbp.Input(2), sbp.Dense(6, activation="tanh"), sbp.Dense(1, activation="sigmoid")]
    net = sbp.Sequential(layers, loss="binary_cross_entropy", name="rings")
    params, program = net.init(seed=1, dtype="float64"), net.compile(target="numpy", dtype="float64")
    return [chart for frame in sbp.training_charts(program, params, x, y, sbp.Adam(0.05), (5, 20, 80, 300), points=41) for chart in frame]


def filtering(kind="convolution", size=5, mask=3):
    """Return the sum of products as a system of one's own, on an image with zeros around it, and half the squared distance to y."""
    wide = size + mask - 1
    x, y = sbp.indices("x y", size, size)
    s, t, a, b = sbp.indices("s t a b", mask, mask, wide, wide)
    w, f, q, L = sbp.tensor("w", s, t), sbp.tensor("f", a, b), sbp.tensor("q", x, y), sbp.tensor("L")
    target = sbp.tensor("y", x, y)
    there = f[x - s + mask - 1, y - t + mask - 1] if kind == "convolution" else f[x + s, y + t]
    square = sbp.Sum((q[x, y] - target[x, y]) ** 2, x, y)
    equations = [sbp.Equation(q[x, y], sbp.Sum(w[s, t] * there, s, t)), sbp.Equation(L[()], square / 2)]
    return sbp.derive(sbp.System(equations), of="L", wrt=["w"])


IMPULSE, NINE = np.zeros((5, 5)), np.arange(1, 10).reshape(3, 3)
IMPULSE[2, 2] = 1
PREWITT, RAMP = np.tile([1, 0, -1], (3, 1)), np.tile(np.arange(5), (5, 1))


def matrix(array):
    """Return whole numbers as a matrix."""
    rows = r" \\ ".join(" & ".join(f"{v:g}" for v in row) for row in np.asarray(array) + 0.0)
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"


def filters(image, kernel):
    """Return both products of an image with a kernel, side by side."""
    return lines(*(rf"\text{{{kind}}} = {matrix(sbp.convolve(image, kernel, kind)['cropped'])}" for kind in ("convolution", "correlation")))


def notes():
    """Return the document."""
    hinge, softmax, square = scores("multiclass_hinge"), scores("softmax_cross_entropy"), quadratic("W", "x")
    given = sbp.worked(quadratic("W", "x", "q"), {"W": [["0.1", "0.5"], ["-0.3", "0.8"]], "x": ["0.2", "0.4"]})
    linear = [sbp.Input(3), sbp.Dense(2, bias=False)]
    whole = sbp.Sequential(linear, loss="softmax_cross_entropy", regularizer=sbp.L2(0.1), name="linear").derive()
    text = "1/(1 + exp(-(w0*x0 + w1*x1 + w2)))"
    values = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}
    small, gates = sbp.Graph("f", "(x + y) * z").backward(x=-2, y=5, z=-4), sbp.Graph("f", text).backward(values)
    fused = sbp.Graph("f", text, fuse="sigmoid").backward(values)
    patterns = sbp.Graph("f", "u = x*y; v = max(z, w); p = u + v; f = 2*p").backward(x=3, y=-4, z=2, w=-1)
    branch = sbp.Graph("f", "u = x*w; v = x*z; f = u + v").backward(x=3, w=2, z=-1)
    learned = filtering()
    jacobian, unit = relu_jacobian(), sbp.Sequential([sbp.Input(3), sbp.Dense(1, activation="sigmoid")], loss="mse", name="unit")
    reciprocal = next(g.inputs[0] for g in gates.graph.circuit.gates if g.operation == "/")
    parts = (
        Part("Losses of scores", "D2.1 D2.3 E13 E14", (
            say("The hinge loss of one sample, for the scores (3.2, 5.1, -1.7) of which the first should be the "
                "largest:", footnote("E13")),
            lines(hinge.lines(["loss.L", "delta.dense_1"], notation=CS)),
            say("The cross-entropy loss of the same scores (natural logarithm):", footnote("E14")),
            lines(softmax.lines(["loss.S", "loss.p", "loss.L"], notation=CS)),
            lines(softmax.lines(["delta.dense_1"], notation=CS)),
        )),
        Part("Total loss and mini-batches", "D2.2", (
            say("The loss over a batch is the mean of the samples' losses and a penalty, here $\\lambda R(W) = \\frac{0.1}{2} "
                "\\lVert W \\rVert^2$. "
                "Its gradient is the mean of theirs and that of the penalty:"),
            lines(whole.gradients["dense_1.W"].latex(notation=CS)),
            lines(r"W \leftarrow W - \eta \nabla_W L"),
        )),
        Part("Finite differences", "D2.4", (
            say("Slow, and never exact: a forward difference costs one evaluation more than there are parameters, and too small an "
                "$h$ loses all digits."),
            differences(),
        )),
        Part("Computational graphs", "D2.5 D2.6 P1 P8", (
            sbp.Figure(sbp.system_scene(loss_graph(), "loss graph")),
            say("The example $f(x, y, z) = (x + y) z$: values above the lines, gradients below."),
            *small.blocks(),
        )),
        Part("A gate", "D2.7 P3 E18", (
            say("On the forward pass a gate computes its output and its local gradients. On the backward pass it receives the "
                "gradient of the "
                "loss with respect to its output and sends each input that, times the local gradient.", footnote("E18")),
            sbp.Figure(sbp.gate_scene()),
        )),
        Part("Another example", "D2.8 D2.9 D2.10", (
            sbp.Figure(gates.scene(rounding=TWO)),
            say("The gates' derivatives, each by the one rule:"),
            sbp.derivative_table(("c + x", "exp(x)", "a*x", "1/x"), wrt="x"),
            say("The gate $1/x$ has the local gradient $-1/1.37^2$, computed from the exact 1.3678...:"),
            lines(gates.lines(reciprocal, TWO)),
        )),
        Part("The sigmoid as one gate", "D2.11 E15 E16", (
            lines(sbp.derivative_steps("sigmoid").lines()),
            say("With $\\sigma = 0.73$ the local gradient is $0.73 \\cdot (1 - 0.73) = 0.20$.", footnote("E15"), footnote("E16")),
            sbp.Figure(fused.scene(rounding=TWO)),
        )),
        Part("Patterns in the backward flow", "D2.12 P4 E28", (
            say("Add distributes, max routes, multiply switches and scales.", footnote("E28")),
            sbp.Figure(patterns.scene(patterns=True)),
            say("Where a value is read twice, its gradients add:"),
            sbp.Figure(branch.scene(patterns=True)),
            lines(branch.path_lines("x")),
        )),
        Part("Jacobians", "D2.13 D2.14", (
            say("The Jacobian holds the derivative of each output with respect to each input. For $f(x) = \\max(0, x)$ with 4096 "
                "entries"),
            lines(jacobian.latex(notation=CS)),
            say(f"it has $4096 \\times 4096 = {int(jacobian.entries)}$ entries, is "
                f"{'diagonal' if jacobian.is_diagonal else 'full'}, and at most "
                f"{int(jacobian.max_nonzero)} of them are not zero. It is never built; for a batch of 100 it would be $409600^2$."),
        )),
        Part("A vectorised example", "D2.15 D2.16", (
            say("$f(x, W) = \\lVert W x \\rVert^2$ with $q = W x$; $\\mathbf{1}[\\cdot]$ is 1 where its condition holds."),
            lines(square.gradients["W"].lines(form="index")),
            lines(square.gradients["W"].latex()),
            lines(square.gradients["x"].lines(form="index")),
            lines(square.gradients["x"].latex()),
            given.table(["W", "x", "q", "f", "grad.q", "grad.W", "grad.x"]),
        )),
        Part("Two phases", "D2.17", (
            say("Forward, all gates compute their outputs and keep what their local gradients need. Backward, each multiplies the "
                "gradient that "
                "arrives by its local gradient and passes it to all its inputs. For a network the kept values are those that the "
                "backward pass reads:"),
            say(f"{kept(without_bias(3).derive(per='sample'), CS)}."),
        )),
        Part("Neural networks", "D2.18 D2.19 D2.20 P10 P11", (
            say("Two and three layers of computation without biases; the input does not count."),
            *(lines(*without_bias(depth).derive(per="sample").formulas(notation=CS)[:-1]) for depth in (2, 3)),
            sbp.Figure(without_bias(3).scene(CS)),
            say("A single neuron, as a cell:"),
            sbp.Figure(sbp.neuron_scene(unit.model(per="sample"), CS, style="cell")),
            *(sbp.activation_chart(name) for name in ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu")),
        )),
        Part("A network learns", "D2.23", (
            say("A network with six hidden units bends the plane until its classes are separable: after 5, 20, 80 and 300 epochs."),
            *rings(),
        )),
        Part("Encore: convolution", "D2.21 P14 E17", (
            say("Convolution flips the mask, correlation does not. An impulse shows it:", footnote("E17")),
            sbp.Figure(sbp.convolution_scene(IMPULSE, NINE)),
            filters(IMPULSE, NINE),
        )),
        Part("Kernels", "D2.22", (
            say("The kernel with three rows (1, 0, -1) is antisymmetric, so that the two differ in sign only; on a ramp, with zeros "
                "around it:"),
            filters(RAMP, PREWITT),
        )),
        Part("Kernels can be learned", "", (
            say("A filter is a system of equations with indices that are added and subtracted; its derivative is a filter again. "
                "Convolution, "
                "and the gradient of $L = \\frac{1}{2} \\sum_{x,y} (q_{xy} - y_{xy})^2$ with respect to the kernel:"),
            lines(learned.formulas(form="index")[:1]), lines(learned.gradients["w"].lines(form="index")),
        )),
    )  # fmt: skip
    return document("Neural networks and backpropagation", "5LSM0, module 4, TU Eindhoven, corrected", parts, SOURCES)


SOURCES = (
    sbp.Source("cs231n", "F.-F. Li, A. Karpathy and J. Johnson", "CS231n: Convolutional Neural Networks", "Stanford University", url="https://cs231n.github.io"),
    sbp.Source("rumelhart", "D. E. Rumelhart, G. E. Hinton and R. J. Williams", "Learning representations by back-propagating "
                                                                                "errors", "Nature 323", "1986"),
)  # fmt: skip

if __name__ == "__main__":
    write("deck_2_tue", notes())
