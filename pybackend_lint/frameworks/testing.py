"""Facts about tests: pytest's configuration, marks and fixtures, and the mocks of `unittest.mock`."""

from __future__ import annotations

import ast
import configparser
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from pybackend_lint.frameworks.knowledge import Knowledge
from pybackend_lint.project.index import Index
from pybackend_lint.project.project import Project
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Function
from pybackend_lint.semantic.types import Kind, Type, context_manager, instance

ROOTS = ("pytest", "pytest_asyncio", "pytest_mock", "unittest", "mock")
BASES: dict[str, tuple[str, ...]] = {
    "unittest.IsolatedAsyncioTestCase": ("unittest.TestCase",),
    "django.test.SimpleTestCase": ("unittest.TestCase",),
    "django.test.TransactionTestCase": ("django.test.SimpleTestCase",),
    "django.test.TestCase": ("django.test.TransactionTestCase",),
    "django.test.LiveServerTestCase": ("django.test.TransactionTestCase",),
    "unittest.mock.NonCallableMagicMock": ("unittest.mock.NonCallableMock",),
    "unittest.mock.Mock": ("unittest.mock.NonCallableMock",),
    "unittest.mock.MagicMock": ("unittest.mock.Mock",),
    "unittest.mock.AsyncMock": ("unittest.mock.Mock",),
}
ALIASES: dict[str, str] = {
    "mock.": "unittest.mock.",
    "unittest.case.": "unittest.",
    "unittest.async_case.": "unittest.",
    "django.test.testcases.": "django.test.",
    "pytest_asyncio.plugin.": "pytest_asyncio.",
    "pytest_mock.plugin.": "pytest_mock.",
}

_MOCK = "unittest.mock."
_MOCK_CLASSES = frozenset(
    f"{_MOCK}{name}"
    for name in ("Mock", "MagicMock", "AsyncMock", "NonCallableMock", "NonCallableMagicMock", "PropertyMock")
)
_SYNC_MOCKS = frozenset(
    f"{_MOCK}{name}" for name in ("Mock", "MagicMock", "NonCallableMock", "NonCallableMagicMock")
)
_FIXTURES = frozenset({"pytest.fixture", "pytest.yield_fixture", "pytest_asyncio.fixture"})
_MOCKER = "pytest_mock.MockerFixture"
_MOCKER_FIXTURES = frozenset({"mocker", "class_mocker", "module_mocker", "package_mocker", "session_mocker"})


class TestingKnowledge(Knowledge):
    """Types of pytest and `unittest.mock`: what is certainly a mock."""

    def call(self, callee: Type, call: ast.Call, module: Module) -> Type | None:
        """A mock made by a class, by `create_autospec` or by entering `patch`."""
        if callee.name == f"{_MOCK}create_autospec":
            return instance(f"{_MOCK}MagicMock")
        if callee.name in PATCHES and _makes_mock(callee.name, call):
            return context_manager(instance(f"{_MOCK}MagicMock"))
        return None


KNOWLEDGE = TestingKnowledge()

# `patch` and the position of its argument `new`.
PATCHES = {f"{_MOCK}patch": 1, f"{_MOCK}patch.object": 2}


def _makes_mock(name: str, call: ast.Call) -> bool:
    """Whether a call of `patch` replaces its target by a mock of its own making."""
    given = {keyword.arg for keyword in call.keywords}
    if None in given or given & {"new", "new_callable"}:
        return False
    return len(call.args) <= PATCHES[name] and not any(isinstance(a, ast.Starred) for a in call.args)


# Configuration


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a project's files tell pytest: its options, as texts, and the names of test files."""

    options: Mapping[str, str]

    def option(self, name: str) -> str:
        """The value of an option; empty when it is not set."""
        return self.options.get(name, "")

    @property
    def asyncio_mode(self) -> str:
        """The mode of pytest-asyncio: `auto` or `strict`, which is its default since 0.19."""
        found = re.search(r"--asyncio-mode[= ](\w+)", self.option("addopts"))
        return found[1] if found else self.option("asyncio_mode") or "strict"

    @property
    def may_run_coroutines(self) -> bool:
        """Whether coroutine tests may run without a mark: by a mode, or by a plugin that is switched on."""
        return (
            self.asyncio_mode != "strict"
            or self.option("anyio_mode") == "auto"
            or bool(self.option("trio_mode"))
            or re.search(r"(^|\s)-p\s*(?!no:)\S", self.option("addopts")) is not None
        )


def configurations(module: Module) -> tuple[Configuration, ...]:
    """What may configure pytest for a test module: one for each folder above it that has such files.

    Nearest first, and at least one. Which of them counts depends on where pytest is started: it looks
    for its files in the folder that its arguments have in common, and upwards.
    """
    index = module.modules
    if not isinstance(index, Index):
        return (Configuration({}),)
    directory = os.path.dirname(index.path_of(module))
    return index.fact(("pytest configurations", directory), partial(_configurations, index, directory))


def _configurations(index: Index, directory: str) -> tuple[Configuration, ...]:
    root = index.layout.workspace_root(directory)
    found: list[Configuration] = []
    while True:
        known = _configuration(index, directory)
        if known is not None:
            found.append(known)
        parent = os.path.dirname(directory)
        if directory == root or parent == directory:
            return tuple(found) or (Configuration({}),)
        directory = parent


