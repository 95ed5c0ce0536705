"""Whether a formula that somebody wrote is right: read, evaluated on values, compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbackprop.errors import DeclarationError
from symbackprop.present.notation import Notation
from symbackprop.present.reader import Claim, also, bindings, network_bindings
from symbackprop.present.reader import check_claim as check
from symbackprop.public.derivation import Derivation
from symbackprop.public.network import Network


def check_claim(
    latex: str,
    values: Mapping[str, Any],
    of: Network | Derivation | None = None,
    *,
    notation: str | Notation = "ufldl",
    layout: str = "gradient",
    symbols: Mapping[str, Any] | None = None,
    **numbers: float,
) -> Claim:
    r"""Return whether a formula holds at given values; a wrong shape or a wrong value is an answer, not an error.

    Args:
        latex: a formula with at least one relation, in the LaTeX that lecturers write.
        values: of its symbols, ``{"x": 1.0}``; for a network, of its parameters, inputs and target by the engine's names.
        of: the network (one sample of it) or the derivation whose symbols the formula has; None for symbols of your own.
        notation: a preset's name or a record: what the network's symbols are called.
        layout: of derivatives in matrix formulas.
        symbols: what else the formula has besides the network's symbols: ``{"f": np.tanh, "h_1": x}``.
        numbers: values of letters, for example the general layer ``l=2``.

    Raises:
        DeclarationError: it cannot be read, or a symbol has no value.

    Example:
        >>> import symbackprop as sbp
        >>> sbp.check_claim(r"\sigma'(x) = \sigma(x) (1 - \sigma(x))", {"x": 0.3}).holds
        True
    """
    if of is None:
        return check(latex, bindings(values), **numbers)
    derivation = of.derive(per="sample") if isinstance(of, Network) else of
    if not isinstance(derivation, Derivation) or derivation.record.model is None:
        raise DeclarationError("a formula is checked on the values of a Network, of its Derivation, or of symbols of your own")
    found = derivation.evaluate(values)
    known = network_bindings(
        derivation.record.model,
        found,
        notation,
        layout=layout,
        jacobian=lambda top, bottom: derivation.jacobian(top, bottom).evaluate(values),
    )
    return check(latex, also(known, bindings(symbols)) if symbols else known, **numbers)


__all__ = ["check_claim"]
