"""Globs: those of `.gitignore`, and those of settings, which ruff and flake8 read more freely."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_Matches = Callable[[str], object]


class Patterns:
    """Lines of a `.gitignore`, or globs that are read in the same way.

    A pattern is asked about the entries of a directory, from the top downwards, as git does: what lies
    below an ignored directory is not looked at. `braces` are the alternatives of `{a,b}`, which git
    does not know.
    """

    def __init__(self, lines: Iterable[str], *, braces: bool = False) -> None:
        self._patterns: list[tuple[bool, bool, _Matches]] = []  # ignored?, only directories?, matches
        regexes = []
        for line in lines:
            ignored = not line.startswith("!")
            text = line if ignored else line[1:]
            for glob in _alternatives(text) if braces else [text]:
                name = glob.rstrip("/")
                regex = _regex(name.removeprefix("/") if "/" in name else f"**/{name}")
                regexes.append(regex)
                self._patterns.append((ignored, glob != name, re.compile(regex, re.DOTALL).fullmatch))
        self._patterns.reverse()
        self._any = re.compile("|".join(regexes), re.DOTALL).fullmatch

    def verdict(self, path: str, is_directory: bool) -> bool | None:
        """Whether an entry (its path with slashes) is ignored; None when no pattern says anything.

        The last pattern that matches decides.
        """
        if self._any(path) is not None:
            for ignored, only_directories, matches in self._patterns:
                if (is_directory or not only_directories) and matches(path) is not None:
                    return ignored
        return None


def git_lines(text: str) -> Iterator[str]:
    """The patterns in the text of a `.gitignore`, without those that cannot be read: git passes over them."""
    for line in text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").split("\n"):
        pattern = re.sub(r"(?<!\\)[ \t]+\Z", "", line.removesuffix("\r"))
        if not pattern.strip("!/") or pattern.startswith("#"):
            continue
        try:
            Patterns([pattern])
        except ValueError:
            continue
        yield pattern


def below(root: Path, glob: str) -> str:
    """A glob of settings as git would write it: `root` and `./` at its beginning say nothing."""
    prefix = f"{root.as_posix().rstrip('/')}/"
    return glob[len(prefix) - 1 :] if glob.startswith(prefix) else glob.removeprefix("./")


def file_matcher(root: Path, glob: str) -> Callable[[Path], bool]:
    """A test whether a glob matches a file (an absolute path), or a directory above it below `root`.

    As for ruff and flake8, `*` also matches slashes: `tests/*.py` are all files below. A glob without
    slash is a name at any depth; a leading `!` negates it.
    """
    if glob.startswith("!"):
        inner = file_matcher(root, glob[1:])
        return lambda path: not inner(path)
    regexes = []
    for alternative in _alternatives(below(root, glob)):
        name = alternative.rstrip("/")
        start = "" if "/" in name else "(?:.*/)?"
        regexes.append(f"{start}{_regex(name.removeprefix('/'), any_depth=True)}(?:/.*)?")
    matches = re.compile("|".join(regexes), re.DOTALL).fullmatch

    def matches_file(path: Path) -> bool:
        try:
            relative = path.relative_to(root)
        except ValueError:
            return False
        return matches(relative.as_posix()) is not None

    return matches_file


def _alternatives(glob: str) -> list[str]:
    """What the first `{a,b}` of a glob stands for, and so on; braces without a comma are themselves."""
    depth = 0
    cuts: list[int] = []
    for index, character in enumerate(glob):
        if character == "{":
            depth += 1
            if depth == 1:
                cuts = [index]
        elif character == "," and depth == 1:
            cuts.append(index)
        elif character == "}" and depth:
            depth -= 1
            if depth == 0 and len(cuts) > 1:
                ends = [*cuts[1:], index]
                parts = [glob[start + 1 : end] for start, end in zip(cuts, ends, strict=True)]
                return [
                    found
                    for part in parts
                    for found in _alternatives(f"{glob[: cuts[0]]}{part}{glob[index + 1 :]}")
                ]
    return [glob]


def _regex(glob: str, *, any_depth: bool = False) -> str:
    """A glob as a regular expression; `any_depth`: whether `*` and `?` match slashes.

    Raises `ValueError` when a `[` or a backslash lacks what must follow.
    """
    one = "." if any_depth else "[^/]"
    found = []
    index = 0
    while index < len(glob):
        character = glob[index]
        rest = index + 1
        if character == "*":
            while glob[rest : rest + 1] == "*":
                rest += 1
            whole = rest - index > 1 and (index == 0 or glob[index - 1] == "/")
            if whole and rest == len(glob):
                found.append(".+")
            elif whole and glob[rest] == "/":
                found.append("(?:.*/)?")
                rest += 1
            else:
                found.append(f"{one}*")
        elif character == "?":
            found.append(one)
        elif character == "[":
            text, rest = _class(glob, rest)
            found.append(text if any_depth else f"(?!/){text}")
        elif character == "\\":
            if rest == len(glob):
                raise ValueError("`\\` at the end")
            found.append(re.escape(glob[rest]))
            rest += 1
        else:
            found.append(re.escape(character))
        index = rest
    return "".join(found)


def _class(glob: str, start: int) -> tuple[str, int]:
    """The regular expression for the characters in brackets that begin at `start`, and where they end."""
    first = start + (glob[start : start + 1] in ("!", "^"))
    end = glob.find("]", first + 1)
    if end < 0:
        raise ValueError("`[` without `]`")
    characters = re.sub(r"([]\[&~|^])", r"\\\1", glob[first:end])
    text = f"[^{characters}]" if first > start else f"[{characters}]"
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(str(error)) from error
    return text, end + 1
