"""Lets `python -m repairai` be the command line."""

import sys

from repairai.cli import main

if __name__ == "__main__":
    sys.exit(main())
