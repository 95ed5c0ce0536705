"""A second process finds the text and the compiled code, and starts without SymPy and Jinja."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

SCRIPT = """
import json, sys, time
start = time.process_time()
import numpy as np
import symbackprop as sbp
net = sbp.Sequential([sbp.Input(64), sbp.Dense(32, activation="relu"), sbp.Dense(10)], loss="softmax_cross_entropy", name="second")
params = net.init(seed=0)
x = np.random.default_rng(0).standard_normal((64, 64)).astype("float32")
y = np.arange(64) % 10
program = net.compile(target=TARGET, batch=64)
loss, grads = program.value_and_grad(params, x, y)
step = program.bind(params, x, y)
step()
program.predict(params, x)
program.fit(params, x, y, sbp.SGD(0.1), epochs=1, progress=False)
loaded = [name for name in ("sympy", "jinja2", "mpmath", "rich") if name in sys.modules]
print(json.dumps({"loss": loss, "bits": grads.flat.tobytes().hex()[:400], "loaded": loaded, "seconds": time.process_time() - start,
                  "plan": program.plan, "source": len(program.source)}))
"""


def run(target: str, home: Path) -> dict[str, Any]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    script = SCRIPT.replace("TARGET", repr(target))
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("target", ["numpy", "cpu"])
def test_a_second_process_is_light_and_agrees_to_the_bit(target: str, tmp_path: Path) -> None:
    first, second = run(target, tmp_path), run(target, tmp_path)
    assert "sympy" in first["loaded"]
    assert second["loaded"] == []
    assert second["seconds"] < 2
    assert {k: second[k] for k in ("loss", "bits", "plan", "source")} == {k: first[k] for k in ("loss", "bits", "plan", "source")}


def test_a_damaged_cache_is_rebuilt(tmp_path: Path) -> None:
    first = run("numpy", tmp_path)
    texts = list((tmp_path / "symbackprop").glob("*/*_numpy.py"))
    for text in texts:
        text.write_text("raise SystemExit('foreign code')\n")
    assert run("numpy", tmp_path)["loss"] == first["loss"]
    assert texts and not any("foreign" in text.read_text(encoding="utf-8") for text in texts)


def test_compiled_code_that_was_cut_off_is_made_again(tmp_path: Path) -> None:
    first = run("cpu", tmp_path)
    files = sorted((tmp_path / "symbackprop").glob("*/__pycache__/*.nb[ic]"))
    assert {path.suffix for path in files} == {".nbi", ".nbc"}
    for k, path in enumerate(files):
        whole = path.read_bytes()
        path.write_bytes(b"" if k % 3 == 0 else whole[: len(whole) // 2].rstrip(b"."))
    second = run("cpu", tmp_path)
    assert {k: second[k] for k in ("loss", "bits")} == {k: first[k] for k in ("loss", "bits")}


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no users here")
def test_without_a_cache_folder_it_runs_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "symbackprop").write_text("in the way")
    assert run("numpy", tmp_path)["loss"] == pytest.approx(run("numpy", tmp_path / "other")["loss"], rel=0)
    assert (tmp_path / "symbackprop").read_text() == "in the way"
