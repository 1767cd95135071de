"""`uv run` for jobs that are run by the tests: the same words, but what is to be installed is taken as there."""

import os
import sys
import tempfile
import urllib.request

WITH_A_VALUE = {
    "--with",
    "--python",
    "-p",
    "--extra",
    "--index-url",
    "--with-requirements",
    "--index-strategy",
    "--index",
}


def main(words: list[str]) -> None:
    if words[:1] != ["run"]:
        sys.exit(f"this uv can only run, got {words}")
    words = words[1:]
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in WITH_A_VALUE else words[1:]
    if not words:
        sys.exit("this uv was given nothing to run")
    if words[0].startswith(("http://", "https://")):
        with (
            urllib.request.urlopen(words[0]) as answer,
            tempfile.NamedTemporaryFile(suffix=".py", delete=False) as file,
        ):
            file.write(answer.read())
        words = [file.name, *words[1:]]
    if words[0].endswith(".py"):
        words = [sys.executable, *words]
    os.execvp(words[0], words)


if __name__ == "__main__":
    main(sys.argv[1:])
