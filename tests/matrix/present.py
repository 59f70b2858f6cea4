"""Which tests are in the tree, read from the text of their modules: to let pytest collect them takes a minute."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from installer.paths import ROOT

#: What a parameter of a test is called where its module does not say it in so many words.
_ANYTHING = ".+"
#: Given to tests by tests/lab/conftest.py, as no fixture of the module.
_GENERATED = "each_kind"
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class _Module:
    """What a module says of tests.

    Args:
        functions: by name, that of a class before it; with the decorators of both.
        fixtures: by name.
        assigned: expressions by name.
    """

    functions: Mapping[str, tuple[_Function, tuple[ast.expr, ...]]]
    fixtures: Mapping[str, _Function]
    assigned: Mapping[str, ast.expr]


def exists(test: str, root: Path = ROOT) -> bool:
    """Tell whether a test that results name is in the tree: its file, function and parameters. A command always is."""
    name, _, parameters = test.partition("[")
    path, _, inside = name.partition("::")
    if not path.startswith("tests/"):
        return True
    if not (root / path).is_file():
        return False
    if not inside:
        return True
    module = _read(root / path)
    if inside not in module.functions:
        return False
    beside = [root / folder / "conftest.py" for folder in Path(path).parents]
    modules = [module, *(_read(one) for one in beside if one.is_file())]
    patterns = list(_parameters(inside, modules))
    # The order of several is pytest's affair.
    orders = {"-".join(order) for order in itertools.permutations(patterns)}
    return any(re.fullmatch(order, parameters.removesuffix("]"), re.DOTALL) for order in orders)


@functools.cache
def _read(path: Path) -> _Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions: dict[str, tuple[_Function, tuple[ast.expr, ...]]] = {}
    assigned: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, _Function):
            functions[node.name] = node, tuple(node.decorator_list)
        elif isinstance(node, ast.ClassDef):
            inner = [one for one in node.body if isinstance(one, _Function)]
            for one in inner:
                functions[f"{node.name}::{one.name}"] = one, (*node.decorator_list, *one.decorator_list)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assigned[node.targets[0].id] = node.value
    fixtures = {
        name.rpartition("::")[2]: function
        for name, (function, decorators) in functions.items()
        if any(_called(one) == "fixture" for one in decorators)
    }
    return _Module(functions, fixtures, assigned)


def _called(node: ast.expr) -> str:
    """Return the last word of what is called, or named without being called."""
    named = node.func if isinstance(node, ast.Call) else node
    return named.attr if isinstance(named, ast.Attribute) else getattr(named, "id", "")


def _parameters(name: str, modules: Sequence[_Module]) -> Iterator[str]:
    """Yield a pattern for what each parameter of a test, or of a fixture that it uses, adds to its name."""
    function, decorators = modules[0].functions[name]
    given: set[str] = set()
    for mark in decorators:
        call = modules[0].assigned.get(mark.id, mark) if isinstance(mark, ast.Name) else mark
        if isinstance(call, ast.Call) and _called(call) == "parametrize":
            names = _constants(call.args[0], modules[0]) or []
            given |= {word.strip() for one in names for word in one.split(",")}
            several = isinstance(call.args[0], ast.Tuple)
            yield _ANYTHING if several else _pattern(call, call.args[1], modules[0])
    asked, seen = [one.arg for one in function.args.args], set(given)
    while asked:
        argument = asked.pop()
        if argument in seen:
            continue
        seen.add(argument)
        if argument == _GENERATED:
            yield _ANYTHING
        home = next((one for one in modules if argument in one.fixtures), None)
        if home:
            fixture = home.fixtures[argument]
            asked += [one.arg for one in fixture.args.args]
            for call in fixture.decorator_list:
                params = [word.value for word in getattr(call, "keywords", ()) if word.arg == "params"]
                yield from (_pattern(call, values, home) for values in params)


def _pattern(call: ast.expr, values: ast.expr, module: _Module) -> str:
    ids = next((word.value for word in getattr(call, "keywords", ()) if word.arg == "ids"), values)
    found = _constants(ids, module)
    return f"(?:{'|'.join(map(re.escape, found))})" if found else _ANYTHING


def _constants(node: ast.expr, module: _Module) -> list[str] | None:
    """Return the plain words that an expression has; None where it must be run to know them."""
    if isinstance(node, ast.Name) and node.id in module.assigned:
        return _constants(module.assigned[node.id], module)
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int):
        text = str(node.value)
        return [text] if text.isascii() and text.isprintable() and "\\" not in text else None
    if isinstance(node, ast.Call) and _called(node) == "param":
        named = [word.value for word in node.keywords if word.arg == "id"]
        return _constants(named[0], module) if named else _constants(node.args[0], module)
    if isinstance(node, ast.List | ast.Tuple):
        found = [_constants(one, module) for one in node.elts]
        return [text for one in found if one for text in one] if None not in found else None
    return None
