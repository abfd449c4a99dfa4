"""Rule PB210: clean-without-return."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.frameworks import django_web
from pybackend_lint.rule import UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import line_after
from pybackend_lint.semantic.definitions import ClassInfo, FunctionInfo
from pybackend_lint.semantic.endings import ends_without_value


@rule(
    "PB210",
    "clean-without-return",
    "Return the value at the end of `{method}`: without it `{field}` becomes `None`",
    nodes=(ast.FunctionDef,),
    words=("def clean_",),
    applies="django",
    fix=UNSAFE,
    tags=("correctness",),
)
def check(node: ast.FunctionDef, ctx: Context) -> Iterator[Finding]:
    """A `clean_<field>` method that returns nothing replaces the field's value by `None`.

    ## Why
    Django stores whatever `clean_<field>` returns in `cleaned_data`, also when it returns nothing.
    The form stays valid, no error is shown, and the value that the user entered is lost: the model is
    saved with an empty e-mail address, the amount of the payment is `None`. (`clean()`, without a
    field's name, may return nothing.)

    ## Bad
    ```python
    from django import forms

    from shop.accounts.fields import CompanyEmailField


    class InvitationForm(forms.Form):
        email = CompanyEmailField()

        def clean_email(self):
            email = self.cleaned_data["email"]
            if email.endswith("@example.com"):
                raise forms.ValidationError("Use your own address.")


    def invited_addresses(submitted):
        invitations = [InvitationForm(data) for data in submitted]
        return [form.cleaned_data["email"] for form in invitations if form.is_valid()]
    ```
    ```python file=shop/accounts/fields.py
    from django import forms


    class CompanyEmailField(forms.EmailField):
        default_error_messages = {"invalid": "This is no address of a company."}
    ```

    ## Good
    ```python
    from django import forms

    from shop.accounts.fields import CompanyEmailField


    class InvitationForm(forms.Form):
        email = CompanyEmailField()

        def clean_email(self):
            email = self.cleaned_data["email"]
            if email.endswith("@example.com"):
                raise forms.ValidationError("Use your own address.")
            return email


    def invited_addresses(submitted):
        invitations = [InvitationForm(data) for data in submitted]
        return [form.cleaned_data["email"] for form in invitations if form.is_valid()]
    ```

    ## Not reported
    ```python
    from django import forms


    class TransferForm(forms.Form):
        amount = forms.DecimalField()
        # Added in __init__ by some views only: not known to be a field.
        currencies = ("EUR", "CHF")

        def clean(self):
            super().clean()
            if not self.cleaned_data.get("amount"):
                self.add_error("amount", "Say how much.")

        def clean_amount(self):
            amount = self.cleaned_data["amount"]
            if amount > 0:
                return amount
            self.refuse()

        def clean_currency(self):
            self.currency_checked = True

        def refuse(self):
            raise forms.ValidationError("Only positive amounts.")


    class ConfirmationForm(forms.Form):
        again = forms.CharField()

        # Nobody asks for the value of this field: it is only compared.
        def clean_again(self):
            if self.cleaned_data["again"] != self.initial["email"]:
                raise forms.ValidationError("These addresses differ.")


    class NextPageForm(forms.Form):
        next_page = forms.CharField(required=False)

        # The field may stay empty, and another path returns a value: `None` is probably meant.
        def clean_next_page(self):
            if self.cleaned_data["next_page"].startswith("/"):
                return self.cleaned_data["next_page"]
    ```

    ## Fix safety
    The fix appends `return` with the name that holds `self.cleaned_data["<field>"]`, or with that
    expression. It is unsafe because the form keeps a value where it lost one. It is not offered where
    the method assigns the value more than once, changes it on the way or has a bare `return`.

    ## When not to use it
    When `None` is what a field should become; `return None` says so.

    ## References
    - Django documentation, "Form and field validation": cleaning a specific field attribute
    - https://docs.djangoproject.com/en/stable/ref/forms/validation/
    """
    owner = ctx.parent(node)
    if not node.name.startswith("clean_") or not isinstance(owner, ast.ClassDef):
        return
    field = node.name.removeprefix("clean_")
    function = ctx.function_info(node)
    form = ctx.class_info(owner)
    if node.decorator_list or function.yields or not ends_without_value(function):
        return
    if not django_web.is_form(form) or not django_web.cleans_by_name(form):
        return
    if any(function.returned) and not _must_have_value(form, field, node, ctx):
        return
    if field in django_web.form_fields(form) and (
        any(function.returned) or (not _takes_out(node, ctx) and django_web.value_is_used(form, field))
    ):
        yield ctx.finding(
            node,
            end=node.args.args[0] if node.args.args else None,
            fix=_fix(node, field, function, ctx),
            method=node.name,
            field=field,
        )


def _must_have_value(form: ClassInfo, field: str, node: ast.FunctionDef, ctx: Context) -> bool:
    """Whether a path without value can hardly be meant, in a method that returns one on another path."""
    declared = django_web.field_call(form, field)
    return (
        declared is not None
        and all(keyword.arg not in {"required", None} for keyword in declared.keywords)
        and "add_error" not in ctx.text(node)
        and "not in self.cleaned_data" not in ctx.text(node)
    )


def _takes_out(node: ast.FunctionDef, ctx: Context) -> bool:
    """Whether a method takes the value out of the cleaned data, to keep it elsewhere."""
    return any(
        ctx.enclosing_function(call) is node
        and ctx.text(call.func).endswith("cleaned_data.pop")
        and isinstance(call.args[0] if call.args else None, ast.Constant)
        for call in ctx.source.calls.get("pop", ())
    )


def _fix(node: ast.FunctionDef, field: str, function: FunctionInfo, ctx: Context) -> Fix | None:
    if any(value is None for value in function.returned) or not node.args.args:
        return None
    this = node.args.args[0].arg
    bindings = [item for found in ctx.module.scope_of(node).bindings.values() for item in found]
    holders = [item for item in bindings if item.value and "cleaned_data" in ctx.text(item.value)]
    if not holders:
        value = f'{this}.cleaned_data["{field}"]'
    elif len(holders) == 1 and _is_cleaned(holders[0].value, this, field) and not holders[0].path:
        value = holders[0].name
        if len([item for item in bindings if item.name == value]) > 1:
            return None
    else:
        return None
    edit = line_after(ctx.source, node.body[-1], f"return {value}")
    return ctx.fix(f"Return the value of `{field}`", edit) if edit is not None else None


def _is_cleaned(node: ast.expr | None, this: str, field: str) -> bool:
    match node:
        case (
            ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr="cleaned_data"), slice=key)
            | ast.Call(
                func=ast.Attribute(
                    value=ast.Attribute(value=ast.Name(id=name), attr="cleaned_data"), attr="get"
                ),
                args=[key, *_],
            )
        ):
            return name == this and isinstance(key, ast.Constant) and key.value == field
    return False
