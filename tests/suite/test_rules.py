"""What must hold for all rules at once."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from pybackend_lint.engine_entries import ENGINE_ENTRIES
from pybackend_lint.project.versions import Versions, satisfies
from pybackend_lint.registry import ENTRIES
from pybackend_lint.registry_lookup import documentation, find, load
from tools import generate, own_rules, precision
from tools.families import FAMILIES, family_of

RULES = [entry for entry in ENTRIES if entry.module.startswith("pybackend_lint.rules.")]


def test_rules_keep_to_the_conventions() -> None:
    faults = [str(fault) for path in own_rules.rule_files() for fault in own_rules.check_file(path)]
    assert faults == []


def test_generated_files_are_up_to_date() -> None:
    rules, problems = generate.read_rules()
    assert problems == []
    assert list(generate.differences(generate.outputs(rules))) == []


def test_every_rule_module_is_in_the_registry() -> None:
    modules = [path.relative_to(own_rules.ROOT).with_suffix("") for path in own_rules.rule_files()]
    assert sorted(entry.module for entry in RULES) == sorted(".".join(module.parts) for module in modules)


def test_codes_and_names_are_unique() -> None:
    keys = [key for entry in ENTRIES for key in (entry.code, entry.name)]
    assert len(keys) == len(set(keys))


def test_entries_agree_with_their_rules() -> None:
    assert {entry.code: generate.entry_of(load(entry)) for entry in RULES} == {
        entry.code: entry for entry in RULES
    }


def test_rules_are_in_the_folder_of_their_family() -> None:
    folders = {entry.code: entry.module.split(".")[2] for entry in RULES}
    assert folders == {code: family_of(code).folder for code in folders}


def test_every_family_has_a_folder() -> None:
    folders = {path.name for path in own_rules.RULES.iterdir() if (path / "__init__.py").exists()}
    assert folders == {family.folder for family in FAMILIES}


def test_requirements_can_be_read(tmp_path: Path) -> None:
    nothing_known = Versions(tmp_path, {}, lambda path: None)
    for entry in RULES:
        satisfies(entry.applies, nothing_known, bound=entry.bound)


def test_names_restrict_calls_or_attributes() -> None:
    named = {entry.code: entry.nodes for entry in RULES if entry.names}
    assert [code for code, nodes in named.items() if not {"Call", "Attribute"} & set(nodes)] == []


def test_nodes_are_types_of_the_syntax_tree() -> None:
    for entry in RULES:
        for name in entry.nodes:
            assert issubclass(getattr(ast, name), ast.AST), entry.code


def test_codes_and_names_are_found() -> None:
    for entry in ENTRIES:
        assert find(entry.code) is entry
        assert find(entry.code.lower()) is entry
        assert find(entry.name) is entry
    assert find("PB") is None


def test_every_code_is_documented() -> None:
    for entry in ENTRIES:
        assert " ".join(documentation(entry).split()).startswith(entry.summary)


def test_every_rule_has_a_row_of_precision() -> None:
    rows = precision.read_rows(precision.PAGE.read_text("utf-8"))
    assert [(row.code, row.name) for row in rows] == [(entry.code, entry.name) for entry in RULES]


def test_defaults_are_earned() -> None:
    rows = {row.code: row for row in precision.read_rows(precision.PAGE.read_text("utf-8"))}
    unearned = [entry.code for entry in RULES if entry.default and not _earned(rows.get(entry.code))]
    assert unearned == []


def _earned(row: precision.Row | None) -> bool:
    """Nothing found on the corpus is no proof: then the remarks say where else the rule was tried."""
    if row is None:
        return False
    if row.read == 0:
        return row.found == 0 and row.remarks not in {"", precision.NOT_MEASURED}
    return row.right >= 0.95 * row.read and row.read >= min(row.found, 30)


def test_reading_the_registry_imports_no_rule() -> None:
    program = (
        "import sys; import pybackend_lint.registry_lookup;"
        "print(*[name for name in sys.modules if name.startswith('pybackend_lint.r')])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(run.stdout.split()) == {
        "pybackend_lint.registry", "pybackend_lint.registry_lookup", "pybackend_lint.rule_entry",
    }  # fmt: skip


def test_entries_of_the_engine_have_no_rule() -> None:
    for entry in ENGINE_ENTRIES:
        assert entry in ENTRIES
        with pytest.raises(LookupError, match=entry.code):
            load(entry)
