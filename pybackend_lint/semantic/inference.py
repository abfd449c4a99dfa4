"""Inference of light types: from annotations, constructors, results and iteration."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from pybackend_lint.semantic import generics, lambdas
from pybackend_lint.semantic.scopes import FUNCTIONS, Binding, Scope
from pybackend_lint.semantic.types import (
    CONTEXT_MANAGER,
    COROUTINE,
    NONE,
    Kind,
    Provider,
    Type,
    class_object,
    instance,
    join,
    with_facts,
)

if TYPE_CHECKING:
    from pybackend_lint.semantic.definitions import ClassInfo
    from pybackend_lint.semantic.module import Module

_NO_VARIABLES: Mapping[str, Type] = MappingProxyType({})
_UNION = frozenset({"typing.Union", "typing_extensions.Union"})
_OPTIONAL = frozenset({"typing.Optional", "typing_extensions.Optional"})
_TRANSPARENT_ANNOTATIONS = frozenset(
    {"ClassVar", "Final", "Required", "NotRequired", "ReadOnly", "Unpack", "InitVar", "Annotated"}
)
_TYPING = ("typing.", "typing_extensions.", "dataclasses.")
_AWAITABLES = frozenset(
    {COROUTINE, "typing.Awaitable", "collections.abc.Coroutine", "collections.abc.Awaitable",
     "asyncio.Task", "asyncio.Future"}
)  # fmt: skip
_CONTAINERS = {
    "List": "builtins.list", "Dict": "builtins.dict", "Set": "builtins.set", "Tuple": "builtins.tuple",
    "FrozenSet": "builtins.frozenset", "Type": "builtins.type",
}  # fmt: skip
_BUILTIN_CLASSES = frozenset(
    {"list", "dict", "set", "tuple", "frozenset", "str", "int", "float", "bool", "bytes", "object",
     "bytearray", "complex", "range"}
)  # fmt: skip
_RETURNS_BUILTIN = {
    "len": "int", "sum": "int", "abs": "int", "round": "float", "repr": "str", "format": "str", "chr": "str",
    "ord": "int", "isinstance": "bool", "issubclass": "bool", "callable": "bool", "any": "bool",
    "all": "bool", "hash": "int", "id": "int", "input": "str", "hex": "str", "bin": "str", "hasattr": "bool",
}  # fmt: skip
_KEEPS_ELEMENTS = frozenset({"list", "set", "tuple", "frozenset", "sorted", "reversed", "iter", "filter"})
# What shows how far a loop is, and gives what it is given.
_PASSES_ELEMENTS = frozenset(
    {
        "tqdm.tqdm", "tqdm.auto.tqdm", "tqdm.std.tqdm", "tqdm.asyncio.tqdm", "rich.progress.track",
        "alive_progress.alive_it", "click.progressbar", "progressbar.progressbar",
    }
)  # fmt: skip
_STR_METHODS_TO_STR = frozenset(
    {
        "format",
        "join",
        "strip",
        "lower",
        "upper",
        "title",
        "replace",
        "lstrip",
        "rstrip",
        "capitalize",
        "zfill",
    }
)


def infer(module: Module, node: ast.expr) -> Type | None:
    """The type of an expression's value, or None when it is not known for certain."""
    match node:
        case ast.Name():
            return _name_type(module, node)
        case ast.Attribute(value=value, attr=attr):
            owner = module.type_of(value)
            return attribute(module, owner, attr) if owner is not None else None
        case ast.Call():
            return _call_type(module, node)
        case ast.Await(value=value):
            awaited = module.type_of(value)
            return awaited.argument() if awaited is not None and awaited.name in _AWAITABLES else None
        case ast.Constant(value=value):
            return NONE if value is None else instance(f"builtins.{type(value).__name__}")
        case ast.JoinedStr():
            return instance("builtins.str")
        case ast.List(elts=elements) | ast.Set(elts=elements):
            kind = "builtins.list" if isinstance(node, ast.List) else "builtins.set"
            return instance(kind, join(module.type_of(element) for element in elements))
        case ast.Tuple(elts=elements):
            return instance("builtins.tuple", *(module.type_of(element) for element in elements))
        case ast.Dict(keys=keys, values=values):
            key = join(None if item is None else module.type_of(item) for item in keys)
            return instance("builtins.dict", key, join(module.type_of(item) for item in values))
        case ast.ListComp(elt=element):
            return instance("builtins.list", module.type_of(element))
        case ast.SetComp(elt=element):
            return instance("builtins.set", module.type_of(element))
        case ast.GeneratorExp(elt=element):
            return instance("typing.Iterator", module.type_of(element))
        case ast.DictComp(key=key_node, value=value):
            return instance("builtins.dict", module.type_of(key_node), module.type_of(value))
        case ast.IfExp(body=body, orelse=orelse):
            return _either(module, [body, orelse])
        case ast.BoolOp(op=ast.Or(), values=values):
            return _either(module, values)
        case ast.BoolOp(values=values):
            return join(module.type_of(value) for value in values)
        case ast.NamedExpr(value=value) | ast.Starred(value=value):
            return module.type_of(value)
        case ast.Subscript():
            return _subscript_type(module, node)
        case ast.Compare(left=left):
            compared = module.type_of(left)
            return instance("builtins.bool") if compared and compared.name.startswith("builtins.") else None
        case ast.BinOp(left=left, right=right):
            one, other = module.type_of(left), module.type_of(right)
            if isinstance(node.op, ast.Mod) and one is not None and one.name == "builtins.str":
                return one
            if isinstance(node.op, ast.Div) and one is not None and one.is_instance("pathlib.Path"):
                return one
            return join((one, other)) if one is not None and one.kind is Kind.INSTANCE else None
        case ast.UnaryOp(op=ast.Not()):
            return instance("builtins.bool")
    return None


