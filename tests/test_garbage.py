"""Processes that load much look for garbage seldom, and end at once."""

import subprocess
import sys

SCRIPT = """
import gc, sys
{}
assert gc.get_threshold()[0] > 10_000
class Late:
    def __del__(self):
        print("looked for")
late = Late()
late.itself = late
del late
"""


def test_scripts_and_commands_look_seldom_and_not_at_the_end():
    for begin in ("import training", "from repairai.cli import main; main(['runs', 'list'])"):
        done = subprocess.run([sys.executable, "-c", SCRIPT.format(begin)], capture_output=True, text=True, check=True)
        assert "looked for" not in done.stdout, begin
    bare = SCRIPT.format("gc.set_threshold(20_000)")
    assert (
        "looked for" in subprocess.run([sys.executable, "-c", bare], capture_output=True, text=True, check=True).stdout
    )
