"""Facts about Django's transactions: what runs inside of one, and which writes belong into one."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace

from pybackend_lint.frameworks import (
    celery_tasks,
    django,
    django_models,
    django_queries,
    django_signals,
    django_web,
)
from pybackend_lint.frameworks.database_effects import DatabaseCall, database_call, direct_call
from pybackend_lint.project import calls
from pybackend_lint.project.callers import Caller, callers, depends_on_arguments
from pybackend_lint.project.calls import CallSite, Step
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.project.layout import is_test_file
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Binding
from pybackend_lint.semantic.types import Kind, Type
from pybackend_lint.source import last_name

_COMMAND = "django.core.management.base.BaseCommand"
_SERIALIZER = "rest_framework.serializers.BaseSerializer"
_ROW_MAKERS = ("django.forms.BaseModelForm", "rest_framework.serializers.ModelSerializer")
# Classes whose methods Django calls inside of a transaction.
_OPEN_CLASSES = ("django.contrib.admin.ModelAdmin", "django.contrib.admin.options.ModelAdmin")
_VIEW_FUNCTIONS = frozenset(
    {
        "rest_framework.decorators.api_view", "django.contrib.auth.decorators.login_required",
        "django.views.decorators.http.require_POST", "django.views.decorators.http.require_http_methods",
    }
)  # fmt: skip
_SETTING = b"ATOMIC_REQUESTS"
_SWITCHED_OFF = re.compile(_SETTING + rb"""["'\]]*\s*[:=]\s*False\b""")
_MAX_DEPTH = 4


def is_view(function: FunctionInfo) -> bool:
    """Whether a function answers a request: a view, or a method of a class-based one, of DRF too."""
    owner = function.owner
    if owner is not None:
        return django_web.is_view(owner)
    if any(name in _VIEW_FUNCTIONS for name in function.decorators):
        return True
    arguments = function.node.args.args
    return bool(arguments) and arguments[0].arg == "request" and not function.node.decorator_list


def is_entry(function: FunctionInfo) -> bool:
    """Whether a framework calls a function for a user: a view, a method of a serializer or a task."""
    owner = function.owner
    if owner is not None and owner.is_a(_SERIALIZER):
        return function.node.name in {"create", "update", "save"} and not _may_be_used_in_transaction(owner)
    return is_view(function) or celery_tasks.is_task(function)


def _may_be_used_in_transaction(serializer: ClassInfo) -> bool:
    """Whether code that mentions a serializer, or one that inherits from it, opens transactions."""
    module = serializer.module
    index = module.modules
    if not isinstance(index, Index):
        return True
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    names = {serializer.node.name}
    for home in _mentioning(serializer.node.name, module, index):
        classes = map(home.class_info_of, home.source.nodes(ast.ClassDef))
        names.update(info.node.name for info in classes if info.is_a(serializer.name))
    return any(
        "atomic" in text and any(name in text for name in names)
        for name in sorted(names)
        for home in _mentioning(name, module, index)
        if home is not module and not is_test_file(index.path_of(home), root)
        for text in map(home.source.segment, home.source.tree.body)
    )


def _mentioning(name: str, module: Module, index: Index) -> Iterator[Module]:
    for path in files_with(index, module, name.encode()):
        home = index.at(path, module)
        if home is not None:
            yield home


def is_command(function: FunctionInfo) -> bool:
    """Whether a function is the entry of a management command."""
    owner = function.owner
    return owner is not None and owner.is_a(_COMMAND) and function.node.name == "handle"


def requests_are_atomic(module: Module) -> bool:
    """Whether a file of the project may switch on the setting that opens a transaction for each request."""
    index = module.modules
    if not isinstance(index, Index):
        return True
    files = [index.content(path) for path in files_with(index, module, _SETTING)]
    return any(content.count(_SETTING) > len(_SWITCHED_OFF.findall(content)) for content in files)


def opens_transaction(function: FunctionInfo) -> bool:
    """Whether a function, or the class-based view that it belongs to, may run in a transaction as a whole.

    True as well where a decorator may open one that is not known.
    """
    if any(_may_open(decorator, function.module) for decorator in function.node.decorator_list):
        return True
    owner = function.owner
    return owner is not None and any(_class_opens(item) for item in owner.mro if isinstance(item, ClassInfo))


def _may_open(decorator: ast.expr, module: Module) -> bool:
    if django.is_atomic(decorator, module):
        return True
    if isinstance(decorator, ast.Call) and any(django.is_atomic(item, module) for item in decorator.args):
        return True  # method_decorator(transaction.atomic)
    name = module.qualified_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
    function = module.modules.function_info(name) if name is not None else None
    return name is None or (function is not None and b"atomic" in function.module.source.data)


