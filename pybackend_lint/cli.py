"""The command line.

Exit codes: 0 when nothing is left to report, 1 when there are findings, 2 when something could not
be done: a wrong option or setting, a file that cannot be read, an error in a rule.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

from pybackend_lint import __version__

if TYPE_CHECKING:
    from pybackend_lint.rule_entry import Entry
    from pybackend_lint.runner import Result, Target
    from pybackend_lint.settings import Resolver, Settings
    from pybackend_lint.source import Source

PROGRAM = "pybackend-lint"
FORMATS = ("text", "json", "github", "sarif")
CLEAN, FINDINGS, ERROR, INTERRUPTED = 0, 1, 2, 130

_PROGRESS_AFTER = 1.0  # seconds


class _Parser(argparse.ArgumentParser):
    """A parser that needs one line to say what is wrong."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "allow_abbrev": False})

    def error(self, message: str) -> NoReturn:
        self.exit(ERROR, f"error: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line with these arguments, by default those of the process; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # a stream that tests or embedders put in their place
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    parser, options = _parse(arguments)
    if not hasattr(options, "run"):
        parser.print_help()
        return ERROR
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        # What is left of the output goes nowhere: Python would complain about it while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return FINDINGS  # whoever read our output has seen enough
        _complain([f"{error.filename or 'output'}: {error.strerror or error}"])
        return ERROR
    return code


def _parse(arguments: Sequence[str] | None) -> tuple[_Parser, argparse.Namespace]:
    parser = _Parser(prog=PROGRAM, description="The linter that knows Python backends.")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)
    check = commands.add_parser("check", help="check files and directories", description=check_files.__doc__)
    check.set_defaults(run=check_files)
    _add_check_options(check)
    rule = commands.add_parser("rule", help="explain a rule", description=explain_rule.__doc__)
    rule.set_defaults(run=explain_rule)
    rule.add_argument("rule", metavar="CODE-OR-NAME")
    rules = commands.add_parser("rules", help="list all rules", description=list_rules.__doc__)
    rules.set_defaults(run=list_rules)
    for command in (rule, rules):
        command.add_argument("--output-format", choices=("text", "json"), default="text")
    server = commands.add_parser(
        "server", help="serve an editor over standard input and output", description=run_server.__doc__
    )
    server.set_defaults(run=run_server)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        known = [*check._option_string_actions, *parser._option_string_actions]
        parser.error(f"unknown argument {unknown[0]!r}{_nearest(unknown[0].partition('=')[0], known)}")
    return parser, options


def _add_check_options(check: argparse.ArgumentParser) -> None:
    def rules(text: str) -> list[str]:
        return [part for part in text.replace(",", " ").split() if part]

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < 1:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes")
        return int(text)

    check.add_argument("paths", nargs="*", metavar="PATH", help="files and directories; - is standard input")
    group = check.add_argument_group("rules: codes, the beginning of codes, names or ALL, with commas")
    group.add_argument("--select", type=rules, action="extend", help="use these instead of the default ones")
    group.add_argument("--ignore", type=rules, action="extend", default=[], help="do not use these")
    group.add_argument("--extend-select", type=rules, action="extend", default=[], help="use these as well")
    group.add_argument("--extend-ignore", type=rules, action="extend", default=[], help="same as --ignore")
    group = check.add_argument_group("fixes")
    group.add_argument("--fix", action="store_true", help="apply safe fixes")
    group.add_argument("--unsafe-fixes", action="store_true", help="take unsafe fixes for safe ones")
    group.add_argument("--diff", action="store_true", help="print what --fix would change, change nothing")
    group = check.add_argument_group("output")
    group.add_argument("--output-format", choices=FORMATS, default="text")
    group.add_argument("--output-file", type=Path, metavar="FILE", help="write there, not to standard output")
    group.add_argument("--statistics", action="store_true", help="print only how often each rule is broken")
    group.add_argument("--quiet", "-q", action="store_true", help="print findings and errors only")
    group.add_argument("--exit-zero", action="store_true", help="exit with 0 even when there are findings")
    group.add_argument(
        "--exit-non-zero-on-fix", action="store_true", help="exit with 1 when something was fixed"
    )
    group = check.add_argument_group("files and settings")
    group.add_argument("--stdin-filename", metavar="FILE", help="the name of what comes from standard input")
    group.add_argument(
        "--force-exclude", action="store_true", help="leave out excluded files named here, too"
    )
    group.add_argument("--config", type=Path, metavar="FILE", help="read [tool.pybackend-lint] there")
    group.add_argument("--isolated", action="store_true", help="read no configuration")
    group.add_argument("--show-settings", action="store_true", help="print the settings and check nothing")
    group.add_argument("--no-cache", action="store_true", help="neither use nor keep results")
    group.add_argument("--cache-dir", type=Path, metavar="DIR", help="keep results there")
    group.add_argument("--jobs", "-j", type=number, metavar="N", help="use this number of processes")


