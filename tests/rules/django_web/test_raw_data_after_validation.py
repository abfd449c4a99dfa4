"""When a value of the request is read again although a form has cleaned it."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.django_web.real_django import run
from tests.rules.harness import findings, fix

FILES = {
    "shop/forms.py": """
        from django import forms
        from elsewhere import StrangeForm

        class OrderForm(forms.Form):
            code = forms.CharField()

            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self.fields["extra"] = forms.CharField()

        class PrefixForm(forms.Form):
            prefix = "order"
            code = forms.CharField()

        class OpenForm(StrangeForm, forms.Form):
            code = forms.CharField()
    """
}
HEADER = "from shop.forms import OpenForm, OrderForm, PrefixForm\n\n\n"
SILENT = {
    "before the test": """
        def view(request):
            form = OrderForm(request.POST)
            code = request.POST["code"]
            if form.is_valid():
                return code
    """,
    "in the other branch": """
        def view(request):
            form = OrderForm(request.POST)
            if form.is_valid():
                return 1
            else:
                return request.POST["code"]
    """,
    "behind a test that leaves nothing": """
        def view(request):
            form = OrderForm(request.POST)
            if not form.is_valid():
                log(form)
            return request.POST["code"]
    """,
    "one of two conditions": """
        def view(request):
            form = OrderForm(request.POST)
            if form.is_valid() or request.user.is_staff:
                return request.POST["code"]
    """,
    "a key that is no field": """
        def view(request):
            form = OrderForm(request.POST)
            if form.is_valid():
                return request.POST["next"]
    """,
    "a field that only some forms get": """
        def view(request):
            form = OrderForm(request.POST)
            if form.is_valid():
                return request.POST["extra"]
    """,
    "a form with a prefix of its own": """
        def view(request):
            form = PrefixForm(request.POST)
            if form.is_valid():
                return request.POST["code"]
    """,
    "a form that got a prefix": """
        def view(request):
            form = OrderForm(request.POST, prefix="a")
            if form.is_valid():
                return request.POST["code"]
    """,
    "a form with an unknown base": """
        def view(request):
            form = OpenForm(request.POST)
            if form.is_valid():
                return request.POST["code"]
    """,
    "a form of other data": """
        def view(request, other):
            form = OrderForm(other.POST)
            if form.is_valid():
                return request.POST["code"]
    """,
    "one of two forms": """
        def view(request, form_class):
            form = OrderForm(request.POST) if request.user else form_class(request.POST)
            if form.is_valid():
                return request.POST["code"]
    """,
    "written": """
        def view(request):
            form = OrderForm(request.POST)
            if form.is_valid():
                request.POST["code"] = "x"
    """,
    "a function that runs later": """
        def view(request):
            form = OrderForm(request.POST)
            if form.is_valid():
                def later(request):
                    return request.POST["code"]
                return later
    """,
}
FOUND = {
    "in the branch": """
        def view(request):
            if request.method == "POST":
                form = OrderForm(request.POST, request.FILES)
                if form.is_valid():
                    return request.POST["code"]  # PB206
            else:
                form = OrderForm()
            return form
    """,
    "with get and a default": """
        def view(request):
            form = OrderForm(request.POST or None)
            if request.user and form.is_valid():
                return request.POST.get("code", "")  # PB206
    """,
    "behind a way out": """
        def view(request):
            form = OrderForm(data=request.POST)
            if not form.is_valid():
                raise ValueError
            for _ in range(3):
                print(request.POST.get("code"))  # PB206
    """,
    "in the else of a refusal": """
        class View:
            def post(self):
                form = OrderForm(self.request.POST)
                if not form.is_valid():
                    return 1
                else:
                    return self.request.POST["code"]  # PB206
    """,
}


@pytest.mark.parametrize("text", [*SILENT.values(), *FOUND.values()], ids=[*SILENT, *FOUND])
def test_traps(text: str) -> None:
    findings("PB206", HEADER + textwrap.dedent(text).lstrip("\n"), files=FILES)


def test_fix_keeps_a_default() -> None:
    text = """
        from shop.forms import OrderForm


        def view(request):
            form = OrderForm(request.POST)
            if form.is_valid():
                return {READ}, request.POST.get("code", "")
    """
    before = text.replace("{READ}", 'request.POST.get("code")')
    after = text.replace("{READ}", 'form.cleaned_data["code"]')
    assert fix("PB206", before, files=FILES) == textwrap.dedent(after).lstrip("\n")


def test_the_two_values_differ() -> None:
    printed = run(
        """
        from django import forms
        from django.test import RequestFactory

        class OrderForm(forms.Form):
            amount = forms.DecimalField()

        request = RequestFactory().post("/", {"amount": " 10.50 "})
        form = OrderForm(request.POST)
        print(form.is_valid(), repr(request.POST["amount"]), repr(form.cleaned_data["amount"]))
        """
    )
    assert printed == "True ' 10.50 ' Decimal('10.50')\n"
