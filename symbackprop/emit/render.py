"""From a plan to artifacts: the text of a module, and of the runtime file beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from symbackprop.emit import arrays, loops
from symbackprop.emit.environment import environment
from symbackprop.emit.records import Artifact, Target
from symbackprop.emit.targets import TARGETS
from symbackprop.emit.threads import page as threads
from symbackprop.errors import EmissionError
from symbackprop.plan.records import Plan

#: How a plan is turned into text.
PAGES: dict[str, Callable[[Plan, str], Any]] = {"loops": loops.page, "arrays": arrays.page, "threads": threads.page}


def render(plan: Plan, kind: str) -> tuple[Artifact, ...]:
    """Return the module of a plan, and the runtime file that it imports, for a target by name."""
    if kind not in TARGETS:
        raise EmissionError(f"unknown target {kind!r} (known: {', '.join(TARGETS)})")
    return emit(plan, TARGETS[kind])


def emit(plan: Plan, target: Target) -> tuple[Artifact, ...]:
    """Return the module of a plan, and the runtime file that it imports."""
    jinja = environment()
    template = f"{target.folder}/module.py.jinja"
    view = PAGES[target.form](plan, template)
    text = jinja.get_template(template).render({f.name: getattr(view, f.name) for f in fields(view)})
    made = [Artifact(f"{plan.name}/{plan.module}{target.suffix}", text)]
    if target.runtime is not None and view.runtime:
        runtime = jinja.get_template(f"{target.folder}/{target.runtime}").render()
        made.append(Artifact(f"{plan.name}/{target.runtime.removesuffix('.jinja')}", runtime))
    return tuple(made)


__all__ = ["emit", "render"]
