"""What the text of kernels keeps to, whatever the network: literals of their type, comparisons for min and max, one array a line."""

from __future__ import annotations

import ast
import functools
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import zoo
from device_modules import network, text_of
from test_device_modules import BATCH, LARGER, frozen_end, modes, own, several

import symbackprop as sbp
from symbackprop.emit.environment import environment

OPTIMIZERS = {
    "layered": sbp.Adam(sbp.CosineDecay(0.1, 5), clip_norm=1.0),
    "single": sbp.AdamW(),
    "grid": sbp.RMSProp(sbp.StepDecay(0.1, 2)),
}


def networks():
    """Yield networks with a schedule that they can have."""
    for name, net in LARGER.items():
        yield f"{name}, layered", net(), None, "layered"
    for net in (several, modes, own):
        yield f"{net.__name__}, layered", net(), None, "layered"
    for schedule in ("single", "grid"):
        yield f"frozen_end, {schedule}", frozen_end(), None, schedule
    for seed in zoo.covering(8, range(40)):
        case = zoo.case(seed)
        yield f"seed {seed}", case.net, case.form, "layered"


NETWORKS = {name: rest for name, *rest in networks()}


@functools.cache
def text(name, dtype):
    net, form, schedule = NETWORKS[name]
    return text_of(network(net, form).plan(dtype, BATCH[schedule], OPTIMIZERS[schedule], schedule))


def kernels(tree):
    """Yield the functions that are compiled for the device."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            marks = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
            if any(isinstance(mark, ast.Name) and mark.id in ("jit", "device") for mark in marks):
                yield node


def doubles(tree):
    """Return the names of the kernels that compute in float64 on purpose."""
    (found,) = (n.value for n in tree.body if isinstance(n, ast.Assign) and getattr(n.targets[0], "id", "") == "FLOAT64")
    return set(ast.literal_eval(found))


def bare(kernel):
    """Yield the real literals of a kernel that have no type."""
    typed = set()
    for node in ast.walk(kernel):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("real", "float32", "float64"):
            typed |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(kernel):
        if isinstance(node, ast.Constant) and isinstance(node.value, float) and id(node) not in typed:
            yield node.value


@pytest.mark.parametrize("name", NETWORKS)
def test_the_text_of_kernels_keeps_the_rules(name):
    tree = ast.parse(text(name, "float32"))
    in_double = doubles(tree)
    count = 0
    for kernel in kernels(tree):
        count += 1
        called = {node.func.id for node in ast.walk(kernel) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        assert not called & {"min", "max", "float", "int"}, (kernel.name, called)
        assert list(bare(kernel)) == [], kernel.name
        words = {node.id for node in ast.walk(kernel) if isinstance(node, ast.Name)} | {
            node.attr for node in ast.walk(kernel) if isinstance(node, ast.Attribute)
        }
        assert kernel.name in in_double or "float64" not in words, kernel.name
        arrays = [
            node
            for node in ast.walk(kernel)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("cuda.shared.array", "cuda.local.array")
        ]
        assert len({node.lineno for node in arrays}) == len(arrays), kernel.name
        for node in arrays:
            shape = ast.literal_eval(node.args[0])
            assert isinstance(shape, int | tuple)
    assert count > 3


def test_the_text_is_clean(tmp_path, require_tool):
    require_tool("ruff")
    for number, name in enumerate(NETWORKS):
        (tmp_path / f"module_{number}.py").write_text(text(name, "float32"))
    (tmp_path / "doubles.py").write_text(text("frozen_end, single", "float64"))
    (tmp_path / "kernels_cuda.py").write_text(environment().get_template("numba_cuda/kernels_cuda.py.jinja").render())
    config = str(Path(__file__).parents[2] / "pyproject.toml")
    # The letters are those of the equations.
    command = [sys.executable, "-m", "ruff", "check", "--config", config, "--ignore", "E741", "--output-format", "concise", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-2000:]


def test_the_text_does_not_depend_on_the_seed_of_hashes():
    program = (
        "import hashlib, test_device_text as t\n"
        "for name in ('attending, layered', 'frozen_end, grid', 'several, layered'):\n"
        "    print(hashlib.sha256(t.text(name, 'float32').encode()).hexdigest())\n"
    )
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent), *filter(None, sys.path)])
    found = [
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed}, capture_output=True, text=True
        )
        for seed in ("1", "2")
    ]
    assert all(one.returncode == 0 for one in found), found[0].stderr
    assert found[0].stdout == found[1].stdout
    mine = hashlib.sha256(text("several, layered", "float32").encode()).hexdigest()
    assert found[0].stdout.split()[-1] == mine
