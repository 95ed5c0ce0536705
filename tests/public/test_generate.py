"""Written modules: where they lie, that they run alone, and that nothing is written where something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symbackprop as sbp


@pytest.fixture(scope="module")
def net() -> Any:
    return sbp.Sequential([sbp.Input(3), sbp.Dense(4, activation="tanh"), sbp.Dense(2)], loss="softmax_cross_entropy", name="written")


def test_modules_lie_in_a_folder_of_the_networks_name(net: Any, tmp_path: Path) -> None:
    paths = net.generate(tmp_path, targets=("numpy", "cpu", "latex"), dtype="float64", batch=16, optimizer=sbp.SGD(0.1))
    names = [path.relative_to(tmp_path).as_posix() for path in paths]
    assert names[:2] == ["written/written_numpy.py", "written/written_cpu.py"]
    assert names[-1] == "written/written_latex.tex"
    assert sorted(names) == sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())


def test_writing_twice_gives_the_same_bytes(net: Any, tmp_path: Path) -> None:
    paths = net.generate(tmp_path, targets=("numpy", "cpu"))
    first = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in net.generate(tmp_path, targets=("numpy", "cpu"))] == first
    assert [text.text.encode() for text in net.artifacts(targets=("numpy", "cpu"))] == first


@pytest.mark.parametrize("target", ["numpy", "cpu"])
def test_a_module_runs_where_symbackprop_is_not(net: Any, tmp_path: Path, target: str) -> None:
    (path,) = [p for p in net.generate(tmp_path, targets=(target,), dtype="float64", batch=8) if p.name == f"written_{target}.py"]
    params = net.init(seed=0, dtype="float64")
    x, y = np.random.default_rng(0).standard_normal((5, 3)), np.array([0, 1, 1, 0, 1])
    loss, grads = net.compile(target="numpy", dtype="float64").value_and_grad(params, x, y)
    np.savez(tmp_path / "given.npz", params=params.flat, x=x, y=y, grads=grads.flat)
    script = (
        "import sys, numpy as np\n"
        "sys.modules['symbackprop'] = None\n"
        f"import written_{target} as m\n"
        "d = np.load('../given.npz')\n"
        "grads, work = np.zeros_like(d['params']), np.zeros(m.workspace(5))\n"
        "loss = m.value_and_grad(d['params'], d['x'], d['y'], grads, work)\n"
        "np.testing.assert_allclose(grads, d['grads'], rtol=1e-12, atol=1e-15)\n"
        "print(repr(float(loss)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=path.parent, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(loss, rel=1e-12)


def test_nothing_is_written_if_one_target_cannot_be(net: Any, tmp_path: Path) -> None:
    with pytest.raises(sbp.DeclarationError):
        net.generate(tmp_path / "out", targets=("numpy", "fortran"))
    assert not (tmp_path / "out").exists()


def test_a_link_that_leads_out_is_refused(net: Any, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "written").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(sbp.OutputError, match="leads out of"):
        net.generate(tmp_path / "out")
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="a superuser may write everywhere")
def test_an_unwritable_folder_is_one_clear_line(net: Any, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(sbp.OutputError, match="choose a folder that can be written") as caught:
        net.generate(tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_a_file_in_the_way_is_one_clear_line(net: Any, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(sbp.OutputError, match="is a file, not a folder") as caught:
        net.generate(tmp_path / "out")
    assert isinstance(caught.value, OSError)
    assert (tmp_path / "out").read_text() == "in the way"


@pytest.mark.parametrize("name", ["../escape", "a/b", "", "a b", "class", "nul\n", "con"])
def test_a_name_that_is_no_file_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises((sbp.DeclarationError, sbp.OutputError)):
        sbp.Sequential([sbp.Input(2), sbp.Dense(2)], loss="mse", name=name).generate(tmp_path / "out", targets=("numpy",))
    assert not (tmp_path / "out").exists()