def _configuration(index: Index, directory: str) -> Configuration | None:
    for name, sections in (
        ("pytest.toml", (("pytest",),)),
        (".pytest.toml", (("pytest",),)),
        ("pytest.ini", (("pytest",),)),
        (".pytest.ini", (("pytest",),)),
        ("pyproject.toml", (("tool", "pytest", "ini_options"), ("tool", "pytest"))),
        ("tox.ini", (("pytest",),)),
        ("setup.cfg", (("tool:pytest",),)),
    ):
        data = index.files.read(os.path.join(directory, name))
        if data is None:
            continue
        text = data.decode("utf-8-sig", errors="replace")
        for keys in sections:
            options = _toml_options(text, keys) if name.endswith(".toml") else _ini_options(text, keys[0])
            # An empty pytest.ini counts, other files only with their section.
            if options is not None:
                return Configuration(options)
    return None


def _toml_options(text: str, keys: tuple[str, ...]) -> dict[str, str] | None:
    try:
        table: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        return None
    return {key: _text(value) for key, value in table.items() if not isinstance(value, dict)} or None


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _ini_options(text: str, section: str) -> dict[str, str] | None:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    return dict(parser[section]) if parser.has_section(section) else None


# Plugins that run coroutine tests in their own way, or in one that only running them tells.
_OTHER_RUNNERS = (
    "pytest-aiohttp", "pytest-tornasync", "pytest-tornado", "pytest-trio", "pytest-twisted",
    "alt-pytest-asyncio", "pytest-asyncio-cooperative", "pytest-curio", "pytest-sanic", "pytest-anyio",
    "pytest-homeassistant", "pytest-homeassistant-custom-component",
)  # fmt: skip
_PLUGINS = "pytest_plugins"
# Hooks by which a conftest module may mark or run tests itself.
_HOOKS = frozenset(
    {
        "pytest_collection_modifyitems", "pytest_itemcollected", "pytest_pycollect_makeitem",
        "pytest_pyfunc_call", "pytest_generate_tests",
    }
)  # fmt: skip


def needs_asyncio_mark(module: Module, project: Project) -> bool:
    """Whether a coroutine test of a module certainly runs only with a mark.

    True where the project uses pytest-asyncio in strict mode and nothing else could run the test.
    """
    declared = project.versions.declares
    settings = configurations(module)
    used = declared("pytest-asyncio") or any(each.option("asyncio_mode") for each in settings)
    if not used and b"pytest.mark.asyncio" not in module.source.data:
        return False
    if any(each.may_run_coroutines for each in settings):
        return False
    if any(declared(package) for package in _OTHER_RUNNERS):
        return False
    loaded = plugins(module)
    return loaded is not None and not any(
        _HOOKS & home.scope.bindings.keys() for home in (module, *conftests(module), *loaded)
    )


def plugins(module: Module) -> list[Module] | None:
    """The modules of the project that `pytest_plugins` names, in a test module and its conftest modules.

    None where it names anything else, or where modules that it names load further ones.
    """
    found: list[Module] = []
    for home in (module, *conftests(module)):
        bindings = home.scope.bindings.get(_PLUGINS, [])
        if not bindings:
            continue
        match bindings[0].value:
            case ast.List(elts=items) | ast.Tuple(elts=items) if len(bindings) == 1:
                named = [item.value if isinstance(item, ast.Constant) else None for item in items]
            case ast.Constant(value=value) if len(bindings) == 1:
                named = [value]
            case _:
                return None
        for name in named:
            known = home.modules.module(home.modules.canonical(name, home)) if isinstance(name, str) else None
            if known is None or _PLUGINS in known.scope.bindings:
                return None
            found.append(known)
    return found


def conftests(module: Module) -> Iterator[Module]:
    """The conftest modules above a test module, nearest first."""
    index = module.modules
    if not isinstance(index, Index):
        return
    directory = os.path.dirname(index.path_of(module))
    root = index.layout.workspace_root(directory)
    while True:
        path = os.path.join(directory, "conftest.py")
        found = index.at(path, module) if index.files.is_file(path) else None
        if found is not None and found is not module:
            yield found
        parent = os.path.dirname(directory)
        if directory == root or parent == directory:
            return
        directory = parent


# Tests


def is_collected_file(module: Module) -> bool:
    """Whether pytest collects a file, by its name and `python_files`."""
    index = module.modules
    if not isinstance(index, Index):
        return False
    name = os.path.basename(index.path_of(module))
    patterns = configurations(module)[0].option("python_files").split() or ["test_*.py", "*_test.py"]
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None for pattern in patterns
    )


def is_test(function: FunctionInfo) -> bool:
    """Whether pytest collects a function as a test by its default names.

    Methods count in classes named `Test...` without `__init__`; not those of `unittest.TestCase`.
    """
    node, source = function.node, function.module.source
    if not node.name.startswith("test"):
        return False
    parent = source.parent(node)
    while isinstance(parent, (ast.If, ast.Try, ast.With)):
        parent = source.parent(parent)
    if isinstance(parent, ast.Module):
        return True
    info = function.owner
    if info is None or not info.is_closed or not info.node.name.startswith("Test"):
        return False
    outer = source.parent(info.node)
    return (
        isinstance(outer, ast.Module)
        and not is_test_case(info)
        and info.member("__init__") is None
        and info.member("__test__") is None
    )


