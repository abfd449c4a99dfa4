"""Start a rule: its module, its row in docs/precision.md, and a list of what is left to do.

`python tools/new_rule.py sqlalchemy query-get "Use ..."` takes the next free code of the family;
`--code` takes one that was planned. A new rule is opt-in until its precision is known.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pybackend_lint.registry import ENTRIES
from tools.families import FAMILIES, Family
from tools.own_rules import ROOT, RULES, message_problems
from tools.precision import NOT_MEASURED, PAGE, Row, with_row

_TEMPLATE = '''"""Rule {code}: {name}."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.rule import Context, rule


@rule(
    "{code}",
    "{name}",
    "{message}",
    nodes=(ast.{node},),
    default=False,
    since="{since}",
)
def check(node: ast.{node}, ctx: Context) -> Iterator[Finding]:
    """Say in one sentence what is wrong.

    ## Why
    Say what happens to those who leave it as it is.

    ## Bad
    ```python
    ```

    ## Good
    ```python
    ```

    ## Not reported
    ```python
    ```

    ## When not to use it
    Say who should ignore the rule.

    ## References
    - Documentation, "Section"
    """
    yield from ()
'''


def next_code(family: Family, path: Path) -> str:
    """The code behind the highest one that the family has used, on the registry or on disk.

    Raises `ValueError` when the family is full.
    """
    used = {int(entry.code[2:]) for entry in ENTRIES if entry.code.startswith(f"PB{family.digit}")}
    for module in path.glob("*.py"):
        used.update(
            int(number) for number in re.findall(r'^    "PB(\d{3})",$', module.read_text("utf-8"), re.M)
        )
    code = max(used, default=int(family.digit) * 100) + 1
    if code >= (int(family.digit) + 1) * 100:
        raise ValueError(
            f"family {family.folder} has no free code behind PB{code - 1}; choose one with --code"
        )
    return f"PB{code:03}"


def module_text(code: str, name: str, message: str, node: str, since: str) -> str:
    """The module of a new rule, to be filled in."""
    literal = message.replace("\\", "\\\\").replace('"', '\\"')
    return _TEMPLATE.format(code=code, name=name, message=literal, node=node, since=since)


def problems(family: Family, code: str, name: str, message: str, node: str) -> list[str]:
    """What stands against a new rule of this description."""
    found = [f"message: {problem}" for problem in message_problems(message)]
    if not re.fullmatch(r"PB\d{3}", code) or code[2] != family.digit:
        found.append(f"{code} is no code of family {family.folder} (PB{family.digit} and two digits)")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        found.append(f"name: {name} is not lower case words joined by hyphens")
    if not issubclass(getattr(ast, node, object), ast.AST):
        found.append(f"there is no node type ast.{node}")
    found += [
        f"{entry.code} ({entry.name}) is taken"
        for entry in ENTRIES
        if code == entry.code or name == entry.name
    ]
    return found


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Start a rule.")
    parser.add_argument("family", choices=[family.folder for family in FAMILIES])
    parser.add_argument("name", help="names the pattern, such as query-get")
    parser.add_argument("message", help="says what to do, with {placeholders}")
    parser.add_argument("--code", help="a planned code; the next free one of the family when left out")
    parser.add_argument("--node", default="Call", help="the type of node the rule looks at (default: Call)")
    arguments = parser.parse_args()
    family = next(family for family in FAMILIES if family.folder == arguments.family)
    folder = RULES / family.folder
    code = arguments.code or next_code(family, folder)
    module = folder / f"{arguments.name.replace('-', '_')}.py"
    against = problems(family, code, arguments.name, arguments.message, arguments.node)
    if module.exists():
        against.append(f"{module.relative_to(ROOT)} exists")
    for problem in against:
        print(problem, file=sys.stderr)
    if against:
        return 2
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    since = ".".join(version.split(".")[:2])
    text = module_text(code, arguments.name, arguments.message, arguments.node, since)
    module.write_text(text, "utf-8", newline="\n")
    row = Row(code, arguments.name, 0, 0, 0, NOT_MEASURED)
    PAGE.write_text(with_row(PAGE.read_text("utf-8"), row), "utf-8", newline="\n")
    print(f"""{module.relative_to(ROOT)}: {code} {arguments.name}
docs/precision.md: its row
Left to do:
  1. the logic, by asking `ctx` and `pybackend_lint.frameworks`; the documentation with its examples
  2. traps that are not worth documenting: tests/rules/{family.folder}/test_{module.name}
  3. the guidelines it encodes: tools/guidelines.toml
  4. python tools/generate.py
  5. python tools/own_rules.py and python -m pytest tests/rules tests/suite
  6. python tools/corpus_diff.py, read the findings, write what they show into docs/precision.md;
     with 95 % of them right, remove `default=False`""")
    return 0


if __name__ == "__main__":
    sys.exit(main())
