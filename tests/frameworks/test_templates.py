"""Templates that are damaged, odd or endless: reading them ends, and every place lies in its file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pybackend_lint.engine import Engine
from pybackend_lint.frameworks.templates import ELEMENT, TEXT, TemplateUse, template_file, template_uses
from pybackend_lint.semantic.module import Module
from pybackend_lint.settings import Settings
from pybackend_lint.source import Source
from tests.rules.harness import write

PIECES = [
    "{% for row in rows %}", "{% for a, b in rows.all %}", "{% endfor %}", "{% if row.name and x %}",
    "{% elif row %}", "{% else %}", "{% endif %}", "{{ row.owner.name|default:'-' }}", "{{ row.name() }}",
    "{% with owner=row.owner other=x %}", "{% with row.owner as owner %}", "{% endwith %}", "{{ owner.name }}",
    "{% include 'page.html' %}", "{% include 'other.html' with row=row only %}", "{% set a = row.owner %}",
    "{% macro show(row, big=(1, 2)) %}", "{% endmacro %}", "{{ show(row, big=f(row.owner)) }}",
    "{% import 'page.html' as page %}", "{{ page.show(row) }}", "{% from 'other.html' import show as again %}",
    "{% comment %}", "{% endcomment %}", "{% verbatim %}", "{#", "#}", "{%", "%}", "{{", "}}", "'", '"', "(",
    "\n", "é", "\t", "{% url 'x' row.owner.pk as there %}", "{% cache 5 row %}", "{% endcache %}", "{% end %}",
]  # fmt: skip


def module_of(root: Path) -> Module:
    """A module of a project, which renders its templates."""
    (root / "views.py").write_text("x = 1\n")
    engine = Engine(Settings(root=root))
    path = root / "views.py"
    return engine.index.add(str(path), Source(str(path), path.read_bytes()).data)


def uses(root: Path, page: str, **others: str) -> list[tuple[str, ...]]:
    """What the page of a project asks of its variable `rows`."""
    write(root, {f"templates/{name}.html": text for name, text in {"page": page, **others}.items()})
    return [use.path for use in template_uses("page.html", ["rows"], module_of(root))]


def test_paths(tmp_path: Path) -> None:
    page = (
        "{% for row in rows.all %}{{ row.owner.name }}{% if row.tags.all %}{{ row }}{% endif %}{% endfor %}"
    )
    row = ("all", ELEMENT)
    assert uses(tmp_path, page) == [
        ("all",),
        (*row, "owner", "name"),
        (*row, "owner", "name", TEXT),
        (*row, "tags", "all"),
        row,
        (*row, TEXT),
    ]


@pytest.mark.parametrize("name", ["", "/page.html", "../page.html", "..\\page.html", "no.html", "folder"])
def test_names_that_are_no_template(name: str, tmp_path: Path) -> None:
    write(
        tmp_path, {"templates/page.html": "", "templates/folder/x.html": "", "page.html": "", "no.html": ""}
    )
    assert template_file(name, module_of(tmp_path)) is None


def test_not_in_utf8(tmp_path: Path) -> None:
    write(tmp_path, {})
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/page.html").write_bytes(
        b"\xff\xfe{% for row in rows %}\xe9{{ row.owner }}{% endfor %}"
    )
    assert len(template_uses("page.html", ["rows"], module_of(tmp_path))) == 2


def places(found: tuple[TemplateUse, ...]) -> list[tuple[str, int, int]]:
    """Where uses are."""
    return [(use.place.path, use.place.start.row, use.place.start.column) for use in found]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    page=st.lists(st.sampled_from(PIECES), max_size=25), other=st.lists(st.sampled_from(PIECES), max_size=8)
)
def test_any_text_is_read(page: list[str], other: list[str], tmp_path: Path) -> None:
    write(tmp_path, {"templates/page.html": "".join(page), "templates/other.html": "".join(other)})
    found = template_uses("page.html", ["rows"], module_of(tmp_path))
    for path, row, column in places(found):
        lines = Path(path).read_bytes().decode().split("\n")
        assert 1 <= row <= len(lines)
        assert lines[row - 1][column - 1] == "{"
