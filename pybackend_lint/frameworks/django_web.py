"""Facts about Django's web layer: forms, class-based views, decorators, middleware and settings modules."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from pybackend_lint.frameworks import django_models
from pybackend_lint.frameworks.knowledge import Knowledge
from pybackend_lint.project.index import Index
from pybackend_lint.project.inventory import files_with
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.semantic.scopes import FUNCTIONS, Function
from pybackend_lint.semantic.types import Kind, Type

ROOTS: tuple[str, ...] = ()  # the types of `django` and `rest_framework` are those of the ORM's facts


def _bases(prefix: str, classes: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Class to bases, where names without a dot are completed by the prefix."""
    return {
        f"{prefix}{name}": tuple(base if "." in base else f"{prefix}{base}" for base in bases.split())
        for name, bases in classes.items()
    }


VIEW = "django.views.generic.View"
_ACCESS = "django.contrib.auth.mixins.AccessMixin"
_ACCESS_CHECKS = tuple(
    f"django.contrib.auth.mixins.{name}"
    for name in ("LoginRequiredMixin", "PermissionRequiredMixin", "UserPassesTestMixin")
)
_FORM = "django.forms.BaseForm"
_MODEL_FORM = "django.forms.BaseModelForm"
_FIELD = "django.forms.Field"
_ADMIN_OPTIONS = ("django.contrib.admin.ModelAdmin", "django.contrib.admin.AdminSite")
MIDDLEWARE_MIXIN = "django.utils.deprecation.MiddlewareMixin"