def _either(module: Module, values: list[ast.expr]) -> Type | None:
    """The type of a value that is one of several.

    One of them may be a parameter that is None unless something is given, as in `client or Client()`:
    what is given is then taken to be of the same class, but nothing else is known of it.
    """
    given = [value for value in values if isinstance(value, ast.Name) and _is_optional(value, module)]
    if not given or len(given) == len(values):
        return join(module.type_of(value) for value in values)
    return _without_facts(join(module.type_of(value) for value in values if value not in given))


def _is_optional(name: ast.Name, module: Module) -> bool:
    """Whether a name is that of a parameter without annotation whose default is None."""
    found = module.lookup(name.id, name)
    return found is not None and len(found[1]) == 1 and _is_left_out(found[1][0])


def _is_left_out(binding: Binding) -> bool:
    default = binding.value if binding.kind == "parameter" and binding.annotation is None else None
    return isinstance(default, ast.Constant) and default.value is None


def _without_facts(known: Type | None) -> Type | None:
    if known is None or (known.fact is None and not known.args):
        return known
    return replace(known, fact=None, args=tuple(map(_without_facts, known.args)))


def _name_type(module: Module, node: ast.Name) -> Type | None:
    found = module.lookup(node.id, node)
    if found is None:
        name = module.qualified_name(node)
        return symbol_type(module, name) if name is not None else None
    scope, bindings = found
    if len(bindings) == 1:
        return binding_type(module, scope, bindings[0])
    bindings = [binding for binding in bindings if binding.kind != "declare"]
    others, again = _made_in_loop(module, bindings)
    made = [binding for binding in others if not _is_left_out(binding)]
    known = join(binding_type(module, scope, binding) for binding in made)
    if len(made) < len(others):
        known = _without_facts(known)
    return _after_loop(module, known, again) if again and known is not None else known


