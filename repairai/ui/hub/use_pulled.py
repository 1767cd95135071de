"""What is done next with something that was fetched: a detector inspects, an agent or a judge answers, data come in."""

from __future__ import annotations

import time
from pathlib import Path

from repairai.errors import RepairError
from repairai.hub.pull import PullPlan
from repairai.hub_faults import address
from repairai.judge import judges
from repairai.named_sets import PHOTO_SETS, STATE_SETS
from repairai.runs.sharing.state_files import take_states
from repairai.sop import agents
from repairai.sop.guides import import_guides
from repairai.ui.hub.pulling import Pulled
from repairai.ui.photos.photos_work import SCRIPT
from repairai.ui.photos.scripted import Scripted
from repairai.ui.workbench import Workbench
from repairai.vision import detectors

POLL_SECONDS = 0.2


def use(pulled: Pulled | None, bench: Workbench) -> str:
    """Do the next thing with what was fetched, and return what was done, in a sentence.

    Args:
        pulled: It.
        bench: Whose library guides go into.

    Raises:
        RepairError: It is not there, cannot be opened, or nothing is done with it.
    """
    if pulled is None or pulled.folder is None:
        raise RepairError("nothing was fetched", "fetch it first")
    plan, folder = pulled.plan, pulled.folder
    if plan.what == "detector":
        used = detectors.use(detectors.Inspector(folder.name, str(folder)))
        return f"{used.name} inspects now. One step back: the Runs tab, or `models back --detector`."
    if plan.what in ("adapter", "agent"):
        agents.use(agents.Agent(plan.repo, "local", str(folder), plan.base))
        return f"{plan.repo} answers questions now. Another can be chosen in the Guides tab, under Who answers."
    if plan.what == "judge":
        judges.use(judges.Judge(plan.repo, "local", str(folder), plan.base))
        return f"{plan.repo} answers questions of state now. One step back: the Runs tab, or `models back --judge`."
    if plan.what == "photos":
        return _photos_in(plan, folder)
    if plan.what == "states":
        name = STATE_SETS.free_name(plan.repo.rpartition("/")[2])
        return f"The states are in the Train tab, as {take_states(folder, name).name}."
    if plan.what == "guides":
        report = import_guides(folder, bench.library)
        return f"{len(report.ids):,} guides of {plan.repo} are in the library."
    raise RepairError(f"{plan.repo} is only kept", f"it lies in {folder}")


def _photos_in(plan: PullPlan, folder: Path) -> str:
    """Bring fetched photos in among the person's own sets, and say where they are."""
    free = PHOTO_SETS.free_name(plan.repo.rpartition("/")[2])
    words = [str(folder), f"--name={free}", f"--url={address(plan.repo, plan.kind)}"]
    work = Scripted()
    work.start(f"Bringing in {free}", free, SCRIPT, [*words, *([f"--licence={plan.licence}"] if plan.licence else [])])
    while (now := work.progress()) is not None and not now.ended:
        time.sleep(POLL_SECONDS)
    work.forget()
    if now and now.fault:
        what, _, then = now.fault.rstrip(".").rpartition("; ")
        raise RepairError(what or then, then if what else "look at its files")
    return f"The photos are in the Train tab, as {free}."