# The order of the bases is that of the class statements in Django 5.2 and 6.1 and in DRF 3.18.
BASES: dict[str, tuple[str, ...]] = {
    **_bases(
        "django.views.generic.",
        {
            "RedirectView": "View",
            "TemplateView": "TemplateResponseMixin ContextMixin View",
            "FormMixin": "ContextMixin",
            "ModelFormMixin": "FormMixin SingleObjectMixin",
            "ProcessFormView": "View",
            "BaseFormView": "FormMixin ProcessFormView",
            "FormView": "TemplateResponseMixin BaseFormView",
            "BaseCreateView": "ModelFormMixin ProcessFormView",
            "CreateView": "SingleObjectTemplateResponseMixin BaseCreateView",
            "BaseUpdateView": "ModelFormMixin ProcessFormView",
            "UpdateView": "SingleObjectTemplateResponseMixin BaseUpdateView",
            "BaseDeleteView": "DeletionMixin FormMixin BaseDetailView",
            "DeleteView": "SingleObjectTemplateResponseMixin BaseDeleteView",
            "SingleObjectMixin": "ContextMixin",
            "SingleObjectTemplateResponseMixin": "TemplateResponseMixin",
            "BaseDetailView": "SingleObjectMixin View",
            "DetailView": "SingleObjectTemplateResponseMixin BaseDetailView",
            "MultipleObjectMixin": "ContextMixin",
            "MultipleObjectTemplateResponseMixin": "TemplateResponseMixin",
            "BaseListView": "MultipleObjectMixin View",
            "ListView": "MultipleObjectTemplateResponseMixin BaseListView",
            "BaseDateListView": "MultipleObjectMixin DateMixin View",
            "BaseArchiveIndexView": "BaseDateListView",
            "ArchiveIndexView": "MultipleObjectTemplateResponseMixin BaseArchiveIndexView",
            "BaseYearArchiveView": "YearMixin BaseDateListView",
            "YearArchiveView": "MultipleObjectTemplateResponseMixin BaseYearArchiveView",
            "BaseMonthArchiveView": "YearMixin MonthMixin BaseDateListView",
            "MonthArchiveView": "MultipleObjectTemplateResponseMixin BaseMonthArchiveView",
            "BaseWeekArchiveView": "YearMixin WeekMixin BaseDateListView",
            "WeekArchiveView": "MultipleObjectTemplateResponseMixin BaseWeekArchiveView",
            "BaseDayArchiveView": "YearMixin MonthMixin DayMixin BaseDateListView",
            "DayArchiveView": "MultipleObjectTemplateResponseMixin BaseDayArchiveView",
            "BaseTodayArchiveView": "BaseDayArchiveView",
            "TodayArchiveView": "MultipleObjectTemplateResponseMixin BaseTodayArchiveView",
            "BaseDateDetailView": "YearMixin MonthMixin DayMixin DateMixin BaseDetailView",
            "DateDetailView": "SingleObjectTemplateResponseMixin BaseDateDetailView",
        },
    ),
    **_bases(
        "django.contrib.auth.views.",
        {
            "LoginView": "RedirectURLMixin django.views.generic.FormView",
            "LogoutView": "RedirectURLMixin django.views.generic.TemplateView",
            "PasswordChangeDoneView": "PasswordContextMixin django.views.generic.TemplateView",
            "PasswordChangeView": "PasswordContextMixin django.views.generic.FormView",
            "PasswordResetCompleteView": "PasswordContextMixin django.views.generic.TemplateView",
            "PasswordResetConfirmView": "PasswordContextMixin django.views.generic.FormView",
            "PasswordResetDoneView": "PasswordContextMixin django.views.generic.TemplateView",
            "PasswordResetView": "PasswordContextMixin django.views.generic.FormView",
        },
    ),
    **_bases(
        "django.contrib.auth.mixins.",
        {
            "LoginRequiredMixin": "AccessMixin",
            "PermissionRequiredMixin": "AccessMixin",
            "UserPassesTestMixin": "AccessMixin",
        },
    ),
    **_bases("django.views.i18n.", {"JavaScriptCatalog": VIEW, "JSONCatalog": "JavaScriptCatalog"}),
    **_bases(
        "django.forms.",
        {
            "Form": "BaseForm",
            "BaseModelForm": "BaseForm",
            "ModelForm": "BaseModelForm",
            "BaseModelFormSet": "BaseFormSet",
            "BaseInlineFormSet": "BaseModelFormSet",
            "CharField": "Field",
            "IntegerField": "Field",
            "FloatField": "IntegerField",
            "DecimalField": "IntegerField",
            "BaseTemporalField": "Field",
            "DateField": "BaseTemporalField",
            "TimeField": "BaseTemporalField",
            "DateTimeField": "BaseTemporalField",
            "DurationField": "Field",
            "RegexField": "CharField",
            "EmailField": "CharField",
            "URLField": "CharField",
            "SlugField": "CharField",
            "UUIDField": "CharField",
            "JSONField": "CharField",
            "GenericIPAddressField": "CharField",
            "FileField": "Field",
            "ImageField": "FileField",
            "BooleanField": "Field",
            "NullBooleanField": "BooleanField",
            "ChoiceField": "Field",
            "TypedChoiceField": "ChoiceField",
            "MultipleChoiceField": "ChoiceField",
            "TypedMultipleChoiceField": "MultipleChoiceField",
            "FilePathField": "ChoiceField",
            "ComboField": "Field",
            "MultiValueField": "Field",
            "SplitDateTimeField": "MultiValueField",
            "ModelChoiceField": "ChoiceField",
            "ModelMultipleChoiceField": "ModelChoiceField",
        },
    ),
    **_bases(
        "django.contrib.auth.forms.",
        {
            "UsernameField": "django.forms.CharField",
            "ReadOnlyPasswordHashField": "django.forms.Field",
            "AuthenticationForm": "django.forms.Form",
            "PasswordResetForm": "django.forms.Form",
            "SetPasswordForm": "SetPasswordMixin django.forms.Form",
            "PasswordChangeForm": "SetPasswordForm",
            "BaseUserCreationForm": "SetPasswordMixin django.forms.ModelForm",
            "UserCreationForm": "BaseUserCreationForm",
            "AdminUserCreationForm": "SetUnusablePasswordMixin UserCreationForm",
            "UserChangeForm": "django.forms.ModelForm",
            "AdminPasswordChangeForm": "SetUnusablePasswordMixin SetPasswordMixin django.forms.Form",
        },
    ),
    **_bases("rest_framework.views.", {"APIView": VIEW}),
    **_bases(
        "rest_framework.generics.",
        {
            "GenericAPIView": "rest_framework.views.APIView",
            "CreateAPIView": "rest_framework.mixins.CreateModelMixin GenericAPIView",
            "ListAPIView": "rest_framework.mixins.ListModelMixin GenericAPIView",
            "RetrieveAPIView": "rest_framework.mixins.RetrieveModelMixin GenericAPIView",
            "DestroyAPIView": "rest_framework.mixins.DestroyModelMixin GenericAPIView",
            "UpdateAPIView": "rest_framework.mixins.UpdateModelMixin GenericAPIView",
            "ListCreateAPIView": "rest_framework.mixins.ListModelMixin "
            "rest_framework.mixins.CreateModelMixin GenericAPIView",
            "RetrieveUpdateAPIView": "rest_framework.mixins.RetrieveModelMixin "
            "rest_framework.mixins.UpdateModelMixin GenericAPIView",
            "RetrieveDestroyAPIView": "rest_framework.mixins.RetrieveModelMixin "
            "rest_framework.mixins.DestroyModelMixin GenericAPIView",
            "RetrieveUpdateDestroyAPIView": "rest_framework.mixins.RetrieveModelMixin "
            "rest_framework.mixins.UpdateModelMixin rest_framework.mixins.DestroyModelMixin GenericAPIView",
        },
    ),
    **_bases(
        "rest_framework.viewsets.",
        {
            "ViewSet": "ViewSetMixin rest_framework.views.APIView",
            "GenericViewSet": "ViewSetMixin rest_framework.generics.GenericAPIView",
            "ReadOnlyModelViewSet": "rest_framework.mixins.RetrieveModelMixin "
            "rest_framework.mixins.ListModelMixin GenericViewSet",
            "ModelViewSet": "rest_framework.mixins.CreateModelMixin rest_framework.mixins.RetrieveModelMixin "
            "rest_framework.mixins.UpdateModelMixin rest_framework.mixins.DestroyModelMixin "
            "rest_framework.mixins.ListModelMixin GenericViewSet",
        },
    ),
}
ALIASES: dict[str, str] = {
    "django.views.View": VIEW,
    **{
        f"django.views.generic.{module}.": "django.views.generic."
        for module in ("base", "edit", "list", "detail", "dates")
    },
    **{
        f"django.forms.{module}.": "django.forms."
        for module in ("forms", "models", "fields", "formsets", "widgets", "boundfield")
    },
    "django.contrib.postgres.fields.jsonb.": "django.contrib.postgres.fields.",
    "django.contrib.postgres.fields.citext.": "django.contrib.postgres.fields.",
    "django.contrib.postgres.fields.ranges.": "django.contrib.postgres.fields.",
}


