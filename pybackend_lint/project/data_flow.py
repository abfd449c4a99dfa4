"""Where a value comes from: backward through names, texts, calls and files to where foreign data enters."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from pybackend_lint.finding import Related
from pybackend_lint.project.callers import arguments, callers
from pybackend_lint.project.data_checks import is_checked
from pybackend_lint.project.index import Index
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Binding
from pybackend_lint.semantic.types import Kind

MAX_CALLS = 4  # between functions, from the use back to the request
_MOST_NODES = 400
_MOST_FRAMES = 4
_MOST_STEPS = 80  # from the use, so that the search stays far below the interpreter's limit
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://$")
# Methods that give the text or a part of the mapping they are called on.
_TEXT_METHODS = frozenset(
    {"strip", "lstrip", "rstrip", "lower", "upper", "title", "capitalize", "casefold", "encode", "decode",
     "split", "rsplit", "splitlines", "partition", "rpartition", "removeprefix", "removesuffix", "zfill",
     "format", "expandtabs", "center", "ljust", "rjust", "swapcase", "read", "getvalue", "as_posix"}
)  # fmt: skip
_MEMBER_METHODS = frozenset(
    {"get", "getlist", "get_list", "pop", "setdefault", "items", "values", "keys", "popitem", "copy", "dict",
     "to_dict", "lists"}
)  # fmt: skip
_HARMLESS_REPLACED = frozenset({" ", "\n", "\r", "\r\n", "\t", "+", "_", "-"})
# Functions whose result holds the text or the members of the argument at an index; -1 for all arguments.
_PASSING = {
    "builtins.str": 0, "builtins.list": 0, "builtins.tuple": 0, "builtins.sorted": 0, "builtins.dict": 0,
    "builtins.reversed": 0, "builtins.enumerate": 0, "builtins.iter": 0, "builtins.next": 0,
    "builtins.bytes": 0,
    "builtins.set": 0, "builtins.filter": 1, "builtins.zip": -1, "copy.copy": 0, "copy.deepcopy": 0,
    "json.loads": 0, "urllib.parse.unquote": 0, "urllib.parse.unquote_plus": 0, "base64.b64decode": 0,
    "base64.urlsafe_b64decode": 0, "base64.standard_b64decode": 0, "binascii.unhexlify": 0,
    "base64.b32decode": 0, "base64.b16decode": 0, "base64.decodebytes": 0, "base64.decodestring": 0,
    "zlib.decompress": 0,
    "builtins.bytes.fromhex": 0, "typing.cast": 1, "textwrap.dedent": 0, "io.BytesIO": 0, "io.StringIO": 0,
    "html.unescape": 0, "django.utils.encoding.force_str": 0, "django.utils.encoding.smart_str": 0,
}  # fmt: skip
_PATHS = frozenset(
    {"os.path.join", "os.path.abspath", "os.path.normpath", "os.path.realpath", "os.path.expanduser",
     "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "posixpath.join", "os.fspath",
     "os.path.expandvars"}
)  # fmt: skip
_PATH_METHODS = frozenset({"joinpath", "resolve", "absolute", "expanduser", "with_suffix"})
_URLJOIN = "urllib.parse.urljoin"


class Place(Enum):
    """Which part of a text matters.

    All of it, how it begins, the host of a URL behind its scheme, or whole parts of the path of a file.
    """

    ANYWHERE = "anywhere"
    START = "start"
    HOST = "host"
    PATH = "path"


_WHOLE = frozenset({Place.ANYWHERE, Place.PATH})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where foreign data enters: as it is written, and the place with what it is."""

    shown: str
    related: Related


@dataclass(frozen=True, slots=True)
class Flow:
    """A way of foreign data to a use: where it enters, and the steps, the first of which is that place."""

    origin: Origin
    steps: tuple[Related, ...]

    def then(self, step: Related) -> Flow:
        """The flow with one more step."""
        return replace(self, steps=(*self.steps, step)) if step not in self.steps else self


