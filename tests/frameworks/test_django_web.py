"""What is known of Django's forms, views and settings, checked against the installed Django."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pybackend_lint.frameworks import django_web
from pybackend_lint.frameworks.libraries import libraries
from pybackend_lint.project.files import Files
from pybackend_lint.project.index import Index
from pybackend_lint.project.layout import Layout
from pybackend_lint.semantic.definitions import ClassInfo
from pybackend_lint.semantic.module import Module


def module(root: Path, files: dict[str, str], path: str) -> Module:
    """The module of one of the files of a small project."""
    for name, text in {"pyproject.toml": "", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text))
    own = Files()
    found = Index(own, Layout(own), libraries({})).at(str(root / path))
    assert found is not None
    return found


def class_of(home: Module, name: str) -> ClassInfo:
    """A class of a module by name."""
    info = home.modules.class_info(f"{home.name}.{name}")
    assert info is not None
    return info


def test_bases_are_those_of_the_installed_packages() -> None:
    """Every base that the table names is a base of the real class, in that order."""
    program = textwrap.dedent(
        """
        import django
        from django.conf import settings
        settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"])
        django.setup()
        import importlib
        import django.forms.fields
        import django.views.generic.dates, django.views.generic.detail, django.views.generic.edit
        from pybackend_lint.frameworks import django_web

        MODULES = {
            "django.views.generic": ("base", "edit", "list", "detail", "dates"),
            "django.forms": ("forms", "models", "fields", "formsets"),
        }

        def find(name):
            module, _, last = name.rpartition(".")
            for place in (module, *(f"{module}.{part}" for part in MODULES.get(module, ()))):
                try:
                    found = getattr(importlib.import_module(place), last, None)
                except ImportError:
                    continue
                if found is not None:
                    return found
            raise LookupError(name)

        for name, bases in django_web.BASES.items():
            order = find(name).__mro__
            places = [order.index(find(base)) for base in bases]
            assert places == sorted(places), (name, places)
        print(len(django_web.BASES) > 90)
        """
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == "True\n"


FORMS = {
    "shop/base.py": """
        from django import forms

        class Base(forms.Form):
            name = forms.CharField()
            gone = forms.CharField()

        class Mixin:
            note = forms.CharField()

        class Meta:
            fields = ("code", "total")
    """,
    "shop/forms.py": """
        from django.forms import fields, models
        from shop import base

        class Plain(base.Mixin, base.Base):
            gone = None
            age = fields.IntegerField()
            limit = 5

        class OfModel(models.ModelForm):
            Meta = base.Meta
            extra = fields.CharField()

        class Nested(models.ModelForm):
            class Meta(base.Meta):
                model = None
    """,
}


def test_fields_of_forms(tmp_path: Path) -> None:
    home = module(tmp_path, FORMS, "shop/forms.py")
    assert django_web.form_fields(class_of(home, "Plain")) == {"name", "age"}
    assert django_web.form_fields(class_of(home, "Nested")) == {"code", "total"}
    # `Meta` that is no class statement of the form is not read.
    assert django_web.form_fields(class_of(home, "OfModel")) == {"extra"}


def test_views_across_files_and_old_import_paths(tmp_path: Path) -> None:
    files = {
        "shop/base.py": "from django.views.generic.edit import UpdateView\n\n\nclass Base(UpdateView):\n    pass\n",
        "shop/views.py": "from shop.base import Base\n\n\nclass Edit(Base):\n    pass\n\n\nclass Other:\n    pass\n",
    }
    home = module(tmp_path, files, "shop/views.py")
    edit, other = class_of(home, "Edit"), class_of(home, "Other")
    assert django_web.is_view(edit)
    assert django_web.is_model_edit_view(edit)
    assert not django_web.is_view(other)


SETTINGS = {
    "by its content": ({"conf/app.py": 'INSTALLED_APPS = []\nROOT_URLCONF = ""\n'}, True),
    "only a list of apps": ({"conf/app.py": "INSTALLED_APPS = []\n"}, False),
    "imports settings with a star": (
        {"conf/app.py": "from .base import *\n", "conf/base.py": "INSTALLED_APPS = []\nMIDDLEWARE = []\n"}, True,
    ),
    "imports something else with a star": ({"conf/app.py": "from .base import *\n", "conf/base.py": "X = 1\n"}, False),
    "named by the ASGI module": (
        {"conf/app.py": "DEBUG = True\n", "web/asgi.py": 'os.environ.setdefault(\n  "DJANGO_SETTINGS_MODULE",\n  "conf.app")\n'},
        True,
    ),
    "another module is named": (
        {"conf/app.py": "DEBUG = True\n", "manage.py": 'os.environ["DJANGO_SETTINGS_MODULE"] = "conf.application"\n'},
        False,
    ),
    "modules that import each other": (
        {"conf/app.py": "from .base import *\n", "conf/base.py": "from .app import *\n"}, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), SETTINGS.values(), ids=SETTINGS)
def test_settings_modules(files: dict[str, str], expected: bool, tmp_path: Path) -> None:
    assert django_web.is_settings_module(module(tmp_path, files, "conf/app.py")) is expected