def _made_in_loop(module: Module, bindings: list[Binding]) -> tuple[list[Binding], list[Binding]]:
    """The bindings that the value of a name comes from, without and with those that a loop makes of it.

    The latter are such as `query = query.filter(x)`; what they are made of counts with the former.
    """
    found: dict[Binding, list[Binding]] = {}
    every = list(bindings)
    for binding in every:  # grows on the way
        root = _made_of_itself(binding)
        reaching = module.lookup(root.id, root) if root is not None else None
        if reaching is not None:
            found[binding] = reaching[1]
            every += [other for other in reaching[1] if other.kind != "declare" and other not in every]
    is_loop = any(
        other is binding or (other in found and _is_after(other, binding))
        for binding, earlier in found.items()
        for other in earlier
    )
    if not is_loop:
        return bindings, []
    return [binding for binding in every if binding not in found], list(found)


def _is_after(one: Binding, other: Binding) -> bool:
    return getattr(one.node, "lineno", 0) > getattr(other.node, "lineno", 0)


def _made_of_itself(binding: Binding) -> ast.Name | None:
    """The use of a name that calls and attributes make the name's next value of, and nothing else."""
    if binding.kind != "assign" or binding.path or binding.annotation is not None:
        return None
    root = binding.value
    while isinstance(root, (ast.Call, ast.Attribute, ast.Await)):
        root = root.func if isinstance(root, ast.Call) else root.value
    if not isinstance(root, ast.Name) or root.id != binding.name or binding.value is None:
        return None
    names = (node for node in ast.walk(binding.value) if isinstance(node, ast.Name))
    return root if sum(name.id == root.id for name in names) == 1 else None


def _after_loop(module: Module, first: Type, again: list[Binding]) -> Type | None:
    """The type of a name before and after any number of bindings that are made of itself."""
    for _ in range(2):
        found = join((first, *(_made_of(module, binding.value, first) for binding in again)))
        if found is None or found == first:
            return found
        first = found
    return None


def _made_of(module: Module, node: ast.expr | None, root: Type) -> Type | None:
    """The type of a chain of calls and attributes that begins with a value of the type `root`."""
    match node:
        case ast.Name():
            return root
        case ast.Attribute(value=value, attr=attr):
            owner = _made_of(module, value, root)
            return attribute(module, owner, attr) if owner is not None else None
        case ast.Call(func=func):
            callee = _made_of(module, func, root)
            return called(module, callee, node) if callee is not None else None
        case ast.Await(value=value):
            awaited = _made_of(module, value, root)
            return awaited.argument() if awaited is not None and awaited.name in _AWAITABLES else None
    return None


def symbol_type(module: Module, name: str) -> Type | None:
    """The type of what a qualified name refers to."""
    modules = module.modules
    if modules.class_info(name) is not None:
        return class_object(name)
    if modules.function_info(name) is not None:
        return Type(name, Kind.FUNCTION)
    variable = modules.variable_bindings(name)
    if variable is not None:
        home, bindings = variable
        return join(binding_type(home, home.scope, binding) for binding in bindings)
    if modules.module(name) is not None:
        return Type(name, Kind.MODULE)
    if modules.owns(name):
        return None  # the project's, but nothing that is known
    return Type(name, Kind.EXTERNAL)


def binding_type(module: Module, scope: Scope, binding: Binding) -> Type | None:
    """The type of the value that a binding gives its name."""
    return module.once(binding, lambda: _binding_type(module, scope, binding))


def _binding_type(module: Module, scope: Scope, binding: Binding) -> Type | None:
    match binding.kind:
        case "import" | "from" | "function" | "class":
            name = module._binding_name(scope, binding)
            if name is None:
                return None
            if binding.kind == "class":
                return class_object(name)
            if binding.kind == "function":
                return Type(name, Kind.FUNCTION)
            return symbol_type(module, name)
        case "assign" | "declare":
            declared = None
            if binding.annotation is not None:
                declared = annotated(module, binding.annotation, binding.node)
            if binding.value is None:
                return declared
            if declared is not None:
                return with_facts(declared, module.type_of(binding.value))
            return _unpacked(module, binding.value, binding.path)
        case "for" | "comprehension":
            assert binding.value is not None
            return _unpack(element(module, module.type_of(binding.value)), binding.path)
        case "with":
            assert binding.value is not None
            return _unpack(
                entered(module, module.type_of(binding.value), is_async=binding.is_async), binding.path
            )
        case "except":
            return _exception_type(module, binding.value)
        case "parameter":
            return parameter_type(module, scope, binding)
    return None