class DjangoWebKnowledge(Knowledge):
    """Types of Django's web layer; the ORM's facts answer for the packages."""


KNOWLEDGE = DjangoWebKnowledge()


# Forms


def is_form(info: ClassInfo) -> bool:
    """Whether a class is a form, of a model or not."""
    return info.is_a(_FORM)


def is_model_form(info: ClassInfo) -> bool:
    """Whether a class is a model form."""
    return info.is_a(_MODEL_FORM)


def form_of(node: ast.expr, module: Module) -> ClassInfo | None:
    """The project's form class that an expression's value is an instance of, or None."""
    known = module.type_of(node)
    if known is None or known.kind is not Kind.INSTANCE:
        return None
    info = module.modules.class_info(known.name)
    return info if info is not None and is_form(info) else None


def meta_value(info: ClassInfo, name: str) -> tuple[Module, ast.expr] | None:
    """What the `Meta` of a class says under a name, with the module that says it; also inherited."""
    found = info.member("Meta")
    if found is None or not isinstance(found[1].node, ast.ClassDef):
        return None
    owner = found[0].module
    member = owner.class_info_of(found[1].node).member(name)
    if member is None or member[1].value is None or member[1].path:
        return None
    return member[0].module, member[1].value


def literal_names(node: ast.expr) -> tuple[str, ...] | None:
    """The strings of a literal list, tuple or set of nothing else, or None."""
    if not isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return None
    names = [
        item.value for item in node.elts if isinstance(item, ast.Constant) and isinstance(item.value, str)
    ]
    return tuple(names) if len(names) == len(node.elts) else None


def is_field(value: Type | None, module: Module) -> bool:
    """Whether a value is a form field: Django's, the project's, or of a library class named like one."""
    if value is None or value.kind is not Kind.INSTANCE:
        return False
    info = module.modules.class_info(value.name)
    if info is not None:
        return info.is_a(_FIELD)
    return _FIELD in module.modules.library_mro(value.name)


def form_fields(info: ClassInfo) -> frozenset[str]:
    """The names of fields that a form certainly has: declared in class bodies or named by `Meta.fields`.

    Fields that `__init__` adds are not among them; a field set to None by a subclass is not either.
    Raises nothing for a class that is no form: it has no fields.
    """
    names: dict[str, bool] = {}
    for item in reversed(info.mro):
        if not isinstance(item, ClassInfo) or not is_form(item):
            continue
        for name, bindings in item.scope.bindings.items():
            value = bindings[-1].value
            if value is not None and bindings[-1].kind == "assign":
                names[name] = is_field(item.module.type_of(value), item.module)
    for name in _fields_of_meta(info) if is_model_form(info) else ():
        names.setdefault(name, True)
    return frozenset(name for name, is_one in names.items() if is_one)


def _fields_of_meta(info: ClassInfo) -> tuple[str, ...]:
    """The fields that a model form takes from its model, as far as they are certain."""
    listed, model = meta_value(info, "fields"), meta_value(info, "model")
    if listed is None:
        return ()
    if not isinstance(listed[1], ast.Constant):
        return literal_names(listed[1]) or ()
    if listed[1].value != "__all__" or model is None or meta_value(info, "exclude") is not None:
        return ()
    return editable_fields(model[0].class_named(model[1]))


@dataclass(frozen=True, slots=True, eq=False)
class ModelFormSite:
    """Where a form of a model is made: the name to show, and the model, when it is known."""

    name: str
    model: ClassInfo | None


_FORM_FACTORIES = frozenset(
    f"django.forms.{name}" for name in ("modelform_factory", "modelformset_factory", "inlineformset_factory")
)


def form_of_fields(node: ast.Assign, module: Module) -> ModelFormSite | None:
    """The model form or editing view whose `fields` an assignment in a class body sets, or None.

    Forms that only the admin uses are left out.
    """
    body = module.source.parent(node)
    if not isinstance(body, ast.ClassDef):
        return None
    info = module.class_info_of(body)
    if is_model_edit_view(info):
        own = info.member("model")
        model = (own[0].module, own[1].value) if own is not None and own[1].value is not None else None
    else:
        outer = module.source.parent(body)
        if body.name != "Meta" or not isinstance(outer, ast.ClassDef):
            return None
        info = module.class_info_of(outer)
        if not is_model_form(info) or is_admin_form(info):
            return None
        model = meta_value(info, "model")
        if model is not None and model[0].qualified_name(model[1]) is None:
            return None  # a model that a function is given, whose fields nobody can list
        model = model if meta_value(info, "exclude") is None else None
    return ModelFormSite(info.node.name, model[0].class_named(model[1]) if model is not None else None)


