"""Pictures as committed: the same circuit gives the same text, in every way of writing it."""

from __future__ import annotations

from pathlib import Path

import pytest

import symbackprop as sbp
from symbackprop.present.scene.dot import dot
from symbackprop.present.scene.svg import svg
from symbackprop.present.scene.text import text

FOLDER = Path(__file__).parent / "pictures"
CIRCUITS = {
    "sum_times_z": ("f", "(x + y) * z", {"x": -2, "y": 5, "z": -4}, {}),
    "paths": ("e", "c = a + b; d = b + 1; e = c*d", {"a": 2, "b": 1}, {"local": True, "paths": "b"}),
}


@pytest.mark.parametrize("name", CIRCUITS)
@pytest.mark.parametrize(("ending", "write"), [("svg", svg), ("dot", dot), ("txt", text)])
def test_a_picture_is_the_one_that_is_committed(name, ending, write, update):
    output, expression, values, options = CIRCUITS[name]
    written = write(sbp.Graph(output, expression).backward(values).scene(**options))
    path = FOLDER / f"{name}.{ending}"
    if update:
        FOLDER.mkdir(exist_ok=True)
        path.write_text(written, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == written, "run pytest --update and look at the picture"
