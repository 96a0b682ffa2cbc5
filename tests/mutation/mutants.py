"""Small faults in a module, one at a time: what each changed, and the module compiled with it."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import attrs

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
}
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any", "ceil": "floor", "popleft": "pop"}
_DELETABLE = (
    *(ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.Return, ast.Continue, ast.Break),
    *(ast.If, ast.For, ast.While, ast.Delete),
)
_SILENT = {"metadata", "repr", "init", "kw_only", "slots", "strict"}  # keywords that describe or check, and do nothing


@attrs.frozen
class Mutant:
    """One fault. `where` is the function or class it is in, `line` the line of the source without its comment."""

    module: str
    where: str
    line: str
    change: str
    code: CodeType = attrs.field(repr=False, eq=False)

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.module, self.where, self.line, self.change


def mutants_of(path: Path, module: str) -> list[Mutant]:
    """Every mutant of a file; `module` is what survivors.toml calls it."""
    source = path.read_text()
    found: list[Mutant] = []
    seen: Counter[tuple[str, ...]] = Counter()
    lines = source.splitlines()
    for tree, where, number, change in _Faults(source):
        line = lines[number - 1].split("  # ")[0].strip()
        seen[where, line, change] += 1
        again = seen[where, line, change]
        named = change if again == 1 else f"{change} (number {again})"
        found.append(Mutant(module, where, line, named, compile(tree, path, "exec")))
    return found


class _Faults:
    """Walks a module, and at each place makes one change after another: while it is yielded, it is in the tree.

    Left alone are annotations, decorators, docstrings, texts, and what only describes a setting.
    """

    def __init__(self, source: str) -> None:
        self._tree = ast.parse(source)
        self._members = _members(self._tree)

    def __iter__(self) -> Iterator[tuple[ast.Module, str, int, str]]:
        for node, where in _walk(self._tree, ""):
            for line, change in self._changes(node):
                ast.fix_missing_locations(self._tree)
                yield self._tree, where or "module", line, change

    def _changes(self, node: ast.AST) -> Iterator[tuple[int, str]]:
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                for index, child in enumerate(value):
                    if isinstance(child, ast.AST):
                        yield from self._replace(node, value, index, child, name)
            elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
                yield from self._replace(node, vars(node), name, value, name)

    def _replace(self, parent: ast.AST, holder: Any, key: Any, child: ast.AST, field: str) -> Iterator[tuple[int, str]]:
        if _is_left_alone(parent, child, field):
            return
        for new in self._instead(parent, child, field):
            old = _text(child)
            ast.copy_location(new, child)
            holder[key] = new
            yield _line(parent, child), f"{old} -> {_text(new)}"
            holder[key] = child

    def _instead(self, parent: ast.AST, child: ast.AST, field: str) -> Iterator[ast.AST]:
        """What may stand in its place."""
        if isinstance(child, ast.expr):
            yield from self._expressions(child)
            is_condition = (field == "test" and not isinstance(parent, ast.IfExp)) or field == "ifs"
            if is_condition and not isinstance(child, ast.Compare | ast.UnaryOp):
                yield ast.UnaryOp(ast.Not(), child)
        elif isinstance(child, ast.operator) and type(child) in _ARITHMETIC:
            yield _ARITHMETIC[type(child)]()
        elif isinstance(child, ast.cmpop):
            yield from (kind() for kind in _COMPARISONS[type(child)])
        elif isinstance(child, ast.ExceptHandler):
            if not (len(child.body) == 1 and isinstance(child.body[0], ast.Raise)):
                yield ast.ExceptHandler(child.type, child.name, [ast.copy_location(ast.Raise(), child)])
        elif isinstance(child, ast.stmt):
            if isinstance(child, ast.Return) and child.value is not None and not isinstance(child.value, ast.Constant):
                yield ast.Return(ast.Constant(None))
            is_needed = isinstance(parent, ast.Module | ast.ClassDef) or _says_nothing(parent, child)
            if isinstance(child, _DELETABLE) and not is_needed:
                yield ast.Pass()

    def _expressions(self, child: ast.expr) -> Iterator[ast.expr]:
        match child:
            case ast.Constant(bool() as value):
                yield ast.Constant(not value)
            case ast.Constant(int() | float() as value):
                yield ast.Constant(value + 1)
            case ast.BoolOp(op, values):
                yield from _chains(op, values)
            case ast.UnaryOp(ast.Not() | ast.USub(), operand):
                yield operand
            case ast.Call(ast.Name() | ast.Attribute() as function, arguments, keywords):
                yield from _calls(function, arguments, keywords)
            case ast.Attribute(ast.Name(name), member) if name in self._members and member in self._members[name]:
                members = self._members[name]
                other = members[(members.index(member) + 1) % len(members)]
                if other != member:
                    yield ast.Attribute(ast.Name(name, ast.Load()), other, ast.Load())
            case ast.IfExp(test, body, orelse):
                yield ast.IfExp(test, orelse, body)


def _chains(op: ast.boolop, values: list[ast.expr]) -> Iterator[ast.expr]:
    yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
    for index in range(len(values)):
        left = values[:index] + values[index + 1 :]
        yield left[0] if len(left) == 1 else ast.BoolOp(op, left)


def _calls(function: Any, arguments: list[ast.expr], keywords: list[ast.keyword]) -> Iterator[ast.expr]:
    name = function.id if isinstance(function, ast.Name) else function.attr
    if name in _CALLS:
        other = _CALLS[name]
        swapped: Any = ast.Name(other, ast.Load())
        if isinstance(function, ast.Attribute):
            swapped = ast.Attribute(function.value, other, ast.Load())
        yield ast.Call(swapped, arguments, keywords)
    for keyword in keywords if name not in {"field", "Factory"} else []:
        if keyword.arg not in _SILENT:
            yield ast.Call(function, arguments, [each for each in keywords if each is not keyword])


def _members(tree: ast.Module) -> dict[str, list[str]]:
    """The members of enums that the module speaks of, as `State.OPEN`: any of them may stand for the next."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(ast.Name(name), member) if member.isupper() and not name.isupper():
                members = found.setdefault(name, [])
                if member not in members:
                    members.append(member)
    return found