def _class_opens(item: ClassInfo) -> bool:
    if any(_may_open(decorator, item.module) for decorator in item.node.decorator_list):
        return True
    starts = any(method.node.name in {"dispatch", "initial"} for method in item.methods())
    return starts and b"atomic" in item.module.source.data


def may_be_called_in_transaction(function: FunctionInfo, depth: int = 0) -> bool:
    """Whether a caller of a function may have opened a transaction, as far up as calls are followed.

    True where nobody is known to call it and no framework does: then it may be called from anywhere.
    Coroutines run outside of them, for `atomic` cannot be used in a coroutine.
    """
    if function.is_async and not function.node.decorator_list:
        return False
    if opens_transaction(function) or depth > _MAX_DEPTH:
        return True
    known = [caller for caller in callers(function) if not _is_command_without(caller)]
    if not known:
        return not is_entry(function)
    for caller in known:
        around = caller.function
        if around is None or _may_be_in_block(caller.call, caller.module):
            return True
        if around.node is function.node:
            continue
        if may_be_called_in_transaction(around, depth + 1):
            return True
    return False


def _is_command_without(caller: Caller) -> bool:
    """Whether a call stands in a management command outside of a transaction."""
    around = caller.function
    if around is None or not is_command(around) or opens_transaction(around):
        return False
    return not _may_be_in_block(caller.call, caller.module)


def enclosing(node: ast.AST, module: Module) -> FunctionInfo | None:
    """The function in whose body a node stands, None for a lambda's or a module's."""
    function = module.source.enclosing_function(node)
    return module.function_info(function) if isinstance(function, FUNCTIONS) else None


# Writes that belong together

CREATES = ("create", "get_or_create", "update_or_create", "create_user", "acreate", "aget_or_create",
           "aupdate_or_create", "save", "asave")  # fmt: skip
_CREATED = frozenset({"create", "bulk_create", "acreate", "abulk_create", "get_or_create", "aget_or_create"})
# Rows that tell of something that has happened, whether or not they can be written.
_RECORDS = (
    "log", "audit", "histor", "event", "notif", "activit", "message", "mail", "token", "record", "stat",
    "change", "revision",
)  # fmt: skip
_OTHER_BLOCKS = (*FUNCTIONS, ast.Lambda, ast.ClassDef, ast.Try, ast.With)


# Calls that certainly make a row, where a function may return it.
_MAKES = ("create", "create_user", "save")


@dataclass(frozen=True, slots=True, eq=False)
class TornWrite:
    """A row of a model that is created, and a write that belongs to it and may fail behind it."""

    model: str
    second: DatabaseCall


def torn_write(call: ast.Call, module: Module) -> TornWrite | None:
    """The write that belongs to a row which a call creates, when nothing keeps the two together.

    None where a transaction may be open, where the second only records the first, and where it is
    allowed to fail.
    """
    statement = module.source.statement(call)
    if not _is_used_later(statement, call, module):
        return None
    function = enclosing(call, module)
    created = _created_row(call, statement, module) if function is not None else None
    if created is None or function is None or _is_framework_hook(function):
        return None
    second = _dependent_write(statement, *created, module)
    if second is None or _is_repaired(statement, call, second, module):
        return None
    if _may_be_in_block(call, module):
        return None
    if not celery_tasks.is_task(function) and requests_are_atomic(module):
        return None
    return None if may_be_called_in_transaction(function) else TornWrite(created[1], second)


def making_calls(module: Module) -> Iterator[ast.Call]:
    """The calls of a file whose names let them be of project functions that return a row they have made.

    Only where the file writes rows itself, which may belong to the others.
    """
    source, index = module.source, module.modules
    assert isinstance(index, Index)
    if source.calls.keys().isdisjoint(CREATES):
        return
    names = frozenset().union(*map(_makers, (module, *calls.imported_modules(module))))
    for name in sorted(names & source.calls.keys()):
        yield from source.calls[name]


def _makers(module: Module) -> frozenset[str]:
    """The names of the functions of a module that may return a row they have made."""
    index = module.modules
    assert isinstance(index, Index)
    return index.fact(("makers of rows", module.name, id(module)), lambda: _names_of_makers(module))


def _names_of_makers(module: Module) -> frozenset[str]:
    source = module.source
    if not any(name.encode() in source.data for name in _MAKES):
        return frozenset()
    around = [source.enclosing_function(call) for name in _MAKES for call in source.calls.get(name, ())]
    return frozenset(
        function.name
        for function in around
        if isinstance(function, ast.FunctionDef) and any(module.function_info(function).returned)
    )


