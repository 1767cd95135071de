"""The light classifier of states on real photos: what it tells of those that were held out."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from repairai.files import home
from repairai.hardware.recipe import read_recipe, saved
from repairai.judge.region import PADDING
from repairai.judge.state_set import PHOTOS, StateExample, StateSource, write_examples, write_sources
from repairai.runs.folder import new_run, run_folders
from repairai.runs.journal import Journal
from repairai.runs.judge_scores import JudgeScores, read_judge_scores
from training import judge_eval
from training.builtin_data import presence_split
from training.judge_train import COMMAND, train

RECIPE = Path(__file__).parents[2] / "training" / "recipes" / "judge_builtin_linear-probe_cpu.yaml"
ASKED, OPPOSITE = "Is the screw in place?", "Is the screw missing?"
SIDES = (("top", "bottom"), ("left", "right"))
WANTED = 0.97


def crops(source: Path, folder: Path) -> Path:
    """Screws and empty holes of opened monitors, cut out: its own `validate` is the test, an eighth is validation."""
    (folder / PHOTOS).mkdir(parents=True)
    examples = []
    for part in ("train", "validate"):
        for kind, answer in (("screw", "yes"), ("hole", "no")):
            for at, path in enumerate(sorted((source / part / kind).glob("*.png"))):
                name = f"{PHOTOS}/{part}-{path.name}"
                (folder / name).symlink_to(path)
                split = "test" if part == "validate" else "val" if at % 8 == 0 else "train"
                examples.append(StateExample(name, ASKED, OPPOSITE, answer, f"screws_drew/{path.stem}", split))
    write_examples(folder, examples)
    write_sources(folder, [StateSource("screws_drew", "CC0-1.0", photos=len(examples))])
    return folder


def places(source: Path, folder: Path) -> Path:
    """The four places of the block, cut out about their boxes; split by photo as the built-in detector's own data are.

    So its backbone has learned from none of the test photos.
    """
    (folder / PHOTOS).mkdir(parents=True)
    data = json.loads((source / "annotations.coco.json").read_text())
    examples = []
    for image in data["images"]:
        name = image["file_name"].removesuffix(".jpg")
        boxes = sorted((each["bbox"] for each in data["annotations"] if each["image_id"] == image["id"]), key=middle)
        rows = [sorted(row) for row in (boxes[:2], boxes[2:])]
        with Image.open(source / "photos" / image["file_name"]) as photo:
            for at in range(4):
                left, top, width, height = rows[at // 2][at % 2]
                pad = PADDING * max(width, height)
                place = f"{SIDES[0][at // 2]}-{SIDES[1][at % 2]}"
                cut = photo.crop(
                    (round(left - pad), round(top - pad), round(left + width + pad), round(top + height + pad))
                )
                cut.save(folder / PHOTOS / f"{name}-{place}.png")
                asked, opposite = (each.replace("the ", f"the {place} ") for each in (ASKED, OPPOSITE))
                answer = "yes" if name.split("_")[1][at] == "1" else "no"
                split = presence_split(int(name.split("_")[0]))
                examples.append(
                    StateExample(
                        f"{PHOTOS}/{name}-{place}.png", asked, opposite, answer, f"screws_presence/{name}", split
                    )
                )
    write_examples(folder, examples)
    write_sources(folder, [StateSource("screws_presence", "Apache-2.0", photos=len(data["images"]))])
    return folder


def middle(box: list[float]) -> float:
    return box[1] + box[3] / 2


def measured(data: Path, escape: float) -> JudgeScores:
    """Train the recipe that lies ready, and evaluate it."""
    recipe = replace(read_recipe(RECIPE), data=str(data))
    run = new_run(data.name, "train", COMMAND, text=saved(home() / "recipe.yaml", recipe))
    with Journal(run) as journal:
        train(run, journal)
    assert judge_eval.main([data.name, "--escape", str(escape)]) == 0
    return read_judge_scores(run.scores)


@pytest.mark.slow
def test_it_tells_screws_from_empty_holes_in_crops(shared: Path, tmp_path: Path):
    """Notes: 0.973 with a linear probe on EfficientNet-Lite0, of three kinds."""
    scores = measured(crops(shared / "screws_drew", tmp_path / "crops"), 0.05)
    assert scores.whole.examples == 263
    assert scores.whole.balanced_accuracy >= WANTED
    assert scores.undecided == {}
    assert scores.whole.decided > 0.6
    assert scores.whole.escaped <= 0.05
    assert scores.whole.false_calls <= 0.05
    assert scores.whole.calibration_error < 0.05
    assert scores.whole.blank_accuracy == 0.5


@pytest.mark.slow
def test_it_tells_which_place_of_a_block_is_empty(shared: Path, tmp_path: Path):
    """Notes: 0.992 of places with a linear probe on EfficientNet-Lite0."""
    scores = measured(places(shared / "screws_presence", tmp_path / "places"), 0.2)
    assert (scores.whole.examples, scores.whole.sources) == (80, 20)
    assert scores.whole.balanced_accuracy >= WANTED
    assert len(scores.questions) == 4
    assert scores.undecided == {}
    assert scores.whole.decided > 0.9
    assert scores.whole.escaped == 0
    (evaluation,) = (each for each in run_folders() if each.order.is_file())
    assert (
        "the built-in backbone has learned to find parts in photos of screws_presence" in evaluation.events.read_text()
    )