def is_named_by_its_file(function: FunctionInfo) -> bool:
    """Whether the file of a test names it, such as in a list of tests that its own code runs."""
    name, source = function.node.name, function.module.source
    return any(node.id == name and isinstance(node.ctx, ast.Load) for node in source.nodes(ast.Name)) or any(
        node.attr == name for node in source.nodes(ast.Attribute)
    )


def is_test_case(info: ClassInfo) -> bool:
    """Whether a class is a `unittest.TestCase`, or may be one: nothing is assumed of unknown libraries."""
    return bool(info.libraries - {"builtins.object", "typing.Generic", "abc.ABC", "typing.Protocol"})


def marks(node: Function | ast.ClassDef, module: Module) -> Iterator[str | None]:
    """The names of the pytest marks that decorate a test or class; None for any other decorator."""
    for decorator in node.decorator_list:
        yield mark_name(decorator, module)


def mark_name(node: ast.expr, module: Module) -> str | None:
    """The name of a pytest mark, also of one that was given another name; None for anything else."""
    target = node.func if isinstance(node, ast.Call) else node
    name = module.qualified_name(target) or ""
    if not name.startswith("pytest.mark."):
        found = module.modules.variable(name) if name else None
        if found is None or found[1].value is None or found[1].value is node or isinstance(node, ast.Call):
            return None
        return mark_name(found[1].value, found[0])
    return name.removeprefix("pytest.mark.").partition(".")[0]


_NEVER_RUN = frozenset({"skip"})
_ASYNC_MARK = re.compile(r"async|anyio|trio|curio|tornado|twisted|gen_test")
_HARMLESS_DECORATORS = ("unittest.mock.", "pytest.mark.", "freezegun.", "functools.", "typing.")


def has_async_mark(function: FunctionInfo) -> bool:
    """Whether a mark or decorator runs a coroutine test, may do so, or keeps it from running."""
    module = function.module
    nodes: list[Function | ast.ClassDef] = [function.node]
    if function.owner is not None:
        nodes += [item.node for item in function.owner.mro if isinstance(item, ClassInfo)]
    for node in nodes:
        home = module if node is function.node else _home(function, node)
        for decorator in node.decorator_list:
            name = mark_name(decorator, home)
            if name is not None and (name in _NEVER_RUN or _ASYNC_MARK.search(name)):
                return True
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            qualified = home.qualified_name(target) or ""
            if name is None and not qualified.startswith(_HARMLESS_DECORATORS):
                return True
    for info in [function.owner, *(function.owner.mro if function.owner else ())]:
        if isinstance(info, ClassInfo) and "pytestmark" in info.scope.bindings:
            return True
    return "pytestmark" in module.scope.bindings and _pytestmark_matters(module)


def _home(function: FunctionInfo, node: ast.AST) -> Module:
    assert function.owner is not None
    return next(
        item.module for item in function.owner.mro if isinstance(item, ClassInfo) and item.node is node
    )


def _pytestmark_matters(module: Module) -> bool:
    """Whether the marks of a whole module may run its coroutines: anything but known other marks."""
    for binding in module.scope.bindings["pytestmark"]:
        value = binding.value
        items = value.elts if isinstance(value, (ast.List, ast.Tuple)) else [value]
        for item in items:
            name = mark_name(item, module) if item is not None else None
            if name is None or name in _NEVER_RUN or _ASYNC_MARK.search(name):
                return True
    return False


# Fixtures


@dataclass(frozen=True, slots=True, eq=False)
class Fixture:
    """A fixture: its function and the arguments of its decorator that matter here."""

    name: str
    function: FunctionInfo
    scope: str
    autouse: bool


def fixture_of(function: FunctionInfo) -> Fixture | None:
    """The fixture that a function defines, or None. A scope that is no literal is `unknown`."""
    for decorator in function.node.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if function.module.qualified_name(target) not in _FIXTURES:
            continue
        given = {k.arg: k.value for k in decorator.keywords} if isinstance(decorator, ast.Call) else {}
        if None in given:
            return Fixture(function.node.name, function, "unknown", True)
        name, scope, autouse = given.get("name"), given.get("scope"), given.get("autouse")
        return Fixture(
            str(name.value) if isinstance(name, ast.Constant) else function.node.name,
            function,
            "function"
            if scope is None
            else str(scope.value)
            if isinstance(scope, ast.Constant)
            else "unknown",
            autouse is not None and not (isinstance(autouse, ast.Constant) and autouse.value is False),
        )
    return None


def fixtures(module: Module) -> dict[str, Fixture]:
    """The fixtures that a module's tests see, by name: its own, and those of its conftest modules.

    Those of plugins are among them where the project has the plugin and `pytest_plugins` names no other.
    Fixtures imported from another module count as its own.
    """
    found: dict[str, Fixture] = {}
    for home in (module, *conftests(module), *(plugins(module) or ())):
        for name, fixture in _own_fixtures(home).items():
            found.setdefault(name, fixture)
    return found