class Question(Protocol):
    """What counts as foreign data and what as harmless; the frameworks answer.

    Answers are computed once for each `key`.
    """

    @property
    def key(self) -> str:
        """The name of the question."""

    def origin(self, node: ast.expr, module: Module, place: Place) -> Origin | None:
        """The foreign data that an expression is, wherever it stands."""

    def parameter(
        self, function: FunctionInfo, parameter: ast.arg, default: ast.expr | None, place: Place, inside: bool
    ) -> Origin | FunctionInfo | None:
        """The foreign data that a framework hands to a parameter, or the function whose result it hands over.

        `inside`: only a member of the value is used.
        """

    def is_harmless(self, node: ast.expr, module: Module) -> bool:
        """Whether an expression certainly holds nothing that could do harm, such as a number."""

    def keeps(self, value: ast.expr, name: str, module: Module) -> bool:
        """Whether an attribute of foreign data is foreign data."""


def flow_to(
    node: ast.expr,
    module: Module,
    question: Question,
    place: Place = Place.ANYWHERE,
    *,
    inside: bool = False,
) -> Flow | None:
    """The first way found by which foreign data reaches an expression, or None where none is certain.

    `inside`: only members of the value are used.
    """
    function = _function_around(node, module)
    if function is None:
        return None
    return _Search(question, MAX_CALLS).trace(node, _Frame(function), place, inside=inside)


def _function_around(node: ast.AST, module: Module) -> FunctionInfo | None:
    around = module.source.enclosing_function(node)
    while isinstance(around, ast.Lambda):
        around = module.source.enclosing_function(around)
    return module.function_info(around) if isinstance(around, FUNCTIONS) else None


def place_of(node: ast.AST, module: Module, message: str) -> Related:
    """A place in any file of the project, with what happens there."""
    source = module.source
    return Related(source.path, source.position(source.start(node)), message)


# Whether only a member of a value is used: any, or the attribute of a name.
Inside = bool | str


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """A function whose body is searched; `call` is the call whose result is asked for, made in `outer`."""

    function: FunctionInfo
    call: ast.Call | None = None
    outer: _Frame | None = None

    @property
    def module(self) -> Module:
        return self.function.module

    def runs(self, function: FunctionInfo) -> bool:
        """Whether a function is under way already."""
        return self.function is function or (self.outer is not None and self.outer.runs(function))

    @property
    def height(self) -> int:
        return 0 if self.outer is None else 1 + self.outer.height


