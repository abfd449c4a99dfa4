"""Hover and completion: what a code means, and which codes there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from pybackend_lint.registry import ENTRIES
from tests.lsp.editor import Editor, editor

pytestmark = pytest.mark.asyncio

TEXT = """\
import time


async def work() -> None:
    time.sleep(1)
    time.sleep(2)  # noqa: E501, PB604, query-get because 😀
    x = "😀"  # pybackend-lint: noqa:query-get
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "work.py"


async def hover(client: Editor, path: Path, place: types.Position) -> tuple[str, str] | None:
    found = await client.text_document_hover_async(types.HoverParams(client.identity(path), place))
    if found is None:
        return None
    assert isinstance(found.contents, types.MarkupContent)
    assert found.contents.kind == types.MarkupKind.Markdown
    assert found.range is not None
    text = client.texts[path]
    marked = text[client.offset(text, found.range.start) : client.offset(text, found.range.end)]
    return marked, found.contents.value.splitlines()[0]


async def test_hover(path: Path) -> None:
    sleep = "# PB604: blocking-sleep-or-wait-in-async"
    async with editor(path.parent) as client:
        client.open(path, TEXT)
        assert await hover(client, path, client.place(path, "time.sleep(1)", 3)) == ("time.sleep", sleep)
        assert await hover(client, path, client.place(path, "PB604", 1)) == ("PB604", sleep)
        get = "# PB501: query-get"
        assert await hover(client, path, client.place(path, "query-get because", 4)) == ("query-get", get)
        assert await hover(client, path, client.place(path, "noqa:query-get", 14)) == ("query-get", get)
        for nothing in ("E501", "because", "import", "work"):
            assert await hover(client, path, client.place(path, nothing, 1)) is None


async def complete(client: Editor, path: Path, line: str) -> dict[str, types.CompletionItem] | None:
    """The items at the mark `|` in the last line, by label."""
    text = TEXT + line
    at = text.index("|")
    client.write(path, text.replace("|", ""))
    place = client.position(client.texts[path], at)
    found = await client.text_document_completion_async(types.CompletionParams(client.identity(path), place))
    if found is None:
        return None
    assert isinstance(found, types.CompletionList)
    return {item.label: item for item in found.items}


async def test_completion(path: Path) -> None:
    async with editor(path.parent) as client:
        client.open(path, TEXT)
        items = await complete(client, path, "x = 1  # noqa: |")
        assert items is not None
        assert items.keys() >= {key for entry in ENTRIES for key in (entry.code, entry.name)}
        assert items["PB501"].detail == "query-get"
        assert items["PB501"].documentation == next(e.summary for e in ENTRIES if e.code == "PB501")
        for line, word in (
            ("x = '😀'  # noqa: E501,PB|", "PB"),
            ("x = '😀'  # noqa:E501 query-g|", "query-g"),
            ("x = 1  # NOQA : PB6|04 why", "PB604"),
            ("# flake8: noqa: |", ""),
            ("x = 1  # type: ignore # noqa: query-get, |", ""),
        ):
            items = await complete(client, path, line)
            assert items is not None, line
            edit = items["PB501"].text_edit
            assert isinstance(edit, types.TextEdit)
            text = client.texts[path]
            replaced = text[client.offset(text, edit.range.start) : client.offset(text, edit.range.end)]
            assert (replaced, edit.new_text) == (word, "PB501")
        for line in (
            "x = 1  # |",
            "x = 1  # noqa|",
            "x = 1  # noqa: PB604 because |",
            "x|",
            "# noqa: PB604 # a|",
        ):
            assert await complete(client, path, line) is None, line


async def test_codes_of_the_line_come_first(path: Path) -> None:
    async with editor(path.parent) as client:
        client.open(path, TEXT)
        await client.diagnostics(path, ["PB604"])
        text = TEXT.replace("time.sleep(1)", "time.sleep(1)  # noqa: x")
        client.write(path, text.replace("noqa: x", "nope: x"))
        await client.diagnostics(path, ["PB604"])
        client.write(path, text.replace("noqa: x", "noqa: PB501"))
        await client.diagnostics(path, ["PB604"])
        place = client.position(text, text.index("noqa: x") + len("noqa: "))
        found = await client.text_document_completion_async(
            types.CompletionParams(client.identity(path), place)
        )
        assert isinstance(found, types.CompletionList)
        first = min(found.items, key=lambda item: item.sort_text or "")
        assert first.label == "PB604"
