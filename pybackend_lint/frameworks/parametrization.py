"""Facts about parametrised tests: the names and cases that are given to `pytest.mark.parametrize`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pybackend_lint.frameworks import testing
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS
from pybackend_lint.semantic.types import Kind

_PARAMETRIZE = "pytest.mark.parametrize"
_LITERALS = (
    ast.Constant, ast.Name, ast.Attribute, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.UnaryOp, ast.BinOp,
    ast.expr_context, ast.unaryop, ast.operator,
)  # fmt: skip
# Functions whose result can be read once; those of `itertools` are such by their prefix.
_ITERATORS = frozenset(
    f"builtins.{name}" for name in ("map", "zip", "filter", "enumerate", "reversed", "iter")
) | {"pathlib.Path.glob", "pathlib.Path.rglob", "pathlib.Path.iterdir"}
_ITERATOR_TYPES = (
    "typing.Iterator", "typing.Generator", "collections.abc.Iterator", "collections.abc.Generator",
)  # fmt: skip
# Fixtures of pytest itself: they use no others than these.
_BUILT_IN = frozenset(
    {
        "cache", "caplog", "capsys", "capsysbinary", "capfd", "capfdbinary", "doctest_namespace",
        "monkeypatch", "pytestconfig", "record_property", "record_testsuite_property", "record_xml_attribute",
        "recwarn", "request", "self", "tmp_path", "tmp_path_factory", "tmpdir", "tmpdir_factory",
    }
)  # fmt: skip
_PLAIN_MARKS = frozenset({"parametrize", "skip", "skipif", "xfail", "filterwarnings"})


def parametrize_argument(call: ast.Call, position: int, name: str, module: Module) -> ast.expr | None:
    """An argument of `pytest.mark.parametrize`; None where a call is another one or unpacks its arguments."""
    if module.qualified_name(call.func) != _PARAMETRIZE:
        return None
    if any(isinstance(item, ast.Starred) for item in call.args):
        return None
    if position < len(call.args):
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def parameter_names(call: ast.Call, module: Module) -> list[str] | None:
    """The names that a call of `parametrize` gives values to; None where they are no literals."""
    match parametrize_argument(call, 0, "argnames", module):
        case ast.Constant(value=str(text)):
            return [name.strip() for name in text.split(",") if name.strip()]
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            texts = [e.value for e in elements if isinstance(e, ast.Constant) and isinstance(e.value, str)]
            return texts if len(texts) == len(elements) else None
    return None


def cases(call: ast.Call, module: Module) -> ast.List | ast.Tuple | None:
    """The literal list of cases of a call of `parametrize`."""
    values = parametrize_argument(call, 1, "argvalues", module)
    return values if isinstance(values, (ast.List, ast.Tuple)) else None


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """A case that is written twice: the element of the list, and the first one like it."""

    case: ast.expr
    first: ast.expr


def repeated_cases(call: ast.Call, module: Module) -> list[Repeated]:
    """The cases that repeat an earlier one; none where a repetition may be meant.

    That is where all cases are the same, where their names begin with an underscore, where the cases have
    names of their own (`ids=`), and for values that a call makes anew each time.
    """
    values = cases(call, module)
    names = parameter_names(call, module)
    if values is None or names is None or all(name.startswith("_") for name in names):
        return []
    if any(keyword.arg in {"ids", None} for keyword in call.keywords):
        return []
    is_row = _takes_rows(call, names, module)
    firsts: dict[str, ast.expr] = {}
    found: list[Repeated] = []
    for case in values.elts:
        written = _values_of(case, is_row, module)
        if written is None:
            continue
        first = firsts.setdefault(_spelling(written, module), case)
        if first is not case:
            found.append(Repeated(case, first))
    return found if len(firsts) > 1 or len(values.elts) == 2 else []


def _spelling(values: list[ast.expr], module: Module) -> str:
    """What distinguishes values; texts that are escaped in another way differ: that may be what is tested."""
    texts = (
        module.source.segment(inner)
        for value in values
        for inner in ast.walk(value)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, (str, bytes))
    )
    return "\n".join([*map(ast.dump, values), *texts])


def _values_of(case: ast.expr, is_row: bool, module: Module) -> list[ast.expr] | None:
    """The values of a case that are written out, in a `pytest.param` that only wraps them as well."""
    if isinstance(case, ast.Call):
        if module.qualified_name(case.func) != "pytest.param" or case.keywords:
            return None
        values = case.args
    else:
        values = case.elts if is_row and isinstance(case, (ast.Tuple, ast.List)) else [case]
    return (
        values if all(isinstance(inner, _LITERALS) for item in values for inner in ast.walk(item)) else None
    )


@dataclass(frozen=True, slots=True, eq=False)
class WrongLength:
    """A case with another number of values than there are names."""

    case: ast.expr
    values: int
    names: int


def wrong_lengths(call: ast.Call, module: Module) -> Iterator[WrongLength]:
    """The cases on which pytest stops while it collects: they have too many or too few values."""
    values, names = cases(call, module), parameter_names(call, module)
    if values is None or names is None or not _takes_rows(call, names, module):
        return
    for case in values.elts:
        match case:
            case ast.Tuple(elts=given) | ast.List(elts=given):
                pass
            case ast.Call(args=given) if module.qualified_name(case.func) == "pytest.param":
                pass
            case _:
                continue
        if len(given) != len(names) and not any(isinstance(item, ast.Starred) for item in given):
            yield WrongLength(case, len(given), len(names))


def _takes_rows(call: ast.Call, names: list[str], module: Module) -> bool:
    """Whether a case is a sequence of values, which it is unless the names are a text with one name."""
    written = parametrize_argument(call, 0, "argnames", module)
    return len(names) != 1 or isinstance(written, (ast.List, ast.Tuple))


def unused_names(call: ast.Call, module: Module) -> list[str]:
    """The names that neither the decorated test nor a fixture of it takes, on which pytest stops as well.

    Only for tests whose fixtures are all known and that have no marks by which plugins may add some.
    """
    node = module.source.parent(call)
    names = parameter_names(call, module)
    if not isinstance(node, FUNCTIONS) or names is None or call not in node.decorator_list:
        return []
    function = module.function_info(node)
    if not testing.is_test(function):
        return []
    if not all(mark in _PLAIN_MARKS for mark in testing.marks(node, module)):
        return []
    asked = testing.requested(function)
    known = _BUILT_IN | testing.fixtures(module).keys()
    given = {
        name
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        for name in parameter_names(decorator, module) or ()
    }
    if any(fixture is None and name not in known | given for name, fixture in asked.items()):
        return []
    return [name for name in names if name not in asked and name not in known]


def iterator(call: ast.Call, module: Module) -> ast.expr | None:
    """The cases of a call of `parametrize`, when they are an iterator, which can be read only once."""
    values = parametrize_argument(call, 1, "argvalues", module)
    return values if values is not None and _is_iterator(values, module) else None


def _is_iterator(node: ast.expr, module: Module) -> bool:
    if isinstance(node, ast.GeneratorExp):
        return True
    if isinstance(node, ast.Call):
        name = module.qualified_name(node.func) or ""
        if name.startswith("itertools."):
            return True
        known = module.type_of(node.func)
        if name in _ITERATORS or (known is not None and known.name in _ITERATORS):
            return True
        value = module.type_of(node)
        return value is not None and value.kind is Kind.INSTANCE and value.name in _ITERATOR_TYPES
    if isinstance(node, (ast.Name, ast.Attribute)):
        name = module.qualified_name(node) or ""
        found = module.modules.variable(name) if name else None
        return (
            found is not None
            and isinstance(found[1].value, (ast.Call, ast.GeneratorExp))
            and not found[1].path
            and found[1].kind == "assign"
            and _is_iterator(found[1].value, found[0])
        )
    return False


def parametrizes_several(call: ast.Call, module: Module) -> bool:
    """Whether a call of `parametrize` decorates a class with more than one test, which share the cases."""
    node = module.source.parent(call)
    if not isinstance(node, ast.ClassDef) or call not in node.decorator_list:
        return False
    tests = [s for s in node.body if isinstance(s, FUNCTIONS) and s.name.startswith("test")]
    return len(tests) > 1
