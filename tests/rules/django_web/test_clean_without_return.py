"""Where a `clean_<field>` loses its value, and where it does not."""

from __future__ import annotations

import textwrap

import pytest

from tests.rules.django_web.real_django import run
from tests.rules.harness import findings, fix

HEADER = """
from django import forms
from shop.fields import CodeField

def code_of(data):
    form = F(data)
    return form.cleaned_data["code"]
"""
FILES = {
    "shop/fields.py": "from django import forms\n\n\nclass CodeField(forms.CharField):\n    pass\n",
    "shop/base.py": """
        from typing import NoReturn
        from django import forms

        class CodeForm(forms.Form):
            code = forms.CharField()

            def stop(self) -> NoReturn:
                raise forms.ValidationError("no")

        class PlainMixin:
            note = forms.CharField()

        class OwnCleaning(forms.Form):
            code = forms.CharField()

            def _clean_fields(self):
                for name in self.fields:
                    getattr(self, f"clean_{name}")()
    """,
}

SILENT = {
    "no field of that name": """
        class F(forms.Form):
            code = CodeField()
            def clean_name(self):
                self.seen = True
    """,
    "taken out": """
        class F(forms.Form):
            code = CodeField()
            def clean_code(self):
                self.instance = self.cleaned_data.pop("code")
    """,
    "no form": """
        class F:
            code = CodeField()
            def clean_code(self):
                self.seen = True
    """,
    "every path returns or raises": """
        class F(forms.Form):
            code = CodeField()
            def clean_code(self):
                try:
                    number = int(self.cleaned_data["code"])
                except ValueError:
                    raise forms.ValidationError("no")
                else:
                    return number
    """,
    "endless loop": """
        class F(forms.Form):
            code = CodeField()
            def clean_code(self):
                while True:
                    code = self.next_code()
                    if code:
                        return code
    """,
    "all cases": """
        class F(forms.Form):
            code = CodeField()
            def clean_code(self):
                match self.cleaned_data["code"]:
                    case "a":
                        return 1
                    case _:
                        raise forms.ValidationError("no")
    """,
    "ends with a call that always raises": """
        from shop.base import CodeForm
        class F(CodeForm):
            def clean_code(self):
                if self.cleaned_data["code"]:
                    return 1
                self.stop()
    """,
    "ends with a call of something unknown": """
        class F(forms.Form):
            code = CodeField()
            def clean_code(self):
                if self.cleaned_data["code"]:
                    return 1
                self.checker.refuse()
    """,
    "decorated by something that may return": """
        from shop.unknown import keep
        class F(forms.Form):
            code = CodeField()
            @keep
            def clean_code(self):
                pass
    """,
    "attribute of a mixin that is no form": """
        from shop.base import PlainMixin
        class F(PlainMixin, forms.Form):
            def clean_note(self):
                pass
    """,
    "form that cleans in its own way": """
        from shop.base import OwnCleaning
        class F(OwnCleaning):
            def clean_code(self):
                self.seen = True
    """,
    "field removed by the subclass": """
        from shop.base import CodeForm
        class F(CodeForm):
            code = None
            def clean_code(self):
                self.seen = True
    """,
    "a value on one path of a field that may stay empty": """
        class F(forms.Form):
            code = CodeField(required=False)
            def clean_code(self):
                if self.cleaned_data["code"] in self.codes:
                    return self.cleaned_data["code"]
    """,
    "an error on the path without a value": """
        class F(forms.Form):
            code = CodeField()
            def clean_code(self):
                try:
                    return int(self.cleaned_data["code"])
                except ValueError:
                    self.add_error("code", "no")
    """,
    "returns None on purpose": """
        class F(forms.Form):
            code = CodeField()
            def clean_code(self):
                return None
    """,
}
FOUND = {
    "falls off the end": """
        class F(forms.Form):
            code = CodeField()
            def clean_code(self):  # PB210
                if self.cleaned_data["code"] == "x":
                    raise forms.ValidationError("no")
    """,
    "field of a base in another file": """
        from shop.base import CodeForm
        class F(CodeForm):
            def clean_code(self):  # PB210
                if self.cleaned_data["code"]:
                    self.stop()
    """,
    "listed in Meta": """
        class F(forms.ModelForm):
            class Meta:
                fields = ["code"]
            def clean_code(self):  # PB210
                self.instance.code = self.cleaned_data["code"]
    """,
    "all fields of the model": """
        from django.db import models
        class Coupon(models.Model):
            code = models.CharField(max_length=5)
            made = models.DateTimeField(auto_now_add=True)
        class F(forms.ModelForm):
            class Meta:
                model = Coupon
                fields = "__all__"
            def clean_code(self):  # PB210
                self.instance.code = self.cleaned_data["code"]
            def clean_made(self):
                self.checked = True
    """,
    "bare return": """
        class F(forms.Form):
            code = CodeField()
            def clean_code(self):  # PB210
                if not self.cleaned_data["code"]:
                    return
                return self.cleaned_data["code"]
    """,
    "only calls super": """
        from shop.base import CodeForm
        class F(CodeForm):
            def clean_code(self):  # PB210
                super().clean_code()
    """,
    "loop that may end": """
        class F(forms.Form):
            code = CodeField()
            def clean_code(self):  # PB210
                for item in self.items:
                    if item:
                        return item
    """,
    "handler that falls through": """
        class F(forms.Form):
            code = CodeField()
            def clean_code(self):  # PB210
                try:
                    return int(self.cleaned_data["code"])
                except ValueError:
                    self.bad = True
    """,
}


