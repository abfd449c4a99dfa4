"""Fetch the projects of corpus.toml into benchmarks/corpus/, their Python sources only.

The wheels are downloaded with pip and their hashes are checked. A wheel carries its requirements as
metadata; they are written into a `pyproject.toml` beside the sources, so that the versions of the
frameworks are known as they would be in a checkout. An empty `.git` marks each project as a repository
of its own.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

BENCHMARKS = Path(__file__).resolve().parent
CORPUS = BENCHMARKS / "corpus"
_KEPT = re.compile(r".*\.py|(.*/)?(pyproject\.toml|setup\.cfg|alembic\.ini|requirements[^/]*\.txt)")


def fetch_wheel(name: str, project: dict[str, Any], python: str, folder: Path) -> Path:
    """Download one wheel into a folder; raises `CalledProcessError` when pip refuses it."""
    requirement = folder / f"{name}.txt"
    requirement.write_text(f"{name}=={project['version']} --hash=sha256:{project['sha256']}\n", "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", f"--python-version={python}", "--require-hashes"]
    subprocess.run([*command, f"--dest={folder}", f"--requirement={requirement}"], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def project_file(name: str, metadata: bytes) -> str:
    """A `pyproject.toml` with the requirements that the metadata of a wheel declares."""
    message = BytesParser().parsebytes(metadata)
    requirements = [Requirement(line) for line in message.get_all("Requires-Dist", [])]
    lines = ["[project]", f"name = {json.dumps(name)}", f"version = {json.dumps(message['Version'])}"]
    if python := message["Requires-Python"]:
        lines.append(f"requires-python = {json.dumps(python)}")
    declared = [str(item) for item in requirements if "extra ==" not in str(item.marker)]
    lines += ["dependencies = [", *(f"  {json.dumps(item)}," for item in declared), "]"]
    return "\n".join(lines) + "\n"


def unpack(name: str, wheel: Path, target: Path) -> int:
    """Write the kept files of a wheel below `target`; returns how many there were."""
    count = 0
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            if member.endswith(".dist-info/METADATA"):
                metadata = archive.read(member)
            elif _KEPT.fullmatch(member):
                archive.extract(member, target)
                count += 1
    if not (target / "pyproject.toml").exists():
        (target / "pyproject.toml").write_text(project_file(name, metadata), "utf-8")
    return count


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Download the projects that the linter is measured on.")
    parser.add_argument("names", nargs="*", help="projects of corpus.toml; all of them when left out")
    names = parser.parse_args().names
    table = tomllib.loads((BENCHMARKS / "corpus.toml").read_text("utf-8"))
    for name in names or table["projects"]:
        project = table["projects"][name]
        target = CORPUS / name
        stamp = target / ".version"
        if stamp.exists() and stamp.read_text("utf-8") == project["version"]:
            print(f"{name} {project['version']}: already there")
            continue
        with tempfile.TemporaryDirectory() as folder:
            wheel = fetch_wheel(name, project, table["python"], Path(folder))
            shutil.rmtree(target, ignore_errors=True)
            count = unpack(name, wheel, target)
        (target / ".git").mkdir()
        stamp.write_text(project["version"], "utf-8")
        print(f"{name} {project['version']}: {count} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