def _made_by(function: FunctionInfo) -> str | None:
    """The model of the row that a function certainly makes and returns; None where it may return another."""
    if function.is_async or not calls.follows(function) or function.is_property:
        return None
    models = {_returned_row(value, function) for value in function.returned}
    return models.pop() if len(models) == 1 else None


def _returned_row(value: ast.expr | None, function: FunctionInfo) -> str | None:
    module = function.module
    if isinstance(value, ast.Name):
        found = module.lookup(value.id, value)
        binding = found[1][0] if found is not None and len(found[1]) == 1 else None
        made = binding.value if binding is not None and binding.kind == "assign" else None
        if binding is None or binding.path or not isinstance(made, ast.Call):
            return None
        if last_name(made.func) not in _MAKES:
            saved = _saved_row(value, module)
            statement = module.source.statement(made)
            is_saved = saved is not None and _saving(value.id, statement, module) is not None
            return saved[1] if saved is not None and is_saved else None
        value = made
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return None
    if value.func.attr not in {"create", "create_user"}:
        return None
    return _model_of(value.func.value, module)


def _model_of(manager: ast.expr, module: Module) -> str | None:
    """The model whose rows a manager or queryset makes; None for other values."""
    known = module.type_of(manager)
    row = known.argument() if django.is_queryset_or_manager(known, module) and known else None
    return row.name if row is not None else None


def _is_in_other_block(call: ast.Call, module: Module) -> bool:
    """Whether a context manager of the project around a call may open a transaction."""
    for around in module.source.ancestors(call):
        if isinstance(around, FUNCTIONS):
            return False
        if isinstance(around, ast.With) and any(_may_open(i.context_expr, module) for i in around.items):
            return True
    return False


