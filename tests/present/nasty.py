"""A document of which every text tries to be more than text, and one that has every kind of block."""

from __future__ import annotations

from symbackprop.present.document.records import (
    Algorithm,
    Chart,
    Cite,
    Curve,
    Display,
    Document,
    Enumeration,
    Field,
    Figure,
    Footnote,
    Line,
    Link,
    Listing,
    Math,
    Paragraph,
    Section,
    Source,
    Strong,
    Table,
)
from symbackprop.present.scene.records import Edge, Label, Mark, Node, Scene, Words

#: Each would set window.ran, open a dialog or load something if it were ever more than text.
ATTACKS = (
    "<script>window.ran = 1</script>",
    "</script><script>window.ran = 1</script>",
    '"><img src=x onerror="window.ran = 1">',
    "'><svg onload=alert(1)>",
    "javascript:window.ran=1",
    "]]><script>window.ran = 1</script><![CDATA[",
    "</style><script>window.ran = 1</script>",
    "</title></pre></textarea><iframe src=https://evil.example>",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "a\u2028window.ran = 1\u2029b",
    "&lt;script&gt;window.ran = 1&lt;/script&gt;",
    "--><script>window.ran = 1</script><!--",
    "![x](https://evil.example/x.png) [y](javascript:window.ran=1) <https://evil.example>",
    "`code` **bold** _under_ $x$ $$y$$ | pipe | # title\n- item ~~gone~~ [^1] @all",
    "\\input{/etc/passwd} \\href{javascript:alert(1)}{x} \\htmlClass{a}{b}",
)


def nasty(text: str) -> Document:
    """Return a document with a text in every place where a text may stand."""
    scene = Scene(
        text,
        (Node("a", Label(text), 0, 0, title=text), Node("b", Label("b", "b"), 4, 0, step=1)),
        (Edge("a", "b", (Mark(Label(text), step=1),), step=1),),
        (Words(Label(text), 2, 2),),
    )
    parts = (text, Strong(text), Link(text, text), Link(text, "https://example.org/" + text), Footnote((text,)), Cite(text))
    return Document(
        text,
        (
            Section(
                text,
                (
                    Paragraph(parts),
                    Display((Line("a = b", rule=text, note=Footnote((text,))), Line("= c", rule=text))),
                    Table(((text,), (text,)), (((text,), (text,)),), (text,)),
                    Figure(scene, (text,)),
                    Chart(text, (Curve((0.0, 1.0), (1.0, 2.0), (text,)),), x_label=(text,), y_label=(text,), caption=(text,)),
                    Listing(text, "python", (text,)),
                    Listing(text, text),
                    Algorithm(text, ((0, (text,)), (1, (text,)))),
                    Enumeration(((text,), (text,))),
                ),
            ),
        ),
        author=text,
        subtitle=text,
        sources=(Source(text, text, text, text, text, text),),
        language="en",
    )


def _every() -> Document:
    scene = Scene(
        "A circuit in three steps",
        (Node("x", Label("x", "x"), 0, 1, role="input"), Node("y", Label("y", "y"), 0, -1, role="input"), Node("p", Label("+", "+"), 4, 0)),
        (
            Edge("x", "p", (Mark(Label("-2", "-2"), role="value"), Mark(Label("-4", "-4"), "below", role="gradient", step=2))),
            Edge("y", "p", (Mark(Label("5", "5"), role="value", step=1),)),
        ),
    )
    first = Section(
        "The forward pass",
        (
            Paragraph(
                (
                    "Weights ",
                    Math("W^{(1)}"),
                    " and ",
                    Strong("biases"),
                    Footnote(("Of shape ", Math("n"), ".")),
                    ", see ",
                    Cite("rhw"),
                    ".",
                )
            ),
            Display(
                (
                    Line("z = W x + b"),
                    Line(r"= \sum_{j} W_{ij} x_j + b_i", rule="in index form"),
                    Line("a = f(z)", rule="tanh′ = 1 − tanh²"),
                )
            ),
            Listing("z = W @ x + b  # one line\n", "python", ("The same in NumPy",)),
            Display((Line(r"\sigma'(z) = \sigma(z) (1 - \sigma(z))", blank=True),)),
        ),
    )
    second = Section(
        "Numbers and pictures",
        (
            Table(((Math(r"\eta"),), ("loss",)), ((("0.5",), ("0.298371109",)), (("0.25",), ("0.291027924",))), ("Two rounds",), "cr"),
            Figure(scene, ("A circuit of ", Math("x + y"))),
            Chart("Falling loss", (Curve((0.0, 1.0, 2.0), (1.0, 0.5, 0.25), ("loss",)),), x_label=("round",), y_label=(Math("L"),)),
            Chart("Plane", field=Field((0.0, 1.0), (0.0, 1.0), ((0.0, 1.0), (1.0, 2.0)), (0.5,))),
            Algorithm("Descent", ((0, ("repeat",)), (1, (Math(r"w \leftarrow w - \eta g"),)))),
            Enumeration((("one",), ("two ", Math("x_1"))), ordered=True),
            Enumeration((("three",),)),
            Paragraph(("More at ", Link("the source", "https://example.org/x"), ".")),
        ),
    )
    source = Source("rhw", "Rumelhart, Hinton, Williams", "Learning representations", "Nature 323", "1986", "https://example.org/rhw")
    return Document("Every kind of block", (first, second), author="A. Lecturer", subtitle="Notes", sources=(source,))


EVERY = _every()

__all__ = ["ATTACKS", "EVERY", "nasty"]