class _Search:
    """One search; `calls` is how many callers it may still go back to."""

    def __init__(self, question: Question, calls: int) -> None:
        self.question = question
        self.calls = calls
        self._seen: set[tuple[int, int, Place, Inside]] = set()
        self._frames: list[_Frame] = []  # keeps their identities apart
        self._steps = 0

    def trace(self, node: ast.expr, frame: _Frame, place: Place, *, inside: Inside) -> Flow | None:
        """The way of foreign data to an expression; `inside` where a member of the value is used.

        Where that is an attribute of a name, to what an object of the project is given for it.
        """
        key = (id(node), id(frame), place, inside)
        if key in self._seen or len(self._seen) > _MOST_NODES or self._steps > _MOST_STEPS:
            return None
        self._seen.add(key)
        self._steps += 1
        try:
            return self._trace(node, frame, place, inside)
        finally:
            self._steps -= 1

    def _trace(self, node: ast.expr, frame: _Frame, place: Place, inside: Inside) -> Flow | None:
        if isinstance(node, (ast.Constant, ast.Lambda, ast.Compare)):
            return None
        module = frame.module
        origin = self.question.origin(node, module, place) if not isinstance(inside, str) else None
        if origin is not None:
            found: Flow | None = Flow(origin, (origin.related,))
        elif isinstance(inside, str):
            found = self._object(node, frame, place, inside)
        elif isinstance(node, (ast.Name, ast.Call, ast.Attribute)) and self.question.is_harmless(
            node, module
        ):
            return None
        else:
            found = self._step(node, frame, place, inside)
        if found is not None and isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.Call)):
            used = ast.Attribute(node, inside, ast.Load()) if isinstance(inside, str) else node
            if self.question.is_harmless(node, module) or is_checked(
                used, frame.function, node, inside=inside is True
            ):
                return None
            shown = found.origin.shown
            parent = node.value if isinstance(node, (ast.Attribute, ast.Subscript)) else None
            if isinstance(parent, ast.Name) and parent.id == shown:
                read = replace(found.origin, shown=ast.unparse(node))
                return replace(found, origin=read)
        return found

    def _first(
        self, nodes: Iterator[ast.expr], frame: _Frame, place: Place, *, inside: Inside
    ) -> Flow | None:
        for node in nodes:
            found = self.trace(node, frame, place, inside=inside)
            if found is not None:
                return found
        return None

    def _step(self, node: ast.expr, frame: _Frame, place: Place, inside: Inside) -> Flow | None:
        parts = text_parts(node)
        if parts is not None:
            return self._text(parts, frame, place)
        match node:
            case ast.Name():
                return self._name(node, frame, place, inside)
            case ast.Attribute():
                return self._attribute(node, frame, place)
            case ast.Subscript(value=value, slice=ast.Constant(value=str(key))) if (
                model := dumped_model(value, frame.module)
            ) is not None:
                return self._field(model, key, frame, place)
            case ast.Subscript(value=value, slice=index):
                literal = _literal(value, frame.module) if isinstance(index, ast.Constant) else None
                if literal is not None and isinstance(index, ast.Constant):
                    chosen = _item(literal, index.value)
                    return self.trace(chosen, frame, place, inside=inside) if chosen is not None else None
                return self.trace(value, frame, place, inside=True)
            case ast.Await(value=value) | ast.NamedExpr(value=value) | ast.Starred(value=value):
                return self.trace(value, frame, place, inside=inside)
            case ast.IfExp(body=body, orelse=orelse):
                return self._first(iter((body, orelse)), frame, place, inside=inside)
            case ast.BoolOp(values=values):
                return self._first(iter(values), frame, place, inside=inside)
            case ast.BinOp(left=left, op=ast.Div(), right=right) if place in _WHOLE:
                return self._first(iter((left, right)), frame, place, inside=False)
            case ast.BinOp(left=left, op=ast.Mod(), right=right) if place is Place.ANYWHERE:
                return self._first(iter((left, *_operands(right))), frame, place, inside=False)
            case ast.BinOp(left=left, op=ast.Mod()):
                return self.trace(left, frame, place, inside=False)
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items) if inside:
                return self._first(iter(items), frame, place, inside=False)
            case ast.ListComp(elt=item) | ast.GeneratorExp(elt=item) | ast.SetComp(elt=item) if inside:
                return self.trace(item, frame, place, inside=False)
            case ast.Call():
                return self._call(node, frame, place, inside)
        return None

    def _object(self, node: ast.expr, frame: _Frame, place: Place, name: str) -> Flow | None:
        """The way to an attribute of an object, back to where the object is made."""
        match node:
            case ast.Name():
                return self._name(node, frame, place, name)
            case ast.NamedExpr(value=value) | ast.Await(value=value):
                return self.trace(value, frame, place, inside=name)
            case ast.IfExp(body=body, orelse=orelse):
                return self._first(iter((body, orelse)), frame, place, inside=name)
            case ast.BoolOp(values=values):
                return self._first(iter(values), frame, place, inside=name)
            case ast.Call():
                return self._made(node, frame, place, name)
        return None

    def _made(self, call: ast.Call, frame: _Frame, place: Place, name: str) -> Flow | None:
        """The way to what a call gives the attribute of a name of the object that it makes."""
        modules = frame.module.modules
        callee = frame.module.type_of(call.func)
        if callee is not None and callee.kind is Kind.FUNCTION:
            function = modules.function_info(callee.name)
            return self._result(function, call, frame, place, name) if function is not None else None
        info = modules.class_info(callee.name) if callee is not None and callee.kind is Kind.CLASS else None
        if isinstance(call.func, ast.Name) and call.func.id == "cls" and frame.function.is_class_method:
            info = frame.function.owner
        if info is None or not info.is_closed:
            return None
        value = _given_for(name, call, info, self.question, frame.module)
        if value is not None:
            return self.trace(value, frame, place, inside=False)
        start = info.method("__init__")
        kept = start.owner.instance_attributes.get(name, []) if start is not None and start.owner else []
        if start is None or len(kept) != 1 or kept[0][1] is None or frame.height >= _MOST_FRAMES:
            return None
        if _function_around(kept[0][1], start.module) is not start or frame.runs(start):
            return None
        return self.trace(kept[0][1], self._frame(_Frame(start, call, frame)), place, inside=False)

    def _text(self, parts: list[str | ast.expr], frame: _Frame, place: Place) -> Flow | None:
        if place is Place.ANYWHERE:
            values = (part for part in parts if not isinstance(part, str))
            return self._first(values, frame, place, inside=False)
        if place is Place.PATH:
            return self._first(_components(parts), frame, place, inside=False)
        before = ""
        for part in parts:
            if isinstance(part, str):
                before += part
            elif not before:
                return self.trace(part, frame, place, inside=False)
            elif place is Place.START and _SCHEME.match(before):
                return self.trace(part, frame, Place.HOST, inside=False)
            else:
                return None
        return None

    def _name(self, node: ast.Name, frame: _Frame, place: Place, inside: Inside) -> Flow | None:
        found = frame.module.lookup(node.id, node)
        if found is None or found[0].kind not in {"function", "comprehension"}:
            return None
        scope, bindings = found
        if isinstance(scope.node, FUNCTIONS) and scope.node is not frame.function.node:
            frame = self._frame(_Frame(frame.module.function_info(scope.node), None, frame))
        for binding in bindings:
            flow = self._binding(binding, frame, place, inside)
            if flow is not None:
                return flow
            if binding.kind == "augmented":
                earlier = (other for other in scope.bindings[node.id] if other is not binding)
                for other in earlier:
                    flow = self._binding(other, frame, place, inside)
                    if flow is not None:
                        return flow
        if inside is True and scope.kind == "function":
            return self._first(_added(node.id, frame.function), frame, place, inside=False)
        return None

    def _binding(self, binding: Binding, frame: _Frame, place: Place, inside: Inside) -> Flow | None:
        value = binding.value
        match binding.kind:
            case "parameter":
                assert isinstance(binding.node, ast.arg)
                return self._parameter(binding.node, value, frame, place, inside)
            case "assign" if value is not None:
                path = binding.path
                while path and isinstance(value, (ast.Tuple, ast.List)) and 0 <= path[0] < len(value.elts):
                    value, path = value.elts[path[0]], path[1:]
                return self._unpacked(value, path, frame, place, inside=inside)
            case "augmented" if value is not None and place is Place.ANYWHERE:
                return self.trace(value, frame, place, inside=inside)
            case "for" | "comprehension" if value is not None and not isinstance(inside, str):
                return self._iterated(value, binding.path, frame, place)
        return None

    def _unpacked(
        self, value: ast.expr, path: tuple[int, ...], frame: _Frame, place: Place, *, inside: Inside
    ) -> Flow | None:
        """The way to the part of a value that an assignment unpacks."""
        if not path:
            return self.trace(value, frame, place, inside=inside)
        call = value.value if isinstance(value, ast.Await) else value
        known = frame.module.type_of(call.func) if isinstance(call, ast.Call) else None
        if isinstance(call, ast.Call) and known is not None and known.kind is Kind.FUNCTION:
            function = frame.module.modules.function_info(known.name)
            return self._result(function, call, frame, place, inside, path) if function is not None else None
        return self.trace(value, frame, place, inside=True) if not isinstance(inside, str) else None

    def _iterated(self, value: ast.expr, path: tuple[int, ...], frame: _Frame, place: Place) -> Flow | None:
        """The way to what a loop takes from a value."""
        match value:
            case ast.Call(func=ast.Name(id="enumerate"), args=[iterated, *_]) if path:
                return self._iterated(iterated, path[1:], frame, place) if path[0] == 1 else None
            case ast.Call(func=ast.Name(id="zip"), args=items) if path:
                return self.trace(items[path[0]], frame, place, inside=True) if path[0] < len(items) else None
        return self.trace(value, frame, place, inside=True)

    def _parameter(
        self, parameter: ast.arg, default: ast.expr | None, frame: _Frame, place: Place, inside: Inside
    ) -> Flow | None:
        function = frame.function
        if parameter in (function.node.args.vararg, function.node.args.kwarg):
            return None
        if frame.call is not None and frame.outer is not None:
            given = arguments(frame.call, function, frame.outer.module)
            value = given.get(parameter.arg) if given is not None else None
            return self.trace(value, frame.outer, place, inside=inside) if value is not None else None
        answer = self.question.parameter(function, parameter, default, place, inside is not False)
        if isinstance(answer, Origin):
            return Flow(answer, (answer.related,)) if not isinstance(inside, str) else None
        if isinstance(answer, FunctionInfo):
            return self._dependency(answer, parameter, frame, place, inside)
        if self.calls == 0 or (function.owner is not None and parameter.arg in {"self", "cls"}):
            return None
        return _into_parameter(function, parameter, self.question, self.calls - 1, place, inside)

    def _dependency(
        self, dependency: FunctionInfo, parameter: ast.arg, frame: _Frame, place: Place, inside: Inside
    ) -> Flow | None:
        if self.calls == 0 or frame.runs(dependency):
            return None
        search = _Search(self.question, self.calls - 1)
        values = (value for value in (*dependency.returned, *dependency.yields) if value is not None)
        flow = search._first(values, _Frame(dependency), place, inside=inside)
        if flow is None:
            return None
        step = f"`{parameter.arg}` is what `{dependency.node.name}()` gives"
        return flow.then(place_of(parameter, frame.module, step))

    def _attribute(self, node: ast.Attribute, frame: _Frame, place: Place) -> Flow | None:
        if self.question.keeps(node.value, node.attr, frame.module):
            return self.trace(node.value, frame, place, inside=True)
        if isinstance(node.value, ast.Name) and node.value.id == "self" and self.calls > 0:
            owner = frame.function.owner
            values = (
                owner.instance_attributes.get(node.attr, []) if owner is not None and owner.is_closed else []
            )
            if owner is not None and len(values) == 1 and owner.member(node.attr) is None:
                value = values[0][1]
                method = _function_around(value, owner.module) if value is not None else None
                if value is not None and method is not None and method.owner is owner:
                    search = _Search(self.question, self.calls - 1)
                    flow = search.trace(value, _Frame(method), place, inside=False)
                    step = place_of(value, owner.module, f"kept as `self.{node.attr}`")
                    return flow.then(step) if flow is not None else None
        elif isinstance(node.value, (ast.Name, ast.Call)) and _may_be_object(node.value, frame.module):
            return self.trace(node.value, frame, place, inside=node.attr)
        return None

    def _field(self, model: ast.expr, name: str, frame: _Frame, place: Place) -> Flow | None:
        """The way to a field of a model that was made a dictionary."""
        if not self.question.keeps(model, name, frame.module):
            return None
        return self.trace(model, frame, place, inside=True)

    def _call(self, call: ast.Call, frame: _Frame, place: Place, inside: Inside) -> Flow | None:
        func, module = call.func, frame.module
        callee = module.type_of(func)
        if callee is not None and callee.kind is Kind.FUNCTION:
            function = module.modules.function_info(callee.name)
            return self._result(function, call, frame, place, inside) if function is not None else None
        if inside and (callee is None or callee.kind is not Kind.INSTANCE):
            values = list(_validated(call, module))
            if values:
                return self._first(iter(values), frame, place, inside=True)
        if isinstance(func, ast.Attribute):
            method = func.attr
            if callee is not None and callee.name.startswith("pydantic."):
                return None  # a model as a dictionary: what it holds was validated
            if method == "join" and place is Place.ANYWHERE and len(call.args) == 1 and _is_text(func.value):
                return self.trace(call.args[0], frame, place, inside=True)
            if method == "replace" and call.args:
                old = call.args[0]
                if isinstance(old, ast.Constant) and old.value in _HARMLESS_REPLACED:
                    return self.trace(func.value, frame, place, inside=False)
                return None
            if method in _PATH_METHODS and place in _WHOLE:
                found = self._first(iter((func.value, *call.args)), frame, place, inside=False)
                if found is not None:
                    return found
            if method in {"get", "pop"} and call.args and isinstance(call.args[0], ast.Constant):
                model = dumped_model(func.value, module)
                if model is not None:
                    return self._field(model, str(call.args[0].value), frame, place)
                literal = _literal(func.value, module)
                chosen = _item(literal, call.args[0].value) if literal is not None else None
                if literal is not None:
                    return self.trace(chosen, frame, place, inside=inside) if chosen is not None else None
            if method in _TEXT_METHODS or method in _MEMBER_METHODS:
                deeper = inside or method in _MEMBER_METHODS
                found = self.trace(func.value, frame, place, inside=deeper)
                if found is not None:
                    return found
        name = callee.name if callee is not None and callee.receiver is None else None
        if name == "re.sub" and len(call.args) > 2 and _takes_prefix_off(call.args[0]):
            return self.trace(call.args[2], frame, place, inside=False)
        if name in _PATHS:
            return self._first(iter(call.args), frame, place, inside=False) if place in _WHOLE else None
        if name == _URLJOIN:
            return self._first(reversed(call.args), frame, place, inside=False)
        index = _PASSING.get(name) if name is not None else None
        if index is None:
            return None
        given = call.args if index < 0 else call.args[index : index + 1]
        return self._first(iter(given), frame, place, inside=inside)

    def _result(
        self,
        function: FunctionInfo,
        call: ast.Call,
        frame: _Frame,
        place: Place,
        inside: Inside,
        path: tuple[int, ...] = (),
    ) -> Flow | None:
        """What a call of a project function gives back of foreign data."""
        if function.yields or not function.is_transparent or frame.runs(function):
            return None
        if frame.height >= _MOST_FRAMES:
            return None
        inner = self._frame(_Frame(function, call, frame))
        values = (_part(value, path) for value in function.returned if value is not None)
        known = (value for value in values if value is not None)
        flow = self._first(known, inner, place, inside=inside)
        if flow is None:
            return None
        return flow.then(place_of(call, frame.module, f"`{function.node.name}()` gives it back"))

    def _frame(self, frame: _Frame) -> _Frame:
        self._frames.append(frame)
        return frame