def _own_fixtures(module: Module) -> dict[str, Fixture]:
    found: dict[str, Fixture] = {}
    for name, bindings in module.scope.bindings.items():
        node = bindings[-1].node
        if isinstance(node, FUNCTIONS):
            fixture = fixture_of(module.function_info(node))
        elif bindings[-1].kind == "from":
            function = module.modules.function_info(module.export(name) or "")
            fixture = fixture_of(function) if function is not None else None
        else:
            continue
        if fixture is not None:
            found[fixture.name] = fixture
    return found


def requested(function: FunctionInfo) -> dict[str, Fixture | None]:
    """The fixtures that a test or fixture uses, at any distance: by parameter, mark or `autouse`.

    The value is None for one that is not found (of a plugin).
    """
    module = function.module
    known = dict(fixtures(module))
    if function.owner is not None:
        for item in function.owner.mro:
            for method in item.methods() if isinstance(item, ClassInfo) else ():
                fixture = fixture_of(method)
                if fixture is not None:
                    known[fixture.name] = fixture
    pending = [*_asked_for(function), *(name for name, fixture in known.items() if fixture.autouse)]
    found: dict[str, Fixture | None] = {}
    while pending:
        name = pending.pop()
        if name in found:
            continue
        fixture = found[name] = known.get(name)
        if fixture is not None:
            pending += _asked_for(fixture.function)
    return found


def _asked_for(function: FunctionInfo) -> Iterator[str]:
    for argument, _ in function.parameters():
        yield argument.arg
    decorated: list[Function | ast.ClassDef] = [function.node]
    if function.owner is not None:
        decorated.append(function.owner.node)
    for node in decorated:
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and mark_name(decorator, function.module) == "usefixtures":
                for named in decorator.args:
                    if isinstance(named, ast.Constant) and isinstance(named.value, str):
                        yield named.value


# Mocks


def is_mock(node: ast.expr, module: Module) -> bool:
    """Whether an expression's value is certainly a mock of `unittest.mock`, or an attribute of one."""
    while isinstance(node, ast.Attribute) and _is_child(node.attr):
        if _is_mock_value(node, module):
            return True
        node = node.value
    return _is_mock_value(node, module)


def is_call_record(node: ast.expr, module: Module) -> bool:
    """Whether an expression is one of the calls that a mock has recorded, such as `m.mock_calls[0]`."""
    match node:
        case ast.Subscript(
            value=ast.Attribute(value=mock, attr="mock_calls" | "call_args_list" | "method_calls"),
            slice=ast.Constant() | ast.UnaryOp(),
        ):
            return is_mock(mock, module)
    return False


def _is_child(name: str) -> bool:
    return not name.startswith(("assert", "mock_calls", "call_args", "method_calls"))


def _is_mock_value(node: ast.expr, module: Module) -> bool:
    known = module.type_of(node)
    if known is not None:
        return known.kind is Kind.INSTANCE and known.name in _MOCK_CLASSES
    if isinstance(node, ast.Call):
        return _is_mocker_call(node, module)
    if not isinstance(node, ast.Name):
        return False
    found = module.lookup(node.id, node)
    if found is None or len(found[1]) != 1:
        return False
    scope, binding = found[0], found[1][0]
    if binding.kind == "assign" and isinstance(binding.value, ast.Call) and not binding.path:
        return _is_mocker_call(binding.value, module)
    if binding.kind == "parameter" and isinstance(scope.node, FUNCTIONS):
        function = module.function_info(scope.node)
        return binding.name in _patched_parameters(function) or _is_given_mock(binding.name, function)
    return False


def _is_given_mock(parameter: str, function: FunctionInfo) -> bool:
    """Whether a parameter of a test or fixture is a fixture that returns or yields a mock."""
    if not is_test(function) and fixture_of(function) is None:
        return False
    fixture = requested(function).get(parameter)
    if fixture is None or fixture.function is function:
        return False
    values = fixture.function.yields or fixture.function.returned
    return len(values) == 1 and values[0] is not None and is_mock(values[0], fixture.function.module)


def _is_mocker_call(call: ast.Call, module: Module) -> bool:
    """Whether a call of pytest-mock's fixture gives a mock: `mocker.patch("a.b")`, `mocker.Mock()`."""
    parts: list[str] = []
    node: ast.expr = call.func
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in _MOCKER_FIXTURES or node.id in fixtures(module):
        return False
    found = module.lookup(node.id, node)
    if found is None or [binding.kind for binding in found[1]] != ["parameter"]:
        return False
    name = f"{_MOCK}{'.'.join(reversed(parts))}"
    return name in _MOCK_CLASSES or (name in PATCHES and _makes_mock(name, call))


def _patched_parameters(function: FunctionInfo) -> frozenset[str]:
    """The parameters that decorators of `patch` fill with mocks: the lowest decorator fills the first."""
    module = function.module
    names = [argument.arg for argument in (*function.node.args.posonlyargs, *function.node.args.args)]
    if function.owner is not None and not function.is_static:
        names = names[1:]
    found: list[str] = []
    for decorator in reversed(function.node.decorator_list):
        if mark_name(decorator, module) is not None:
            continue
        if not isinstance(decorator, ast.Call):
            return frozenset()
        name = module.qualified_name(decorator.func) or ""
        if not name.startswith(_MOCK):
            return frozenset()
        if name in PATCHES:
            if _makes_mock(name, decorator):
                if len(found) == len(names):
                    return frozenset()
                found.append(names[len(found)])
            elif not any(k.arg == "new" for k in decorator.keywords) and len(decorator.args) <= PATCHES[name]:
                return frozenset()  # `new_callable` makes anything
        elif name != f"{_MOCK}patch.dict":
            return frozenset()
    return frozenset(found)


