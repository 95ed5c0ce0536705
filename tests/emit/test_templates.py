"""Templates lay out what the page has: no name missing, none left over."""

from __future__ import annotations

from dataclasses import fields

import jinja2.meta

from symbackprop.emit import wrap
from symbackprop.emit.environment import environment
from symbackprop.emit.page import Page
from symbackprop.emit.targets import TARGETS
from symbackprop.emit.threads.page import DevicePage


def test_the_templates_use_every_field_of_the_page_and_nothing_else():
    jinja = environment()
    for page, forms in ((Page, ("loops", "arrays")), (DevicePage, ("threads",))):
        used = set()
        for target in TARGETS.values():
            if target.form in forms:
                source, _, _ = jinja.loader.get_source(jinja, f"{target.folder}/module.py.jinja")
                used |= jinja2.meta.find_undeclared_variables(jinja.parse(source))
        # Whether there is a runtime is asked before a template is.
        assert used | {"runtime"} == {f.name for f in fields(page)}


def test_long_statements_are_broken_before_operators_and_stay_python():
    terms = " + ".join(f"a_{k} * (b_{k} - {k}.0)" for k in range(30))
    text = wrap.statement(f"x = {terms}", 8)
    assert all(len(line) <= wrap.LIMIT - 8 for line in text.splitlines())
    values = {f"{letter}_{k}": k + 0.5 for letter in "ab" for k in range(30)}
    space = dict(values)
    exec(text, {}, space)
    assert space["x"] == eval(terms, {}, values)


def test_long_sums_are_broken_in_place():
    text = wrap.statement("total += " + " + ".join(f"a_{k}" for k in range(60)), 4)
    space = {f"a_{k}": 1.0 for k in range(60)} | {"total": 1.0}
    exec(text, {}, space)
    assert space["total"] == 61.0


def test_comments_are_continued_as_comments():
    lines = wrap.comment("f[i] = " + " + ".join(f"a_{k}[i]" for k in range(60)), 4).splitlines()
    assert len(lines) > 1 and all(line.startswith("#") and len(line) <= wrap.LIMIT - 4 for line in lines)
