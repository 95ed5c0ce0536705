"""Options of layers, checked when a layer is made: flags, whole numbers, one number an axis."""

from __future__ import annotations

from typing import Any

from symbackprop.errors import DeclarationError


def check_flags(layer: Any, *options: str) -> None:
    """Refuse a layer of which one of the options is neither True nor False."""
    for option in options:
        value = getattr(layer, option)
        if not isinstance(value, bool):
            raise DeclarationError(f"{type(layer).__name__}: {option} must be True or False, got {str(value)[:40]!r}")


def whole(value: object, what: str, least: int) -> int:
    """Return an option that is a whole number."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise DeclarationError(f"{what} must be a whole number, got {str(value)[:40]!r}")
    number = int(value.__index__())
    if number < least:
        raise DeclarationError(f"{what} must be at least {least}, got {number}")
    return number


def each(value: object, axes: int, what: str, least: int) -> tuple[int, ...]:
    """Return one number for each axis of the image: a number stands for all of them."""
    if isinstance(value, tuple | list):
        if len(value) != axes:
            raise DeclarationError(f"{what} takes a number or {axes} of them, got {len(value)}")
        return tuple(whole(v, what, least) for v in value)
    return (whole(value, what, least),) * axes


__all__ = ["check_flags", "each", "whole"]
