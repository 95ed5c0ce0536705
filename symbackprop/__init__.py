"""From one equation per layer to the lecture note, the kernel and the proof.

``import symbackprop as sbp`` loads nothing yet: every public name is imported on its first use, so that declaring a network
needs no SymPy and running a cached program no Jinja.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from symbackprop import pipeline as pipeline
    from symbackprop.algebra.equation import Equation as Equation
    from symbackprop.algebra.equation import Fact as Fact
    from symbackprop.algebra.equation import System as System
    from symbackprop.algebra.index import indices as indices
    from symbackprop.algebra.index import sizes as sizes
    from symbackprop.algebra.nodes import ArgMax as ArgMax
    from symbackprop.algebra.nodes import Indicator as Indicator
    from symbackprop.algebra.nodes import InRange as InRange
    from symbackprop.algebra.nodes import Max as Max
    from symbackprop.algebra.nodes import Sum as Sum
    from symbackprop.algebra.tensor import parameter as parameter
    from symbackprop.algebra.tensor import tensor as tensor
    from symbackprop.declare.layers import GRU as GRU
    from symbackprop.declare.layers import LSTM as LSTM
    from symbackprop.declare.layers import Activation as Activation
    from symbackprop.declare.layers import Add as Add
    from symbackprop.declare.layers import Attention as Attention
    from symbackprop.declare.layers import AvgPool2D as AvgPool2D
    from symbackprop.declare.layers import BatchNorm as BatchNorm
    from symbackprop.declare.layers import Bilinear as Bilinear
    from symbackprop.declare.layers import Concat as Concat
    from symbackprop.declare.layers import Conv1D as Conv1D
    from symbackprop.declare.layers import Conv2D as Conv2D
    from symbackprop.declare.layers import ConvTranspose2D as ConvTranspose2D
    from symbackprop.declare.layers import Dense as Dense
    from symbackprop.declare.layers import Dropout as Dropout
    from symbackprop.declare.layers import Embedding as Embedding
    from symbackprop.declare.layers import Flatten as Flatten
    from symbackprop.declare.layers import GatedLinear as GatedLinear
    from symbackprop.declare.layers import GlobalAvgPool2D as GlobalAvgPool2D
    from symbackprop.declare.layers import GroupNorm as GroupNorm
    from symbackprop.declare.layers import Input as Input
    from symbackprop.declare.layers import Layer as Layer
    from symbackprop.declare.layers import LayerNorm as LayerNorm
    from symbackprop.declare.layers import Maxout as Maxout
    from symbackprop.declare.layers import MaxPool2D as MaxPool2D
    from symbackprop.declare.layers import Multiply as Multiply
    from symbackprop.declare.layers import PositionalEncoding as PositionalEncoding
    from symbackprop.declare.layers import PReLU as PReLU
    from symbackprop.declare.layers import Reshape as Reshape
    from symbackprop.declare.layers import Residual as Residual
    from symbackprop.declare.layers import RMSNorm as RMSNorm
    from symbackprop.declare.layers import SimpleRNN as SimpleRNN
    from symbackprop.declare.layers.function import layer as layer
    from symbackprop.declare.losses import Loss as Loss
    from symbackprop.declare.optimizers import SGD as SGD
    from symbackprop.declare.optimizers import AdaGrad as AdaGrad
    from symbackprop.declare.optimizers import Adam as Adam
    from symbackprop.declare.optimizers import AdamW as AdamW
    from symbackprop.declare.optimizers import CosineDecay as CosineDecay
    from symbackprop.declare.optimizers import ExponentialDecay as ExponentialDecay
    from symbackprop.declare.optimizers import GradientDescent as GradientDescent
    from symbackprop.declare.optimizers import Momentum as Momentum
    from symbackprop.declare.optimizers import Nesterov as Nesterov
    from symbackprop.declare.optimizers import RMSProp as RMSProp
    from symbackprop.declare.optimizers import StepDecay as StepDecay
    from symbackprop.declare.regularizers import L1 as L1
    from symbackprop.declare.regularizers import L2 as L2
    from symbackprop.declare.regularizers import ElasticNet as ElasticNet
    from symbackprop.errors import CheckError as CheckError
    from symbackprop.errors import DataError as DataError
    from symbackprop.errors import DeclarationError as DeclarationError
    from symbackprop.errors import DerivationError as DerivationError
    from symbackprop.errors import EmissionError as EmissionError
    from symbackprop.errors import OutputError as OutputError
    from symbackprop.errors import ShapeError as ShapeError
    from symbackprop.errors import SymbackpropError as SymbackpropError
    from symbackprop.errors import TargetError as TargetError
    from symbackprop.present.document.records import Algorithm as Algorithm
    from symbackprop.present.document.records import Chart as Chart
    from symbackprop.present.document.records import Cite as Cite
    from symbackprop.present.document.records import Curve as Curve
    from symbackprop.present.document.records import Display as Display
    from symbackprop.present.document.records import Document as Document
    from symbackprop.present.document.records import Enumeration as Enumeration
    from symbackprop.present.document.records import Figure as Figure
    from symbackprop.present.document.records import Footnote as Footnote
    from symbackprop.present.document.records import Line as Line
    from symbackprop.present.document.records import Link as Link
    from symbackprop.present.document.records import Listing as Listing
    from symbackprop.present.document.records import Math as Math
    from symbackprop.present.document.records import Paragraph as Paragraph
    from symbackprop.present.document.records import Section as Section
    from symbackprop.present.document.records import Source as Source
    from symbackprop.present.document.records import Strong as Strong
    from symbackprop.present.document.records import Table as Table
    from symbackprop.present.notation import notation as notation
    from symbackprop.present.notation import notations as notations
    from symbackprop.present.notation_file import notation_from_toml as notation_from_toml
    from symbackprop.present.rounding import Rounding as Rounding
    from symbackprop.present.scene.anatomy import neuron_scene as neuron_scene
    from symbackprop.present.scene.gate import gate_scene as gate_scene
    from symbackprop.present.scene.gate import system_scene as system_scene
    from symbackprop.public.claims import check_claim as check_claim
    from symbackprop.public.derivation import Derivation as Derivation
    from symbackprop.public.derivation import derive as derive
    from symbackprop.public.drawing import draw as draw
    from symbackprop.public.elementary import derivative_steps as derivative_steps
    from symbackprop.public.graph import Graph as Graph
    from symbackprop.public.graph import derivative_table as derivative_table
    from symbackprop.public.network import Network as Network
    from symbackprop.public.network import Sequential as Sequential
    from symbackprop.public.notes import notes as notes
    from symbackprop.public.pages import page as page
    from symbackprop.public.parameters import Parameters as Parameters
    from symbackprop.public.pictures import activation_chart as activation_chart
    from symbackprop.public.pictures import activation_charts as activation_charts
    from symbackprop.public.pictures import convolution_scene as convolution_scene
    from symbackprop.public.pictures import convolution_system as convolution_system
    from symbackprop.public.pictures import convolve as convolve
    from symbackprop.public.pictures import decision_chart as decision_chart
    from symbackprop.public.pictures import descent as descent
    from symbackprop.public.pictures import descent_chart as descent_chart
    from symbackprop.public.pictures import landscape_chart as landscape_chart
    from symbackprop.public.pictures import loss_landscape_chart as loss_landscape_chart
    from symbackprop.public.pictures import training_charts as training_charts
    from symbackprop.public.preview import preview as preview
    from symbackprop.public.program import Program as Program
    from symbackprop.public.worked import worked as worked
    from symbackprop.validate.gradcheck import gradcheck as gradcheck

#: Where each public name lives.
_HOME: dict[str, tuple[str, ...]] = {
    "algebra.equation": ("Equation", "Fact", "System"),
    "algebra.index": ("indices", "sizes"),
    "algebra.nodes": ("ArgMax", "InRange", "Indicator", "Max", "Sum"),
    "algebra.tensor": ("parameter", "tensor"),
    "declare.layers": (
        "Activation",
        "Add",
        "Attention",
        "AvgPool2D",
        "BatchNorm",
        "Bilinear",
        "Concat",
        "Conv1D",
        "Conv2D",
        "ConvTranspose2D",
        "Dense",
        "Dropout",
        "Embedding",
        "Flatten",
        "GRU",
        "GatedLinear",
        "GlobalAvgPool2D",
        "GroupNorm",
        "Input",
        "LSTM",
        "Layer",
        "LayerNorm",
        "MaxPool2D",
        "Maxout",
        "Multiply",
        "PReLU",
        "PositionalEncoding",
        "RMSNorm",
        "Reshape",
        "Residual",
        "SimpleRNN",
    ),
    "declare.layers.function": ("layer",),
    "declare.losses": ("Loss",),
    "declare.optimizers": (
        "AdaGrad",
        "Adam",
        "AdamW",
        "CosineDecay",
        "ExponentialDecay",
        "GradientDescent",
        "Momentum",
        "Nesterov",
        "RMSProp",
        "SGD",
        "StepDecay",
    ),
    "declare.regularizers": ("ElasticNet", "L1", "L2"),
    "errors": (
        "CheckError",
        "DataError",
        "DeclarationError",
        "DerivationError",
        "EmissionError",
        "OutputError",
        "ShapeError",
        "SymbackpropError",
        "TargetError",
    ),
    "present.document.records": (
        "Algorithm",
        "Chart",
        "Cite",
        "Curve",
        "Display",
        "Document",
        "Enumeration",
        "Figure",
        "Footnote",
        "Line",
        "Link",
        "Listing",
        "Math",
        "Paragraph",
        "Section",
        "Source",
        "Strong",
        "Table",
    ),
    "present.notation": ("notation", "notations"),
    "present.notation_file": ("notation_from_toml",),
    "present.rounding": ("Rounding",),
    "present.scene.anatomy": ("neuron_scene",),
    "present.scene.gate": ("gate_scene", "system_scene"),
    "public.claims": ("check_claim",),
    "public.derivation": ("Derivation", "derive"),
    "public.drawing": ("draw",),
    "public.elementary": ("derivative_steps",),
    "public.graph": ("Graph", "derivative_table"),
    "public.network": ("Network", "Sequential"),
    "public.notes": ("notes",),
    "public.pages": ("page",),
    "public.parameters": ("Parameters",),
    "public.pictures": (
        "activation_chart",
        "activation_charts",
        "convolution_scene",
        "convolution_system",
        "convolve",
        "decision_chart",
        "descent",
        "descent_chart",
        "landscape_chart",
        "loss_landscape_chart",
        "training_charts",
    ),
    "public.preview": ("preview",),
    "public.program": ("Program",),
    "public.worked": ("worked",),
    "validate.gradcheck": ("gradcheck",),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [*_MODULE, "__version__"]


def __getattr__(name: str) -> Any:
    if name == "pipeline":
        return importlib.import_module("symbackprop.pipeline")
    if name in _MODULE:
        value = getattr(importlib.import_module(f"symbackprop.{_MODULE[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'symbackprop' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_MODULE))


class _Package(ModuleType):
    """Keeps the function ``derive`` in its place: importing the folder of that name would put the folder there."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _MODULE and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