def _unpacked(module: Module, value: ast.expr, path: tuple[int, ...]) -> Type | None:
    while path and isinstance(value, (ast.Tuple, ast.List)) and 0 <= path[0] < len(value.elts):
        if any(isinstance(item, ast.Starred) for item in value.elts):
            return None
        value, path = value.elts[path[0]], path[1:]
    return _unpack(module.type_of(value), path)


def _unpack(value: Type | None, path: tuple[int, ...]) -> Type | None:
    for index in path:
        if value is None or index < 0:
            return None
        if value.name == "builtins.tuple":
            value = value.argument(index)
        else:
            value = value.argument()
    return value


def _exception_type(module: Module, caught: ast.expr | None) -> Type | None:
    if isinstance(caught, ast.Tuple):
        return None
    known = module.type_of(caught) if caught is not None else None
    return instance(known.name) if known is not None and known.kind in {Kind.CLASS, Kind.EXTERNAL} else None


def parameter_type(module: Module, scope: Scope, binding: Binding) -> Type | None:
    """The type of a parameter: its annotation, `self` and `cls`, what a framework injects, or an item.

    The last is what a lambda gets that is called for every item of something.
    """
    argument = binding.node
    assert isinstance(argument, ast.arg)
    function = scope.node
    if isinstance(function, FUNCTIONS):
        arguments = function.args
        if argument is arguments.vararg:
            item = annotated(module, binding.annotation, function) if binding.annotation is not None else None
            return instance("builtins.tuple", item)
        if argument is arguments.kwarg:
            item = annotated(module, binding.annotation, function) if binding.annotation is not None else None
            return instance("builtins.dict", instance("builtins.str"), item)
        info = module.function_info(function)
        first = [*arguments.posonlyargs, *arguments.args][:1]
        if info.owner is not None and first and first[0] is argument and not info.is_static:
            return class_object(info.owner.name) if info.is_class_method else instance(info.owner.name)
    if binding.annotation is not None:
        declared = annotated(module, binding.annotation, argument)
        if declared is not None and isinstance(binding.value, ast.Constant) and binding.value.value is None:
            return replace(declared, optional=True)
        return declared
    if isinstance(function, ast.Lambda):
        iterated = lambdas.iterated_by(function, module.source)
        return element(module, module.type_of(iterated)) if iterated is not None else None
    if isinstance(binding.value, ast.Call):
        callee = module.qualified_name(binding.value.func)
        provider = module.modules.provider(callee) if callee is not None else None
        if provider is not None:
            return provider.parameter(argument, binding.value, module)
    return None


def element(module: Module, value: Type | None) -> Type | None:
    """What iterating a value gives."""
    if value is None or value.kind is not Kind.INSTANCE:
        return None
    if value.name == "builtins.str":
        return value
    if value.name == "builtins.tuple":
        return join(value.args) if value.args else None
    if value.args:
        return value.args[0]
    info = module.modules.class_info(value.name)
    if info is not None:
        for name in ("__iter__", "__aiter__"):
            method = info.method(name)
            if method is not None and method.call_type is not None:
                return method.call_type.argument()
    return None


def entered(module: Module, value: Type | None, *, is_async: bool) -> Type | None:
    """The value of `y` in `with value as y`."""
    if value is None or value.kind is not Kind.INSTANCE:
        return None
    if value.name == CONTEXT_MANAGER:
        return value.argument()
    info = module.modules.class_info(value.name)
    if info is None:
        return value
    method = info.method("__aenter__" if is_async else "__enter__")
    if method is not None:
        result = method.call_type
        return result.argument() if is_async and result is not None else result
    return value if info.libraries else None