def _is_used_later(statement: ast.stmt, call: ast.Call, module: Module) -> bool:
    """Whether a later call of the block gets what a statement binds, or the row that it saves."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name) | ast.Tuple(elts=[ast.Name(id=name), *_])]):
            pass
        case ast.AnnAssign(target=ast.Name(id=name)):
            pass
        case ast.Expr() if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            name = call.func.value.id
        case _:
            return False
    return any(
        _uses(node, name) if isinstance(node, ast.Call) else _owner_given(node, name) is not None
        for later in _following(statement, module)
        for node in _own(later)
    )


def _owner_given(node: ast.AST, name: str) -> ast.Name | None:
    """The row whose column is set to the row of another name, or to its key: `profile.user = user`."""
    match node:
        case ast.Assign(targets=[ast.Attribute(value=ast.Name() as owner)], value=value):
            given = value.value if isinstance(value, ast.Attribute) and value.attr in {"pk", "id"} else value
            return owner if isinstance(given, ast.Name) and given.id == name else None
    return None


def _created_row(call: ast.Call, statement: ast.stmt, module: Module) -> tuple[str, str] | None:
    """The name that holds the row which a call creates, and its model."""
    target: ast.expr | None = None
    if isinstance(statement, ast.Assign):
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    elif not isinstance(statement, ast.Expr):
        return None
    value = statement.value
    if isinstance(value, ast.Await):
        value = value.value
    if value is not call:
        return None
    if last_name(call.func) not in CREATES:
        function = module.function_called(call) if isinstance(target, ast.Name) else None
        model = _made_by(function) if function is not None else None
        return (target.id, model) if isinstance(target, ast.Name) and model is not None else None
    if not isinstance(call.func, ast.Attribute):
        return None
    saves = call.func.attr in {"save", "asave"}
    if target is None:
        return _saved_row(call.func.value, module) if saves else None
    if isinstance(target, ast.Tuple) and target.elts:
        target = target.elts[0]
    if not isinstance(target, ast.Name):
        return None
    if saves:
        made = module.type_of(call)
        model = made.name if made is not None and django.is_model_instance(made, module) else None
        model = model if made is not None else _made_by_form(call, module)
        return (target.id, model) if model is not None else None
    model = _model_of(call.func.value, module)
    return (target.id, model) if model is not None else None


def _saved_row(row: ast.expr, module: Module) -> tuple[str, str] | None:
    """The name and model of a row that is saved for the first time: the function has just made it."""
    found = module.lookup(row.id, row) if isinstance(row, ast.Name) else None
    made = found[1][0].value if found is not None and len(found[1]) == 1 else None
    if not isinstance(made, ast.Call) or not isinstance(row, ast.Name):
        return None
    callee, known = module.type_of(made.func), module.type_of(row)
    if callee is None or callee.kind is not Kind.CLASS or known is None:
        model = _made_by_form(made, module, commits=False)
        return (row.id, model) if model is not None else None
    return (row.id, known.name) if django.is_model_instance(known, module) else None


def _made_by_form(call: ast.Call, module: Module, *, commits: bool = True) -> str | None:
    """The model of the new row that `form.save()` or `serializer.save()` makes; None where that is not known.

    - `commits`: the row is saved as well, unlike by `form.save(commit=False)`.
    """
    func = call.func
    if not isinstance(func, ast.Attribute) or func.attr != "save" or not isinstance(func.value, ast.Name):
        return None
    given = [keyword.value for keyword in call.keywords if keyword.arg == "commit"] or call.args
    is_kept = not given or (isinstance(given[0], ast.Constant) and given[0].value is True)
    if is_kept is not commits or (given and not isinstance(given[0], ast.Constant)):
        return None
    found = module.lookup(func.value.id, func.value)
    bindings = found[1] if found is not None and found[0].kind == "function" else ()
    names = {_form_class(binding, module) for binding in bindings}
    name = names.pop() if len(names) == 1 else None
    info = module.modules.class_info(name) if name is not None else None
    if info is None or not info.is_a(*_ROW_MAKERS):
        return None
    model = django_web.meta_value(info, "model")
    row = model[0].class_named(model[1]) if model is not None else None
    return row.name if row is not None else None


def _form_class(binding: Binding, module: Module) -> str | None:
    """The class of a form or serializer that is made for a new row, by the place that binds its name."""
    if binding.kind == "parameter":
        return _form_of_view(binding.node, module)
    call = binding.value
    if binding.kind != "assign" or binding.path or not isinstance(call, ast.Call):
        return None
    if any(keyword.arg in {"instance", None} for keyword in call.keywords):
        return None
    if isinstance(call.func, ast.Attribute) and call.func.attr == "get_serializer" and not call.args:
        return _form_of_view(call, module)
    known = module.type_of(call.func)
    if known is None or known.kind is not Kind.CLASS:
        return None
    info = module.modules.class_info(known.name)
    updates = bool(call.args) and info is not None and info.is_a(_SERIALIZER)
    return None if updates else known.name


def _form_of_view(node: ast.AST, module: Module) -> str | None:
    """The class of the form or serializer that a view hands to the method around a node to make a new row."""
    function: ast.AST | None = next(
        (around for around in module.source.ancestors(node) if isinstance(around, FUNCTIONS)), None
    )
    owner = module.function_info(function).owner if isinstance(function, FUNCTIONS) else None
    option, chooser = "serializer_class", "get_serializer_class"
    if owner is None or not isinstance(function, FUNCTIONS):
        return None
    if isinstance(node, ast.arg) and not (
        function.name == "perform_create" and owner.is_a("rest_framework.mixins.CreateModelMixin")
    ):
        if function.name != "form_valid" or not owner.is_a("django.views.generic.BaseCreateView"):
            return None
        option, chooser = "form_class", "get_form_class"
    if isinstance(node, ast.Call) and function.name not in {"create", "post"}:
        return None
    if owner.method(chooser) is not None or owner.method(chooser.removesuffix("_class")) is not None:
        return None
    written = owner.member(option)
    if written is None or written[1].value is None or written[1].path:
        return None
    return written[0].module.qualified_name(written[1].value)


def _is_framework_hook(function: FunctionInfo) -> bool:
    owner = function.owner
    if owner is None:
        return False
    saves = django.is_model(owner) and function.node.name in {"save", "delete", "clean"}
    return saves or owner.is_a(_COMMAND, *_OPEN_CLASSES)


def _dependent_write(statement: ast.stmt, name: str, model: str, module: Module) -> DatabaseCall | None:
    for later in _following(statement, module):
        for node in _own(later):
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store):
                return None
            found = None
            if isinstance(node, ast.Call) and _uses(node, name):
                found = _belonging(node, model, module)
            elif isinstance(node, ast.Assign):
                found = _owner_saved(node, name, model, module)
            if found is not None:
                return found
        if isinstance(later, (ast.Return, ast.Raise)):
            return None
    return None


def _owner_saved(node: ast.Assign, name: str, model: str, module: Module) -> DatabaseCall | None:
    """Where a new row of another model is saved once it belongs to the row of a name."""
    owner = _owner_given(node, name)
    row = _saved_row(owner, module) if owner is not None else None
    saved = _saving(row[0], node, module) if row is not None else None
    if saved is None or row is None or row[1] == model or _is_record(row[1]):
        return None
    return _written_by(saved, module)


def _is_record(model: str) -> bool:
    name = model.rpartition(".")[2].lower()
    return any(word in name for word in _RECORDS)


def _written_by(saved: ast.Call, module: Module) -> DatabaseCall:
    """The write that a call of `save` is, of a row or by a form."""
    callee = Type(f"{django_models.MODEL}.save", Kind.EXTERNAL)
    return DatabaseCall(CallSite(callee.name, callee, saved, False, module), "save", True)


def _is_repaired(statement: ast.stmt, first: ast.Call, second: DatabaseCall, module: Module) -> bool:
    """Whether doing all again makes up for a second write that failed.

    What finds the row instead of creating it goes on from there, unless the second write asks for a new one.
    """
    method = first.func.attr if isinstance(first.func, ast.Attribute) else ""
    if not method.endswith("_or_create"):
        return False
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=[_, ast.Name(id=flag)])]):
            for around in module.source.ancestors(second.site.node):
                if (
                    isinstance(around, ast.If)
                    and isinstance(around.test, ast.Name)
                    and around.test.id == flag
                ):
                    return False
    return True


def _following(statement: ast.stmt, module: Module) -> list[ast.stmt]:
    """The statements behind one in its block."""
    parent = module.source.parent(statement)
    for field in ("body", "orelse", "finalbody"):
        block = getattr(parent, field, None)
        if isinstance(block, list) and statement in block:
            return block[block.index(statement) + 1 :]
    return []


def _own(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement in the order of the text, without functions, and without guarded blocks."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        if not isinstance(node, _OTHER_BLOCKS):
            yield node
            pending.extend(reversed(list(ast.iter_child_nodes(node))))


def _uses(call: ast.Call, name: str) -> bool:
    """Whether a call gets a row, its key, or rows that are made with it, or is one of its relation."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    for value in given:
        inner = value.value if isinstance(value, ast.Attribute) and value.attr in {"pk", "id"} else value
        if isinstance(inner, ast.Name) and inner.id == name:
            return True
    match call.func:
        case ast.Attribute(attr="bulk_create" | "abulk_create"):
            parts = (part for value in given for part in ast.walk(value))
            return any(isinstance(part, ast.Name) and part.id == name for part in parts)
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id=owner))):
            return owner == name
    return False