def _may_be_object(node: ast.expr, module: Module) -> bool:
    """Whether an expression may be an object of a project class, or nothing is known of it."""
    known = module.type_of(node)
    if known is None:
        return isinstance(node, ast.Name)
    return known.kind is Kind.INSTANCE and module.modules.class_info(known.name) is not None


def _given_for(
    name: str, call: ast.Call, info: ClassInfo, question: Question, module: Module
) -> ast.expr | None:
    """The argument of a call that a class keeps unchanged as the attribute of a name, by the class alone."""
    if any(isinstance(item, ast.Starred) for item in call.args):
        return None
    named = next((word.value for word in call.keywords if word.arg == name), None)
    if info.is_a("pydantic.BaseModel"):
        return named if named is not None and question.keeps(call, name, module) else None
    decorators = {
        item.module.qualified_name(one.func if isinstance(one, ast.Call) else one)
        for item in info.mro
        if isinstance(item, ClassInfo)
        for one in item.node.decorator_list
    }
    is_data = decorators == {"dataclasses.dataclass"} or info.is_a("typing.NamedTuple")
    if not is_data or any(info.method(hook) is not None for hook in ("__init__", "__post_init__", "__new__")):
        return None
    if named is not None or any(word.arg is None for word in call.keywords):
        return named
    fields = [
        one
        for item in reversed(info.mro)
        if isinstance(item, ClassInfo)
        for one, bindings in item.scope.bindings.items()
        if any(binding.annotation is not None for binding in bindings)
    ]
    position = fields.index(name) if name in fields and len(set(fields)) == len(fields) else len(call.args)
    return call.args[position] if position < len(call.args) else None


