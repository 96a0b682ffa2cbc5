"""Everything that checks, tests, documents and builds the workspace. `nox -s tests` is the one to run first."""

import os
import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import nox
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

ROOT = Path(__file__).parent
DIST = ROOT / "dist"
PACKAGES = ["core", *sorted(f"plugins/{path.parent.name}" for path in ROOT.glob("plugins/*/pyproject.toml"))]
TESTED = [*PACKAGES, "tests"]  # tests/ is no package: its tests see all of them
DEMO_PAGES = ["tests/pages/columns-1.png", "tests/pages/photo-1.jpg"]
WITHOUT_PROPERTIES = ["-m", "not full and not live and not hypothesis"]
PROCESSORS = os.cpu_count() or 1
OTHER_PYTHONS = [f"3.{minor}" for minor in range(11, 16) if minor != sys.version_info.minor]

nox.needs_version = ">=2026.4"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "types", "tests", "docs"]


# Many tests start programs: without kept byte code, each of them would compile all that it imports again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def select_every_pyenv_version() -> None:
    """pyenv's shims answer only for selected versions; keep the chosen one first, so that nothing else changes."""
    if pyenv := shutil.which("pyenv"):
        chosen = subprocess.run([pyenv, "version-name"], capture_output=True, text=True, check=True).stdout.strip()
        found = subprocess.run([pyenv, "versions", "--bare"], capture_output=True, text=True, check=True).stdout.split()
        os.environ["PYENV_VERSION"] = ":".join(dict.fromkeys([*chosen.split(":"), *found]))


select_every_pyenv_version()

FOUND = [version for version in OTHER_PYTHONS if shutil.which(f"python{version}")]
# What differs between Pythons shows at the ends; what lies between has a session of its own.
BETWEEN = sorted([*FOUND, f"3.{sys.version_info.minor}"])[1:-1]


def runs(others: list[str]) -> list[Any]:
    """Which tests run on which interpreter, None being the one that nox runs on."""
    return [
        *(nox.param(None, folder, id=folder) for folder in TESTED),
        *(nox.param(version, "core", id=f"core-{version}") for version in others),
    ]


def read_project(folder: str) -> dict[str, Any]:
    return nox.project.load_toml(ROOT / folder / "pyproject.toml")


def name_of(requirement: str) -> NormalizedName:
    return canonicalize_name(Requirement(requirement).name)


BUILD_REQUIRES: list[str] = sorted(
    {line for each in PACKAGES for line in read_project(each)["build-system"]["requires"]}
)
PACKAGE_OF = {canonicalize_name(read_project(folder)["project"]["name"]): folder for folder in PACKAGES}


def all_of_group(name: str, folder: str = ".") -> tuple[str, ...]:
    project = read_project(folder)
    return nox.project.dependency_groups(project, name) if name in project.get("dependency-groups", {}) else ()


def group(name: str, folder: str = ".") -> list[str]:
    """One dependency group of a package, without what the workspace itself provides."""
    return [line for line in all_of_group(name, folder) if name_of(line) not in PACKAGE_OF]


def with_local_dependencies(folder: str) -> list[str]:
    """The package with those of the workspace that it needs to run and be tested: they come from here, no index."""
    if folder == "tests":
        return PACKAGES
    wanted = [folder]
    for path in wanted:  # grows while it is walked
        project = read_project(path)
        extras = project["project"].get("optional-dependencies", {}).values()
        for line in chain(project["project"].get("dependencies", []), *extras, all_of_group("tests", path)):
            needed = PACKAGE_OF.get(name_of(line))
            if needed and needed not in wanted:
                wanted.append(needed)
    return wanted


def install(session: nox.Session, folders: list[str], *others: str) -> None:
    session.install(*chain.from_iterable(("-e", f"./{folder}") for folder in folders), *others)


def install_for_tests(session: nox.Session, folder: str) -> None:
    folders = with_local_dependencies(folder)
    others = chain.from_iterable(group("tests", path) for path in [".", *folders])
    quickly = []
    if session.venv_backend == "uv":  # an environment for each build would take longer than most packages' tests
        session.install(*BUILD_REQUIRES)
        quickly = [f"--no-build-isolation-package={name}" for name, path in PACKAGE_OF.items() if path in folders]
    install(session, folders, *quickly, *others, *(group("pages") if folder == "tests" else ()))


def tests_of(folder: str) -> str:
    return folder if folder == "tests" else f"{folder}/tests"