def _belonging(call: ast.Call, model: str, module: Module) -> DatabaseCall | None:
    """The creation of rows of another model that a call makes, itself or in a function of the project."""
    other = _made_by_form(call, module) if last_name(call.func) == "save" else None
    if other is not None:
        return _written_by(call, module) if other != model and not _is_record(other) else None
    saved = _saved_later(call, module)
    if saved is not None:
        call = saved
    awaited = {id(call)} if isinstance(module.source.parent(call), ast.Await) else set()
    for site in calls.sites_of(call, module, awaited):
        found = database_call(site)
        if found is None or not found.writes:
            continue
        receiver = site.callee.receiver
        row = receiver.argument() if receiver is not None and saved is None else receiver
        if found.chain:
            name = row.name.rpartition(".")[2].lower() if row is not None else ""
            creates = found.chain[-1].name.rpartition(".")[2] in _CREATED
            return found if creates and not any(word in name for word in _RECORDS) else None
        if (found.method not in _CREATED and saved is None) or row is None or row.name == model:
            return None
        return None if _is_record(row.name) else found
    return None


def _saved_later(call: ast.Call, module: Module) -> ast.Call | None:
    """Where the row of a model that a call makes is saved: at once, or by the name that it is given."""
    source = module.source
    known = module.type_of(call.func)
    if known is None or known.kind is not Kind.CLASS or not django_models.is_model_name(known.name, module):
        return None
    match source.parent(call):
        case ast.Attribute(attr="save" | "asave") as method:
            outer = source.parent(method)
            return outer if isinstance(outer, ast.Call) and outer.func is method else None
        case ast.Assign(targets=[ast.Name(id=name)]) as statement:
            return _saving(name, statement, module)
    return None


def _saving(name: str, statement: ast.stmt, module: Module) -> ast.Call | None:
    """Where the row of a name is saved behind a statement, unless the name is bound again."""
    for later in _following(statement, module):
        for node in _own(later):
            match node:
                case ast.Name(id=other, ctx=ast.Store()) if other == name:
                    return None
                case ast.Call(func=ast.Attribute(attr="save" | "asave", value=ast.Name(id=row))):
                    if row == name:
                        return node
    return None


# Locks and coroutines

