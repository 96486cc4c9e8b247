"""What the source says, without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "pillowtop"


def modules(folder: Path = PACKAGE) -> Iterator[tuple[str, ast.Module]]:
    """Dotted names and syntax trees of all modules below a folder of the repository."""
    for path in sorted(folder.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name.removesuffix(".__init__"), ast.parse(path.read_text())


def texts() -> Iterator[str]:
    """All texts, with `…` in place of what is filled in (`{…}` and `%s`)."""
    for _, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "…"
                    for part in node.values
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value.replace("%s", "…")


def imports(tree: ast.Module) -> Iterator[str]:
    """What a module imports, wherever in it; `from a import b` is `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def log_actions() -> set[str]:
    """The values of `action` in what is logged."""
    found = set()
    for _, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                found |= _actions_of_dict(node)
            elif isinstance(node, ast.Call):
                found |= _actions_of_call(node)
    return found


def _actions_of_dict(node: ast.Dict) -> set[str]:
    """`extra={"action": "…"}`."""
    return {
        str(value.value)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant)
        and key.value == "action"
        and isinstance(value, ast.Constant)
    }


def _actions_of_call(node: ast.Call) -> set[str]:
    """`self._log(level, "…", words)`."""
    is_log = isinstance(node.func, ast.Attribute) and node.func.attr == "_log"
    if not (is_log and len(node.args) > 1 and isinstance(node.args[1], ast.Constant)):
        return set()
    return {str(node.args[1].value)}
