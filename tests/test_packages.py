"""What the packages say of themselves agrees."""

from pathlib import Path

import pytest
import tomli

ROOT = Path(__file__).parent.parent
PYTHON = "Programming Language :: Python :: "
PACKAGES = [ROOT / "core", *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]


def versions(package: Path) -> list[str]:
    project = tomli.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
    return [each.removeprefix(PYTHON) for each in project["classifiers"] if each.startswith(PYTHON)]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_every_package_runs_on_the_same_versions_of_python(package: Path) -> None:
    assert versions(package) == ["3", "3.11", "3.12", "3.13", "3.14"]
