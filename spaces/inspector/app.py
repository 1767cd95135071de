"""The Space: the Inspect tab alone, with the detector, the guides and the judge that `space.json` names.

`python -m repairai space build FOLDER` puts RepairAI's own code beside this file. From the repository it runs as it is:
`python spaces/inspector/app.py`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

try:
    from spaces import GPU  # the Hub's own package: first, since it has to come before torch
except ImportError:
    GPU = None  # another machine: its GPU, if it has one, is always there

from repairai.errors import RepairError
from repairai.ui.inspector import build, serve


def main() -> int:
    """Serve until stopped; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="repairai-") as home:
        os.environ["REPAIRAI_HOME"] = home  # nothing of a visitor outlives the Space
        try:
            serve(build(Path(__file__).parent, GPU))
        except RepairError as error:
            print(f"repairai: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