def _into_parameter(
    function: FunctionInfo, parameter: ast.arg, question: Question, calls: int, place: Place, inside: Inside
) -> Flow | None:
    """The way of foreign data into a parameter, through the calls of the function in the project."""
    index = function.module.modules
    if not isinstance(index, Index):
        return None
    key = ("data flow", question.key, function.module.name, id(function.node), parameter.arg, place, inside)
    return index.fact(
        (*key, calls), lambda: _from_callers(function, parameter, question, calls, place, inside)
    )


def _from_callers(
    function: FunctionInfo, parameter: ast.arg, question: Question, calls: int, place: Place, inside: Inside
) -> Flow | None:
    for caller in callers(function):
        given = arguments(caller.call, function, caller.module) if caller.function is not None else None
        value = given.get(parameter.arg) if given is not None else None
        if value is None or caller.function is None:
            continue
        flow = _Search(question, calls).trace(value, _Frame(caller.function), place, inside=inside)
        if flow is not None:
            name = function.owner.node.name if function.owner is not None and (
                function.node.name == "__init__"
            ) else function.node.name  # fmt: skip
            step = f"passed to `{name}()` as `{parameter.arg}`"
            return flow.then(place_of(caller.call, caller.module, step))
    return None


def text_parts(node: ast.expr) -> list[str | ast.expr] | None:
    """What a text is put together from, in order, where an expression certainly builds one; else None."""
    match node:
        case ast.JoinedStr(values=values):
            return [_formatted(value) for value in values]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [*_flattened(left), *_flattened(right)]
        case ast.BinOp(left=ast.Constant(value=str(template)), op=ast.Mod(), right=right):
            pieces = re.split(r"%(?:\(\w+\))?[srd]", template)
            return _woven(pieces, _operands(right))
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(template)), attr="format")):
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            return _woven(re.split(r"\{[^{}]*\}", template), values)
    return None