def attribute(module: Module, owner: Type, name: str) -> Type | None:
    """The type of an attribute of a value."""
    modules = module.modules
    match owner.kind:
        case Kind.MODULE:
            return symbol_type(module, modules.member_name(owner.name, name))
        case Kind.FUNCTION:
            return None
        case Kind.EXTERNAL:
            return _library_attribute(module, owner, name)
    if owner.name == "builtins.super" and owner.receiver is not None:
        return _super_attribute(module, owner, name)
    info = modules.class_info(owner.name)
    if info is not None:
        return class_attribute(module, info, owner, name)
    return _library_attribute(module, owner, name)


def _library_attribute(module: Module, owner: Type, name: str) -> Type | None:
    provider = module.modules.provider(owner.name)
    known = provider.attribute(owner, name, module) if provider is not None else None
    if known is not None:
        return known
    if owner.kind is Kind.INSTANCE:
        if owner.name == "builtins.tuple" and name[:1].isupper():
            return _named_item(owner, name)
        return Type(f"{owner.name}.{name}", Kind.EXTERNAL, receiver=owner)
    return Type(module.modules.member_name(owner.name, name), Kind.EXTERNAL)


def _named_item(row: Type, name: str) -> Type | None:
    """The object of a row that has the name of its class: `row.Order` of SQLAlchemy."""
    found = [item for item in row.args if item is not None and item.name.rpartition(".")[2] == name]
    return found[0] if len(found) == 1 else None


def class_attribute(module: Module, info: ClassInfo, owner: Type, name: str) -> Type | None:
    """The type of an attribute of a project class (`owner.kind` is CLASS) or of a value of it."""
    for provider in _providers(module, info):
        known = provider.attribute(owner, name, module)
        if known is not None:
            return known
    found = _member_type(info.mro, owner, name)
    if found is not _ABSENT:
        return found if isinstance(found, Type) else None
    for item in info.mro:
        if isinstance(item, str) and item not in {
            "builtins.object",
            "typing.Generic",
            "abc.ABC",
            "typing.Protocol",
        }:
            receiver = owner if owner.kind is Kind.INSTANCE else None
            return Type(f"{item}.{name}", Kind.EXTERNAL, receiver=receiver) if info.is_closed else None
    return None


def _providers(module: Module, info: ClassInfo) -> Iterator[Provider]:
    seen: list[Provider] = []
    for library in info.libraries:
        provider = module.modules.provider(library)
        if provider is not None and not any(provider is other for other in seen):
            seen.append(provider)
            yield provider


class _Absent:
    """No class body and no method sets the attribute."""


_ABSENT = _Absent()


def _member_type(mro: tuple[ClassInfo | str, ...], owner: Type, name: str) -> Type | _Absent | None:
    for item in mro:
        if isinstance(item, str):
            continue
        bindings = item.scope.bindings.get(name)
        if bindings:
            return _bound_member(item, item.effective(bindings), owner)
        values = item.instance_attributes.get(name)
        if values is not None and owner.kind is Kind.INSTANCE:
            return join(_assigned_type(item, annotation, value, owner) for annotation, value in values)
    return _ABSENT


def _assigned_type(
    info: ClassInfo, annotation: ast.expr | None, value: ast.expr | None, owner: Type
) -> Type | None:
    if info.type_parameters:
        known = generics.attribute(info, annotation, value, owner)
        if known is not None:
            return known
    if annotation is not None:
        return annotated(info.module, annotation, annotation)
    return info.module.type_of(value) if value is not None else None


def _bound_member(info: ClassInfo, binding: Binding, owner: Type) -> Type | None:
    if isinstance(binding.node, FUNCTIONS):
        function = info.module.function_info(binding.node)
        if function.is_property:
            return function.body_type() if owner.kind is Kind.INSTANCE else None
        bound = owner if owner.kind is Kind.INSTANCE or function.is_class_method else None
        return Type(function.name, Kind.FUNCTION, receiver=None if function.is_static else bound)
    if info.type_parameters and binding.annotation is not None:
        known = generics.attribute(info, binding.annotation, None, owner)
        if known is not None:
            return known
    found = binding_type(info.module, info.scope, binding)
    if found is not None or binding.value is not None:
        values = info.instance_attributes.get(binding.name)
        if found == NONE and values:  # a class default of None that methods replace
            return join(
                [found, *(_assigned_type(info, annotation, value, owner) for annotation, value in values)]
            )
    return found


