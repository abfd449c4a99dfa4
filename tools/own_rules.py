"""Rules about rules: what every module below `pybackend_lint/rules` must keep to.

Run as a program it prints one line for each fault and exits with 1 when there is any.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "pybackend_lint" / "rules"
FRAMEWORKS = ROOT / "pybackend_lint" / "frameworks"

MAX_LOGIC_LINES = 80
MAX_MESSAGE = 100

_FORBIDDEN_MODULES = frozenset({"os", "pathlib", "re", "io", "glob", "shutil", "subprocess", "importlib"})
_FORBIDDEN_CALLS = frozenset({"open", "eval", "exec", "compile", "__import__"})
_SECTIONS = ("Why", "Bad", "Good", "Not reported", "Fix safety", "When not to use it", "References")
_NAME_FIELDS = frozenset({"id", "attr", "arg", "name", "module"})
# Names of the language itself need no proof of where they come from.
_LANGUAGE_NAMES = frozenset({"self", "cls", *dir(builtins)}).union(
    *map(dir, (list, dict, set, str, bytes, tuple))
)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """A convention that a rule module breaks, at a row (from 1)."""

    path: Path
    row: int
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.row}: {self.text}"


def rule_files() -> list[Path]:
    """All modules that hold a rule."""
    return sorted(path for path in RULES.glob("*/*.py") if path.stem != "__init__")


def check_file(path: Path) -> list[Fault]:
    """All faults of one rule module, by row."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    found = [*_forbidden(tree), *_unguarded_names(tree), *_size(text, tree)]
    declarations = [(function, call) for function in _functions(tree) for call in _rule_calls(function)]
    if len(declarations) != 1:
        found.append((1, f"a module holds one rule, not {len(declarations)}"))
    for function, call in declarations:
        found += _declaration(path, function, call)
    return sorted(Fault(path, row, text) for row, text in found)


def _functions(tree: ast.AST) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def _rule_calls(function: ast.FunctionDef) -> list[ast.Call]:
    return [
        decorator
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Name)
        and decorator.func.id == "rule"
    ]


def _forbidden(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), names=names):
                modules = [module]
                if module == "ast" and any(alias.name == "walk" for alias in names):
                    yield node.lineno, "a rule does not walk the tree: name the nodes it wants"
            case ast.Attribute(value=ast.Name(id="ast"), attr="walk" | "iter_child_nodes" | "parse"):
                yield (
                    node.lineno,
                    f"a rule does not use `ast.{node.attr}`: the core hands over nodes and facts",
                )
                continue
            case ast.Call(func=ast.Name(id=name)) if name in _FORBIDDEN_CALLS:
                yield node.lineno, f"a rule does not call `{name}`"
                continue
            case ast.Call(func=ast.Attribute(attr="read_text" | "read_bytes" | "open" as name)):
                yield node.lineno, f"a rule does not open files (`{name}`)"
                continue
            case _:
                continue
        for module in modules:
            if module.partition(".")[0] in _FORBIDDEN_MODULES:
                yield node.lineno, f"a rule does not import `{module}`"


def _unguarded_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Comparisons of a node's name with a word in functions that ask neither the context nor a framework."""
    evidence = {"ctx"} | {path.stem for path in FRAMEWORKS.glob("*.py")}
    for function in tree.body:
        nodes = list(ast.walk(function)) if isinstance(function, ast.FunctionDef) else []
        if any(isinstance(node, ast.Name) and node.id in evidence for node in nodes):
            continue
        for node in nodes:
            match node:
                case ast.Compare(left=ast.Attribute(attr=field), comparators=[right]) if (
                    field in _NAME_FIELDS
                ):
                    words = {item.value for item in ast.walk(right) if isinstance(item, ast.Constant)}
                    unproved = sorted(str(word) for word in words - _LANGUAGE_NAMES if isinstance(word, str))
                    if unproved:
                        named = ", ".join(f"`{word}`" for word in unproved)
                        yield (
                            node.lineno,
                            f"a name ({named}) is no evidence: ask `ctx` or a module of `frameworks`",
                        )