def _formatted(value: ast.expr) -> str | ast.expr:
    """A piece of an f-string; what has a format of its own is a number more often than not."""
    if isinstance(value, ast.FormattedValue):
        return value.value if value.format_spec is None else "0"
    return str(value.value) if isinstance(value, ast.Constant) else ""


def _part(value: ast.expr, path: tuple[int, ...]) -> ast.expr | None:
    """The item of a literal tuple that a path leads to; None where the value is no such tuple."""
    for index in path:
        if not isinstance(value, ast.Tuple) or not 0 <= index < len(value.elts):
            return None
        value = value.elts[index]
    return value


def _components(parts: list[str | ast.expr]) -> Iterator[ast.expr]:
    """The values that begin a part of a path: what is glued to a name can leave no directory."""
    before: str | ast.expr = "/"
    for part in parts:
        if isinstance(part, str):
            before = part or before
            continue
        if isinstance(before, ast.Attribute) and before.attr == "sep":
            before = "/"
        if isinstance(before, str) and before.endswith(("/", "\\")):
            yield part
        before = part


def _flattened(node: ast.expr) -> list[str | ast.expr]:
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    parts = text_parts(node)
    return parts if parts is not None else [node]


def _woven(pieces: list[str], values: list[ast.expr]) -> list[str | ast.expr]:
    parts: list[str | ast.expr] = []
    for index, piece in enumerate(pieces):
        parts.append(piece)
        if index < len(values):
            parts.append(values[index])
    return [*parts, *values[len(pieces) :]]