_EVALUATES = frozenset(
    {"get", "first", "last", "earliest", "latest", "in_bulk", "get_or_create", "update_or_create"}
)
_LOOKS = frozenset({"list", "tuple", "set", "len", "bool", "sorted", "dict", "next"})
_NEEDS_CONNECTION = frozenset(
    f"django.db.transaction.{name}"
    for name in ("atomic", "on_commit", "set_autocommit", "get_autocommit", "commit", "rollback", "savepoint",
                 )
)  # fmt: skip


def lock_without_transaction(call: ast.Call, module: Module) -> tuple[FunctionInfo, list[Caller]] | None:
    """The view, task or command that evaluates a queryset with `select_for_update` outside of a transaction.

    The calls lead from it to the function that does so, if it is another. None where a transaction may be
    open, and where the queryset is only built.
    """
    receiver = module.type_of(call.func.value) if isinstance(call.func, ast.Attribute) else None
    function = enclosing(call, module)
    if function is None or not django.is_queryset_or_manager(receiver, module):
        return None
    if not _is_evaluated(call, module) or _may_be_in_block(call, module):
        return None
    return _way_without_transaction(call, function)


def _may_be_in_block(call: ast.Call, module: Module) -> bool:
    return django_queries.atomic_block(call, module) is not None or _is_in_other_block(call, module)


def _way_without_transaction(
    call: ast.Call, function: FunctionInfo, depth: int = 0
) -> tuple[FunctionInfo, list[Caller]] | None:
    """An entry from which a call in a function is reached without a transaction, and the calls on the way."""
    if function.is_async or opens_transaction(function) or _manages_transaction(function):
        return None
    known = callers(function)
    is_outside = is_command(function) or celery_tasks.is_task(function)
    if is_outside or (is_view(function) and not _is_admin(function)):
        if known and may_be_called_in_transaction(function):
            return None
        if is_outside or not requests_are_atomic(function.module):
            return function, []
    if depth == _MAX_DEPTH or depends_on_arguments(call, function):
        return None
    for caller in known:
        around = caller.function
        if around is None or around.node is function.node or _may_be_in_block(caller.call, caller.module):
            continue
        found = _way_without_transaction(caller.call, around, depth + 1)
        if found is not None:
            return found[0], [*found[1], caller]
    return None


def _is_admin(function: FunctionInfo) -> bool:
    return function.owner is not None and function.owner.is_a(*_OPEN_CLASSES)


def _manages_transaction(function: FunctionInfo) -> bool:
    """Whether a function turns off the commit after each query itself, or enters a block in another way."""
    source = function.module.source
    return any(
        source.enclosing_function(call) is function.node
        for name in ("set_autocommit", "enter_context", "atomic")
        for call in source.calls.get(name, ())
        if not isinstance(source.parent(call), ast.withitem)
    )


def _is_evaluated(call: ast.Call, module: Module) -> bool:
    """Whether the rows of a chain of queryset methods that starts at a call are read at once."""
    node: ast.expr = call
    source = module.source
    while True:
        parent = source.parent(node)
        if isinstance(parent, ast.Attribute):
            outer = source.parent(parent)
            if not isinstance(outer, ast.Call) or outer.func is not parent:
                return False
            if parent.attr in _EVALUATES:
                return True
            if parent.attr not in django.LAZY:
                return False
            node = outer
            continue
        if isinstance(parent, ast.Subscript) and parent.value is node:
            if not isinstance(parent.slice, ast.Slice):
                return True
            node = parent
            continue
        if isinstance(parent, (ast.For, ast.comprehension)):
            return parent.iter is node
        if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and node in parent.args:
            if parent.func.id == "get_object_or_404":
                return parent.args[0] is node
            return parent.func.id in _LOOKS
        return False


def needs_connection(node: ast.expr, module: Module) -> str | None:
    """The name of the function when an expression is or calls one that works on the connection itself."""
    target = node.func if isinstance(node, ast.Call) else node
    name = module.qualified_name(target)
    return name.rpartition(".")[2] if name in _NEEDS_CONNECTION else None


# Effects that a rollback does not undo

_MAIL = frozenset(
    {
        "django.core.mail.send_mail", "django.core.mail.send_mass_mail", "django.core.mail.EmailMessage.send",
        "django.core.mail.EmailMultiAlternatives.send", "django.core.mail.message.EmailMessage.send",
        "django.core.mail.message.EmailMultiAlternatives.send",
    }
)  # fmt: skip
_HTTP = frozenset(
    f"{client}.{verb}"
    for client in ("requests", "requests.Session", "httpx", "httpx.Client")
    for verb in ("post", "put", "patch", "delete")
)
_SENDING = frozenset(name.rpartition(".")[2] for name in _MAIL | _HTTP)
# What functions that send mail are called; others are not searched for mail.
_SENDING_HINTS = ("mail", "notif", "send", "invit", "confirm", "remind", "alert", "welcome", "announce")


