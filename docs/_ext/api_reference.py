"""Fills in the API reference: every public name of a package, under the module that defines it.

`<!-- api switchgear: app, manager -->` begins with these two modules; the rest follow.
"""

import importlib
import re
import sys
from collections.abc import Iterator
from inspect import getdoc
from types import ModuleType

from sphinx.application import Sphinx

MARKER = re.compile(r"<!-- api (?P<package>[\w.]+)(: (?P<first>[\w, ]+))? -->")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", fill_in)
    app.connect("autodoc-process-signature", tidy)
    app.connect("autodoc-process-docstring", mend)
    return {"parallel_read_safe": True}


def fill_in(app: Sphinx, page: str, source: list[str]) -> None:
    source[0] = MARKER.sub(lambda match: "\n".join(sections(match["package"], match["first"] or "")), source[0])


def tidy(
    app: Sphinx, what: str, name: str, value: object, options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Protocols and enums are not made by calling them; defaults are shown as one would write them."""
    if not signature:
        return signature, returns
    if what == "class" and signature.startswith(("(*args", "(*values", "(value")):
        return "", returns
    signature = re.sub(r"<(?:[\w.]+\.)?(\w+) object[^>]*>", r"\1()", signature)
    return re.sub(r"<class '([\w.]+)'>", r"\1", signature).replace("NOTHING", "..."), returns


def mend(app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]) -> None:
    """Two things that are plain in a docstring, and that reStructuredText takes amiss."""
    # A letter right after code: `Call`s.
    lines[:] = [re.sub(r"(`[^`]+`)(\w?)", lambda m: f"{m[1]}\\ {m[2]}" if m[2] else m[1], line) for line in lines]
    # An example at the end: its indentation is taken for the docstring's own.
    example = next((number + 2 for number, line in enumerate(lines) if line.endswith("::")), len(lines))
    if example < len(lines) and not lines[example].startswith(" "):
        lines[example:] = [f"    {line}" for line in lines[example:]]


def sections(package_name: str, first: str) -> Iterator[str]:
    package = importlib.import_module(package_name)
    by_origin: dict[str, set[str]] = {f"{package_name}.{name}": set() for name in first.split(", ") if name}
    for name in (name for name in package.__all__ if not name.startswith("__")):
        by_origin.setdefault(origin_of(package, name), set()).add(name)
    for origin, names in ((origin, names) for origin, names in by_origin.items() if names):
        yield f"## {origin.rpartition('.')[2].replace('_', ' ').capitalize()}\n"
        yield f"{first_sentence(sys.modules[origin])}\n"
        for name in vars(sys.modules[origin]):  # in the order in which they are defined
            if name in names:
                yield f"```{{eval-rst}}\n.. auto{kind(package, name)}:: {package_name}.{name}\n```\n"


def origin_of(module: ModuleType, name: str) -> str:
    """Where the name is defined; values such as type aliases do not know and stand under the module itself."""
    value = getattr(module, name)
    origin = getattr(value, "__module__", None) if kind(module, name) != "data" else None
    return origin if origin in sys.modules else module.__name__


def kind(module: ModuleType, name: str) -> str:
    value = getattr(module, name)
    if isinstance(value, type):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function" if callable(value) and hasattr(value, "__code__") else "data"


def first_sentence(module: ModuleType) -> str:
    return (getdoc(module) or "").split("\n\n")[0].replace("\n", " ")