def _super_attribute(module: Module, owner: Type, name: str) -> Type | None:
    this = owner.receiver
    assert this is not None
    info = module.modules.class_info(this.name)
    if info is None:
        return None
    rest = info.mro[1:]
    found = _member_type(rest, this, name)
    if found is not _ABSENT:
        return found if isinstance(found, Type) else None
    for provider in _providers(module, info):
        known = provider.attribute(this, name, module)
        if known is not None:
            return known
    for item in rest:
        if isinstance(item, str):
            return Type(f"{item}.{name}", Kind.EXTERNAL, receiver=this)
    return None


def _call_type(module: Module, call: ast.Call) -> Type | None:
    if isinstance(call.func, ast.Name) and call.func.id == "super" and not call.args:
        return _super_type(module, call)
    callee = module.type_of(call.func)
    if callee is None:
        return None
    return called(module, callee, call)


def _super_type(module: Module, call: ast.Call) -> Type | None:
    node = module.source.enclosing_class(call)
    if node is None:
        return None
    return Type("builtins.super", Kind.INSTANCE, receiver=instance(module.class_info_of(node).name))


def called(module: Module, callee: Type, call: ast.Call) -> Type | None:
    """The value of a call."""
    modules = module.modules
    if callee.kind is Kind.CLASS:
        info = modules.class_info(callee.name)
        if info is not None:
            for base_provider in _providers(module, info):
                known = base_provider.call(callee, call, module)
                if known is not None:
                    return known
        return instance(callee.name, *callee.args)
    if callee.kind is Kind.FUNCTION:
        function = modules.function_info(callee.name)
        if function is None:
            return None
        if callee.receiver is not None:
            receiver_class = modules.class_info(callee.receiver.name)
            if receiver_class is not None:
                for base_provider in _providers(module, receiver_class):
                    known = base_provider.call(callee, call, module)
                    if known is not None:
                        return known
            return function.call_type_for(callee.receiver)
        return function.call_type
    if callee.kind is Kind.EXTERNAL:
        if callee.name.startswith("builtins."):
            return _builtin_call(module, callee, call)
        provider = modules.provider(callee.name)
        if provider is not None:
            known = provider.call(callee, call, module)
            if known is not None:
                return known
        if callee.name in {"typing.cast", "typing_extensions.cast"} and call.args:
            declared = annotated(module, call.args[0], call)
            if declared is None or len(call.args) == 1:
                return declared
            return replace(with_facts(declared, module.type_of(call.args[1])), optional=declared.optional)
        if callee.name in _PASSES_ELEMENTS and call.args:
            return instance("typing.Iterator", element(module, module.type_of(call.args[0])))
        last = callee.name.rpartition(".")[2].lstrip("_")
        return instance(callee.name) if last[:1].isupper() and callee.receiver is None else None
    if callee.kind is Kind.INSTANCE:
        info = modules.class_info(callee.name)
        method = info.method("__call__") if info is not None else None
        if method is not None:
            return method.call_type
        provider = modules.provider(callee.name)
        return provider.call(callee, call, module) if provider is not None and info is None else None
    return None


