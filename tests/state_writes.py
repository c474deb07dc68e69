"""Who writes a state beside the door: read from the syntax tree of a source, so that spelling and line breaks hide nothing.

Found are, whatever stands before the dot: a keyword or dictionary key `state` given to a method that writes rows, a `state` named in
the fields of `bulk_update`, or given to the constructor of a model, `setattr` (or `__dict__`) with that name, and an assignment to an attribute of
that name. A dictionary that is unpacked is looked at where it is written in the call, and where the same source keeps it under a name.
Names that are put together at run time no reader of source can know.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

COLUMN = "state"
WRITERS = {"update", "aupdate", "create", "acreate", "get_or_create", "aget_or_create", "update_or_create", "aupdate_or_create", "bulk_create", "abulk_create"}
IN_BULK = {"bulk_update", "abulk_update"}
SETTERS = {"setattr", "__setattr__"}
Known = dict[str, list[ast.expr]]


def writes(source: str, machines: Collection[str] = ()) -> list[tuple[int, str]]:
    """(line, expression) of every write, in the order of lines. machines: names of the models that have a state."""
    tree = ast.parse(source)
    known = _known(tree)
    found = {(node.lineno, ast.unparse(node).partition("\n")[0]) for node in ast.walk(tree) if _writes(node, known, machines)}
    return sorted(found)


def _writes(node: ast.AST, known: Known, machines: Collection[str]) -> bool:
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete, ast.For, ast.AsyncFor, ast.NamedExpr)):
        return any(_is_column(target) for target in _targets(node))
    return isinstance(node, ast.Call) and (_call_writes(node, known) or (_name(node.func) in machines and any(_gives(k, known) for k in node.keywords)))


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return  # a declaration
    found = getattr(node, "targets", None) or [node.target]  # type: ignore[attr-defined]
    for target in found:
        yield from (each for each in ast.walk(target) if isinstance(each, ast.expr))


def _is_column(target: ast.expr) -> bool:
    """`anything.state`, or `anything.__dict__["state"]`, being written."""
    if not isinstance(getattr(target, "ctx", None), (ast.Store, ast.Del)):
        return False
    if isinstance(target, ast.Attribute):
        return target.attr == COLUMN
    return isinstance(target, ast.Subscript) and _is(target.slice) and _name(target.value) in {"__dict__", "vars"}


def _call_writes(call: ast.Call, known: Known) -> bool:
    called = {_name(each) for each in (_meant(call.func, known) if isinstance(call.func, ast.Name) else [call.func])}
    later = called == {"partial"}
    if later:
        called = {_name(call.args[0])} if call.args else set()
    if called & SETTERS:
        return any(_is(argument) for argument in (call.args[1:] if later else call.args[-2:-1]))  # …, name, value
    if called & IN_BULK:
        fields = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "fields")]
        return any(_is(each) for field in fields for value in _meant(field, known) for each in ast.walk(value))
    if called & WRITERS:
        return any(_gives(keyword, known) for keyword in call.keywords) or any(_keyed(a, known) for a in call.args)
    return False


def _gives(keyword: ast.keyword, known: Known) -> bool:
    if keyword.arg == COLUMN:
        return True
    return (keyword.arg is None or keyword.arg in {"defaults", "create_defaults"}) and _keyed(keyword.value, known)


def _keyed(value: ast.expr, known: Known) -> bool:
    """Whether a dictionary has the key, also one joined from others, made by dict(…), or kept under a name first."""
    return any(_has_key(each) for meant in _meant(value, known) for each in ast.walk(meant))


def _has_key(node: ast.AST) -> bool:
    if isinstance(node, ast.Dict):
        return any(key is not None and _is(key) for key in node.keys)
    if isinstance(node, ast.Call) and _name(node.func) in {"dict", "fromkeys"}:
        return any(k.arg == COLUMN for k in node.keywords) or any(_is(each) for a in node.args for each in ast.walk(a))
    return False


def _meant(value: ast.expr, known: Known) -> Iterator[ast.expr]:
    """The expression, and what its names were set to anywhere in the source."""
    yield value
    for name in {each.id for each in ast.walk(value) if isinstance(each, ast.Name)}:
        yield from known.get(name, ())


def _known(tree: ast.AST) -> Known:
    """Name → what is kept under it (`values = {…}`); of `values["state"] = …` the key."""
    found: Known = {}
    for node in ast.walk(tree):
        for target in _named_targets(node):
            if isinstance(target, ast.Name):
                found.setdefault(target.id, []).append(node.value)  # type: ignore[attr-defined]
            elif isinstance(target, ast.Subscript) and _is(target.slice):
                found.setdefault(_name(target.value), []).append(ast.Dict([target.slice], [target.slice]))
    return found


def _named_targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, (ast.AnnAssign, ast.NamedExpr, ast.AugAssign)) and node.value is not None else []


def _is(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value == COLUMN


def _name(function: ast.expr) -> str:
    """The last name of what is called: `Bid.objects.filter(…).update` is `update`."""
    if isinstance(function, ast.Call):
        return _name(function.func)
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
