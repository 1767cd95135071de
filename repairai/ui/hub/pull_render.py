"""What the Hub tab shows of something that is fetched, as HTML, pure."""

from __future__ import annotations

from html import escape

from repairai.hub.contents import WHAT_WORDS
from repairai.hub.pull import PullPlan
from repairai.ui.hub.hub_render import counted, files, going, left_out
from repairai.ui.hub.pulling import Pulled

THEN = {
    "detector": "It can inspect now.", "adapter": "It can answer questions now.", "agent": "It can answer now.",
    "sop-data": "It is in the list of data in the Train tab.",
    "photos": "Bring it in among your photos, so that a detector can learn from it.",
    "states": "Bring it in among your states, so that a judge can learn from it.",
    "guides": "Bring it in among your guides, so that they can be asked and inspected by.",
    "judge": "It can answer questions of state now; it decides nothing until it was measured on photos of yours.",
    "proposer": "It is here; choose it in the Train tab, where a model proposes boxes.",
    "segmenter": "It is here; choose it where masks are asked for.",
}  # fmt: skip
USES = {
    "detector": "Let it inspect", "adapter": "Let it answer questions", "agent": "Let it answer questions",
    "judge": "Let it judge", "photos": "Bring it in", "states": "Bring it in", "guides": "Bring it in",
}  # fmt: skip
"""What the button says that does the next thing."""


def plan(found: PullPlan) -> str:
    """Return what would come: what it is, how large, under which licence, which files, and which not."""
    n = len(found.files)
    word = "its licence is not said" if not found.licence else f"licence {found.licence}"
    return (
        f'<section class="parcel" data-plan="{escape(found.repo)}"><h3>{escape(found.repo)}: '
        f"{escape(WHAT_WORDS[found.what])}</h3><p>{counted(n, found.total_bytes)} · {escape(word)} · revision "
        f"{escape(found.revision[:12])}</p><details><summary>The files</summary>{files(found.files)}</details>"
        f"{left_out(found.left_out)}</section>"
    )


def progress(now: Pulled) -> str:
    """Return how far a fetch is."""
    if now.cancelled:
        return going(f"Ending the fetch of {now.plan.repo}", 0, 0)
    what = f"Fetching {now.plan.repo}" + (f", {now.path}" if now.path else "")
    return going(what, now.done_bytes, now.plan.total_bytes)


def ended(now: Pulled) -> str:
    """Return what came of a fetch, in a sentence of HTML; a fault is told elsewhere."""
    repo, place = escape(now.plan.repo), escape(now.folder.name if now.folder else "")
    if now.cancelled:
        return f'<p class="answer">The fetch of {repo} was ended. Begun again, it goes on where it stopped.</p>'
    then = THEN.get(now.plan.what, "It is here now.")
    return f'<p class="answer" data-pulled="{repo}">{repo} is here, as <code>{place}</code>. {escape(then)}</p>'
