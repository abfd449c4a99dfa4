"""Facts about Flask against the Flask that is installed."""

from __future__ import annotations

import inspect
from pathlib import Path

import flask
import flask.json
import pytest

from pybackend_lint.frameworks import flask as facts
from tests.semantic.modules import module_of, types

VALUES = {
    "from flask import Flask\nprobe(Flask('a').config)": "flask.Config",
    "from flask.app import Flask\nclass Shop(Flask): ...\nprobe(Shop('a').config)": "flask.Config",
    "import flask\nprobe(flask.current_app.config)": "flask.Config",
    "from flask.globals import current_app\nprobe(current_app.config)": "flask.Config",
    "from flask import Flask\ndef make() -> Flask: ...\nprobe(make().jinja_env)": "jinja2.Environment",
}


@pytest.mark.parametrize(("text", "expected"), VALUES.items())
def test_values(text: str, expected: str, tmp_path: Path) -> None:
    assert types(module_of(tmp_path, {"main.py": text})) == [expected]


@pytest.mark.parametrize("name", facts.REMOVED_IMPORTS)
def test_removed_imports_are_gone(name: str) -> None:
    module = flask.json if name.startswith("flask.json.") else flask
    assert not hasattr(module, name.rpartition(".")[2])


@pytest.mark.parametrize("name", facts.REMOVED_ATTRIBUTES)
def test_removed_attributes_are_gone(name: str) -> None:
    assert not hasattr(flask.Flask("shop"), name)
    assert not hasattr(flask.Blueprint("shop", "shop"), name)


@pytest.mark.parametrize(("name", "removed"), facts.REMOVED_SETTINGS.items())
def test_removed_settings_are_gone_and_their_replacements_exist(name: str, removed: facts.Removed) -> None:
    app = flask.Flask("shop")
    assert name not in app.config
    assert hasattr(app.json, removed.advice.removeprefix("app.json."))


def test_removed_arguments_are_gone_and_their_replacements_exist() -> None:
    taken = set(inspect.signature(flask.send_file).parameters)
    for names in facts.REMOVED_ARGUMENTS.values():
        for name, removed in names.items():
            assert name not in taken
            assert removed.new in taken | {"path"}
    assert "path" in inspect.signature(flask.send_from_directory).parameters


def test_a_removed_setting_is_ignored_and_its_replacement_is_not() -> None:
    app = flask.Flask("shop")
    app.config["JSON_SORT_KEYS"] = False
    with app.app_context():
        assert flask.json.dumps({"b": 1, "a": 2}) == '{"a": 2, "b": 1}'
        app.json.sort_keys = False  # type: ignore[attr-defined]
        assert flask.json.dumps({"b": 1, "a": 2}) == '{"b": 1, "a": 2}'
