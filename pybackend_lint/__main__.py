"""`python -m pybackend_lint` is the command line."""

from __future__ import annotations

import sys

from pybackend_lint.cli import main

if __name__ == "__main__":
    sys.exit(main())