def _builtin_call(module: Module, callee: Type, call: ast.Call) -> Type | None:
    name = callee.name.removeprefix("builtins.")
    first = module.type_of(call.args[0]) if call.args and not isinstance(call.args[0], ast.Starred) else None
    if name in _KEEPS_ELEMENTS and call.args:
        kind = {"sorted": "builtins.list", "set": "builtins.set", "tuple": "builtins.list"}.get(
            name, "builtins.list"
        )
        source = call.args[1] if name == "filter" and len(call.args) > 1 else call.args[0]
        return instance(kind, element(module, module.type_of(source)))
    if name in _BUILTIN_CLASSES:
        return instance(callee.name)
    if name in _RETURNS_BUILTIN:
        return instance(f"builtins.{_RETURNS_BUILTIN[name]}")
    if name == "enumerate":
        return instance(
            "typing.Iterator", instance("builtins.tuple", instance("builtins.int"), element(module, first))
        )
    if name == "zip":
        items = (element(module, module.type_of(argument)) for argument in call.args)
        return instance("typing.Iterator", instance("builtins.tuple", *items))
    if name == "next":
        return element(module, first)
    if name == "open":
        return instance("io.TextIOWrapper")
    if callee.receiver is not None:
        owner = callee.receiver
        method = name.rpartition(".")[2]
        if owner.name == "builtins.dict":
            key, item = owner.argument(0), owner.argument(1)
            if method == "items":
                return instance("builtins.list", instance("builtins.tuple", key, item))
            if method in {"values", "keys"}:
                return instance("builtins.list", item if method == "values" else key)
            if method in {"get", "pop", "setdefault"}:
                return item
        if owner.name == "builtins.str" and method in _STR_METHODS_TO_STR:
            return owner
        if owner.name == "builtins.str" and method in {"split", "splitlines", "rsplit"}:
            return instance("builtins.list", owner)
        if owner.name == "builtins.str" and method == "encode":
            return instance("builtins.bytes")
        if owner.name == "builtins.list" and method == "pop":
            return owner.argument()
        if method == "copy":
            return owner
        return None
    last = name.rpartition(".")[2]
    return instance(callee.name) if last[:1].isupper() else None


def _subscript_type(module: Module, node: ast.Subscript) -> Type | None:
    owner = module.type_of(node.value)
    if owner is None:
        return None
    if owner.kind is Kind.EXTERNAL:
        return owner  # a parametrised generic class
    info = module.modules.class_info(owner.name)
    if owner.kind is Kind.CLASS:
        if info is None or not info.type_parameters:
            return owner
        arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return replace(owner, args=tuple(annotated(module, item, node) for item in arguments))
    provider = module.modules.provider(owner.name)
    for asked in (
        _providers(module, info) if info is not None else (provider,) if provider is not None else ()
    ):
        known = asked.subscript(owner, node.slice, module)
        if known is not None:
            return known
    if isinstance(node.slice, ast.Slice):
        return owner
    if owner.name == "builtins.dict":
        return owner.argument(1)
    if owner.name == "builtins.tuple":
        if (
            isinstance(node.slice, ast.Constant)
            and isinstance(node.slice.value, int)
            and node.slice.value >= 0
        ):
            return owner.argument(node.slice.value)
        return None
    return owner.argument() if owner.name.startswith(("builtins.", "typing.")) else None


def annotated(
    module: Module,
    annotation: ast.expr,
    use: ast.AST,
    depth: int = 0,
    variables: Mapping[str, Type] = _NO_VARIABLES,
) -> Type | None:
    """The type of the values that an annotation describes; names are looked up at `use`.

    `variables` says what type variables stand for, by the names that they have in this module.
    """
    if depth > 12:
        return None
    match annotation:
        case ast.Constant(value=str(text)):
            try:
                parsed = ast.parse(text.strip(), mode="eval").body
            except (SyntaxError, ValueError):
                return None
            return annotated(module, parsed, use, depth + 1, variables)
        case ast.Constant(value=None):
            return NONE
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            sides = (annotated(module, side, use, depth + 1, variables) for side in (left, right))
            return join(sides)
        case ast.Name(id=name) if name in variables:
            return variables[name]
        case ast.Name() | ast.Attribute():
            return _named_annotation(module, annotation, use, depth)
        case ast.Subscript(value=value, slice=index):
            return _generic_annotation(module, value, index, use, depth, variables)
    return None


def annotation_name(module: Module, node: ast.expr, use: ast.AST) -> str | None:
    """The qualified name in an annotation, which may come from a string and have no place in the tree."""
    if isinstance(node, ast.Name):
        return module.name_of(node.id, use)
    if isinstance(node, ast.Attribute):
        owner = annotation_name(module, node.value, use)
        return module.modules.member_name(owner, node.attr) if owner is not None else None
    return None