# Clients of httpx


@dataclass(frozen=True, slots=True)
class HttpClient:
    """A client of httpx (or its successor httpx2): the package and the transport that runs an application."""

    package: str
    transport: str


_CLIENTS = {
    f"{package}.{name}": HttpClient(package, transport)
    for package in ("httpx", "httpx2")
    for name, transport in (("AsyncClient", "ASGITransport"), ("Client", "WSGITransport"))
}


def http_client(call: ast.Call, module: Module) -> HttpClient | None:
    """The client of httpx that a call makes, or None; not those of a subclass, which may take anything."""
    return _CLIENTS.get(module.qualified_name(call.func) or "")


# Overrides of FastAPI's dependencies

_OVERRIDES = "dependency_overrides"
_BEFORE_TESTS = frozenset({"setup_method", "setup_class", "setUp", "asyncSetUp", "setUpClass"})
_AROUND_TESTS = _BEFORE_TESTS | {
    "teardown_method", "teardown_class", "tearDown", "asyncTearDown", "tearDownClass",
}  # fmt: skip


def leaked_overrides(node: ast.Attribute, module: Module) -> list[ast.stmt]:
    """The statements of a test or fixture that set overrides on a shared application for good.

    `node` is a read of `dependency_overrides`; the answer is given for the first that its function
    sets, and is empty where anything that runs around the function may take them back.
    """
    function = _test_or_fixture(node, module)
    if function is None or not _is_shared(node.value, function, module) or _patches_overrides(function):
        return []
    own = _uses_of_overrides(function)
    kept = [statement for use, statement in own if statement is not None]
    if len(kept) < len(own) or not kept:
        return []
    first = min(kept, key=lambda statement: statement.lineno)
    if module.source.statement(node) is not first:
        return []
    around = [fixture.function for fixture in requested(function).values() if fixture is not None]
    if function.owner is not None:
        if not function.owner.is_closed:
            return []
        for item in function.owner.mro:
            around += (
                []
                if isinstance(item, str)
                else [method for method in item.methods() if method.node.name in _AROUND_TESTS]
            )
    for home in (module, *conftests(module)):
        definitions: list[Function] = [
            *home.source.nodes(ast.FunctionDef),
            *home.source.nodes(ast.AsyncFunctionDef),
        ]
        for definition in definitions:
            other = home.function_info(definition)
            if _is_of_another_class(other, function):
                continue
            if not definition.name.startswith("test") and fixture_of(other) is None:
                around.append(other)
    if any(statement is None for other in around for _, statement in _uses_of_overrides(other)):
        return []
    return sorted(kept, key=lambda statement: statement.lineno)


def _is_of_another_class(method: FunctionInfo, function: FunctionInfo) -> bool:
    """Whether a method runs before or after each test of a class that a function is not of."""
    if method.owner is None or method.node.name not in _AROUND_TESTS:
        return False
    return function.owner is None or method.owner not in function.owner.mro


def _test_or_fixture(node: ast.AST, module: Module) -> FunctionInfo | None:
    """The test, or what prepares tests and ends before the run does, in which a node stands.

    Not fixtures that no test asks for.
    """
    definition = module.source.enclosing_function(node)
    if not isinstance(definition, FUNCTIONS):
        return None
    function = module.function_info(definition)
    fixture = fixture_of(function)
    if fixture is None:
        prepares = function.owner is not None and definition.name in _BEFORE_TESTS
        return function if is_test(function) or prepares else None
    return function if fixture.scope in {"function", "class", "module"} and not fixture.autouse else None


def _uses_of_overrides(function: FunctionInfo) -> list[tuple[ast.Attribute, ast.stmt | None]]:
    """The uses of `dependency_overrides` in a function, each with the statement when it sets an override.

    Anything else, such as `clear()`, `pop()`, a copy or a call that gets the dictionary, may undo it.
    """
    source = function.module.source
    found: list[tuple[ast.Attribute, ast.stmt | None]] = []
    for node in function.own_nodes():
        if not isinstance(node, ast.Attribute) or node.attr != _OVERRIDES:
            continue
        parent = source.parent(node)
        statement = source.statement(node)
        match parent, statement:
            case ast.Subscript(ctx=ast.Load()), _:
                continue
            case ast.Subscript(ctx=ast.Store()), ast.Assign():
                found.append((node, statement))
            case ast.Attribute(attr="update"), ast.Expr(value=ast.Call(func=func)) if func is parent:
                found.append((node, statement))
            case ast.Assign(value=ast.Dict(keys=[_, *_])), ast.Assign():
                found.append((node, statement))
            case _:
                found.append((node, None))
    return found


