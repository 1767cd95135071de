"""The one error that RepairAI raises for the world's faults."""


class RepairError(Exception):
    """A fault of the world (a file, a photo, a disk, a network), told so that a person can act on it.

    A caller's mistake is a `ValueError` instead. The message is one sentence for the person at the bench.

    Args:
        what: What went wrong, with what was seen: "notes.txt is not a photo: it holds plain text".
        next_step: What to do about it: "give a JPEG, PNG, WebP or HEIC file".
    """

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(what, next_step)
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        """Return both halves as one sentence."""
        return f"{self.what}; {self.next_step}."