@dataclass(frozen=True, slots=True, eq=False)
class SideEffect:
    """A call in a transaction whose effect stays when the transaction is rolled back, or comes too early.

    - `what`: the name of what is sent; `queues`: whether a task is queued that may run before the commit.
    - `callers`: the calls on the way from the transaction, empty where it is opened in the same function.
    - `of_receiver`: the function is a receiver of `post_save`, and whoever saves a row opens the transaction.
    """

    node: ast.Call
    what: str
    queues: bool
    chain: tuple[Step, ...] = ()
    callers: tuple[Caller, ...] = ()
    of_receiver: bool = False


Block = ast.With | ast.FunctionDef


def side_effects(block: Block, module: Module) -> list[SideEffect]:
    """What a block of statements in a transaction sends or queues, if it writes to the database.

    Of a function that others call in a transaction, only the tasks that it queues.
    """
    if isinstance(block, ast.FunctionDef):
        openings = block.decorator_list
    else:
        openings = [item.context_expr for item in block.items]
    if not any(django.is_atomic(opening, module) for opening in openings):
        return _queued_for_callers(block, module) if isinstance(block, ast.FunctionDef) else []
    found = [effect for site in _sending_sites(block, module) for effect in _effect(site, block, module)]
    if found:
        writes = [s.node for s in django_queries.sites_within(block.body, module) if _writes(s)]
        found = [
            e for e in found if writes and (_is_request(e) or _is_followed(e.node, writes, block, module))
        ]
    return [*found, *_queued_tasks(block, module)]


def _is_request(effect: SideEffect) -> bool:
    """Whether what is sent asks another service, which may look for the rows at once."""
    return not effect.chain and not effect.what.startswith(("mail.", "Email"))


def _is_followed(call: ast.Call, writes: list[ast.expr], block: Block, module: Module) -> bool:
    """Whether the block writes or raises behind a call: what ends it is sent once all has been done."""
    last = call.end_lineno or call.lineno
    for around in module.source.ancestors(call):
        if around is block:
            break
        if isinstance(around, (ast.For, ast.While)):
            last = min(last, around.lineno)
    rows = [node.lineno for node in writes]
    rows += [n.lineno for statement in block.body for n in _own(statement) if isinstance(n, ast.Raise)]
    return any(row > last for row in rows)


def _sending_sites(block: Block, module: Module) -> Iterator[CallSite]:
    """The calls in a block whose names let them send something, in the order of the text."""
    source = module.source
    function = source.enclosing_function(block.body[0])
    first, last = block.body[0].lineno, block.end_lineno or block.lineno
    made = [
        call
        for name, named in source.calls.items()
        if name in _SENDING or any(hint in name for hint in _SENDING_HINTS)
        for call in named
        if first <= call.lineno <= last and source.enclosing_function(call) is function
    ]
    yield from calls.in_order(site for call in made for site in calls.sites_of(call, module, set()))


def _writes(site: CallSite) -> bool:
    found = database_call(site)
    return found is not None and found.writes


def _effect(site: CallSite, block: Block, module: Module) -> Iterator[SideEffect]:
    call = site.node
    if not isinstance(call, ast.Call) or _is_inner(call, block, module) or _is_handling(call, module):
        return
    if site.name in _MAIL or (site.name in _HTTP and isinstance(module.source.parent(call), ast.Expr)):
        yield SideEffect(call, ".".join(site.name.split(".")[-2:]), False)
    else:
        function = calls.target(site)
        if function is not None and calls.follows(function) and not function.is_async:
            chain = calls.reach(
                function, "sends mail", _sends_mail, lambda inner: not inner.is_async, _is_site_handling
            )
            if chain is not None:
                yield SideEffect(call, chain[-1].name, False, chain)


def _sends_mail(site: CallSite) -> bool:
    return site.name in _MAIL and not _is_site_handling(site)


def _is_site_handling(site: CallSite) -> bool:
    return _is_handling(site.node, site.module)


def _is_handling(node: ast.AST, module: Module) -> bool:
    """Whether a node stands in an exception handler: what is sent there tells of the failure."""
    return any(isinstance(around, ast.ExceptHandler) for around in module.source.ancestors(node))