def _operands(right: ast.expr) -> list[ast.expr]:
    if isinstance(right, ast.Tuple):
        return right.elts
    return right.values if isinstance(right, ast.Dict) else [right]


def _takes_prefix_off(pattern: ast.expr) -> bool:
    """Whether a regular expression matches the beginning of a text only, so that the rest stays as it is."""
    return (
        isinstance(pattern, ast.Constant)
        and isinstance(pattern.value, str)
        and pattern.value.startswith("^")
        and not pattern.value.endswith("$")
        and re.search(r"[*+](?!.)", pattern.value) is None
    )


def _is_text(node: ast.expr) -> bool:
    """Whether what `join` is called on is a text rather than a path or queue."""
    return isinstance(node, (ast.Constant, ast.Name, ast.JoinedStr))


def dumped_model(node: ast.expr, module: Module, *, whole: bool = False) -> ast.expr | None:
    """The model of Pydantic that an expression, or what a name of the function holds, is a dictionary of.

    `whole`: only where no field is picked or left out by name.
    """
    if isinstance(node, ast.Name):
        found = module.lookup(node.id, node)
        binding = found[1][0] if found is not None and len(found[1]) == 1 else None
        if binding is None or binding.kind != "assign" or binding.path or binding.value is None:
            return None
        node = binding.value
    match node:
        case ast.Call(func=ast.Attribute(value=model, attr="dict" | "model_dump") as func, keywords=keywords):
            if whole and any(word.arg in {"include", "exclude", None} for word in keywords):
                return None
            known = module.type_of(func)
            return model if known is not None and known.name.startswith("pydantic.") else None
    return None


