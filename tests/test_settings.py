"""Settings: what is read from pyproject.toml, what is refused, and which rules are selected."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from pybackend_lint.registry import ENTRIES
from pybackend_lint.settings import (
    OPTIONS,
    Resolver,
    Selection,
    Settings,
    SettingsError,
    codes_of,
    from_table,
    json_schema,
    read,
)

ALL = frozenset(entry.code for entry in ENTRIES)
DEFAULT = frozenset(entry.code for entry in ENTRIES if entry.default)
ASYNC = frozenset(entry.code for entry in ENTRIES if entry.code.startswith("PB6"))
SYNTAX = frozenset({"PB000"})


def settings(table: dict[str, object], root: Path = Path("/project")) -> Settings:
    return from_table(table, root / "pyproject.toml", root)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([], DEFAULT),
        ([Selection(select=("ALL",))], ALL),
        ([Selection(select=("PB",))], ALL),
        ([Selection(select=("PB6",))], ASYNC | SYNTAX),
        ([Selection(select=("pb6",))], ASYNC | SYNTAX),
        ([Selection(select=("PB604", "clean-without-return"))], {"PB604", "PB210"} | SYNTAX),
        ([Selection(select=("PB6",), ignore=("PB604",))], ASYNC - {"PB604"} | SYNTAX),
        ([Selection(select=("PB604",), ignore=("PB6",))], {"PB604"} | SYNTAX),
        ([Selection(select=("PB604",), ignore=("ALL",))], {"PB604"} | SYNTAX),
        ([Selection(select=("PB6",), ignore=("PB6",))], SYNTAX),
        ([Selection(ignore=("PB6",), extend_select=("PB604",))], DEFAULT - ASYNC | {"PB604"}),
        ([Selection(ignore=("blocking-sleep-or-wait-in-async",))], DEFAULT - {"PB604"}),
        (
            [Selection(select=("PB2",)), Selection(extend_select=("PB604",))],
            codes_of("PB2") | {"PB604"} | SYNTAX,
        ),
        ([Selection(ignore=("PB604",)), Selection(select=("PB604",))], {"PB604"} | SYNTAX),
        ([Selection(select=("PB6",)), Selection(ignore=("PB604",))], ASYNC - {"PB604"} | SYNTAX),
        ([Selection(ignore=("PB0",))], DEFAULT - codes_of("PB0") | SYNTAX),
        ([Selection(ignore=("syntax-error",))], DEFAULT - SYNTAX),
        ([Selection(ignore=("PB000",)), Selection(select=("ALL",))], ALL - SYNTAX),
    ],
)
def test_selection(layers: list[Selection], expected: frozenset[str]) -> None:
    assert Settings(Path("/project"), selections=tuple(layers)).rules == expected


def test_opt_in_rules_run_where_the_front_end_asks() -> None:
    assert Settings(Path("/"), opt_in=True).rules == ALL
    chosen = Settings(Path("/"), opt_in=True, selections=(Selection(select=("PB6",), ignore=("PB604",)),))
    assert chosen.rules == ASYNC - {"PB604"} | SYNTAX


@pytest.mark.parametrize(
    ("globs", "path", "ignored"),
    [
        ({"tests/*": ["PB604"]}, "tests/test_a.py", True),
        ({"tests/*": ["PB604"]}, "tests/deep/test_a.py", True),
        ({"tests/*": ["PB604"]}, "src/tests.py", False),
        ({"test_*.py": ["PB604"]}, "src/deep/test_a.py", True),
        ({"__init__.py": ["PB604"]}, "src/__init__.py", True),
        ({"/__init__.py": ["PB604"]}, "src/__init__.py", False),
        ({"./src/a.py": ["PB604"]}, "src/a.py", True),
        ({"/project/src/*": ["PB604"]}, "src/a.py", True),
        ({"src/**/a.py": ["PB604"]}, "src/x/y/a.py", True),
        ({"src/*.py": ["PB604"]}, "src/x/a.py", True),
        ({"*/src/*": ["PB604"]}, "lib/src/x/a.py", True),
        ({"*/src/*": ["PB604"]}, "src/a.py", False),
        ({"src/[!b]*": ["PB604"]}, "src/a.py", True),
        ({"src/[!b]*": ["PB604"]}, "src/b.py", False),
        ({"src": ["PB604"]}, "lib/src/a.py", True),
        ({"{docs,src}/**": ["PB604"]}, "src/a.py", True),
        ({"**/{docs,src/{b,c}}/*": ["PB604"]}, "lib/src/c/a.py", True),
        ({"{{cookiecutter.name}}/*": ["PB604"]}, "{{cookiecutter.name}}/a.py", True),
        ({"!{docs,src}/**": ["PB604"]}, "src/a.py", False),
        ({"!src/**": ["PB604"]}, "scripts/a.py", True),
        ({"!src/**": ["PB604"]}, "src/a.py", False),
        ({"*": ["PB6"]}, "a.py", True),
        ({"*": ["ALL"]}, "a.py", True),
        ({"*": ["blocking-sleep-or-wait-in-async"]}, "a.py", True),
        ({"*": ["PB2"]}, "a.py", False),
    ],
)
def test_per_file_ignores(globs: dict[str, list[str]], path: str, ignored: bool) -> None:
    selected = settings({"per-file-ignores": globs}).rules_for(Path("/project") / path)
    assert ("PB604" not in selected) is ignored
    assert "PB000" in selected


def test_per_file_ignores_match_below_the_root_only() -> None:
    assert "PB604" in settings({"per-file-ignores": {"a.py": ["PB604"]}}).rules_for(Path("/elsewhere/a.py"))


def test_per_file_ignores_hide_syntax_errors_only_by_name() -> None:
    selected = settings({"per-file-ignores": {"templates/*": ["syntax-error"]}})
    assert "PB000" not in selected.rules_for(Path("/project/templates/a.py"))
    assert "PB000" in selected.rules_for(Path("/project/a.py"))


@pytest.mark.parametrize(
    ("table", "key", "reason"),
    [
        ({"selct": []}, "[tool.pybackend-lint]", "unknown key 'selct'; did you mean 'select'?"),
        ({"zzz": 1}, "[tool.pybackend-lint]", "unknown key 'zzz'"),
        ({"select": "PB1"}, "select", "must be a list of strings"),
        ({"select": ["PB6", 1]}, "select", "must be a list of strings"),
        ({"select": ["PB999"]}, "select", "unknown rule 'PB999'"),
        ({"extend-select": ["PB21o"]}, "extend-select", "unknown rule 'PB21o'"),
        (
            {"select": ["clean-without-retrun"]},
            "select",
            "unknown rule 'clean-without-retrun'; did you mean 'clean-without-return'?",
        ),
        ({"exclude": "build"}, "exclude", "must be a list of strings"),
        ({"extend-exclude": ["a\\"]}, "extend-exclude", "is not a glob"),
        ({"per-file-ignores": {"src/[": ["PB1"]}}, "per-file-ignores", "'src/[' is not a glob"),
        ({"per-file-ignores": []}, "per-file-ignores", "must be a table"),
        ({"per-file-ignores": {"a": "PB1"}}, "per-file-ignores", "'a' must have a list of rules"),
        ({"respect-gitignore": 1}, "respect-gitignore", "must be true or false"),
        ({"extra-base-classes": {"Model": "django.db.models.Model"}}, "extra-base-classes", "'Model' is not"),
        ({"extra-base-classes": {"a.Model": 1}}, "extra-base-classes", "'a.Model' must have"),
        ({"extra-blocking": ["a b"]}, "extra-blocking", "'a b' is not a qualified name"),
        ({"allowed-blocking": ["sleep"]}, "allowed-blocking", "'sleep' is not a qualified name"),
        (
            {"versions": {"djnago": "5.2"}},
            "versions",
            "unknown package 'djnago'; did you mean 'django'?",
        ),
        ({"versions": {"django": 5.2}}, "versions", "the version of 'django' must be a string"),
        ({"versions": {"django": "five"}}, "versions", "'five' is neither a version nor a specifier"),
        ({"versions": {"a b": "1"}}, "versions", "'a b' is not the name of a package"),
        ({"cache-dir": ""}, "cache-dir", "must be a path"),
    ],
)
def test_wrong_settings_are_named(table: dict[str, object], key: str, reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(table)
    message = str(caught.value)
    assert message.startswith("/project/pyproject.toml: ")
    assert key in message
    assert reason in message
    assert "\n" not in message


def test_unknown_rules_to_ignore_are_warnings() -> None:
    found = settings({"ignore": ["PB999"], "extend-ignore": ["PB604"], "per-file-ignores": {"*": ["nope"]}})
    assert found.rules == DEFAULT - {"PB604"}
    assert [line.split(": ", 1)[1] for line in found.warnings] == [
        "[tool.pybackend-lint] ignore: unknown rule 'PB999'",
        "[tool.pybackend-lint] per-file-ignores: unknown rule 'nope'",
    ]


def test_values() -> None:
    found = settings(
        {
            "exclude": ["generated"],
            "extend-exclude": ["more/*.py"],
            "respect-gitignore": False,
            "extra-base-classes": {"auto_prefetch.Model": "django.db.models.Model"},
            "extra-blocking": ["billing.charge"],
            "allowed-blocking": ["billing.quick"],
            "versions": {"Django": "5.2", "Flask_SQLAlchemy": ">=3,<4"},
            "cache-dir": "cache",
        }
    )
    assert found.exclude == ("generated",)
    assert found.extend_exclude == ("more/*.py",)
    assert not found.respect_gitignore
    assert found.extra_base_classes == {"auto_prefetch.Model": "django.db.models.Model"}
    assert found.extra_blocking == ("billing.charge",)
    assert found.allowed_blocking == ("billing.quick",)
    assert found.versions == {"django": "5.2", "flask-sqlalchemy": ">=3,<4"}
    assert found.cache_dir == Path("/project/cache")


def test_nearest_table_wins(tmp_path: Path) -> None:
    (tmp_path / "service" / "src").mkdir(parents=True)
    (tmp_path / "plain").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.pybackend-lint]\nignore = ['PB604']\n")
    (tmp_path / "service" / "pyproject.toml").write_text("[tool.pybackend-lint]\nignore = ['PB210']\n")
    (tmp_path / "plain" / "pyproject.toml").write_text("[project]\nname = 'plain'\n")
    resolver = Resolver()
    assert resolver.for_directory(str(tmp_path)).root == tmp_path
    assert resolver.for_directory(str(tmp_path / "plain")).root == tmp_path
    service = resolver.for_directory(str(tmp_path / "service" / "src"))
    assert service.root == tmp_path / "service"
    assert service.rules == DEFAULT - {"PB210"}


def test_without_configuration_the_defaults_hold(tmp_path: Path) -> None:
    found = Resolver().for_directory(str(tmp_path))
    assert found.file is None
    assert found.rules == DEFAULT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[tool.pybackend-lint", "not valid TOML"),
        ("tool.pybackend-lint = 1", "must be a table"),
        ("[tool.other]", "there is no such table"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=reason):
        read(file)
    with pytest.raises(SettingsError, match="No such file"):
        read(tmp_path / "absent.toml")


def test_schema_says_the_same_as_the_reader() -> None:
    schema = json_schema()
    assert set(schema["properties"]) == {option.key for option in OPTIONS}
    validator = jsonschema.Draft7Validator(schema)
    good: dict[str, object] = {
        "select": ["PB6", "query-get", "ALL"],
        "per-file-ignores": {"a": ["PB604"]},
        "extra-base-classes": {"a.B": "c.D"},
        "versions": {"django": "5.2"},
        "cache-dir": "x",
    }
    settings(good)
    assert list(validator.iter_errors(good)) == []
    wrong: list[dict[str, object]] = [
        {"selct": []},
        {"select": "PB1"},
        {"select": ["PB999"]},
        {"respect-gitignore": 1},
        {"extra-blocking": ["a b"]},
        {"extra-base-classes": {"Model": "a.B"}},
        {"versions": {"django": 5}},
    ]
    for bad in wrong:
        assert list(validator.iter_errors(bad)), bad
        with pytest.raises(SettingsError):
            settings(bad)


def test_examples_of_the_options_are_valid() -> None:
    import tomllib

    for option in OPTIONS:
        table = tomllib.loads(option.example)
        assert list(table) == [option.key]
        assert option.read(table[option.key]) is not None


def test_key_tells_settings_apart() -> None:
    base = settings({})
    different: list[dict[str, object]] = [
        {"ignore": ["PB604"]},
        {"per-file-ignores": {"a": ["PB604"]}},
        {"versions": {"django": "5.2"}},
        {"extra-blocking": ["a.b"]},
        {"allowed-blocking": ["a.b"]},
        {"extra-base-classes": {"a.B": "c.D"}},
    ]
    keys = [str(settings(table).key) for table in different]
    assert len({str(base.key), *keys}) == len(different) + 1
    assert settings({"exclude": ["x"]}).key == base.key
