"""What a run's folder tells of its model, gathered for a card."""

from __future__ import annotations

import json
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

from repairai.errors import RepairError
from repairai.files import expanded
from repairai.hardware.probe import probe
from repairai.hardware.recipe import Recipe
from repairai.hub.facts import Figure, Judged, Kind, ModelFacts, Threshold
from repairai.runs import detector_score_words, detector_scores, score_words, scores
from repairai.runs.compare import came_of
from repairai.runs.detector_scores import DetectorScores
from repairai.runs.events import read_events
from repairai.runs.figures import count, percent
from repairai.runs.folder import RunFolder, read_json
from repairai.runs.scores import Compared, Scores
from repairai.runs.sharing.origins import datasets_among, hub_name, licence_here, of_guides, of_photos
from repairai.runs.sharing.staged import is_path, last_of
from repairai.sop.prompts import conversation, passages_of
from repairai.sop.samples import samples
from repairai.vision.detectors import inspects

BUILTIN, BUILTIN_WORDS, BUILTIN_LICENCE = "builtin", "the detector that comes with RepairAI", "Apache-2.0"
LIMITS = "limits.json"
IFIXIT = "Some of it was read from iFixit, whose terms of use forbid training language models on what its site gives."
SHOWN_STEPS = 3
"""Of a sample guide, in the card's example of a question."""
SAMPLE = "sample-phone-battery"
MOST_WEAK = 3
_WORDS = {"how_to": "how-to questions", "next_step": "what comes next", "tools": "which tools", "refusal": "refusals",
          "requirements": "requirements as JSON", "chat": "other conversations"}  # fmt: skip


def agent_facts(folder: RunFolder, recipe: Recipe, repo: str, kind: Kind, base: str) -> ModelFacts:
    """Return what is known of an agent that a run has trained.

    Args:
        folder: Of the run.
        recipe: Of it.
        repo: OWNER/NAME.
        kind: An adapter, or a whole model.
        base: What it stands on or began with: its name on the Hub, or how it is called here.
    """
    known = hub_name(base)
    sources = of_guides(read_json(folder.model / "sources.json"))
    data = data_folder(folder, recipe)
    judged = _agent_judged(folder, known or last_of(base))
    return replace(
        of_any(folder, recipe, repo, kind),
        does="answers repair questions from the steps of your guides",
        base=known or last_of(base),
        base_repo=known,
        base_licence=licence_here(recipe.step.model),
        data=said_of_examples(folder),
        sources=sources,
        datasets=datasets_among(sources, data),
        terms=_terms(folder, data),
        judged=judged,
        limits=tuple(_agent_limits(folder)),
        turns=_example(),
    )


def detector_facts(folder: RunFolder, recipe: Recipe, repo: str) -> ModelFacts:
    """Return what is known of a detector that a run has trained.

    Args:
        folder: Of the run.
        recipe: Of it.
        repo: OWNER/NAME.
    """
    config = read_json(folder.model / "config.json")
    names: Any = config.get("id2label")
    kind: Kind = "detector" if inspects(config) else "proposer"
    sources = of_photos(list_in(folder.model / "sources.json"))
    is_builtin = recipe.step.model == BUILTIN
    known = "" if is_builtin else hub_name(recipe.step.model)
    limits = read_json(folder.model / LIMITS)
    found = _scores_of_detector(folder)
    parts = tuple(str(each) for each in names.values()) if isinstance(names, dict) else ()
    return replace(
        of_any(folder, recipe, repo, kind),
        does=f"finds parts in photos of repairs: {', '.join(parts) or 'as it was trained'}",
        base=BUILTIN_WORDS if is_builtin else known or last_of(recipe.step.model),
        base_repo=known,
        base_licence=BUILTIN_LICENCE if is_builtin else licence_here(recipe.step.model),
        data=_said_of_photos(folder),
        sources=sources,
        datasets=datasets_among(sources, data_folder(folder, recipe)),
        judged=_detector_judged(found) if found else None,
        limits=tuple(_detector_limits(found, limits)),
        thresholds=tuple(_thresholds(limits)),
        measured_on=str(limits.get("measured_on", "")),
        parts=parts,
        has_onnx=(folder.model / "model.onnx").is_file(),
    )


def of_any(folder: RunFolder, recipe: Recipe, repo: str, kind: Kind) -> ModelFacts:
    """Return what runs of every task tell."""
    came = came_of(folder)
    about = read_json(folder.about)
    packages: Any = about.get("packages")
    return ModelFacts(
        name=folder.id,
        kind=kind,
        repo=repo,
        does="",
        base="",
        recipe=tuple(_settings(recipe)),
        hardware=_hardware(about),
        hours=came.run.seconds / 3600 if came.run.seconds else None,
        peak_gib=came.memory_gib,
        versions=tuple(packages.items()) if isinstance(packages, dict) else (),
    )


