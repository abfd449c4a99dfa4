"""Globs: those of `.gitignore`, and those of settings, which ruff and flake8 read more freely."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import translate
from pathlib import Path


class Patterns:
    """Lines of a `.gitignore`, or globs that are read in the same way.

    A pattern is asked about the entries of a directory, from the top downwards, as git does: what lies
    below an ignored directory is not looked at. Raises `ValueError` for lines that are no patterns.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        from pathspec import GitIgnoreSpec  # takes longer to import than most runs need

        # For pathspec `a/**` is also `a/` itself.
        lines = [f"{line}/*" if line.endswith("/**") else line for line in lines]
        self._spec = GitIgnoreSpec.from_lines(lines)
        # For git the last line that matches decides; for pathspec `*` wins over a `!*/` behind it.
        self._taken_back = [
            (GitIgnoreSpec.from_lines([line[1:]]), GitIgnoreSpec.from_lines(lines[number:]))
            for number, line in enumerate(lines, 1)
            if line.startswith("!") and line.endswith("/")
        ]
        self._taken_back.reverse()

    def verdict(self, path: str, is_directory: bool) -> bool | None:
        """Whether an entry (its path with slashes) is ignored; None when no pattern says anything."""
        if is_directory:
            path += "/"
            for taken_back, later in self._taken_back:
                if taken_back.match_file(path):
                    return bool(later.check_file(path).include)
        return self._spec.check_file(path).include


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


def git_globs(root: Path, globs: Iterable[str]) -> list[str]:
    """Globs of settings as git would write them: `root` and `./` at the beginning say nothing."""
    return [alternative for glob in globs for alternative in _alternatives(_below(root, glob))]


def _below(root: Path, glob: str) -> str:
    prefix = f"{root.as_posix().rstrip('/')}/"
    return glob[len(prefix) - 1 :] if glob.startswith(prefix) else glob.removeprefix("./")


def _alternatives(glob: str) -> list[str]:
    """What the braces of a glob stand for: `{a,b}/c` is `a/c` and `b/c`."""
    if "{" not in glob:
        return [glob]
    from bracex import expand  # takes longer to import than most runs need

    return expand(glob)


def file_matcher(root: Path, glob: str) -> Callable[[Path], bool]:
    """A test whether a glob matches a file (an absolute path), or a directory above it below `root`.

    As for ruff and flake8, `*` also matches slashes: `tests/*.py` are all files below. A glob without
    slash is a name at any depth; a leading `!` negates it. Raises `ValueError` for a `[` without `]` and
    a backslash at the end.
    """
    if glob.startswith("!"):
        inner = file_matcher(root, glob[1:])
        return lambda path: not inner(path)
    if "[" in glob and "]" not in glob.partition("[")[2][1:]:
        raise ValueError("`[` without `]`")
    if glob.endswith("\\"):
        raise ValueError("`\\` at the end")
    texts = []
    for alternative in _alternatives(_below(root, glob)):
        name = alternative.strip("/")
        at_any_depth = name.startswith("**/") or "/" not in alternative.rstrip("/")
        text = translate(name.removeprefix("**/").replace("/**/", "/*/"))
        if "/**/" in name:
            text = f"{text}|{translate(name.removeprefix('**/').replace('/**/', '/'))}"
        texts.append(f"(?:.*/)?(?:{text})" if at_any_depth else text)
    matches = re.compile("|".join(texts), re.DOTALL).match

    def matches_file(path: Path) -> bool:
        try:
            relative = path.relative_to(root)
        except ValueError:
            return False
        return any(matches(part.as_posix()) for part in (relative, *relative.parents[:-1]))

    return matches_file
