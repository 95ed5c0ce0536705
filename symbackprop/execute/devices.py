"""Where generated CUDA modules run: the devices by name, and their errors as errors of this package."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from symbackprop.errors import DeclarationError, TargetError

#: "auto" is whatever Numba takes for CUDA; "lockstep" runs kernels in Python, thread by thread, at tiny sizes and without a GPU.
DEVICES = ("auto", "builtin", "numba-cuda", "lockstep")


def check_device(device: Any, target: str) -> Any:
    """Return the device of a program: a name, an object that launches kernels, or None where the target has no devices.

    Raises:
        DeclarationError: the target has none, or none of that name.
    """
    if target != "cuda":
        if device is not None:
            raise DeclarationError(f"device={device!r} belongs to target 'cuda', not to {target!r}; leave it out or use target='cuda'")
        return None
    if device is None:
        return DEVICES[0]
    if hasattr(device, "launch") or (isinstance(device, str) and device in DEVICES):
        return device
    raise DeclarationError(f"unknown device {str(device)[:40]!r} (known: {', '.join(DEVICES)})")


def label(device: Any) -> str:
    """Return the part of a module's name that keeps programs of two devices apart."""
    return "" if device is None else f"_{device}".replace("-", "_") if isinstance(device, str) else f"_{id(device):x}"


def settle(runtime: ModuleType, device: Any) -> None:
    """Let the kernels of a runtime run on a device."""
    if device == "lockstep":
        device = importlib.import_module("symbackprop.execute.lockstep").Lockstep()
    runtime.use(device)


@contextmanager
def explained(runtime: Any) -> Iterator[None]:
    """Turn what a device says into an error of this package.

    Raises:
        TargetError: kernels cannot run.
    """
    try:
        yield
    except runtime.UnavailableError as error:
        raise TargetError(
            f"target 'cuda' runs on an NVIDIA GPU with the extra symbackprop[cuda] (pip install 'symbackprop[cuda]'); {error.found}; "
            f"without a GPU, compile(target='cuda', device='lockstep') runs tiny sizes, and target='cpu' all"
        ) from error
    except runtime.CudaError as error:
        raise TargetError(f"target 'cuda': {error.found}") from error


__all__ = ["DEVICES", "check_device", "explained", "label", "settle"]