def _is_left_alone(parent: ast.AST, child: ast.AST, field: str) -> bool:
    if field in {"annotation", "returns", "decorator_list", "bases"}:
        return True
    if isinstance(child, ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom | ast.arg):
        return True
    if isinstance(child, ast.keyword) and child.arg in _SILENT:
        return True
    if isinstance(parent, ast.keyword) and parent.arg in _SILENT:
        return True
    # A docstring, a text by itself, `...`, and a slot's name are nothing to go wrong.
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True
    return isinstance(child, ast.Assign) and ast.unparse(child.targets[0]) == "__slots__"


def _says_nothing(parent: ast.AST, child: ast.stmt) -> bool:
    """`return False` at the end of a function: without it, the caller gets None, which is as false."""
    return (
        isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef)
        and child is parent.body[-1]
        and isinstance(child, ast.Return)
        and isinstance(child.value, ast.Constant)
        and not child.value.value
    )


def _walk(node: ast.AST, where: str) -> Iterator[tuple[ast.AST, str]]:
    """The node and all below it that may be changed, with the name of the function or class each is in."""
    yield node, where
    for field, value in list(ast.iter_fields(node)):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_left_alone(node, child, field):
                continue
            inside = where
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inside = f"{where}.{child.name}" if where else child.name
            yield from _walk(child, inside)


def _line(parent: ast.AST, child: ast.AST) -> int:
    at: Any = child if hasattr(child, "lineno") else parent
    number: int = at.lineno
    return number


def _text(node: ast.AST) -> str:
    """As it stands in the source, cut to one short line."""
    if isinstance(node, ast.operator | ast.cmpop):
        return type(node).__name__
    if isinstance(node, ast.Pass):
        return "nothing"
    whole = ast.unparse(ast.fix_missing_locations(ast.Module([node], []) if isinstance(node, ast.stmt) else node))
    first, *more = whole.splitlines()
    return first if not more else f"{first} {more[0].strip()}" if len(more) == 1 else f"{first} ..."
