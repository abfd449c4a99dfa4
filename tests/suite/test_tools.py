"""The programs that write files for the rules write what the rest of the project expects."""

from __future__ import annotations

from pathlib import Path

from pybackend_lint.engine_entries import ENGINE_DOCUMENTATION, SYNTAX_ERROR
from pybackend_lint.registry import ENTRIES
from pybackend_lint.rule_entry import Entry
from tools.families import FAMILIES
from tools.generate import registry_text, rule_page
from tools.new_rule import module_text, next_code, problems
from tools.own_rules import check_file
from tools.precision import Row, read_rows, with_row

ODD = Entry(
    code="PB999",
    name="odd-one",
    module="pybackend_lint.rules.architecture.odd_one",
    message='Say "no" to `{name}`',
    summary='It\'s "odd": a backslash \\ and a bar | in it, and ünïcode.',
    nodes=("Call",),
    names=tuple(f"a_rather_long_name_{number}" for number in range(8)),
    fix="unsafe",
    default=False,
)


def test_the_registry_holds_what_it_is_given() -> None:
    namespace: dict[str, object] = {}
    text = registry_text([SYNTAX_ERROR, ODD])
    exec(compile(text, "registry.py", "exec"), namespace)
    assert namespace["ENTRIES"] == (SYNTAX_ERROR, ODD)
    assert all(len(line) <= 110 for line in text.splitlines())


def test_blocks_with_a_file_have_a_caption() -> None:
    page = rule_page(ODD, "Odd.\n\n## Bad\n```python\nx\n```\n```python file=a/b.py\ny\n```\n", [])
    assert "```\n\n`a/b.py`:\n\n```python\ny\n```" in page
    assert "opt-in · warning · unsafe fix · since 0.1" in page
    assert SYNTAX_ERROR.summary in rule_page(SYNTAX_ERROR, ENGINE_DOCUMENTATION["PB000"], [])


def test_a_new_rule_keeps_to_the_conventions(tmp_path: Path) -> None:
    module = tmp_path / "odd_one.py"
    module.write_text(module_text("PB999", "odd-one", 'Say "no" to `{name}`', "Call", "0.1"), "utf-8")
    assert check_file(module) == []


def test_a_new_rule_takes_the_next_code(tmp_path: Path) -> None:
    family = FAMILIES[9]
    highest = max((int(entry.code[2:]) for entry in ENTRIES if entry.code.startswith("PB9")), default=900)
    assert next_code(family, tmp_path) == f"PB{highest + 1}"
    (tmp_path / "odd_one.py").write_text(module_text("PB998", "odd-one", "Say no", "Call", "0.1"), "utf-8")
    assert next_code(family, tmp_path) == "PB999"


def test_a_new_rule_is_refused() -> None:
    assert problems(FAMILIES[9], "PB999", "odd-one", "Say no", "Call") == []
    assert len(problems(FAMILIES[1], "PB999", "Odd", "the odd one.", "Cal")) == 5
    assert problems(FAMILIES[0], "PB000", "odd-one", "Say no", "Call") == ["PB000 (syntax-error) is taken"]


def test_rows_of_precision_are_sorted() -> None:
    page = "# Precision\n\n| code | rule |\n|---|---|---:|---:|---:|---|\n\nMore text.\n"
    later, earlier = Row("PB501", "b", 3, 2, 1, "some `remark`"), Row("PB100", "a", 0, 0, 0, "-")
    text = with_row(with_row(page, later), earlier)
    assert read_rows(text) == [earlier, later]
    assert text.startswith("# Precision\n")
    assert text.endswith("\n\nMore text.\n")
    changed = Row("PB100", "a", 5, 5, 5, "-")
    assert read_rows(with_row(text, changed)) == [changed, later]
