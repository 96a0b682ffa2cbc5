"""msaas-ocr had an option that was declared, documented and set, and that no line of code ever read."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from switchgear.options import option_fields
from switchgear.plugins import Catalog

ROOT = Path(__file__).parents[2]
OURS = {"switchgear", *(f"switchgear-{path.parent.name}" for path in ROOT.glob("plugins/*/pyproject.toml"))}


def shipped() -> Iterator[Any]:
    """Every implementation that the packages of this repository offer, with the validators of capabilities."""
    catalog = Catalog()
    for offer in catalog.offers:
        if offer.distribution in OURS:
            implementation = catalog.load(offer)
            if isinstance(implementation, type):  # an object takes no options
                yield pytest.param(implementation, id=f"{offer.kind}-{offer.name}")
            for name, validator in getattr(implementation, "validators", {}).items():
                yield pytest.param(validator, id=f"validators-{offer.name}-{name}")


def folders(implementation: Any) -> set[Path]:
    """Its package's, and those of the classes it is derived from; the core is nobody's own unless it is the core's."""
    own, *others = [cls.__module__.partition(".")[0] for cls in implementation.__mro__]
    packages = {own, *(name for name in others if name.startswith("switchgear_"))}
    return {Path(sys.modules[name].__file__ or "").parent for name in packages}


@pytest.mark.parametrize("implementation", list(shipped()))
def test_every_declared_option_is_read_in_its_own_package(implementation: Any) -> None:
    trees = [ast.parse(path.read_text("utf-8")) for folder in folders(implementation) for path in folder.rglob("*.py")]
    read = {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    unread = {field.name for field in option_fields(implementation)} - read
    assert not unread, f"{implementation.__name__} declares and never reads {', '.join(sorted(unread))}"


def test_the_shipped_engines_are_among_them() -> None:
    assert {"providers-ocr.tesseract", "validators-ocr-min-coverage", "strategies-weighted"} <= {
        each.id for each in shipped()
    }
