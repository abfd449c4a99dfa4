"""Which admin classes have filters and say nothing of facets."""

from __future__ import annotations

import pytest

from tests.rules.django_web.real_django import run
from tests.rules.harness import findings

HEADER = """
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from library.admin import LibraryAdmin
from shop import filters

class Plain(admin.ModelAdmin):
    pass

class Quiet(admin.ModelAdmin):
    show_facets = admin.ShowFacets.NEVER
"""
FILES = {"pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["django>=5.0"]\n'}
SILENT = {
    "decided": 'class A(Plain):\n    list_filter = ["a"]\n    show_facets = admin.ShowFacets.ALLOW',
    "decided by a base": 'class A(Quiet):\n    list_filter = ["a"]',
    "no filters": "class A(Plain):\n    list_filter = []",
    "filters that are not known": "class A(Plain):\n    list_filter = filters",
    "a base that is not known": 'class A(LibraryAdmin):\n    list_filter = ["a"]',
    "no admin class": 'class A:\n    list_filter = ["a"]',
    "a part of a class": 'class A(object):\n    list_filter = ("a",)',
}
FOUND = {
    "a list": 'class A(admin.ModelAdmin):\n    list_filter = ["a"]  # PB246',
    "a tuple": 'class A(Plain):\n    list_filter = ("a",)  # PB246',
    "the admin of users": 'class A(UserAdmin):\n    list_filter = ("a",)  # PB246',
}


@pytest.mark.parametrize("why", SILENT)
def test_silent(why: str) -> None:
    findings("PB246", f"{HEADER}\n{SILENT[why]}\n", files=FILES)


@pytest.mark.parametrize("why", FOUND)
def test_found(why: str) -> None:
    assert findings("PB246", f"{HEADER}\n{FOUND[why]}\n", files=FILES)


def test_silent_before_facets() -> None:
    files = {"pyproject.toml": FILES["pyproject.toml"].replace("5.0", "4.2")}
    findings("PB246", f"{HEADER}\n{FOUND['a list'].removesuffix('  # PB246')}\n", files=files)


def test_django_counts_on_demand_by_default() -> None:
    printed = run("""
        from django.contrib.admin import ModelAdmin, ShowFacets
        print(ModelAdmin.show_facets is ShowFacets.ALLOW, [item.name for item in ShowFacets])
    """)
    assert printed == "True ['NEVER', 'ALLOW', 'ALWAYS']\n"