def form_factory(node: ast.AST | None, module: Module) -> ModelFormSite | None:
    """The model form that a call of `modelform_factory` or its siblings makes, or None."""
    if not isinstance(node, ast.Call) or module.qualified_name(node.func) not in _FORM_FACTORIES:
        return None
    position = 1 if module.source.segment(node.func).endswith("inlineformset_factory") else 0
    named = [keyword.value for keyword in node.keywords if keyword.arg == "model"]
    model = node.args[position] if len(node.args) > position else next(iter(named), None)
    return ModelFormSite(module.source.segment(node.func), module.class_named(model) if model else None)


def is_admin_module(module: Module) -> bool:
    """Whether a module is named as part of the admin: `admin.py`, `admin_forms.py`, `admin/forms.py`."""
    return any(part.startswith("admin") for part in module.name.split("."))


_AUTO_FIELDS = frozenset({"AutoField", "BigAutoField", "SmallAutoField"})
_NEVER_EDITABLE = frozenset({"GeneratedField", "GenericForeignKey", "GenericRelation"})
_PLAIN_BASES = frozenset({"django.db.models.Model", "builtins.object", "typing.Generic", "abc.ABC"})


def editable_fields(model: ClassInfo | None) -> tuple[str, ...]:
    """The fields that a form with `fields = "__all__"` has, in order; empty where they are not certain.

    Certain are only models with one line of inheritance, without bases of libraries and with nothing
    but Django's own field classes.
    """
    if model is None or not django_models.is_model(model) or not model.libraries <= _PLAIN_BASES:
        return ()
    owners = [item for item in model.mro if isinstance(item, ClassInfo)]
    if any(None in item.bases or sum(base not in _PLAIN_BASES for base in item.bases) > 1 for item in owners):
        return ()
    fields = django_models.fields(model)
    names: list[str] = []
    for owner in reversed(owners):
        for name, bindings in owner.scope.bindings.items():
            value = bindings[-1].value
            field = fields.get(name)
            if field is None or field.owner is not owner:
                if isinstance(value, ast.Call) and not _is_no_field(value, owner.module):
                    return ()
                continue
            if not field.is_builtin or any(keyword.arg is None for keyword in field.call.keywords):
                return ()
            if _is_editable(field):
                names.append(name)
    return tuple(names)


def _is_editable(field: django_models.Field) -> bool:
    kind = field.cls.rpartition(".")[2]
    if (
        kind in _AUTO_FIELDS
        or kind in _NEVER_EDITABLE
        or field.flag("auto_now")
        or field.flag("auto_now_add")
    ):
        return False
    editable = field.argument("editable")
    if kind == "BinaryField" and editable is None:
        return False
    return editable is None or (isinstance(editable, ast.Constant) and bool(editable.value))


def _is_no_field(call: ast.Call, module: Module) -> bool:
    """Whether a call in the body of a model makes a manager or something of Python itself."""
    known = module.type_of(call)
    if known is None:
        return False
    info = module.modules.class_info(known.name)
    names = info.libraries if info is not None else frozenset(module.modules.library_mro(known.name))
    return "django.db.models.Manager" in names or known.name.startswith("builtins.")


def value_is_used(form: ClassInfo, field: str) -> bool:
    """Whether the project uses the cleaned value of a field: saves it with a model, or asks for it by name.

    What methods that clean a field of this name do with the value does not count, nor what other forms and
    files do that do not mention this one.
    """
    if is_model_form(form):
        listed = meta_value(form, "fields")
        names = literal_names(listed[1]) if listed is not None else None
        if names is None or field in names:
            return True
    index = form.module.modules
    if not isinstance(index, Index):
        return True
    users = {*files_with(index, form.module, form.node.name.encode()), index.path_of(form.module)}
    for path in files_with(index, form.module, b"cleaned_data"):
        module = index.at(path, form.module) if path in users else None
        if module is not None and any(_takes(node, form, field, module) for node in _cleaned_data(module)):
            return True
    return False


def _cleaned_data(module: Module) -> Iterator[ast.expr]:
    """The places of a module that mention the cleaned data of a form, as an attribute or by that name."""
    for attribute in module.source.nodes(ast.Attribute):
        if attribute.attr == "cleaned_data":
            yield attribute
    for name in module.source.nodes(ast.Name):
        if name.id in {"cleaned_data", "cd", "data"}:
            yield name


