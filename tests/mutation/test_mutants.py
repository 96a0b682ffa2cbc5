"""The faults that mutation testing plants: of every kind, one at a time, and only where something can go wrong."""

import runpy
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
mutants_of = runpy.run_path(str(HERE / "mutants.py"))["mutants_of"]


def changes(tmp_path: Path, source: str) -> list[str]:
    path = tmp_path / "module.py"
    path.write_text(textwrap.dedent(source))
    return [mutant.change for mutant in mutants_of(path, "module.py")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", ["Lt -> LtE", "Lt -> GtE"]),
        ("x = a is b", ["Is -> IsNot"]),
        ("x = a and b", ["a and b -> a or b", "a and b -> b", "a and b -> a"]),
        ("x = not a", ["not a -> a"]),
        ("x = a + b", ["Add -> Sub"]),
        ("x = 3", ["3 -> 4"]),
        ("x = True", ["True -> False"]),
        ("x = min(a)", ["min(a) -> max(a)"]),
        ("x = f(a, b=c)", ["f(a, b=c) -> f(a)"]),
        ("x = a if b else c", ["a if b else c -> c if b else a"]),
        ("x = [State.ON, State.OFF]", ["State.ON -> State.OFF", "State.OFF -> State.ON"]),
        ("def f(): g()", ["g() -> nothing"]),
        ("def f(): return a", ["return a -> return None", "return a -> nothing"]),
        ("def f():\n    if a: g()", ["if a: g() -> nothing", "a -> not a", "g() -> nothing"]),
        (
            "try: f()\nexcept E: x = g()",
            ["except E: x = g() -> except E: raise", "f() -> nothing", "x = g() -> nothing"],
        ),
    ],
)
def test_each_kind_of_fault_is_planted(source: str, expected: list[str], tmp_path: Path) -> None:
    assert sorted(changes(tmp_path, source)) == sorted(expected)


def test_types_texts_and_descriptions_are_left_alone(tmp_path: Path) -> None:
    source = '''
    """A docstring."""
    import os

    @decorator(1)
    def f(a: list[3], b: "x < 3" = None) -> tuple[1, 2]:
        """Another."""
        assert a > 3
        raise ValueError(f"{a + 3} is too much")

    x = field(metadata={"help": 3 > 2}, repr=False)
    '''
    assert changes(tmp_path, source) == ["raise ValueError(f'{a + 3} is too much') -> nothing"]


def test_the_same_change_twice_in_a_line_has_two_names(tmp_path: Path) -> None:
    assert changes(tmp_path, "x = [1, 1]") == ["1 -> 2", "1 -> 2 (number 2)"]


def test_each_mutant_has_its_own_fault_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("x = 1 < 2")
    found: list[Any] = []
    for mutant in mutants_of(path, "module.py"):
        names: dict[str, Any] = {}
        exec(mutant.code, names)
        found.append((mutant.change, names["x"]))
    assert sorted(found) == [("1 -> 2", False), ("2 -> 3", True), ("Lt -> GtE", False), ("Lt -> LtE", True)]


@pytest.mark.full
def test_a_session_names_what_survives_and_what_is_explained_in_vain(tmp_path: Path) -> None:
    wrong = tmp_path / "survivors.toml"
    row = {"module": "policies/pause.py", "where": "Pause", "line": "pass", "why": "made up"}
    wrong.write_text(
        "[[survivor]]\n" + "".join(f'{key} = "{text}"\n' for key, text in row.items()) + 'changes = ["x"]\n'
    )
    command = [sys.executable, str(HERE / "run.py"), "policies/pause.py", "--survivors", str(wrong)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "killed or gone: policies/pause.py | Pause | pass | x" in ran.stdout
    assert "survived" not in ran.stdout
    assert "100.0%" in ran.stdout
