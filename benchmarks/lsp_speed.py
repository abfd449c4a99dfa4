"""How fast the language server is: a real process over pipes, one keystroke after another.

Measured on a generated project of 2,000 files and on downloaded ones: the time from the start of the
process to the first diagnostics, the time from `didChange` to the diagnostics of that document while
a file of 500 lines is typed into, and the server's memory over many edits.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import json
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.projects import environment, projects, python_files

_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"  # what is installed has its bytecode
# Every beginning of it can be parsed, so that every keystroke is checked to the end.
_TYPED = "    total_of_what_was_found_so_far"


class Server:
    """A server process and what it has sent."""

    def __init__(self, root: Path) -> None:
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pybackend_lint", "server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={name: value for name, value in environment().items() if name != _NO_BYTECODE},
            cwd=root,
        )
        self._arrived: queue.Queue[tuple[float, dict[str, Any]]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self._send(
            id=1,
            method="initialize",
            params={"processId": os.getpid(), "rootUri": root.as_uri(), "capabilities": {}},
        )
        self._until(lambda message: message.get("id") == 1)
        self._send(method="initialized", params={})

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        length = 0
        while line := stream.readline():
            if line.startswith(b"Content-Length: "):
                length = int(line.split()[1])
            elif line == b"\r\n":
                body = stream.read(length)
                self._arrived.put((time.perf_counter(), json.loads(body)))

    def _send(self, **content: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **content}).encode()
        stream = self._process.stdin
        assert stream is not None
        stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        stream.flush()

    def _until(self, wanted: Any) -> float:
        while True:
            moment, message = self._arrived.get(timeout=120)
            if wanted(message):
                return moment

    def _diagnosed(self, path: Path, version: int) -> float:
        """The moment when the diagnostics of a version arrived."""

        def wanted(message: dict[str, Any]) -> bool:
            params = message.get("params", {})
            return (
                message.get("method") == "textDocument/publishDiagnostics"
                and params["uri"] == path.as_uri()
                and params.get("version") == version
            )

        return self._until(wanted)

    def open(self, path: Path) -> float:
        """Open a document; the moment when its diagnostics arrived."""
        document = {
            "uri": path.as_uri(),
            "languageId": "python",
            "version": 0,
            "text": path.read_text("utf-8"),
        }
        self._send(method="textDocument/didOpen", params={"textDocument": document})
        return self._diagnosed(path, 0)

    def change(
        self, path: Path, version: int, start: tuple[int, int], end: tuple[int, int], text: str
    ) -> float:
        """Change a place of a document; the seconds until its diagnostics arrived."""
        ends = [{"line": line, "character": character} for line, character in (start, end)]
        change = {"range": {"start": ends[0], "end": ends[1]}, "text": text}
        sent = time.perf_counter()
        self._send(
            method="textDocument/didChange",
            params={"textDocument": {"uri": path.as_uri(), "version": version}, "contentChanges": [change]},
        )
        return self._diagnosed(path, version) - sent

    def check_workspace(self) -> None:
        """Let it check all files, and wait until it has done so."""
        params = {"command": "pybackend-lint.checkWorkspace", "arguments": []}
        self._send(id=3, method="workspace/executeCommand", params=params)
        self._until(lambda message: message.get("id") == 3)

    def memory(self) -> float:
        """Its memory in MiB; 0 where the system does not tell it."""
        try:
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        except OSError:
            return 0.0
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def seconds(self) -> float:
        """The processor time that it has used."""
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End the session."""
        self._send(id=2, method="shutdown")
        self._until(lambda message: message.get("id") == 2)
        self._send(method="exit")
        self._process.wait(30)


def keystrokes(path: Path) -> Iterator[tuple[tuple[int, int], tuple[int, int], str]]:
    """Endless edits: in the middle of a file a line is typed letter by letter, then taken away again."""
    row = _middle(path)
    while True:
        yield (row, 0), (row, 0), f"{_TYPED[:5]}\n"
        for column in range(5, len(_TYPED)):
            yield (row, column), (row, column), _TYPED[column]
        yield (row, 0), (row + 1, 0), ""


def _middle(path: Path) -> int:
    """The row of the first statement of a function in the second half of a file."""
    tree = ast.parse(path.read_bytes())
    rows = [
        node.body[-1].lineno - 1
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.col_offset == 0 and node.body[-1].col_offset == 4
    ]
    half = path.read_text("utf-8").count("\n") // 2
    return min(rows, key=lambda row: abs(row - half))


def first_diagnostics(root: Path, path: Path, runs: int) -> list[float]:
    """Seconds from the start of a process to the first diagnostics, sorted."""
    found = []
    for _ in range(runs):
        server = Server(root)
        found.append(server.open(path) - server.started)
        server.stop()
    return sorted(found)


