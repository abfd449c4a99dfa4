"""How large a summary of a module would be, next to its source.

There is no stored summary: an index keeps the trees of modules until memory is short, and computes again
what it has forgotten. This measures what other modules can ask of one: the names that it binds and where
each leads to, its classes with bases and members, its functions with parameters, decorators and calls.
Written as JSON and compressed, as it would be kept on disk.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.projects import projects, python_files
from pybackend_lint.engine import Engine
from pybackend_lint.project import calls
from pybackend_lint.semantic.definitions import FunctionInfo
from pybackend_lint.semantic.module import Module
from pybackend_lint.settings import Settings
from pybackend_lint.source import SourceError


def summary(module: Module) -> dict[str, Any]:
    """What other modules can learn about one, as plain data; its own name is left out of names."""
    classes = [module.class_info_of(node) for node in module.source.nodes(ast.ClassDef)]
    functions = [module.function_info(node) for node in module.source.nodes(ast.FunctionDef)]
    functions += [module.function_info(node) for node in module.source.nodes(ast.AsyncFunctionDef)]
    own = f"{module.name}."

    def short(name: str | None) -> str:
        return (name or "").removeprefix(own)

    return {
        "names": {name: short(module.export(name)) for name in module.scope.bindings},
        "classes": {
            short(info.name): [
                list(map(short, info.bases)),
                [*info.scope.bindings, *info.instance_attributes],
            ]
            for info in classes
        },
        "functions": {short(info.name): function(info, short) for info in functions},
    }


def function(info: FunctionInfo, short: Callable[[str | None], str]) -> list[Any]:
    """Parameters, decorators, the type of the result, and calls of the project and of known frameworks."""
    result = info.call_type
    modules = info.module.modules
    return [
        [argument.arg for argument, _ in info.parameters()],
        list(map(short, info.decorators)),
        short(result.name if result is not None else None),
        [
            short(site.name)
            for site in calls.call_sites(info)
            if modules.owns(site.name) or modules.provider(site.name) is not None
        ],
    ]


def main() -> None:
    """Print the sizes over the corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    source = plain = packed = files = 0
    for folder in parser.parse_args().folders or projects():
        engine = Engine(Settings(root=folder))
        for path in python_files(folder):
            module = engine.index.add(str(path), path.read_bytes())
            try:
                text = json.dumps(summary(module), separators=(",", ":")).encode()
            except SourceError:
                engine.index.discard(str(path))
                continue
            files += 1
            source += len(module.source.data)
            plain += len(text)
            packed += len(zlib.compress(text))
            engine.index.trim()
    print(f"{files:,} files of {source / files:,.0f} bytes on average")
    print(f"summary: {plain / source:.1%} of the source as text, {packed / source:.1%} compressed")


if __name__ == "__main__":
    main()
