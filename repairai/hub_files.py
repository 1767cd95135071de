"""Files of a model or data set of the Hub in its client's own cache, or one sentence why they cannot be had."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError

from repairai.errors import RepairError
from repairai.hub_faults import Kind, in_a_sentence


def snapshot(name: str, patterns: Sequence[str], kind: Kind = "model", revision: str | None = None) -> Path:
    """Return the folder where files of a repository lie on this machine; what is not there yet is fetched.

    Args:
        name: OWNER/NAME, where no folder is called so.
        patterns: Which files.
        kind: Of the repository.
        revision: None takes the newest.

    Raises:
        Unreachable: They are not here, and the Hub cannot be reached or is too busy.
        RepairError: There is no such repository, or the Hub does not give it.
    """
    with in_a_sentence(name, kind):
        try:
            return Path(snapshot_download(name, repo_type=kind, revision=revision, allow_patterns=list(patterns)))
        except HFValidationError:
            raise RepairError(f"{name!r:.120} is neither a folder nor a name on the Hub", "check it") from None
