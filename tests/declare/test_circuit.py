"""Circuits as text: kept as written, and nothing in them is ever run."""

from __future__ import annotations

import pytest
import sympy

import symbackprop as sbp
from symbackprop.declare.circuit import MAX_GATES, MAX_TEXT, circuit


def gates(text, name="f", fuse=()):
    return [(g.name, g.term.value or g.term.kind, g.inputs) for g in circuit(name, text, fuse).gates]


def test_operations_stay_as_written_from_left_to_right():
    assert gates("a - b - c") == [("q1", "-", ("a", "b")), ("f", "-", ("q1", "c"))]
    assert gates("a - (b - c)") == [("q1", "-", ("b", "c")), ("f", "-", ("a", "q1"))]
    assert gates("a / b * c") == [("q1", "/", ("a", "b")), ("f", "*", ("q1", "c"))]
    assert gates("b*a + a*b") == [("q1", "*", ("b", "a")), ("q2", "*", ("a", "b")), ("f", "+", ("q1", "q2"))]
    assert gates("x*x") == [("f", "*", ("x", "x"))]
    assert gates("-x**2") == [("q1", "**", ("x",)), ("f", "neg", ("q1",))]
    assert gates("+x*2") == [("f", "*", ("x",))]


def test_numbers_stay_inside_their_gate():
    assert gates("1/(1 + x)") == [("q1", "+", ("x",)), ("f", "/", ("q1",))]
    assert gates("2*3*x") == [("f", "*", ("x",))]
    assert gates("max(0, pi*x)") == [("q1", "*", ("x",)), ("f", "max", ("q1",))]


def test_names_are_kept_and_numbers_given_where_there_are_none():
    made = circuit("f", "c = a + b; d = b + 1; e = c*d")
    assert (made.output, made.inputs, made.named) == ("e", ("a", "b"), ("c", "d", "e"))
    assert [g.name for g in circuit("f", "q1 + x*y + q3*2").gates] == ["q2", "q4", "q5", "f"]
    assert circuit("f", "c = a + b\nc * 2\n").output == "f"
    assert circuit("e", "e = a*b").output == "e"
    assert circuit("c", "c = a*b; d = c + 1").output == "c"


def test_a_letter_is_a_variable():
    """Only pi is a number: e is a node of D3.9."""
    assert circuit("f", "e**x + exp(1)*i").inputs == ("e", "x", "i")


def test_fused_functions_are_found_however_they_are_spelled():
    for text in ("1/(1 + exp(-u))", "1/(exp(-(u)) + 1)", "1.0/(1 + exp(-1*u))", "(1 + exp(-u))**(-1)"):
        assert gates(text.replace("u", "(a*b)"), fuse="sigmoid") == [("q1", "*", ("a", "b")), ("f", "sigmoid", ("q1",))], text
    assert gates("log(1 + exp(x))", fuse=("sigmoid", "softplus")) == [("f", "softplus", ("x",))]
    assert [g[1] for g in gates("1/(2 + exp(-x))", fuse="sigmoid")] == ["neg", "exp", "+", "/"]
    assert [g[1] for g in gates("x/(1 + exp(-x))", fuse="sigmoid")] == ["neg", "exp", "+", "/"]
    with pytest.raises(sbp.DeclarationError, match="did you mean 'sigmoid'"):
        circuit("f", "x + y", "sigmoidd")


def test_statements_as_gates():
    assert gates("h = a*b + c; f = exp(h)*a", fuse="statements") == [("h", "+", ("a", "b", "c")), ("f", "*", ("h", "a"))]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__.__bases__",
        "x.real",
        "x[0]",
        "lambda: 1",
        "[x for x in (1,)]",
        "f'{x}'",
        "x if x else y",
        "x and y",
        "(x := 1) + y",
        "exec(x)",
        "open(x)",
        "eval(x)",
        "getattr(x, y)",
        "x @ y",
        "x ^ 2",
        "x < y",
        "x == y",
        "not x",
        "'text' * x",
        "1j * x",
        "x * True",
        "None",
        "exp(x, y)",
        "exp(*x)",
        "exp(u=x)",
        "x + * y",
        "(x + y",
        "x\\ny",
        "x # y",
        "é + x",
        "x + y\u202e",
        "x\0y",
        "9**9**9*x",
        "x**99999999999",
        "1e999*x",
        "x/0",
        "x/(1-1)",
        "log(-1)*x",
        "",
        ";;",
        "3 + 4",
        "x",
        "c = 2; c*x",
        "c = a; c*x",
        "a + b; c = a*b",
        "<b>x</b>",
        "<script> = x*y; <script>*2",
        "x&y",
        "max = x + y; max*2",
        "lambda = x*y; 2*lambda",
        "c = a + b; c = a*b",
        "if = x*y",
        "a = b = c*d",
        "__builtins__['exec'](x)",
        "(" * 100 + "x" + ")" * 100,
        "x" * 3000 + "*y",
        " + ".join(["x"] * 400),
    ],
)
def test_what_is_no_circuit_is_refused_in_one_line(text):
    with pytest.raises(sbp.DeclarationError) as refused:
        sbp.Graph("f", text)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 600


@pytest.mark.parametrize("name", ["", "1f", "a b", "<b>", "f;g", "exp", "pi", "lambda", "a" * 300, None, 3, "f\n"])
def test_bad_names_of_graphs_are_refused(name):
    with pytest.raises(sbp.DeclarationError):
        sbp.Graph(name, "x + y")


def test_limits_on_size():
    with pytest.raises(sbp.DeclarationError, match="limit"):
        circuit("f", "x + y;" * (MAX_TEXT // 5))
    names = [f"h{k} = h{k - 1}*x" for k in range(1, MAX_GATES + 2)]
    with pytest.raises(sbp.DeclarationError, match="gates"):
        circuit("f", ";".join(names))


def test_sympy_expressions_are_taken():
    x, y, z = sympy.symbols("x y z")
    g = sbp.Graph("f", (x + y) * z)
    assert g.backward(x=-2, y=5, z=-4).gradients["x"] == -4
    for expression in (
        x / y - z**2,
        sympy.exp(-x) * sympy.sqrt(y),
        sympy.Max(x, y, 0) / 3,
        -x - y,
        2 * sympy.pi * x,
        sympy.Abs(x) + sympy.E * y,
    ):
        values = {"x": 0.7, "y": 1.3, "z": -0.4}
        g = sbp.Graph("f", expression)
        r = g.backward({n: values[n] for n in g.inputs})
        at = {sympy.Symbol(n): v for n, v in values.items()}
        assert r.values["f"] == pytest.approx(float(expression.subs(at)), rel=1e-12)
    for bad in (sympy.Integral(x, x), sympy.gamma(x), sympy.Symbol("a b") + x, sympy.I * x, 3, object(), sympy.Eq(x, y), sympy.zoo):
        with pytest.raises(sbp.DeclarationError):
            sbp.Graph("f", bad)