def _size(text: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Lines of code without documentation, imports and the declaration of the rule."""
    lines = enumerate(text.splitlines(), start=1)
    rows = {row for row, line in lines if line.strip() and not line.lstrip().startswith("#")}
    uncounted: list[ast.stmt | ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) or (isinstance(node, ast.Expr) and _is_text(node)):
            uncounted.append(node)
        elif isinstance(node, ast.FunctionDef):
            uncounted += node.decorator_list
    for node in uncounted:
        rows.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    if len(rows) > MAX_LOGIC_LINES:
        yield 1, f"{len(rows)} lines of logic: beyond {MAX_LOGIC_LINES} a fact is missing from the core"


def _is_text(statement: ast.Expr) -> bool:
    return isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)


def _declaration(path: Path, function: ast.FunctionDef, call: ast.Call) -> Iterator[tuple[int, str]]:
    if function.name != "check":
        yield function.lineno, "the function of a rule is named `check`"
    arguments = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    texts = [value for value in arguments if isinstance(value, str)]
    if len(texts) != 3:
        yield call.lineno, "code, name and message are three literal strings"
        return
    _, name, message = texts
    if path.stem != name.replace("-", "_"):
        yield call.lineno, f"the module of `{name}` is named `{name.replace('-', '_')}.py`"
    for problem in message_problems(message):
        yield call.lineno, problem
    has_fix = any(keyword.arg == "fix" for keyword in call.keywords)
    documentation = inspect.cleandoc(ast.get_docstring(function) or "")
    for problem in documentation_problems(documentation, has_fix=has_fix):
        yield function.lineno, problem


def message_problems(message: str) -> Iterator[str]:
    """What is wrong with a message template."""
    if len(message) > MAX_MESSAGE:
        yield f"the message has {len(message)} characters, at most {MAX_MESSAGE} are shown well"
    if message.endswith((".", "!")):
        yield "a message ends without full stop"
    first = message.partition(" ")[0]
    if not re.fullmatch(r"[A-Z][a-z]+(-[a-z]+)?", first) or first in {
        "The",
        "This",
        "There",
        "It",
        "A",
        "An",
    }:
        yield f"a message says what to do: it starts with a verb, not with `{first}`"
    for _, field, spec, conversion in Formatter().parse(message):
        if field is not None and (not field.isidentifier() or spec or conversion):
            yield f"`{{{field}}}` is not a named placeholder"


def documentation_problems(documentation: str, *, has_fix: bool) -> Iterator[str]:
    """What is wrong with the documentation of a rule."""
    summary = documentation.partition("\n\n")[0]
    if not summary or summary.startswith("#"):
        yield "the documentation starts with a sentence that says what is wrong"
    elif not summary.endswith("."):
        yield "the first sentence of the documentation ends with a full stop"
    prose = re.sub(r"^```.*?^```[ \t]*$", "", documentation, flags=re.DOTALL | re.MULTILINE)
    sections = re.findall(r"^## +(.*?)[ \t]*$", prose, flags=re.MULTILINE)
    for section in dict.fromkeys(sections):
        if section not in _SECTIONS:
            yield f"a rule has no section `{section}`"
        elif sections.count(section) > 1:
            yield f"section `{section}` stands twice"
    for section in _SECTIONS:
        if section not in sections and section != "Fix safety":
            yield f"section `{section}` is missing"
    if has_fix != ("Fix safety" in sections):
        yield "section `Fix safety` stands exactly where the rule declares a fix"
    known = [section for section in sections if section in _SECTIONS]
    if known != sorted(known, key=_SECTIONS.index):
        yield f"sections are ordered {', '.join(_SECTIONS)}"
    for section, body in re.findall(
        r"^## +(Bad|Good)[ \t]*\n(.*?)(?=^## |\Z)", documentation, flags=re.DOTALL | re.MULTILINE
    ):
        if "```" not in body:
            yield f"section `{section}` shows code"


def main() -> int:
    """The command line; returns the exit code."""
    faults = [fault for path in rule_files() for fault in check_file(path)]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