def _patches_overrides(function: FunctionInfo) -> bool:
    """Whether a `patch.dict` of the overrides, by name or by path, decorates or stands in a function."""
    source = function.module.source
    around = function.owner.node.decorator_list if function.owner is not None else []
    for call in source.calls.get("dict", ()):
        if isinstance(call.func, ast.Attribute) and call.args:
            inside = call in around or call in function.node.decorator_list
            if inside or source.enclosing_function(call) is function.node:
                if source.segment(call.args[0]).strip("\"'").endswith(f".{_OVERRIDES}"):
                    return True
    return False


def _is_shared(app: ast.expr, function: FunctionInfo, module: Module) -> bool:
    """Whether an application outlives the test: a name of a module, or a fixture's value that is one."""
    if not isinstance(app, ast.Name):
        return module.qualified_name(app) is not None
    found = module.lookup(app.id, app)
    if found is None:
        return False
    if found[0].kind == "module":
        return True
    if [binding.kind for binding in found[1]] != ["parameter"]:
        # imported inside the function: still the application of its module
        return all(binding.kind == "from" for binding in found[1])
    fixture = requested(function).get(app.id)
    if fixture is None:
        return False
    if fixture.scope in {"class", "module", "package", "session"}:
        return True
    values = fixture.function.yields or fixture.function.returned
    home = fixture.function.module
    return len(values) == 1 and isinstance(values[0], ast.Name) and _is_global(values[0], home)


def _is_global(name: ast.Name, module: Module) -> bool:
    found = module.lookup(name.id, name)
    return found is not None and (
        found[0].kind == "module" or all(binding.kind == "from" for binding in found[1])
    )


def monkeypatch_parameter(function: FunctionInfo) -> tuple[int, str] | None:
    """Where and what to insert so that a test or fixture gets `monkeypatch`; None where that is not safe.

    An empty text means that it has the parameter already. Offsets count characters of the module's text.
    """
    fixture = fixture_of(function)
    arguments = function.node.args
    if (fixture is not None and fixture.scope != "function") or (fixture is None and not is_test(function)):
        return None
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    source = function.module.source
    if any(argument.arg == "monkeypatch" for argument in named):
        return 0, ""
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.defaults:
        return None
    typed = bool(function.node.returns) or any(argument.annotation for argument in named)
    known = function.module.name_of("pytest", function.node) == "pytest"
    text = "monkeypatch: pytest.MonkeyPatch" if typed and known else "monkeypatch"
    if named:
        return source.end(named[-1]), f", {text}"
    return source.text.index("(", source.start(function.node)) + 1, text


# Assertions of mocks

_SYNC_ASSERTIONS = frozenset(
    {
        "assert_called", "assert_called_once", "assert_called_with", "assert_called_once_with",
        "assert_any_call", "assert_has_calls", "assert_not_called",
    }
)  # fmt: skip
ASSERTIONS = _SYNC_ASSERTIONS | {
    "assert_awaited", "assert_awaited_once", "assert_awaited_with", "assert_awaited_once_with",
    "assert_any_await", "assert_has_awaits", "assert_not_awaited",
}  # fmt: skip
# `called` and `awaited` are what they say; the rest is an attribute that a mock makes up, and that is true.
_WITHOUT_PREFIX = {name.removeprefix("assert_"): name for name in ASSERTIONS} | {
    "has_any_call": "assert_any_call", "has_any_calls": "assert_has_calls",
}  # fmt: skip
_MOST_DISTANCE = 2  # between a misspelled name and what was meant
_REAL_ATTRIBUTES = frozenset({"called", "awaited"})
_WITHOUT_ARGUMENTS = frozenset(
    {"assert_called", "assert_called_once", "assert_not_called", "assert_awaited", "assert_awaited_once",
     "assert_not_awaited"}
)  # fmt: skip


@cache
def misspelled_assertion(name: str) -> str | None:
    """The assertion of a mock that an attribute was meant to be, or None."""
    if name in ASSERTIONS or name in _REAL_ATTRIBUTES:
        return None
    if name in _WITHOUT_PREFIX:
        return _WITHOUT_PREFIX[name]
    if not name.startswith(("ass", "ase", "asr")):
        return None
    alike = (right for right in ASSERTIONS if abs(len(right) - len(name)) <= _MOST_DISTANCE)
    near = sorted((distance(name, right), right) for right in alike)
    if not near or near[0][0] > _MOST_DISTANCE:
        return None
    return near[0][1] if len(near) == 1 or near[1][0] > near[0][0] else None


def is_truth_assertion(node: ast.AST | None) -> bool:
    """Whether a node is a call of `assertTrue`, unittest's form of `assert`."""
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "assertTrue"
    )


def has_message(node: ast.AST) -> bool:
    """Whether an `assert` statement or a call of `assertTrue` says what to print when it fails."""
    if isinstance(node, ast.Assert):
        return node.msg is not None
    return isinstance(node, ast.Call) and len(node.args) + len(node.keywords) > 1


def is_assigned(name: str, module: Module) -> bool:
    """Whether a module sets an attribute of this name on anything, or passes it to a call by name."""
    return any(
        node.attr == name and isinstance(node.ctx, ast.Store) for node in module.source.nodes(ast.Attribute)
    ) or any(keyword.arg == name for keyword in module.source.nodes(ast.keyword))


def takes_no_arguments(assertion: str) -> bool:
    """Whether an assertion of a mock is called without arguments."""
    return assertion in _WITHOUT_ARGUMENTS