UNUSED = """
from django import forms

class PasswordForm(forms.Form):
    again = forms.CharField()

    def clean_again(self):
        if self.cleaned_data["again"] != self.initial:
            raise forms.ValidationError("no")

    def clean(self):
        return self.cleaned_data
"""
VIEW = "from shop.forms import PasswordForm\n\ndef change(data):\n    form = PasswordForm(data)\n"
USED = {
    "nowhere": ("", False),
    "by another form that cleans such a field": (
        "class OtherForm:\n    def clean_again(self):\n        return self.cleaned_data['again']\n", False,
    ),
    "by a form that is another": (
        "from django import forms\n\nclass OtherForm(forms.Form):\n    again = forms.CharField()\n"
        "    def clean(self):\n        print(self.cleaned_data['again'])\n", False,
    ),
    "by a form that inherits": (
        "from shop.forms import PasswordForm\n\nclass OtherForm(PasswordForm):\n"
        "    def clean(self):\n        print(self.cleaned_data['again'])\n", True,
    ),
    "by name": (f"{VIEW}    print(form.cleaned_data['again'])\n", True),
    "by get": (f"{VIEW}    print(form.cleaned_data.get('again', ''))\n", True),
    "from a variable": (f"{VIEW}    cd = form.cleaned_data\n    print(cd['again'])\n", True),
    "all of them": (
        "from shop.forms import PasswordForm\n\ndef change(save):\n    form = PasswordForm()\n"
        "    save(**form.cleaned_data)\n", True,
    ),
    "all of another form": ("def change(save, form):\n    save(**form.cleaned_data)\n", False),
}  # fmt: skip


@pytest.mark.parametrize(("view", "is_used"), USED.values(), ids=USED)
def test_values_that_nobody_uses(view: str, is_used: bool) -> None:
    text = UNUSED.replace("(self):\n        if", "(self):  # PB210\n        if") if is_used else UNUSED
    findings("PB210", text, files={"shop/views.py": view}, path="shop/forms.py")


@pytest.mark.parametrize("text", [*SILENT.values(), *FOUND.values()], ids=[*SILENT, *FOUND])
def test_traps(text: str) -> None:
    findings("PB210", HEADER + textwrap.dedent(text), files=FILES)


BODY = """
class F(forms.Form):
    code = CodeField()

    def clean_code(self):
"""
FIXED = {
    "the value itself": (
        '        self.seen = True\n', '        self.seen = True\n        return self.cleaned_data["code"]\n',
    ),
    "the name that holds it": (
        '        code = self.cleaned_data.get("code")\n        print(code)\n',
        '        code = self.cleaned_data.get("code")\n        print(code)\n        return code\n',
    ),
    "behind a comment": (
        "        self.seen = True  # done\n",
        '        self.seen = True  # done\n        return self.cleaned_data["code"]\n',
    ),
    "not when it is changed": (
        '        code = self.cleaned_data["code"]\n        code = code.lower()\n', None,
    ),
    "not when what is held is another value": ('        code = self.cleaned_data["code"].lower()\n', None),
    "not with a bare return": ("        if self.data:\n            return\n", None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FIXED.values(), ids=FIXED)
def test_fix(text: str, expected: str | None) -> None:
    head = HEADER.lstrip("\n") + BODY
    assert fix("PB210", head + text, files=FILES) == head + (text if expected is None else expected)


def test_django_really_loses_the_value() -> None:
    printed = run(
        """
        from django import forms

        class F(forms.Form):
            code = forms.CharField()

            def clean_code(self):
                if not self.cleaned_data["code"]:
                    raise forms.ValidationError("no")

        form = F({"code": "abc"})
        print(form.is_valid(), form.cleaned_data)
        """
    )
    assert printed == "True {'code': None}\n"