def _settings(recipe: Recipe) -> list[tuple[str, str]]:
    """Return what of a recipe a reader wants to know first; the whole of it goes along as a file."""
    step = recipe.step
    rows: dict[str, object] = {"method": step.method.replace("_", "-"), "trained by": recipe.backend}
    if recipe.task == "detector" or step.method == "linear_probe":
        rows["input"] = f"{step.image_px} px"
        if recipe.detecting:
            rows["augmentation"] = recipe.detecting.augmentation
    else:
        rows["longest example"] = f"{step.length_tokens:,} tokens"
        if step.method in ("lora", "qlora"):
            rows["rank of the adapters"] = f"{step.rank}, on {step.targets} matrices"
    rows |= {
        "examples in a step": f"{step.batch} x {step.accumulation}", "epochs": f"{recipe.epochs:g}",
        "learning rate": f"{recipe.learning_rate:g}", "precision": step.precision, "optimizer": step.optimizer,
        "seed": recipe.seed,
    }  # fmt: skip
    return [(name, str(value)) for name, value in rows.items()]


def _hardware(about: dict[str, Any]) -> str:
    """Return on what a run was trained, as far as that is known: this machine is asked where it was this one."""
    if about.get("platform") != platform.platform():
        return str(about.get("platform", "")).split("-")[0]
    profile = probe()
    cards = [f"{gpu.name} ({gpu.total_gib:.0f} GiB)" if gpu.total_gib else gpu.name for gpu in profile.gpus]
    if cards:
        return ", ".join(cards)
    return f"{profile.cpu.name or 'a processor'}, {profile.cpu.cores} cores, {profile.ram_gib:.0f} GiB of memory"


def data_folder(folder: RunFolder, recipe: Recipe) -> Path:
    """Return where a run's data lie, which need not be there any longer."""
    return Path(str(read_json(folder.about).get("directory", ""))) / expanded(recipe.data)