def typing(root: Path, path: Path, others: Sequence[Path], edits: int) -> None:
    """Type, and print what it costs, once the file is warm and once more when the whole project is known."""
    server = Server(root)
    for other in others:
        server.open(other)
    server.open(path)
    strokes = keystrokes(path)
    versions = itertools.count(1)
    for _ in range(min(100, edits // 10)):  # the warm-up
        server.change(path, next(versions), *next(strokes))
    for known in ("", " once the workspace is checked"):
        if known:
            server.check_workspace()
        times: list[float] = []
        memory: list[float] = []
        used = server.seconds()
        for number in range(1, edits + 1):
            times.append(server.change(path, next(versions), *next(strokes)))
            if number % max(1, edits // 10) == 0:
                memory.append(server.memory())
        used = (server.seconds() - used) / edits
        times.sort()
        p50, p95 = (times[int(edits * share)] * 1000 for share in (0.5, 0.95))
        print(f"  didChange to diagnostics{known}:")
        print(f"    p50 {p50:.1f} ms, p95 {p95:.1f} ms, most {times[-1] * 1000:.0f} ms")
        print(f"    processor time of the server for each edit: {used * 1000:.1f} ms")
        print(
            f"    memory in MiB, {len(memory)} times over {edits} edits:", *(f"{size:.0f}" for size in memory)
        )
    server.stop()


def measure(name: str, root: Path, path: Path, others: Sequence[Path], edits: int, runs: int) -> None:
    """Measure one project and print the results."""
    lines = path.read_text("utf-8").count("\n")
    print(f"{name}: {len(python_files(root))} files; {path.relative_to(root)} with {lines} lines is edited")
    starts = first_diagnostics(root, path, runs)
    median = statistics.median(starts)
    print(f"  start to first diagnostics: median {median * 1000:.0f} ms, least {starts[0] * 1000:.0f} ms")
    typing(root, path, others, edits)


_MODELS = """\
from django.db import models

from app{before}.models import Model{before} as Before


class Model{number}(models.Model):
    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=9, decimal_places=2)
    before = models.ForeignKey(Before, on_delete=models.CASCADE, related_name="after{number}")

    def __str__(self):
        return self.name
"""
_SERVICES = """\
import time

import requests

from app{before}.services import load{before}
from app{number}.models import Model{number}


def load{number}(key):
    if key:
        return load{before}(key - 1)
    return Model{number}.objects.filter(pk=key).first()


def fetch{number}(url):
    time.sleep(0.1)
    return requests.get(url, timeout=3).json()
"""
_VIEWS = """\
from django.http import JsonResponse

from app{number}.models import Model{number}
from app{number}.services import fetch{number}, load{number}


def view{number}(request, key):
    items = Model{number}.objects.select_related("before").filter(name=request.GET["name"])
    return JsonResponse({{"items": [item.name for item in items], "one": str(load{number}(key))}})


async def remote{number}(request):
    return JsonResponse(fetch{number}(request.GET["url"]))
"""
_SCHEMAS = """\
from pydantic import BaseModel, field_validator


class Item{number}(BaseModel):
    name: str
    price: float = 0.0

    @field_validator("name")
    @classmethod
    def check_name(cls, value: str) -> str:
        return value.strip()
"""
# What the edited file consists of: queries and loops over them, plain code, and schemas.
_LARGE = (
    """\
def list{number}(request, key):
    items = Model200.objects.filter(name=request.GET["name"], price__gt={number})
    found = []
    for item in items:
        found.append({{"name": item.name, "before": str(item.before)}})
    other = load199(key)
    if other is not None and Model199.objects.filter(pk=key).exists():
        found.append({{"name": other.name}})
    return JsonResponse({{"found": found, "count": len(found)}})


""",
    """\
def share{number}(prices, shares):
    total = sum(prices)
    if not total:
        return {{}}
    result = {{}}
    for name, share in sorted(shares.items()):
        part = round(share * total / 100, 2)
        if part > {number}:
            result[name] = part
    rest = total - sum(result.values())
    if rest and result:
        first = next(iter(result))
        result[first] = round(result[first] + rest, 2)
    return result


""",
    """\
class Order{number}(BaseModel):
    name: str
    count: int = 1
    price: float = 0.0

    @field_validator("name")
    @classmethod
    def check_name(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("a name is needed")
        return value.strip()


""",
)


def generate(root: Path) -> Path:
    """A project of 2,000 files; returns the file of 500 lines in it."""
    (root / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["django>=5.2", "pydantic>=2.10", "requests"]\n'
    )
    templates = {"models": _MODELS, "services": _SERVICES, "views": _VIEWS, "schemas": _SCHEMAS}
    for number in range(333):
        package = root / f"app{number}"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "constants.py").write_text(f"LIMIT = {number}\n")
        for name, template in templates.items():
            text = template.format(number=number, before=max(0, number - 1))
            if number == 0:
                text = text.replace("from app0.models import Model0 as Before\n", "Before = 'self'\n", 1)
            (package / f"{name}.py").write_text(text)
    large = root / "app200" / "large.py"
    header = (
        "import time\n\nfrom django.http import JsonResponse\n"
        "from pydantic import BaseModel, field_validator\n\n"
        "from app199.models import Model199\nfrom app199.services import fetch199, load199\n"
        "from app200.models import Model200\n\n\n"
    )
    functions = [template.format(number=number) for number in range(13) for template in _LARGE]
    functions.append(
        "async def remote(request):\n    time.sleep(1)\n    return JsonResponse(fetch199('x'))\n"
    )
    large.write_text(header + "".join(functions))
    return large


def main() -> None:
    """Measure the generated project and the downloaded ones that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("projects", nargs="*", default=["wagtail"], help="downloaded projects, or none")
    parser.add_argument("--edits", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=5, help="how often the server is started")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        large = generate(root)
        neighbours = [root / "app200" / "views.py", root / "app201" / "models.py"]
        measure("generated", root, large, neighbours, options.edits, options.runs)
    for root in projects(options.projects) if options.projects != ["none"] else ():
        measure(root.name, root, _typical(root), [], options.edits, options.runs)


def _typical(root: Path) -> Path:
    """The file of a project that is nearest to 500 lines, has functions, and is no test or migration."""

    def fits(path: Path) -> bool:
        name = path.relative_to(root).as_posix()
        data = path.read_bytes()
        return b"\ndef " in data and b"models" in data and "test" not in name and "migration" not in name

    return min(filter(fits, python_files(root)), key=lambda path: abs(path.read_bytes().count(b"\n") - 500))


if __name__ == "__main__":
    main()