def _validated(call: ast.Call, module: Module) -> Iterator[ast.expr]:
    """The mappings that a call makes a model of Pydantic from; which fields are free is asked elsewhere."""
    func = call.func
    owner: ast.expr | None = func
    if isinstance(func, ast.Attribute):
        owner = func.value if func.attr in {"model_validate", "parse_obj"} else None
    known = module.type_of(owner) if owner is not None else None
    info = module.modules.class_info(known.name) if known is not None and known.kind is Kind.CLASS else None
    if info is None or not info.is_a("pydantic.BaseModel"):
        return
    if owner is not func:
        yield from call.args[:1]
    else:
        yield from (word.value for word in call.keywords if word.arg is None)


def _literal(node: ast.expr, module: Module) -> ast.Dict | None:
    """The dictionary that is written for an expression, also where a name of the function holds it."""
    if isinstance(node, ast.Dict):
        return node
    if isinstance(node, ast.Name):
        found = module.lookup(node.id, node)
        if found is not None and found[0].kind == "function" and len(found[1]) == 1:
            binding = found[1][0]
            if binding.kind == "assign" and not binding.path and isinstance(binding.value, ast.Dict):
                return binding.value
    return None


def _item(literal: ast.Dict, key: object) -> ast.expr | None:
    for name, value in zip(literal.keys, literal.values, strict=True):
        if isinstance(name, ast.Constant) and name.value == key:
            return value
    return None


def _added(name: str, function: FunctionInfo) -> Iterator[ast.expr]:
    """What a function adds to a list that a name holds."""
    source = function.module.source
    for method in ("append", "add", "insert", "extend"):
        for call in source.calls.get(method, ()):
            match call.func:
                case ast.Attribute(value=ast.Name(id=owner)) if owner == name and call.args:
                    if source.enclosing_function(call) is function.node:
                        yield call.args[-1]
