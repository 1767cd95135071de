"""Files of a model or dataset on the Hugging Face Hub, and in one sentence why they cannot be had."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from repairai.errors import RepairError
from repairai.files import pulled


def fetched(
    name: str, patterns: Sequence[str], kind: Literal["model", "dataset"] = "model", revision: str | None = None
) -> Path:
    """Return the folder where files of a repository lie on this machine; what is not there yet is fetched.

    Args:
        name: On the Hub.
        patterns: Which files.
        kind: Of the repository.
        revision: None takes the newest.

    Raises:
        RepairError: There is no such repository, it may not be read, or the Hub cannot be reached.
    """
    came = pulled(name, revision) if kind == "model" else None
    if came:
        return came
    try:
        return Path(snapshot_download(name, repo_type=kind, revision=revision, allow_patterns=list(patterns)))
    except HFValidationError:
        raise RepairError(f"'{name}' is neither a folder nor a name on the Hub", "check it") from None
    except GatedRepoError:
        where = f"huggingface.co/{'datasets/' if kind == 'dataset' else ''}{name}"
        raise RepairError(
            f"{name} is given only to those who asked for it on the Hub",
            f"ask for it at {where}, then log in with `hf auth login`",
        ) from None
    except RevisionNotFoundError:
        raise RepairError(f"{name} has no revision {revision} on the Hub", "leave it out, or check it") from None
    except RepositoryNotFoundError:
        raise RepairError(
            f"there is no {kind} {name} on the Hub, or it may not be seen without a login",
            "check the name; if it is private, log in with `hf auth login`",
        ) from None
    except (LocalEntryNotFoundError, OfflineModeIsEnabled):
        raise RepairError(
            f"the {kind} {name} is not on this machine, and the Hub cannot be reached",
            "check the name, go online, or give a folder",
        ) from None
    except HfHubHTTPError as error:
        reason = " ".join(str(error).split())[:200]
        raise RepairError(f"the Hub does not give {name}: {reason}", "try again later") from None
