"""What the command line says and which exit code it leaves with: 0 done, 1 a check failed, 2 bad input told in one line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from symbackprop.cli import main

Said = tuple[int, str, str]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run the command line in an empty folder; return exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def go(*words: str) -> Said:
        with pytest.raises(SystemExit) as left:
            main(words)
        said = capfd.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return go


NET = """
import symbackprop as sbp
net = sbp.Sequential([sbp.Input(3), sbp.Dense(2, activation="tanh"), sbp.Dense(1)], loss="mse", name="small")
other = sbp.Sequential([sbp.Input(2), sbp.Dense(1)], loss="mse", name="other")
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.py"
    path.write_text(NET)
    return path


def test_without_words_it_teaches(run: Callable[..., Said]) -> None:
    code, out, _ = run()
    assert code == 0
    for word in ("derive", "generate", "check", "train", "bench", "demo", "NETWORK"):
        assert word in out


@pytest.mark.parametrize("command", ["derive", "generate", "check", "train", "bench", "demo"])
def test_help_of_each_command_has_examples_that_can_be_typed(run: Callable[..., Said], command: str) -> None:
    code, out, err = run(command, "--help")
    assert (code, err) == (0, "")
    assert "Examples:" in out
    assert f"\n    symbackprop {command}" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["derivee", "xor"], "derivee"),
        (["derive"], "NETWORK"),
        (["derive", "nosuch"], "the examples are "),
        (["derive", "nosuch.py"], "no file nosuch.py"),
        (["derive", "nosuch.toml"], "no file nosuch.toml"),
        (["derive", "net.py:third"], "net, other"),
        (["derive", "xor", "--of", "dense_9"], "dense_1"),
        (["derive", "xor", "--form", "picture"], "--form"),
        (["derive", "xor", "--latex", "--notation", "nosuch"], "nosuch"),
        (["check", "xor", "--dtype", "float16"], "--dtype"),
        (["check", "xor", "--target", "fortran"], "--target"),
        (["check", "xor", "--device", "auto"], "belongs to target 'cuda', not to 'cpu'"),
        (["check", "xor", "--target", "cuda", "--device", "tpu"], "--device"),
        (["check", "xor", "--sed", "1"], "--sed"),
        (["train", "xor", "--epochs", "0"], "--epochs"),
        (["train", "xor", "--epochs", "many"], "--epochs"),
        (["train", "xor", "--optimizer", "nosuch"], "gradientdescent"),
        (["train", "xor", "--optimizer", "__import__('os').system('true')"], "momentum(0.1, mu=0.9)"),
        (["train", "xor", "--optimizer", "sgd(9**9**9)"], "momentum(0.1, mu=0.9)"),
        (["train", "xor", "--optimizer", "sgd(0.1)", "--lr", "0.2"], "--lr"),
        (["train", "xor", "--lr", "0.2"], "--optimizer"),
        (["train", "xor", "--optimizer", "sgd", "--lr", "-1"], "lr"),
        (["train", "net.py"], "--optimizer"),
        (["train", "net.py", "--optimizer", "sgd", "--lr", "0.1"], "--data"),
        (["train", "net.py", "--optimizer", "sgd", "--lr", "0.1", "--data", "nosuch.npz"], "nosuch.npz"),
        (["train", "xor", "--output", "params.pickle"], ".npz"),
        (["generate"], "--all"),
        (["generate", "--all"], "examples"),
        (["generate", "--all", "xor"], "--all"),
        (["generate", "xor", "--output", "net.py"], "net.py"),
        (["demo", "--seed", "-1"], "--seed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_told_in_one_line_and_writes_nothing(
    run: Callable[..., Said], net: Path, tmp_path: Path, words: list[str], told: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    code, out, err = run(*words)
    assert code == 2
    assert out == ""
    assert err.startswith("symbackprop: ")
    assert err.count("\n") == 1
    assert told in err
    assert sorted(tmp_path.rglob("*")) == before


def test_an_error_in_the_users_file_is_told_with_its_line(run: Callable[..., Said], tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(
        "import symbackprop as sbp\nnet = sbp.Sequential([sbp.Input(2), sbp.Dense(2, activation='rellu')])\n"
    )
    code, _, err = run("derive", "broken.py")
    assert code == 2
    assert err.count("\n") == 1
    assert "broken.py, line 2" in err
    assert "rellu" in err


def test_a_fault_in_an_own_layer_is_told_in_one_line(run: Callable[..., Said], tmp_path: Path) -> None:
    """The equation with its marks is for whoever catches the error in Python; the first line says it by itself."""
    text = """import symbackprop as sbp
@sbp.layer
def shifted(x):
    n, j = x.axes
    a = sbp.tensor("a", n, j)
    return sbp.Equation(a[n, j], x[n, j - 1] + x[n, j])
net = sbp.Sequential([sbp.Input(4), shifted()])
"""
    (tmp_path / "broken.py").write_text(text)
    code, _, err = run("derive", "broken.py")
    assert (code, err.count("\n")) == (2, 1)
    assert err.endswith("layer shifted_1: shifted: a[n, i]: x[n, i - 1] reads position -1 at i = 0, but axis 1 of x has 0..3\n")


def test_a_syntax_error_in_the_users_file_is_told_with_its_line(run: Callable[..., Said], tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import symbackprop as sbp\n\nnet = (\n")
    code, _, err = run("derive", "broken.py")
    assert (code, err.count("\n")) == (2, 1)
    assert "broken.py, line 3" in err


def test_derive_prints_forward_pass_error_terms_and_gradients(run: Callable[..., Said], net: Path) -> None:
    code, out, err = run("derive", "net.py")
    assert (code, err) == (0, "")
    for title in ("Forward", "Error terms", "Gradients"):
        assert title in out
    assert "δ^(2)" in out


def test_options_may_stand_anywhere(run: Callable[..., Said], net: Path) -> None:
    first = run("derive", "--of", "dense_1.W", "--per", "batch", "net.py:net")
    second = run("derive", "net.py:net", "--per", "batch", "--of", "dense_1.W")
    assert first == second
    assert first[0] == 0


def test_derive_prints_latex(run: Callable[..., Said], net: Path) -> None:
    code, out, _ = run("derive", "net.py", "--latex", "--of", "dense_1.W")
    assert code == 0
    assert "\\" in out


@pytest.mark.parametrize("words", [("numpy",), ("cuda", "--device", "lockstep")], ids=["numpy", "cuda"])
def test_check_passes_a_right_network_and_prints_its_table(run: Callable[..., Said], words: tuple[str, ...]) -> None:
    code, out, err = run("check", "mazur", "--target", *words)
    assert (code, err) == (0, "")
    assert "dense_1.W" in out


def test_a_missing_gpu_is_one_line(run: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba.cuda", None)
    code, _, err = run("check", "mazur", "--target", "cuda", "--device", "builtin")
    assert (code, err.count("\n")) == (2, 1)
    assert "symbackprop[cuda]" in err and "cannot be imported" in err


def test_check_fails_with_one_when_a_gradient_is_wrong(run: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    import symbackprop

    right = symbackprop.Program.check

    class Wrong:
        ok = False
        worst = "dense_1.W"

    monkeypatch.setattr(symbackprop.Program, "check", lambda self, **options: Wrong())
    code, _, err = run("check", "mazur", "--target", "numpy")
    assert (code, err.count("\n")) == (1, 1)
    assert "dense_1.W" in err
    assert right is not symbackprop.Program.check


def test_train_takes_data_from_a_file_and_saves_parameters(run: Callable[..., Said], net: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    np.savez(tmp_path / "data.npz", x=x, y=x.sum(axis=1, keepdims=True))
    words = ["train", "net.py", "--data", "data.npz", "--optimizer", "momentum(0.05, mu=0.5)", "--epochs", "3", "--target", "numpy"]
    code, out, _ = run(*words, "--output", "params.npz")
    assert code == 0
    assert "saved params.npz" in out
    import symbackprop as sbp

    assert sbp.Parameters.load(tmp_path / "params.npz")["dense_1.W"].shape == (2, 3)


@pytest.mark.parametrize("content", [{"x": np.zeros((2, 3))}, {"y": np.zeros((2, 1))}, {"x": np.zeros((2, 4)), "y": np.zeros((2, 1))}])
def test_train_refuses_data_that_does_not_fit(run: Callable[..., Said], net: Path, tmp_path: Path, content: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "data.npz", **content)
    code, _, err = run("train", "net.py", "--data", "data.npz", "--optimizer", "sgd", "--lr", "0.1", "--target", "numpy")
    assert (code, err.count("\n")) == (2, 1)


def test_train_never_unpickles(run: Callable[..., Said], net: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.array([object()]), y=np.zeros((1, 1)))
    code, _, err = run("train", "net.py", "--data", "data.npz", "--optimizer", "sgd", "--lr", "0.1")
    assert (code, err.count("\n")) == (2, 1)


def test_generate_writes_modules_where_it_is_told(run: Callable[..., Said], net: Path, tmp_path: Path) -> None:
    code, out, _ = run("generate", "net.py", "--target", "numpy", "--output", "out", "--optimizer", "sgd(0.1)", "--batch", "4")
    assert code == 0
    assert "small_numpy.py" in out
    assert (tmp_path / "out" / "small" / "small_numpy.py").is_file()
    assert run("generate", "net.py", "--target", "numpy", "--output", "out", "--optimizer", "sgd(0.1)", "--batch", "4", "--check")[0] == 0


def test_generate_all_keeps_a_folder_true(run: Callable[..., Said], tmp_path: Path) -> None:
    folder = tmp_path / "examples"
    folder.mkdir()
    (folder / "tiny.py").write_text(
        'import symbackprop as sbp\n\nnet = sbp.Sequential([sbp.Input(2), sbp.Dense(1)], loss="mse", name="tiny")\nBATCH = 2\n'
    )
    assert run("generate", "--all", "--check")[0] == 1
    assert not (tmp_path / "generated").exists()
    assert run("generate", "--all")[0] == 0
    assert run("generate", "--all", "--check")[0] == 0

    written = tmp_path / "generated" / "tiny" / "tiny_numpy.py"
    (written.parent / "__pycache__").mkdir()
    (written.parent / "__pycache__" / "tiny_numpy.pyc").write_bytes(b"\0")
    assert run("generate", "--all", "--check")[0] == 0

    right = written.read_text()
    written.write_text(right + "# changed by hand\n")
    code, out, err = run("generate", "--all", "--check")
    assert code == 1
    assert "-# changed by hand" in out
    assert err.count("\n") == 1
    run("generate", "--all")
    assert written.read_text() == right

    extra = written.parent / "old_numpy.py"
    extra.write_text(right)
    code, out, _ = run("generate", "--all", "--check")
    assert code == 1
    assert "old_numpy.py" in out
    assert run("generate", "--all")[0] == 0
    assert not extra.exists()

    foreign = tmp_path / "generated" / "notes.txt"
    foreign.write_text("mine")
    code, _, err = run("generate", "--all")
    assert code == 2
    assert "notes.txt" in err
    assert foreign.read_text() == "mine"


def test_an_example_carries_the_name_of_its_file(run: Callable[..., Said], tmp_path: Path) -> None:
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "tiny.py").write_text(
        'import symbackprop as sbp\n\nnet = sbp.Sequential([sbp.Input(2), sbp.Dense(1)], loss="mse", name="../tiny")\n'
    )
    assert run("generate", "--all")[0] == 2
    assert not (tmp_path / "generated").exists()


def test_the_demo_tells_the_whole_story(run: Callable[..., Said], tmp_path: Path) -> None:
    code, out, _ = run("demo", "--seed", "1", "--epochs", "2")
    assert code == 0
    for part in ("1797", "Forward", "digits_cpu.py", "seed 1: test accuracy", "the mean of"):
        assert part in out
    assert (tmp_path / "symbackprop-demo" / "digits" / "digits_cpu.py").is_file()


def test_a_toml_file_is_a_network_and_runs_nothing(run: Callable[..., Said], tmp_path: Path) -> None:
    text = 'name = "small"\nloss = "mse"\n\n[inputs]\nx = 3\n\n[[layers]]\nkind = "Dense"\nunits = 1\nactivation = "{}"\n'
    (tmp_path / "net.toml").write_text(text.format("tanh"))
    code, out, err = run("derive", "net.toml")
    assert (code, err) == (0, "")
    assert "tanh" in out
    (tmp_path / "net.toml").write_text(text.format("__import__('os').mkdir('ran')"))
    code, _, err = run("derive", "net.toml")
    assert (code, err.count("\n")) == (2, 1)
    assert not (tmp_path / "ran").exists()
    (tmp_path / "net.toml").write_text("name = [")
    code, _, err = run("derive", "net.toml")
    assert (code, err.count("\n")) == (2, 1)
    assert "net.toml" in err
