"""Imports point down only: the floors of the core, held by reading its source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import switchgear

ROOT = Path(switchgear.__file__).parent

# From the ground up. A module, or a folder of them, may import what stands on its own floor and below.
FLOORS = {
    "values": "_version alert clock context durations errors figures findings fingerprints logs messages money outcome "
    "periods results rules secret tariff",
    "contracts": "provider blocking capability strategy hookspecs http_errors cache cost_sink totals "
    "observer secret_store",
    "mechanisms": "policies strategies observers caching costs reports",
    "manager": "protection home till lender service asking guarded guarded_cache repeating last_resort levels hedging "
    "monitor ordering validation plan stream manager answers cached",
    "config": "config entries plugins options",
    "composition": "accounting budget_check pricing components composition installation diagnosis app",
    "edges": "cli testing __main__",
}
FLOOR_OF = {module: number for number, modules in enumerate(FLOORS.values()) for module in modules.split()}
MECHANISMS = frozenset(FLOORS["mechanisms"].split())
SOURCES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")  # that one imports lazily


def part_of(path: Path) -> str:
    """The module, or the folder of modules, that stands on a floor."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_by(path: Path) -> Iterator[str]:
    """The parts of the core that a file imports, also inside of functions; imports for type checkers do not run."""
    tree = ast.parse(path.read_text())
    for block in (
        node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    ):
        block.body.clear()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "switchgear":
            yield from (alias.name for alias in node.names)
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in [node.module or ""] if isinstance(node, ast.ImportFrom) else names:
            if name.startswith("switchgear."):
                yield name.split(".")[1]


def test_every_module_has_its_floor_and_every_floor_its_modules() -> None:
    assert {part_of(path) for path in SOURCES} == FLOOR_OF.keys()


@pytest.mark.usefixtures("unbroken")
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_down_only(path: Path) -> None:
    own = part_of(path)
    for other in imported_by(path):
        assert FLOOR_OF.get(other, 0) <= FLOOR_OF[own], f"{own} imports {other}, which stands above it"
        assert not ({own, other} <= MECHANISMS and own != other), f"{own} imports {other}, another mechanism's folder"


@pytest.mark.usefixtures("unbroken")
def test_one_policy_knows_nothing_of_another() -> None:
    for path in (ROOT / "policies").glob("[a-z]*.py"):
        found = ast.walk(ast.parse(path.read_text()))
        modules = [node.module or "" for node in found if isinstance(node, ast.ImportFrom)]
        assert not [name for name in modules if name.startswith("switchgear.policies")], path.name