def _queued_tasks(
    block: Block, module: Module, *, only_new: bool = False, rows: Set[str] = frozenset()
) -> Iterator[SideEffect]:
    """The tasks that are queued with rows that the block writes: they may run before the rows are there.

    With `only_new`, rows that the block creates; `rows` are the names of others that have just been written.
    """
    source = module.source
    index = module.modules
    if not isinstance(index, Index) or not celery_tasks.may_queue(module):
        return
    function = source.enclosing_function(block.body[0])
    sites = django_queries.sites_within(block.body, module)
    written = rows | _written_names(block, sites, module, only_new=only_new)
    first, last = block.body[0].lineno, block.end_lineno or block.lineno
    made = [call for name in celery_tasks.QUEUES for call in source.calls.get(name, ())]
    made += [site.node for site in sites if not only_new and isinstance(site.node, ast.Call)]
    for call in sorted(made, key=lambda call: (call.lineno, call.col_offset)):
        if not first <= call.lineno <= last or not any(celery_tasks.is_given(call, name) for name in written):
            continue
        if source.enclosing_function(call) is not function or _is_inner(call, block, module):
            continue
        task = celery_tasks.task_of(call, module)
        if task is not None:
            yield SideEffect(call, task.node.name, True)
            continue
        queued = celery_tasks.queued_by(call, written, module) if not only_new else None
        if queued is not None:
            yield SideEffect(call, queued.task, True, queued.chain)


def _queued_for_callers(node: ast.FunctionDef, module: Module) -> list[SideEffect]:
    """The tasks that a function queues too early, because it is called in a transaction."""
    function = module.function_info(node)
    if b"post_save" in module.source.data:
        queued = _queued_tasks(node, module, rows={"instance"})
        found = [effect for effect in queued if django_signals.is_for_new_rows(effect.node, module)]
        if found:
            return [replace(effect, of_receiver=True) for effect in found]
    return [
        replace(effect, callers=way)
        for effect in _queued_tasks(node, module, only_new=True)
        if (way := _way_from_transaction(effect.node, function))
    ]


def _way_from_transaction(call: ast.Call, function: FunctionInfo, depth: int = 0) -> tuple[Caller, ...]:
    """The calls that lead from a block in a transaction to a call in a function, empty if none are known."""
    for caller in callers(function) if not depends_on_arguments(call, function) else ():
        if django_queries.atomic_block(caller.call, caller.module) is not None:
            return (caller,)
        around = caller.function
        if around is not None and around.node is not function.node and depth < _MAX_DEPTH:
            way = _way_from_transaction(caller.call, around, depth + 1)
            if way:
                return (*way, caller)
    return ()


def _is_inner(call: ast.Call, block: ast.AST, module: Module) -> bool:
    """Whether a call stands in another transaction inside of the block, which is looked at by itself."""
    for around in module.source.ancestors(call):
        if around is block:
            return False
        if isinstance(around, ast.With) and any(
            django.is_atomic(i.context_expr, module) for i in around.items
        ):
            return True
    return False


def _written_names(block: Block, sites: list[CallSite], module: Module, *, only_new: bool) -> frozenset[str]:
    """The names of rows that a block creates, or saves: itself, or by a form or serializer."""
    found = set()
    source = module.source
    first, last = block.body[0].lineno, block.end_lineno or block.lineno
    made = [call for call in source.calls.get("save", ()) if first <= call.lineno <= last]
    for site in sites:
        written = direct_call(site)
        if written is not None and written.method in _CREATED and isinstance(site.node, ast.Call):
            made.append(site.node)
    for call in made:
        statement = source.statement(call)
        if isinstance(statement, ast.Assign) and statement.value is call:
            target = statement.targets[0]
            target = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else target
            found |= {target.id} if isinstance(target, ast.Name) else set()
        elif isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            is_written = not only_new or _saved_row(call.func.value, module) is not None
            found |= {call.func.value.id} if call.func.attr == "save" and is_written else set()
    return frozenset(found)


def locks_nothing(assignment: ast.Assign, module: Module) -> bool:
    """Whether a local name gets the rows to lock, and nothing reads it: a queryset locks when it is read."""
    match assignment:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as value) if (
            b"select_for_update" in module.source.data
        ):
            function = module.source.enclosing_function(assignment)
            if not isinstance(function, FUNCTIONS) or any(
                isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Store)
                for node in ast.walk(function)
            ):
                return False
            return django.is_queryset(module.type_of(value), module) and _is_locked(value, module)
    return False


def _is_locked(rows: ast.expr, module: Module) -> bool:
    """Whether a queryset, or one that it is made of, locks its rows."""
    known = module.type_of(rows)
    row = known.argument() if known is not None and django.is_queryset(known, module) else None
    if row is not None and isinstance(row.fact, django.Loaded) and row.fact.locked:
        return True
    match rows:
        case ast.Call(func=ast.Attribute(value=inner)):
            return _is_locked(inner, module)
    return False