def _takes(data: ast.expr, form: ClassInfo, field: str, module: Module) -> bool:
    """Whether the cleaned data of a form gives the value of a field here, or all values."""
    source = module.source
    function = source.enclosing_function(data)
    if isinstance(function, FUNCTIONS) and function.name == f"clean_{field}":
        return False
    body = source.parent(function) if function is not None else None
    around = module.class_info_of(body) if isinstance(body, ast.ClassDef) else None
    if around is not None and is_form(around):
        if around not in form.mro and form not in around.mro:
            return False
    elif form.node.name.encode() not in source.data:
        return False
    parent = source.parent(data)
    match parent:
        case ast.Subscript(slice=ast.Constant(value=key)):
            return bool(key == field)
        case ast.Attribute(attr="get" | "pop" | "setdefault"):
            call = source.parent(parent)
            asked = call.args[0] if isinstance(call, ast.Call) and call.args else None
            return isinstance(asked, ast.Constant) and asked.value == field
        case ast.Attribute(attr="items" | "values" | "copy") | ast.keyword(arg=None):
            return True
    return False


def field_call(info: ClassInfo, name: str) -> ast.Call | None:
    """The call that declares a field in the body of a form or of its bases, or None."""
    for item in info.mro:
        bindings = item.scope.bindings.get(name) if isinstance(item, ClassInfo) and is_form(item) else None
        if bindings:
            value = bindings[-1].value
            return value if isinstance(value, ast.Call) else None
    return None


def keeps_field_names(info: ClassInfo) -> bool:
    """Whether the names in the submitted data are certainly those of the fields: nothing sets a prefix."""
    init = info.method("__init__")
    return (
        _is_known(info)
        and cleans_by_name(info)
        and all(info.member(name) is None for name in ("prefix", "add_prefix"))
        and (init is None or "prefix" not in init.module.source.segment(init.node))
    )


def cleans_by_name(info: ClassInfo) -> bool:
    """Whether a form calls its `clean_<field>` methods as Django does."""
    return info.member("_clean_fields") is None