def list_in(path: Path) -> Any:
    """Return the list that a file of JSON holds; an empty one where it holds none."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []


# ---- agents


def _terms(folder: RunFolder, data: Path) -> tuple[str, ...]:
    """Return what those who hold the texts say of training on them, also where the data are gone."""
    said = read_json(data / "report.json").get("terms")
    if isinstance(said, list):
        return tuple(str(each) for each in said)
    told = json.dumps(read_json(folder.model / "sources.json"))
    return (IFIXIT,) if '"origin": "ifixit"' in told else ()


def said_of_examples(folder: RunFolder, kinds: tuple[str, ...] = ("data",)) -> str:
    """Return what was trained on, as the run said when it began; of several beginnings the last."""
    said = {text.partition(":")[0]: text for each in read_events(folder.events, kinds) for text in [each.text]}
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in said.values() if text)


def _agent_scores(folder: RunFolder) -> Scores | None:
    if not folder.scores.is_file():
        return None
    try:
        return scores.read_scores(folder.scores)
    except RepairError:  # of another version: the card says that it was not measured
        return None


def _agent_judged(folder: RunFolder, base: str) -> Judged | None:
    found = _agent_scores(folder)
    if found is None:
        return None
    named = replace(found, model=last_of(found.model) if is_path(found.model) else found.model)
    rows = {"score": ("score", found.overall)}
    rows |= {f"score_{task}": (f"score, {_WORDS.get(task, task)}", row) for task, row in found.tasks.items()}
    rows |= {name: (name.replace("_", " "), row) for name, row in found.figures.items()}
    return Judged(
        said=score_words.said(named),
        on=f"{found.exam.examples} questions about devices that it did not learn from",
        data=f"repairai-exam-{found.exam.sha[:12]}",
        split="test",
        against=base,
        figures=tuple(_figure(metric, name, row) for metric, (name, row) in rows.items()),
        table=score_words.as_table(named),
    )


def _figure(metric: str, name: str, row: Compared) -> Figure:
    return Figure(metric, name, row.before, row.after, row.low, row.high, row.examples)


def _agent_limits(folder: RunFolder) -> list[str]:
    found = _agent_scores(folder)
    said = [
        "It answers from the steps that stand before the question. Without steps, or with those of another device, "
        "what it says is made up.",
        "Read the guide's own warnings, whatever it answers: it may leave one out.",
    ]
    if found is None:
        return [*said, "Nobody has measured how often it is right, cites the right step, or refuses where it should."]
    figures = found.figures
    if refused := figures.get("refused"):
        said.append(
            f"Asked where no guide fits, it said so in {percent(refused.after)} of {refused.examples} questions; in "
            "the others it answered, from a wrong guide or from none."
        )
    for name, words in (("cited_right", "The step that it names behind a sentence was the right one in"),
                        ("warnings_kept", "Of the warnings in the steps it repeated"),
                        ("counts_exact", "Counts of parts were exact in")):  # fmt: skip
        if row := figures.get(name):
            said.append(f"{words} {percent(row.after)} ({row.examples} questions).")
    weak = sorted(found.tasks.items(), key=lambda task: task[1].after)[:MOST_WEAK]
    told = ", ".join(f"{_WORDS.get(task, task)} ({row.after:.2f})" for task, row in weak)
    said.append(f"Weakest, of 1: {told}." if len(weak) > 1 else "")
    steps = scores.against_steps(found)
    behind = [_WORDS.get(task, task) for task, row in steps.items() if task in scores.ASKED and row.is_worse]
    if behind:
        said.append(f"The plain steps, which need no model, do better at: {', '.join(behind)}.")
    said.append(
        f"It was asked {found.exam.examples} questions; other devices, other words and longer guides were not tried."
    )
    return [each for each in said if each]


def _example() -> tuple[tuple[str, str], ...]:
    """Return a question about a guide that comes with RepairAI, as an agent is asked it."""
    guide = next(each for each in samples() if each.id == SAMPLE)
    turns = conversation(f"How do I remove the battery of an {guide.device}?", passages_of(guide)[:SHOWN_STEPS])
    return tuple((turn["role"], turn["content"]) for turn in turns)


# ---- detectors


def _said_of_photos(folder: RunFolder) -> str:
    seen = read_json(folder.path / "trained_on.json")
    counts = [
        (len(seen.get(name) or {}), words) for name, words in (("learned", "learned from"), ("judged", "judged by"))
    ]
    told = [f"{n:,} photos were {words}" for n, words in counts if n]
    return f"{'; '.join(told)}. Photos of one thing never stand on both sides." if told else ""


def _scores_of_detector(folder: RunFolder) -> DetectorScores | None:
    if not detector_scores.is_of_detector(folder.scores):
        return None
    try:
        return detector_scores.read_detector_scores(folder.scores)
    except RepairError:
        return None


def _detector_judged(found: DetectorScores) -> Judged:
    shown = found.shown
    name = last_of(shown.path) or "photos"
    figures = [_figure(metric, detector_score_words.NAMES[metric], row) for metric, row in found.figures.items()]
    if not figures:
        alone = (("exact", found.whole.exact), ("decided", found.whole.decided), ("escape", found.whole.escape),
                 ("false_call", found.whole.false_call))  # fmt: skip
        figures = [
            Figure(metric, detector_score_words.NAMES[metric], None, value, asked=shown.photos)
            for metric, value in alone
        ]
    figures.append(Figure("ap", "AP, IoU 0.50 to 0.95", None, found.average[0], asked=shown.photos))
    return Judged(
        said=detector_score_words.said(found),
        on=f"{shown.photos} of {shown.of} {shown.split} photos of {name}, from {shown.sources} sources",
        data=name,
        split={"val": "validation"}.get(shown.split, shown.split),
        against=f"{found.model}, the detector in use",
        figures=tuple(figures),
        table=detector_score_words.as_table(found),
    )


def _thresholds(limits: dict[str, Any]) -> list[Threshold]:
    parts: Any = limits.get("parts")
    undecided: Any = limits.get("undecided") or {}
    photos: Any = limits.get("photos") or {}
    return [
        Threshold(
            part, float(each.get("maybe", 0.0)), None if part in undecided else float(each.get("sure", 1.0)),
            photos.get(part), str(undecided.get(part, "")),
        )
        for part, each in (parts.items() if isinstance(parts, dict) else ())
    ]  # fmt: skip


def _detector_limits(found: DetectorScores | None, limits: dict[str, Any]) -> list[str]:
    said = ["Parts that it was not trained on it does not see, or takes for those that it knows."]
    if found is None:
        return [*said, "Nobody has measured how often it counts right, or how many wrong steps it lets pass."]
    shown = found.shown
    weak = sorted(found.parts.items(), key=lambda row: row[1].exact)[:MOST_WEAK]
    told = ", ".join(
        f"{part} ({percent(row.exact)} of {count(row.photos, 'photo')})" for part, row in weak if row.shown
    )
    whole = found.whole
    return [
        f"It was measured on {count(shown.photos, 'photo')} from {shown.sources} sources alone, taken as those that it "
        "learned from. In another light, at another bench, with another camera or on another device it was not "
        "measured: check its verdicts there on photos whose answer you know.",
        f"Where all parts of a photo are asked at once it decides {percent(whole.decided)} of verdicts and leaves the "
        f"rest to you; of wrong steps it passes {percent(whole.escape)}, of right steps it fails "
        f"{percent(whole.false_call)}.",
        *([f"Counted exactly least often: {told}."] if told else []),
        *([] if limits else ["It has no thresholds: RepairAI leaves most of what it sees in doubt."]),
        *said,
    ]  # fmt: skip
