"""What all tests share: the options of the test command, the missing-tool rule, and the seeds in the head of the report."""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
from collections.abc import Callable

import pytest

#: One number from which every random choice of the suite follows; another one: SYMBACKPROP_TEST_SEED=7 pytest.
SEED = int(os.environ.get("SYMBACKPROP_TEST_SEED", "0"))

# SymPy keeps 1,000 results of each of its functions, too few for a process that derives networks by the hundred.
os.environ.setdefault("SYMPY_CACHE_SIZE", "20000")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the committed texts that golden tests compare with")
    parser.addoption("--require-tools", action="store_true", help="a missing tool (TeX, a browser, ...) is a failure, not a reason to skip")
    parser.addoption("--require-cuda", action="store_true", help="missing compilers for CUDA are a failure, not a reason to skip")
    parser.addoption("--card", choices=("numba-cuda", "builtin"), help="run tests/card: this target of Numba, without a GPU")


def pytest_report_header(config: pytest.Config) -> str:
    return f"symbackprop: random choices follow from SYMBACKPROP_TEST_SEED={SEED}"


def pytest_collection_finish() -> None:
    """Search for garbage seldom: most of what a test makes is in use until it ends, and modules and items always are."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


@pytest.fixture(scope="session")
def seed() -> int:
    """The number from which a test derives its random choices."""
    return SEED


@pytest.fixture(scope="session")
def update(pytestconfig: pytest.Config) -> bool:
    """Whether golden files are to be rewritten."""
    return bool(pytestconfig.getoption("--update"))


@pytest.fixture(scope="session")
def require_tool(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Say that a test needs a program on the path or an importable module: skip without it, or fail under --require-tools."""

    def need(name: str) -> None:
        if shutil.which(name) or importlib.util.find_spec(name.replace("-", "_")):
            return
        reason = f"{name} is not installed"
        if pytestconfig.getoption("--require-tools"):
            pytest.fail(f"{reason} and --require-tools was given")
        pytest.skip(reason)

    return need


@pytest.fixture(scope="session")
def require_cuda(pytestconfig: pytest.Config) -> None:
    """Say that a test needs the compilers for CUDA: skip without them, or fail under --require-cuda."""
    if importlib.util.find_spec("numba_cuda") and importlib.util.find_spec("nvidia"):
        return
    reason = "the compilers for CUDA are not installed (pip install -e '.[cuda]')"
    if pytestconfig.getoption("--require-cuda"):
        pytest.fail(f"{reason} and --require-cuda was given")
    pytest.skip(reason)
