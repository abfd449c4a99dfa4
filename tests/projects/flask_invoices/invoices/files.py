"""Files of invoices."""

import subprocess
from pathlib import Path

from werkzeug.utils import secure_filename

FOLDER = Path("/srv/invoices")


def content(name: str) -> bytes:
    """The file of a name."""
    return (FOLDER / name).read_bytes()  # PB923


def content_inside(name: str) -> bytes:
    """The file of a name, without folders."""
    return (FOLDER / secure_filename(name)).read_bytes()


def converted(name: str) -> None:
    """Make a PDF of a file."""
    subprocess.run(f"convert {name} out.pdf", shell=True, check=True)  # PB921


def converted_by_program(name: str) -> None:
    """Make a PDF of a file, without a shell."""
    subprocess.run(["convert", "--", secure_filename(name), "out.pdf"], check=True)
