from __future__ import annotations

import pytest

from tests.rules.harness import findings, fix

RULE = "blocking-file-io-in-async"

FILES = {
    "shop/__init__.py": "",
    "shop/exports.py": """
        import shutil
        from functools import cache
        from pathlib import Path

        class Exports:
            folder: Path

            def clear(self) -> None:
                self.forget("all")

            def forget(self, name: str) -> None:
                shutil.rmtree(self.folder / name)

            @property
            def terms(self) -> str:
                return (self.folder / "terms.md").read_text()

        @cache
        def logo() -> bytes:
            return Path("logo.png").read_bytes()
    """,
}

FOUND = {
    "functions": """
        import os
        import shutil

        async def f(name: str):
            with open(name) as file:  # PB605
                print(file)
            shutil.copyfile(name, "copy")  # PB605
            os.remove(name)  # PB605
    """,
    "folders": """
        import os
        from pathlib import Path

        async def f(folder: Path):
            os.mkdir(folder)  # PB605
            for path in folder.glob("*.csv"):  # PB605
                path.rename(folder / "read" / path.name)  # PB605
            return list(folder.iterdir())  # PB605
    """,
    "paths": """
        from pathlib import Path

        async def f(folder: Path, name: str):
            (folder / name).write_text("")  # PB605
            folder.parent.joinpath(name).with_suffix(".md").read_bytes()  # PB605
            Path(name).unlink()  # PB605
    """,
    "uploads": """
        from fastapi import UploadFile

        async def f(upload: UploadFile):
            return upload.file.read()  # PB605
    """,
    "through methods and properties": """
        from shop.exports import Exports

        async def f(exports: Exports):
            exports.clear()  # PB605
            return exports.terms  # PB605
    """,
}

SILENT = {
    "paths that are only computed": """
        from pathlib import Path

        async def f(folder: Path, name: str):
            return (folder / name).with_suffix(".md").name, folder.parent
    """,
    "asynchronous files": """
        import aiofiles
        from fastapi import UploadFile

        async def f(upload: UploadFile):
            async with aiofiles.open("a") as file:
                await file.write(await upload.read())
    """,
    "in a thread": """
        import asyncio
        from pathlib import Path

        async def f(path: Path):
            return await asyncio.to_thread(path.read_text)
    """,
    "read once": """
        from shop.exports import logo

        async def f():
            return logo()
    """,
    "opened by something else": """
        import webbrowser

        async def f(folder):
            folder.open()
            webbrowser.open("https://shop.example")
    """,
    "command": """
        import asyncio

        async def main():
            open("a").close()

        asyncio.run(main())
    """,
}


@pytest.mark.parametrize("source", FOUND.values(), ids=FOUND.keys())
def test_found(source: str) -> None:
    findings(RULE, source, files=FILES)


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
def test_silent(source: str) -> None:
    assert findings(RULE, source, files=FILES) == []


def test_the_chain_is_told() -> None:
    first, _ = findings(RULE, FOUND["through methods and properties"], files=FILES)
    assert first.message == (
        "Call `exports.clear` in a thread: it reaches `shutil.rmtree`, which blocks the event loop, "
        "via exports.py:9 → exports.py:12"
    )
    assert [place.start.row for place in first.related] == [9, 12]


@pytest.mark.parametrize(
    "read", ["open(name, 'w').close()", "list(os.walk(name))", "list(Path(name).glob('*'))"]
)
def test_what_is_read_later_has_no_fix(read: str) -> None:
    source = f"import os\nfrom pathlib import Path\n\n\nasync def f(name: str) -> None:\n    {read}\n"
    assert fix(RULE, source) == source
