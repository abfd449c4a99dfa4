"""The codes that the engine reports itself, outside any rule, and their documentation."""

from __future__ import annotations

from pybackend_lint.rule_entry import Entry

SYNTAX_ERROR = Entry(
    code="PB000",
    name="syntax-error",
    module="pybackend_lint.engine",
    message="{reason}",
    summary="The file cannot be decoded or parsed, so nothing else in it was checked.",
    severity="error",
    tags=("correctness",),
    tests="both",
    migrations="both",
)

ENGINE_ENTRIES: tuple[Entry, ...] = (SYNTAX_ERROR,)

# By code; the same sections as in the documentation of a rule, as far as they make sense here.
ENGINE_DOCUMENTATION: dict[str, str] = {
    "PB000": """The file cannot be decoded or parsed, so nothing else in it was checked.

## Why
A file with a syntax error fails when it is imported. Files are read with the grammar of the Python
that runs the linter, so a file may also use syntax that is newer than this Python; the message then
names the version that would be needed. Other files of the run are checked as usual.

## Bad
```python
def total(orders:
    return sum(orders)
```

## Good
```python
def total(orders):
    return sum(orders)
```

## When not to use it
Files that are not meant to be Python, such as templates of code generators, belong into `exclude`.

## References
- The Python Language Reference, "Full Grammar specification"
- PEP 263, "Defining Python Source Code Encodings"
"""
}