def distance(one: str, other: str) -> int:
    """The number of characters to insert, delete or replace to make one word the other."""
    row = list(range(len(other) + 1))
    for index, character in enumerate(one, start=1):
        previous, row[0] = row[0], index
        for position, wanted in enumerate(other, start=1):
            previous, row[position] = (
                row[position],
                min(row[position] + 1, row[position - 1] + 1, previous + (character != wanted)),
            )
    return row[-1]


# Replacements of functions


@dataclass(frozen=True, slots=True, eq=False)
class Replacement:
    """A function of the project that a test replaces, and the expression that makes the replacement.

    `by_class` says that the expression is the class that is called to make it (`new_callable`).
    """

    function: FunctionInfo
    value: ast.expr
    by_class: bool = False
    keywords: tuple[ast.keyword, ...] = ()


def replacement(node: ast.Call | ast.Assign, module: Module) -> Replacement | None:
    """What `patch`, `patch.object`, `monkeypatch.setattr` or an assignment puts in place of a function.

    None where the target is not written out, or the replacement is no call, lambda or class.
    """
    if isinstance(node, ast.Assign):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=owner, attr=attr)]):
                made = _made(node.value, module)
                function = _member(owner, attr, module) if made is not None else None
                return Replacement(function, made) if function is not None and made is not None else None
        return None
    holder: ast.expr | None = None
    match node.args:
        case [ast.Constant(value=str(path)), *rest]:
            pass
        case [holder, ast.Constant(value=str(path)), *rest]:
            pass
        case _:
            return None
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    put = rest[0] if rest else given.get("new", given.get("value", given.get("new_callable")))
    by_class = put is not None and put is given.get("new_callable")
    value = put if put is None or by_class else _made(put, module)
    if value is None or {None, "spec", "autospec"} & given.keys():
        return None
    name = replacing_call(node, module)
    if name is None or name == (f"{_MOCK}patch" if holder is not None else f"{_MOCK}patch.object"):
        return None
    function = _by_path(path, module) if holder is None else _member(holder, path, module)
    if function is None:
        return None
    others = tuple(keyword for keyword in node.keywords if keyword.arg != "new_callable")
    return Replacement(function, value, by_class, others)


def _made(value: ast.expr, module: Module) -> ast.Call | ast.Lambda | None:
    """The call or lambda that makes a value, also where a variable of the function holds it."""
    if isinstance(value, ast.Name):
        value = _only_value(value, module) or value
    return value if isinstance(value, (ast.Call, ast.Lambda)) else None


def _only_value(name: ast.Name, module: Module) -> ast.expr | None:
    """What a variable holds that is bound once."""
    found = module.lookup(name.id, name)
    if found is None or len(found[1]) != 1:
        return None
    binding = found[1][0]
    return binding.value if binding.kind == "assign" and not binding.path else None


def replacing_call(call: ast.Call, module: Module) -> str | None:
    """The canonical name of a call that replaces something, also through pytest's fixtures."""
    name = module.qualified_name(call.func)
    if name in PATCHES:
        return name
    parts: list[str] = []
    node: ast.expr = call.func
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or not parts or node.id in fixtures(module):
        return None
    found = module.lookup(node.id, node)
    if found is None or [binding.kind for binding in found[1]] != ["parameter"]:
        return None
    if node.id == "monkeypatch" and parts == ["setattr"]:
        return "pytest.MonkeyPatch.setattr"
    through = f"{_MOCK}{'.'.join(reversed(parts))}"
    return through if node.id in _MOCKER_FIXTURES and through in PATCHES else None


def _by_path(dotted: str, module: Module) -> FunctionInfo | None:
    index = module.modules
    return index.function_info(index.canonical(dotted, module)) if isinstance(index, Index) else None


def _member(owner: ast.expr, name: str, module: Module) -> FunctionInfo | None:
    """The function that an attribute of a module, class or value of the project is."""
    qualified = module.qualified_name(owner)
    if qualified is not None:
        found = module.modules.function_info(module.modules.member_name(qualified, name))
        if found is not None:
            return found
    known = module.type_of(owner)
    if known is None or known.kind not in {Kind.INSTANCE, Kind.CLASS}:
        return None
    if known.name in _MOCK_CLASSES and isinstance(owner, ast.Name):
        known = _specified(owner, module)
    info = module.modules.class_info(known.name) if known is not None else None
    return info.method(name) if info is not None else None


def _specified(mock: ast.Name, module: Module) -> Type | None:
    """The class that a mock stands for: `service = MagicMock(spec=Service)`."""
    match _only_value(mock, module):
        case ast.Call(keywords=keywords):
            spec = next((item.value for item in keywords if item.arg in {"spec", "spec_set"}), None)
            return module.type_of(spec) if spec is not None else None
    return None


def is_plain_coroutine(function: FunctionInfo) -> bool:
    """Whether calling a function certainly gives a coroutine: `async def` that nothing wraps."""
    kept = {"builtins.staticmethod", "builtins.classmethod", "abc.abstractmethod", "typing.override"}
    return function.is_async and not function.yields and all(name in kept for name in function.decorators)