def validated_forms(node: ast.AST, module: Module) -> Iterator[ast.Name]:
    """The names `f` of which `f.is_valid()` was certainly true when a node runs, nearest first.

    Either the node stands in the branch of that test, or a test before it left the function otherwise.
    """
    child = node
    for ancestor in module.source.ancestors(node):
        if isinstance(ancestor, ast.If):
            if child in ancestor.body:
                yield from _tested_forms(ancestor.test)
            elif child in ancestor.orelse and isinstance(ancestor.test, ast.UnaryOp):
                yield from _refused_forms(ancestor.test)
        for field in ("body", "orelse", "finalbody"):
            block = getattr(ancestor, field, None)
            if isinstance(block, list) and child in block:
                for statement in reversed(block[: block.index(child)]):
                    if isinstance(statement, ast.If) and isinstance(
                        statement.body[-1], (ast.Return, ast.Raise, ast.Continue)
                    ):
                        yield from _refused_forms(statement.test)
        if isinstance(ancestor, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            return
        child = ancestor


def _tested_forms(test: ast.expr) -> Iterator[ast.Name]:
    match test:
        case ast.Call(func=ast.Attribute(value=ast.Name() as form, attr="is_valid"), args=[], keywords=[]):
            yield form
        case ast.BoolOp(op=ast.And(), values=values):
            for value in values:
                yield from _tested_forms(value)


def _refused_forms(test: ast.expr) -> Iterator[ast.Name]:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _tested_forms(operand)
        case ast.BoolOp(op=ast.Or(), values=values):
            for value in values:
                yield from _refused_forms(value)


def is_bound_to(form: ast.Name, data: ast.expr, module: Module) -> bool:
    """Whether a form was made from exactly this data, such as `request.POST`, without a prefix."""
    found = module.lookup(form.id, form)
    if found is None or len(found[1]) != 1 or not isinstance(found[1][0].value, ast.Call):
        return False
    call = found[1][0].value
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    if None in named or "prefix" in named or any(isinstance(item, ast.Starred) for item in call.args):
        return False
    first = call.args[0] if call.args else named.get("data")
    if isinstance(first, ast.BoolOp) and isinstance(first.op, ast.Or):
        first = first.values[0]
    return first is not None and ast.dump(first) == ast.dump(data)


def is_admin_form(info: ClassInfo) -> bool:
    """Whether a form is the `form` of an admin class in its own module or in the app's admin modules."""
    index = info.module.modules
    if not isinstance(index, Index):
        return False
    return any(
        info.name in _forms_of_classes(module) for module in (info.module, *_admin_modules(info, index))
    )


def _admin_modules(info: ClassInfo, index: Index) -> Iterator[Module]:
    """The admin modules of the app that a class belongs to: the nearest ones upwards."""
    directory = os.path.dirname(index.path_of(info.module))
    while True:
        listing = index.files.listing(directory)
        paths = [os.path.join(directory, "admin.py")] if listing.get("admin.py") is False else []
        if listing.get("admin"):
            package = os.path.join(directory, "admin")
            names = sorted(index.files.listing(package))
            paths += [os.path.join(package, name) for name in names if name.endswith(".py")]
        if listing.get("cms_plugins.py") is False:
            paths.append(os.path.join(directory, "cms_plugins.py"))  # django CMS shows them as the admin does
        if paths or "__init__.py" not in listing:
            break
        directory = os.path.dirname(directory)
    for path in paths:
        module = index.at(path, info.module)
        if module is not None:
            yield module


def _forms_of_classes(module: Module) -> Iterator[str | None]:
    """The qualified names that classes of a module bind to `form`."""
    for node in module.source.nodes(ast.ClassDef):
        for binding in module.class_info_of(node).scope.bindings.get("form", ()):
            if binding.value is not None:
                yield module.qualified_name(binding.value)


# Class-based views


def is_view(info: ClassInfo) -> bool:
    """Whether a class is a class-based view, of DRF too."""
    return info.is_a(VIEW)


def takes_requests(info: ClassInfo) -> bool:
    """Whether methods of a class receive `self` and a request: views, admin classes and admin sites."""
    return is_view(info) or info.is_a(*_ADMIN_OPTIONS)


def is_model_edit_view(info: ClassInfo) -> bool:
    """Whether a class is a generic view that builds a model form from its `fields`."""
    return info.is_a("django.views.generic.ModelFormMixin")


def _is_known(info: ClassInfo) -> bool:
    """Whether nothing outside the project and Django can be hidden in the bases."""
    known = ("django.", "rest_framework.", "builtins.", "typing.", "abc.")
    return info.is_closed and all(name.startswith(known) for name in info.libraries)


def _restricts_access(item: ClassInfo | str) -> bool:
    """Whether a base is an access mixin whose `dispatch`, its own or inherited, checks the user."""
    if isinstance(item, ClassInfo):
        return item.is_a(_ACCESS) and (item.member("dispatch") is not None or item.is_a(*_ACCESS_CHECKS))
    return item in _ACCESS_CHECKS


def unreached_access_mixins(info: ClassInfo) -> Iterator[tuple[int, int]]:
    """Access mixins of a view whose `dispatch` is never called: (index of the mixin, index of the view).

    Both indexes count the bases as they are written. `View.dispatch` calls the handler and no other
    `dispatch`, so that a mixin behind `View` in the method resolution order has no effect.
    """
    if not is_view(info) or not _is_known(info):
        return
    order = [item if isinstance(item, str) else item.name for item in info.mro]
    view = order.index(VIEW)
    modules = info.module.modules
    bases = [modules.class_info(name or "") or name or "" for name in info.bases]
    for index, base in enumerate(bases):
        if isinstance(base, ClassInfo) and is_view(base):
            continue  # its own order is the business of its own class statement
        if _restricts_access(base) and order.index(base if isinstance(base, str) else base.name) > view:
            yield index, next(i for i, other in enumerate(bases) if VIEW in _names_of(other, modules))


def _names_of(base: ClassInfo | str, modules: object) -> frozenset[str]:
    if isinstance(base, ClassInfo):
        return frozenset(item if isinstance(item, str) else item.name for item in base.mro)
    assert isinstance(modules, Index)
    return frozenset(modules.library_mro(base))


def shares_no_base(info: ClassInfo, index: int) -> bool:
    """Whether a base of a class has no class in common with the others, so that it may stand anywhere."""
    modules = info.module.modules
    sets = [_names_of(modules.class_info(name or "") or name or "", modules) for name in info.bases]
    shared = {"builtins.object"}
    return all(sets[index] & other <= shared for position, other in enumerate(sets) if position != index)


# Decorators of views. What happens without `method_decorator` was measured with Django 5.2 and 6.1: the
# first group raises, because `self` is no request; the second sets an attribute that only the view
# function or `dispatch` may carry; all others (`vary_on_headers`, `xframe_options_deny`, `gzip_page`)
# work on methods too.
_NEED_REQUEST = frozenset(
    {
        *(f"django.contrib.auth.decorators.{name}" for name in (
            "login_required", "permission_required", "user_passes_test",
        )),
        "django.contrib.admin.views.decorators.staff_member_required",
        *(f"django.views.decorators.csrf.{name}" for name in (
            "csrf_protect", "ensure_csrf_cookie", "requires_csrf_token",
        )),
        *(f"django.views.decorators.cache.{name}" for name in ("cache_page", "cache_control", "never_cache")),
        *(f"django.views.decorators.http.{name}" for name in (
            "require_GET", "require_POST", "require_safe", "require_http_methods", "conditional_page",
            "condition", "etag", "last_modified",
        )),
        "django.views.decorators.debug.sensitive_post_parameters",
    }
)  # fmt: skip
_MARK_VIEW = frozenset(
    {
        "django.views.decorators.csrf.csrf_exempt",
        "django.contrib.auth.decorators.login_not_required",
        "django.views.decorators.common.no_append_slash",
    }
)
# What a file must mention to use any of them.
VIEW_DECORATOR_NAMES = tuple(sorted(name.rpartition(".")[2] for name in _NEED_REQUEST | _MARK_VIEW))
METHOD_DECORATOR = "django.utils.decorators.method_decorator"


def needs_request(decorator: ast.expr, module: Module) -> bool:
    """Whether a decorator calls what it decorates with a request as its first argument, and reads it."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return module.qualified_name(target) in _NEED_REQUEST


def marks_view(decorator: ast.expr, module: Module) -> ast.expr | None:
    """The decorator that only marks a view function, bare or inside `method_decorator`; None for others."""
    if (
        isinstance(decorator, ast.Call)
        and decorator.args
        and module.qualified_name(decorator.func) == METHOD_DECORATOR
    ):
        decorator = decorator.args[0]
    return decorator if module.qualified_name(decorator) in _MARK_VIEW else None


def passes_arguments_on(decorator: ast.expr, module: Module) -> bool:
    """Whether a decorator certainly calls what is below it with the arguments that it got itself."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = module.qualified_name(target) or ""
    return name.startswith(("django.", "functools.", "typing.", "abc."))


# Middleware


def is_middleware_module(module: Module) -> bool:
    """Whether a module is named like those that hold a project's middleware."""
    return any("middleware" in part for part in module.name.rsplit(".", 3)[-3:])


def is_building_block(node: ast.ClassDef, module: Module) -> bool:
    """Whether a class is a mixin by its name, or is used by its own module as a base or otherwise."""
    return node.name.endswith("Mixin") or any(name.id == node.name for name in module.source.nodes(ast.Name))


def is_old_middleware(info: ClassInfo) -> bool:
    """Whether a class has the hooks of a Django middleware and neither it nor a base can be called.

    The hooks are recognised by Django's own parameters: other frameworks pass more or others.
    """
    if not info.is_closed or not info.libraries <= {"builtins.object"} or info.member("__call__") is not None:
        return False
    hooks = (
        ("process_request", ["self", "request"]),
        ("process_response", ["self", "request", "response"]),
    )
    found = [(info.method(name), parameters) for name, parameters in hooks]
    return any(method is not None and _positional(method.node) == expected for method, expected in found)


def _positional(function: Function) -> list[str]:
    arguments = function.args
    return [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]


def init_without_get_response(info: ClassInfo) -> FunctionInfo | None:
    """The `__init__` of a middleware that cannot take the next handler, or None."""
    call, init = info.member("__call__"), info.method("__init__")
    if init is None or call is None or not isinstance(call[1].node, FUNCTIONS) or not _is_known(info):
        return None
    if _positional(call[1].node) != ["self", "request"] or init.owner is not info:
        return None
    arguments = init.node.args
    return init if len(_positional(init.node)) == 1 and arguments.vararg is None else None


# Settings


@dataclass(frozen=True, slots=True)
class RemovedSetting:
    """A setting that Django no longer reads.

    - `gone`: the first version that ignores it.
    - `instead`: what took its place; empty when nothing did.
    - `default_since`, `default`: from this version to `gone` the value `default` changes nothing.
    - `private`: only Django itself ever had a reason to read it.
    """

    gone: str
    instead: str = ""
    default_since: str = ""
    default: object = None
    private: bool = True


# From the release notes ("Features removed in ..."), checked against `django/conf/global_settings.py` of
# 2.2 to 6.1.
REMOVED_SETTINGS: dict[str, RemovedSetting] = {
    "USE_L10N": RemovedSetting("5.0", "", "4.0", True),
    "USE_DEPRECATED_PYTZ": RemovedSetting("5.0", "", "4.0", False),
    "CSRF_COOKIE_MASKED": RemovedSetting("5.0", "", "4.1", False),
    "FORMS_URLFIELD_ASSUME_HTTPS": RemovedSetting("6.0"),
    "DEFAULT_HASHING_ALGORITHM": RemovedSetting("4.0", "", "3.1", "sha256"),
    "SECURE_BROWSER_XSS_FILTER": RemovedSetting("4.0"),
    "PASSWORD_RESET_TIMEOUT_DAYS": RemovedSetting("4.0", "PASSWORD_RESET_TIMEOUT", private=False),
    "FILE_CHARSET": RemovedSetting("3.1", private=False),
    "DEFAULT_CONTENT_TYPE": RemovedSetting("3.0", private=False),
    "MIDDLEWARE_CLASSES": RemovedSetting("2.0", "MIDDLEWARE", private=False),
    "TEMPLATE_DIRS": RemovedSetting("1.10", "TEMPLATES", private=False),
    "TEMPLATE_LOADERS": RemovedSetting("1.10", "TEMPLATES", private=False),
    "TEMPLATE_CONTEXT_PROCESSORS": RemovedSetting("1.10", "TEMPLATES", private=False),
    "TEMPLATE_DEBUG": RemovedSetting("1.10", "TEMPLATES", private=False),
    "TEMPLATE_STRING_IF_INVALID": RemovedSetting("1.10", "TEMPLATES", private=False),
}
_STARTERS = frozenset(
    {"manage.py", "wsgi.py", "asgi.py", "pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml"}
)
_NAMED = re.compile(rb"""DJANGO_SETTINGS_MODULE["']?\s*[,:=\])]+\s*=?\s*["']?([A-Za-z_][\w.]*)""")
_SKIPPED = frozenset({"node_modules", "venv", "site-packages", "migrations", "static", "templates"})
_MOST_DIRECTORIES = 400


def is_settings_module(module: Module) -> bool:
    """Whether a module holds Django's settings, or a part that a settings module imports with `*`."""
    index = module.modules
    if not isinstance(index, Index):
        return False
    return index.fact(("django settings module", module.name), lambda: _is_settings_module(module, index))


def is_settings_class(info: ClassInfo) -> bool:
    """Whether a class holds settings, as django-configurations reads them."""
    return info.is_a("configurations.Configuration", "configurations.base.Configuration")


def _is_settings_module(module: Module, index: Index) -> bool:
    pending, seen = [module], {module.name}
    while pending:
        current = pending.pop()
        if _looks_like_settings(current) or _is_named(current, index):
            return True
        for other in star_imports(current):
            if other.name not in seen:
                seen.add(other.name)
                pending.append(other)
    return any(
        module.name in {other.name for other in star_imports(neighbour)}
        and (_looks_like_settings(neighbour) or _is_named(neighbour, index))
        for neighbour in _neighbours(module, index)
    )


def _looks_like_settings(module: Module) -> bool:
    names = module.scope.bindings.keys()
    return "INSTALLED_APPS" in names and not names.isdisjoint(
        {"MIDDLEWARE", "MIDDLEWARE_CLASSES", "ROOT_URLCONF", "DATABASES"}
    )


def _is_named(module: Module, index: Index) -> bool:
    root = index.layout.project_root(os.path.dirname(index.path_of(module)))
    named = index.fact(("django settings named", root), partial(_named_settings, index, root))
    return any(module.name == name or module.name.endswith(f".{name}") for name in named)


def _named_settings(index: Index, root: str) -> frozenset[str]:
    """The settings modules that start-up scripts and test configurations of a project name."""
    found: set[str] = set()
    level = [root]
    visited = 0
    for _ in range(4):
        below: list[str] = []
        for directory in level:
            visited += 1
            if visited > _MOST_DIRECTORIES:
                return frozenset(found)
            for name, is_directory in sorted(index.files.listing(directory).items()):
                if is_directory:
                    if not name.startswith((".", "_")) and name not in _SKIPPED:
                        below.append(os.path.join(directory, name))
                elif name in _STARTERS:
                    data = index.files.read(os.path.join(directory, name)) or b""
                    found.update(match.decode() for match in _NAMED.findall(data))
        level = below
    return frozenset(found)


def star_imports(module: Module) -> Iterator[Module]:
    """The project modules whose names a module takes over with `from ... import *`."""
    index = module.modules
    if not isinstance(index, Index):
        return
    for star in module.scope.stars:
        if star.level:
            name = index.relative(module, star.level, star.module or "")
            found = index.module(name) if name is not None else None
        else:
            found = index.import_module(star.module or "", module)
        if found is not None:
            yield found


def _neighbours(module: Module, index: Index) -> Iterator[Module]:
    """The modules of the same directory and of the one above that import anything with `*`."""
    own = index.path_of(module)
    directory = os.path.dirname(own)
    for folder in (directory, os.path.dirname(directory)):
        for name in sorted(index.files.listing(folder)):
            path = os.path.join(folder, name)
            if name.endswith(".py") and path != own and b"import *" in (index.files.read(path) or b""):
                neighbour = index.at(path, module)
                if neighbour is not None:
                    yield neighbour


def reads_setting(module: Module, name: str) -> bool:
    """Whether a settings module uses a setting of its own, so that it is more than Django's."""
    return any(node.id == name and isinstance(node.ctx, ast.Load) for node in module.source.nodes(ast.Name))


# Fields of models that are gone. Name to (first version that refuses it, replacement, name of the
# replacement for the message); from the release notes, checked with `manage.py check` of Django 5.2.
@dataclass(frozen=True, slots=True)
class RemovedField:
    """A model field that Django no longer accepts.

    `gone`: the first version that refuses it; `instead`: the qualified name of what replaces it, empty
    where that takes a decision; `advice`: the replacement in words; `keywords`: arguments to add.
    """

    gone: str
    instead: str
    advice: str
    keywords: tuple[str, ...] = ()


_POSTGRES = "django.contrib.postgres.fields."
REMOVED_FIELDS: dict[str, RemovedField] = {
    name: field
    for field, names in (
        (
            RemovedField(
                "4.0", "django.db.models.BooleanField", "BooleanField(null=True)", ("null=True", "blank=True")
            ),
            ("django.db.models.NullBooleanField",),
        ),
        (RemovedField("4.0", "django.db.models.JSONField", "models.JSONField"), (f"{_POSTGRES}JSONField",)),
        (
            RemovedField("3.1", f"{_POSTGRES}DecimalRangeField", "DecimalRangeField"),
            (f"{_POSTGRES}FloatRangeField",),
        ),
        *(
            (RemovedField("5.1", "", f"{plain} with a case-insensitive db_collation"), (f"{_POSTGRES}{old}",))
            for old, plain in (
                ("CICharField", "CharField"), ("CIEmailField", "EmailField"), ("CITextField", "TextField"),
            )
        ),
    )
    for name in names
}  # fmt: skip