def _nearest(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # only for errors

    matches = get_close_matches(word, list(known), 1)
    return f"; did you mean {matches[0]!r}?" if matches else ""


def _complain(lines: Iterable[str], kind: str = "error") -> None:
    for line in lines:
        print(f"{kind}: {line}", file=sys.stderr)


# check


def check_files(options: argparse.Namespace) -> int:
    """Check Python files and project files."""
    from pybackend_lint.settings import SettingsError

    # The process is short, what it builds is needed until its end.
    gc.disable()
    try:
        resolver = _resolver(options)
        if options.show_settings:
            return _show_settings(options, resolver)
        targets, contents, errors = _targets(options, resolver)
    except SettingsError as error:
        _complain([str(error)])
        return ERROR
    _complain(sorted({line for target in targets for line in target.settings.warnings}), "warning")
    if options.diff or options.fix:
        return _fix(options, targets, contents, errors)

    from pybackend_lint import runner

    with _Progress(options) as progress:
        result = runner.check(
            targets, jobs=options.jobs, cache=_cache(options), contents=contents, progress=progress.update
        )
    result.errors = [*errors, *result.errors]
    return _report(options, result, contents)


def _resolver(options: argparse.Namespace) -> Resolver:
    from pybackend_lint.settings import (
        Resolver,
        Selection,
        Settings,
        SettingsError,
        read,
        unknown_selector,
    )

    for name in ("select", "extend_select"):
        for selector in getattr(options, name) or ():
            if problem := unknown_selector(selector):
                raise SettingsError("", f"--{name.replace('_', '-')}", problem)
    ignored = (*options.ignore, *options.extend_ignore)
    _complain((f"--ignore: {problem}" for problem in map(unknown_selector, ignored) if problem), "warning")
    selection = Selection(
        select=tuple(options.select) if options.select is not None else None,
        extend_select=tuple(options.extend_select),
        ignore=ignored,
    )
    fixed: Settings | None = None
    if options.config is not None:
        fixed = read(options.config, Path.cwd())
    elif options.isolated:
        fixed = Settings(root=Path.cwd())
    return Resolver(lambda settings: settings.with_selection(selection), fixed)


def _targets(
    options: argparse.Namespace, resolver: Resolver
) -> tuple[list[Target], dict[str, bytes], list[str]]:
    """What to check, the contents that come from standard input, and paths that are of no use."""
    from pybackend_lint.runner import Target, discover, is_excluded

    if options.paths != ["-"]:
        found = discover(options.paths or ["."], resolver, force_exclude=options.force_exclude)
        if not found.files and not found.errors:
            _complain(["no files to check were found"], "warning")
        return found.files, {}, found.errors
    display = options.stdin_filename or "-"
    path = os.path.abspath(options.stdin_filename or "stdin.py")
    settings = resolver.for_directory(os.path.dirname(path))
    data = sys.stdin.buffer.read()
    targets = [Target(path, display, settings, len(data))]
    if options.force_exclude and options.stdin_filename and is_excluded(path, settings):
        targets = []
    return targets, {path: data}, []


def _cache(options: argparse.Namespace) -> Callable[[Settings], Path] | None:
    from pybackend_lint.runner import cache_directory

    if options.no_cache:
        return None
    directory: Path | None = options.cache_dir
    return cache_directory if directory is None else lambda settings: directory


def _fix(
    options: argparse.Namespace, targets: list[Target], contents: dict[str, bytes], errors: list[str]
) -> int:
    from pybackend_lint import runner

    with _Progress(options) as progress:
        result = runner.fix(
            targets,
            unsafe=options.unsafe_fixes,
            write=not options.diff and not contents,
            jobs=options.jobs,
            cache=_cache(options),
            contents=contents,
            progress=progress.update,
        )
    result.errors = [*errors, *result.errors]
    _complain(result.dropped, "warning")
    if options.diff:
        return _print_diff(options, result, targets, contents)
    if contents:
        contents |= result.changes
        for data in contents.values():
            sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    return _report(options, result, contents, sys.stderr if contents else None)


def _print_diff(
    options: argparse.Namespace, result: Result, targets: list[Target], contents: dict[str, bytes]
) -> int:
    from pybackend_lint.fixer import diff
    from pybackend_lint.source import Source

    with _Output(options) as out:
        for target in targets:
            changed = result.changes.get(target.path)
            if changed is not None:
                data = contents.get(target.path)
                before = Path(target.path).read_bytes() if data is None else data
                out.write(diff(Source(target.display, before), changed, target.display))
    _complain(result.errors)
    if not options.quiet:
        count = result.fixed.total()
        what = f"Would fix {count} finding{'s' * (count != 1)}" if count else "No fixes to apply"
        unsafe = 0 if options.unsafe_fixes else sum(finding.fix is not None for finding in result.findings)
        more = f" ({unsafe}{' more' * (count > 0)} with --unsafe-fixes)" if unsafe else ""
        print(what + more, file=sys.stderr)
    if result.errors:
        return ERROR
    return FINDINGS if result.changes and not options.exit_zero else CLEAN


def _report(
    options: argparse.Namespace, result: Result, contents: dict[str, bytes], stream: IO[str] | None = None
) -> int:
    """Print findings and errors; the exit code."""
    from pybackend_lint.output import Outcome, render
    from pybackend_lint.output.statistics import render_json

    with _Output(options, stream) as out:
        outcome = Outcome(
            findings=result.findings,
            source=_Sources(contents),
            errors=result.errors,
            fixed=result.fixed,
            unsafe_fixes=options.unsafe_fixes,
            quiet=options.quiet,
        )
        if options.output_format == "text" and _coloured(out):
            outcome = replace(outcome, paint=_painter())
        if not options.statistics:
            pieces = render(options.output_format, outcome)
        elif options.output_format == "json":
            pieces = render_json(outcome)
        else:
            pieces = render("statistics", outcome)
        out.writelines(pieces)
    _complain(result.errors)
    if result.errors:
        return ERROR
    failed = result.findings or (result.fixed and options.exit_non_zero_on_fix)
    return FINDINGS if failed and not options.exit_zero else CLEAN


class _Output:
    """The stream to print to: a file when the options name one."""

    def __init__(self, options: argparse.Namespace, stream: IO[str] | None = None) -> None:
        self._path: Path | None = options.output_file
        self._stream = stream or sys.stdout

    def __enter__(self) -> IO[str]:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = open(self._path, "w", encoding="utf-8", errors="backslashreplace")
        return self._stream

    def __exit__(self, *error: object) -> None:
        if self._path is not None:
            self._stream.close()


class _Sources:
    """The text behind a finding's path; findings are sorted by path, so one text is kept."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self._contents = contents
        self._last: tuple[str, Source | None] | None = None

    def __call__(self, path: str) -> Source | None:
        if self._last is None or self._last[0] != path:
            self._last = (path, self._read(path))
        return self._last[1]

    def _read(self, path: str) -> Source | None:
        from pybackend_lint.source import Source, SourceError

        data = next(iter(self._contents.values()), None)
        try:
            source = Source(path, Path(path).read_bytes() if data is None else data)
            source.text  # noqa: B018  (raises when it cannot be decoded)
        except (OSError, SourceError):
            return None
        return source


def _coloured(stream: IO[str]) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _painter() -> Callable[[str, str], str]:
    from rich.color import ColorSystem
    from rich.style import Style

    styles: dict[str, Style] = {}

    def paint(text: str, style: str) -> str:
        if style not in styles:
            styles[style] = Style.parse(style)
        return styles[style].render(text, color_system=ColorSystem.STANDARD)

    return paint


class _Progress:
    """A progress bar on standard error, once a run on a terminal takes longer than a second."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._wanted = sys.stderr.isatty() and not options.quiet
        self._start = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> _Progress:
        return self

    def update(self, done: int, total: int) -> None:
        """Show how many files are done."""
        if not self._wanted or (self._bar is None and time.monotonic() - self._start < _PROGRESS_AFTER):
            return
        if self._bar is None:
            from rich.console import Console
            from rich.progress import Progress

            # Without a thread of its own, since a later round of fixes may fork.
            self._bar = Progress(console=Console(stderr=True), transient=True, auto_refresh=False)
            self._bar.start()
            self._task = self._bar.add_task("Checking", total=total)
        self._bar.update(self._task, completed=done, total=total, refresh=True)

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def _show_settings(options: argparse.Namespace, resolver: Resolver) -> int:
    from pybackend_lint.registry import ENTRIES
    from pybackend_lint.runner import cache_directory

    path = os.path.abspath(options.stdin_filename or (options.paths or ["."])[0])
    settings = resolver.for_directory(path if os.path.isdir(path) else os.path.dirname(path))
    _complain(settings.warnings, "warning")
    values: dict[str, object] = {
        "configuration": str(settings.file) if settings.file else None,
        "root": str(settings.root),
        "rules": [f"{e.code} {e.name}" for e in ENTRIES if e.code in settings.rules_for(Path(path))],
        "per-file-ignores": dict(settings.per_file_ignores),
        "exclude": [*settings.exclude, *settings.extend_exclude],
        "respect-gitignore": settings.respect_gitignore,
        "extra-base-classes": dict(settings.extra_base_classes),
        "extra-blocking": settings.extra_blocking,
        "allowed-blocking": settings.allowed_blocking,
        "versions": dict(settings.versions),
        "cache-dir": None if options.no_cache else str(options.cache_dir or cache_directory(settings)),
    }
    if options.output_format == "json":
        print(json.dumps(values, indent=2))
        return CLEAN
    for key, value in values.items():
        if isinstance(value, (list, tuple)) and value:
            print(f"{key}:", *value, sep="\n    ")
        else:
            print(f"{key}: {json.dumps(value)}")
    return CLEAN


# rule and rules


def _described(entry: Entry) -> dict[str, Any]:
    from pybackend_lint.output import documentation_url

    return {
        "code": entry.code,
        "name": entry.name,
        "summary": entry.summary,
        "message": entry.message,
        "severity": entry.severity,
        "default": entry.default,
        "fix": entry.fix or None,
        "applies": entry.applies,
        "tags": list(entry.tags),
        "since": entry.since,
        "url": documentation_url(entry.name),
    }


def explain_rule(options: argparse.Namespace) -> int:
    """Print the documentation of a rule."""
    from pybackend_lint.registry_lookup import documentation, find, page
    from pybackend_lint.settings import unknown_selector

    entry = find(options.rule)
    if entry is None:
        _complain([unknown_selector(options.rule) or f"{options.rule!r} is not one rule"])
        return ERROR
    if options.output_format == "json":
        print(json.dumps({**_described(entry), "documentation": documentation(entry)}, indent=2))
        return CLEAN
    text = page(entry)
    if not _coloured(sys.stdout):
        print(text, end="")
        return CLEAN
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
    return CLEAN


def list_rules(options: argparse.Namespace) -> int:
    """Print a table of all rules."""
    from pybackend_lint.registry import ENTRIES

    if options.output_format == "json":
        print(json.dumps([_described(entry) for entry in ENTRIES], indent=2))
        return CLEAN
    rows = [
        (entry.code, entry.name, "on" if entry.default else "opt-in", entry.fix or "-", entry.summary)
        for entry in ENTRIES
    ]
    titles = ("code", "name", "default", "fix", "about")
    if not _coloured(sys.stdout):
        widths = [max(len(row[column]) for row in (titles, *rows)) for column in range(len(titles) - 1)]
        for row in (titles, *rows):
            print(*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1], sep="  ")
        return CLEAN
    from rich.console import Console
    from rich.table import Table

    table = Table(*titles, box=None, header_style="bold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    return CLEAN


# server


def run_server(options: argparse.Namespace) -> int:
    """Serve an editor by the Language Server Protocol, over standard input and output."""
    gc.disable()  # the server runs it itself, when nobody waits
    try:
        from pybackend_lint.lsp.server import run
    except ModuleNotFoundError as error:
        top = (error.name or "").partition(".")[0]
        if top not in {"attrs", "cattrs", "lsprotocol", "pygls"}:
            raise
        _complain([f"{error.name} is missing; install pybackend-lint[lsp]"])
        return ERROR
    return run()