_NO_AWAITABLE = (
    ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.JoinedStr, ast.ListComp, ast.DictComp,
)  # fmt: skip
_NO_AWAITABLE_TYPES = frozenset(
    {f"{_MOCK}Mock", f"{_MOCK}MagicMock", "types.SimpleNamespace", "uuid.UUID", "datetime.datetime",
     "datetime.date", "datetime.timedelta", "decimal.Decimal"}
)  # fmt: skip
_AWAITABLE_BASES = ("asyncio.", "collections.abc.", "typing.Awaitable", "typing.Coroutine")
_MAY_AWAIT = frozenset({"side_effect", "spec", "spec_set", "wraps", "autospec", None})


def gives_no_awaitable(found: Replacement, module: Module) -> bool:
    """Whether calling the replacement certainly gives something that cannot be awaited.

    A mock that raises (`side_effect`) does so before anything is awaited, which serves as well.
    """
    value = found.value
    if isinstance(value, ast.Lambda):
        return _is_no_awaitable(value.body, module)
    if found.by_class:
        keywords = list(found.keywords)
        cls = value
    elif isinstance(value, ast.Call) and not value.args:
        keywords, cls = value.keywords, value.func
    else:
        return False
    if module.qualified_name(cls) not in _SYNC_MOCKS or any(k.arg in _MAY_AWAIT for k in keywords):
        return False
    return all(_is_no_awaitable(k.value, module) for k in keywords if k.arg == "return_value")


def _is_no_awaitable(value: ast.expr, module: Module) -> bool:
    """Whether a value is a plain one, a mock, or an object of a project class without `__await__`."""
    if isinstance(value, ast.Name):
        value = _only_value(value, module) or value
    if isinstance(value, _NO_AWAITABLE):
        return True
    known = module.type_of(value)
    if known is not None and known.is_instance(*_NO_AWAITABLE_TYPES):
        return not (isinstance(value, ast.Call) and any(k.arg in _MAY_AWAIT for k in value.keywords))
    info = module.modules.class_info(known.name) if known is not None else None
    if known is None or info is None:
        return False
    if known.kind is not Kind.INSTANCE or not info.is_closed or info.member("__await__") is not None:
        return False
    return not any(base.startswith(_AWAITABLE_BASES) for base in info.libraries)


_RESULTS = frozenset({"return_value", "side_effect"})
_UNCALLED = frozenset({"assert_not_called", "assert_not_awaited"})


def is_settled(node: ast.Call | ast.Assign, module: Module) -> bool:
    """Whether the function around a replacement sets what a mock gives, or may expect that nobody calls it.

    A mock of which it is not known that it is another one counts as this one.
    """
    function = module.source.enclosing_function(node)
    if not isinstance(function, FUNCTIONS):
        return False
    names = _names_of_mock(node, module)
    return any(
        isinstance(inner, ast.Attribute)
        and (
            inner.attr in (_RESULTS if isinstance(inner.ctx, ast.Store) else _UNCALLED)
            or _is_denied(inner, module)
        )
        and (names is None or _is_one_of(inner.value, names))
        for inner in module.function_info(function).own_nodes()
    )


def _is_denied(node: ast.Attribute, module: Module) -> bool:
    """Whether an expression says that a mock was not called: `not m.called`, `m.call_count == 0`."""
    match module.source.parent(node):
        case ast.UnaryOp(op=ast.Not()):
            return node.attr == "called"
        case ast.Compare(comparators=[ast.Constant(value=0)]):
            return node.attr == "call_count"
    return False


def _names_of_mock(node: ast.Call | ast.Assign, module: Module) -> set[str] | None:
    """How the code around a replacement can name its mock; None where that is not known."""
    parent = module.source.parent(node)
    held = (
        [*node.args, *(keyword.value for keyword in node.keywords)]
        if isinstance(node, ast.Call)
        else [node.value]
    )
    names = {item.id for item in held if isinstance(item, ast.Name)}
    if isinstance(node, ast.Assign):
        return names | {ast.unparse(target) for target in node.targets}
    if isinstance(parent, ast.withitem):
        return names | ({ast.unparse(parent.optional_vars)} if parent.optional_vars is not None else set())
    return names if isinstance(parent, ast.Expr) else None


def _is_one_of(owner: ast.expr, names: set[str]) -> bool:
    text = ast.unparse(owner)
    return any(text == name or text.startswith(f"{name}.") for name in names)


# Test cases of unittest

_RUN_BY_TEST_CASES = frozenset({"setUp", "tearDown"})


def drops_coroutines(info: ClassInfo, name: str) -> bool:
    """Whether a method of this name, were it a coroutine, would be called by `unittest` and never awaited.

    True for a `unittest.TestCase` all of whose bases are known; a base that runs coroutines is not.
    """
    if not (name.startswith("test") or name in _RUN_BY_TEST_CASES) or not info.is_closed:
        return False
    plain = {"unittest.TestCase", "builtins.object", "typing.Generic", "abc.ABC"}
    return (
        "unittest.TestCase" in info.libraries
        and info.libraries <= plain
        and not any(item.node.decorator_list for item in info.mro if isinstance(item, ClassInfo))
        and info.member("run") is None
        and info.member("_callTestMethod") is None
        and info.member("__getattribute__") is None
        and info.member("__init_subclass__") is None
    )
