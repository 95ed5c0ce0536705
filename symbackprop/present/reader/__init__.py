"""Reads formulas, those that are printed here and those that lecturers write: from text to trees, to values, to a verdict."""

from symbackprop.present.reader.bound import Bindings, Bound, Derived, bindings
from symbackprop.present.reader.claims import Claim, check_claim
from symbackprop.present.reader.meaning import evaluate
from symbackprop.present.reader.network import also, network_bindings
from symbackprop.present.reader.parser import read
from symbackprop.present.reader.tree import Formula

__all__ = ["Bindings", "Bound", "Claim", "Derived", "Formula", "also", "bindings", "check_claim", "evaluate", "network_bindings", "read"]