def in_parallel(folder: str) -> list[str]:
    """Tests share nothing. Most wait for programs or servers now and then, so that one process more than there are
    processors gets done sooner; those of plugins start an engine or a server in each."""
    processes = PROCESSORS + (not folder.startswith("plugins/"))
    return ["-n", str(min(4, processes)), "--dist", "worksteal"]


@nox.session
def demo(session: nox.Session) -> None:
    """Read two pages with two OCR engines; name pages after `--` to read those instead."""
    install(session, PACKAGES)
    config = "docs/examples/demo/switchgear.toml"
    session.run("switchgear", "run", "scans", "-v", "--config", config, *(session.posargs or DEMO_PAGES))


@nox.session
@nox.parametrize("python,package", runs([version for version in OTHER_PYTHONS if version not in BETWEEN]))
def tests(session: nox.Session, package: str) -> None:
    """Run each package's tests; the core's also on the oldest and the newest Python found, but for property tests."""
    install_for_tests(session, package)
    marks = WITHOUT_PROPERTIES if session.python else []
    session.run("pytest", tests_of(package), *marks, *in_parallel(package), *session.posargs)


@nox.session(python=[version for version in BETWEEN if version in OTHER_PYTHONS])
def between(session: nox.Session) -> None:
    """Run the core's tests on the Pythons between the oldest and the newest that are found, but for property tests."""
    install_for_tests(session, "core")
    session.run("pytest", "core/tests", *WITHOUT_PROPERTIES, *in_parallel("core"), *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the core's tests once more, and see which lines and branches they reach; less than 95 % is an error."""
    install_for_tests(session, "core")
    session.run("pytest", "core/tests", *in_parallel("core"), "--cov=switchgear")


@nox.session
@nox.parametrize("python,package", runs(OTHER_PYTHONS))
def full(session: nox.Session, package: str) -> None:
    """Run the long tests that `tests` leaves out."""
    install_for_tests(session, package)
    nothing_selected = 5
    marks = "full or hypothesis" if session.python else "full"
    session.run("pytest", "-m", marks, tests_of(package), *session.posargs, success_codes=[0, nothing_selected])


@nox.session
def live(session: nox.Session) -> None:
    """Ask the real vendors whose keys are in the environment; it costs a few cents. The others are named as skipped."""
    install_for_tests(session, "tests")
    session.run("pytest", "-m", "live", "tests/live", *session.posargs)


@nox.session
def mutation(session: nox.Session) -> None:
    """Plant small faults in the mechanisms, and see that a test notices each; name modules after `--` to try those."""
    install_for_tests(session, "core")
    session.run("python", "tests/mutation/run.py", *session.posargs, env={"PYTHONHASHSEED": "0"})


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, style and spelling."""
    session.install(*group("lint"))
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("codespell")


@nox.session
def types(session: nox.Session) -> None:
    """Type-check every package, strictly."""
    tools = [group(name) for name in ("types", "tests", "nox", "docs", "pages")]
    # What a package needs only for its extras is in its tests' group.
    install(session, PACKAGES, *chain(*tools, *(group("tests", folder) for folder in PACKAGES)))
    for folder in PACKAGES:
        session.run("mypy", f"{folder}/src")
    session.run("mypy", "noxfile.py", "docs/_ext", "tests/pages")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    install(session, PACKAGES, *group("docs"), *group("tests"))
    session.run(
        "sphinx-build", "-W", "--keep-going", "--fresh-env", "-b", "html", "docs", "docs/_build/html", *session.posargs
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Run every benchmark in tests/bench."""
    install_for_tests(session, "tests")
    session.install("-r", "tests/bench/requirements.txt")
    for script in sorted(ROOT.glob("tests/bench/bench_*.py")):
        session.run("python", script.relative_to(ROOT).as_posix(), *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Build a wheel of every package, and run the tests against the installed wheels."""
    session.install("build[uv]")
    shutil.rmtree(DIST, ignore_errors=True)
    for folder in PACKAGES:
        shutil.rmtree(ROOT / folder / "build", ignore_errors=True)  # left-overs would end up in the wheel
        session.run("python", "-m", "build", "--wheel", "--installer", "uv", "--outdir", str(DIST), folder)
    wheels = [str(wheel) for wheel in sorted(DIST.glob("*.whl"))]
    others = chain.from_iterable(group("tests", folder) for folder in [".", *PACKAGES])
    session.install(*wheels, *others, *group("pages"))
    for folder in TESTED:
        session.run("pytest", tests_of(folder), *session.posargs)