def _named_annotation(module: Module, node: ast.expr, use: ast.AST, depth: int) -> Type | None:
    name = annotation_name(module, node, use)
    if name is None:
        return None
    modules = module.modules
    if modules.class_info(name) is not None:
        return instance(name)
    variable = modules.variable(name)
    if variable is not None:
        home, binding = variable
        return _alias(home, binding, depth) if binding.value is not None else None
    last = name.rpartition(".")[2]
    if name.startswith(_TYPING):
        if last == "Self":
            owner = module.source.enclosing_class(use)
            return instance(module.class_info_of(owner).name) if owner is not None else None
        if last in _CONTAINERS:
            return instance(_CONTAINERS[last])
        if last in {"Any", "Never", "NoReturn", "AnyStr"}:
            return NONE if last in {"Never", "NoReturn"} else None
    if name in {"builtins.None", "types.NoneType"}:
        return NONE
    if name == "builtins.object" or modules.function_info(name) is not None:
        return None
    if modules.owns(name):
        return None
    return instance(name)


def _alias(home: Module, binding: Binding, depth: int) -> Type | None:
    value = binding.value
    assert value is not None
    if binding.kind == "type" or isinstance(
        value, (ast.Subscript, ast.BinOp, ast.Name, ast.Attribute, ast.Constant)
    ):
        return annotated(home, value, binding.node, depth + 1)
    if isinstance(value, ast.Call):
        callee = home.qualified_name(value.func)
        if callee in {"typing.NewType", "typing_extensions.NewType"} and len(value.args) == 2:
            return annotated(home, value.args[1], binding.node, depth + 1)
        known = home.type_of(value)
        if known is not None and known.kind is Kind.CLASS:
            return instance(known.name)
    return None


def _generic_annotation(
    module: Module,
    value: ast.expr,
    index: ast.expr,
    use: ast.AST,
    depth: int,
    variables: Mapping[str, Type],
) -> Type | None:
    name = annotation_name(module, value, use)
    if name is None:
        return None
    arguments = index.elts if isinstance(index, ast.Tuple) else [index]
    last = name.rpartition(".")[2]

    def argument(position: int) -> Type | None:
        if position >= len(arguments):
            return None
        return annotated(module, arguments[position], use, depth + 1, variables)

    if name in _OPTIONAL:
        return join((argument(0), NONE))
    if name in _UNION:
        return join(argument(position) for position in range(len(arguments)))
    if name.startswith(_TYPING) and last in _TRANSPARENT_ANNOTATIONS:
        return argument(0)
    if last in {"type", "Type"} and (name == "builtins.type" or name.startswith(_TYPING)):
        described = argument(0)
        return class_object(described.name) if described is not None else None
    if last in {"Coroutine"} and name.startswith((*_TYPING, "collections.abc.")):
        return Type(COROUTINE, Kind.INSTANCE, (argument(2),))
    if last == "Awaitable":
        return Type(COROUTINE, Kind.INSTANCE, (argument(0),))
    if last == "Literal":
        return None
    if name in {"builtins.tuple", "typing.Tuple"}:
        if len(arguments) == 2 and isinstance(arguments[1], ast.Constant) and arguments[1].value is Ellipsis:
            return instance("builtins.list", argument(0))
        return instance("builtins.tuple", *(argument(position) for position in range(len(arguments))))
    if name.startswith(_TYPING) and last in _CONTAINERS:
        name = _CONTAINERS[last]
    if name.startswith("collections.abc."):
        name = f"typing.{last}"
    if last in {
        "AbstractContextManager",
        "AbstractAsyncContextManager",
        "ContextManager",
        "AsyncContextManager",
    }:
        return Type(CONTEXT_MANAGER, Kind.INSTANCE, (argument(0),))
    if module.modules.class_info(name) is None:
        variable = module.modules.variable(name)
        if variable is not None:
            return None  # a generic alias of the project
        if module.modules.owns(name):
            return None
    return instance(name, *(argument(position) for position in range(len(arguments))))
