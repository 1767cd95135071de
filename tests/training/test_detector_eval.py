"""Step 3 of a detector: thresholds, figures before and after, the worst photos, the card; and going on after a stop."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from repairai.cli import main as repairai
from repairai.files import read_record
from repairai.hardware.recipe import Recipe, read_recipe, saved
from repairai.hardware.workload import Workload
from repairai.inspection import open_detector
from repairai.runs.detector_gate import activate
from repairai.runs.detector_scores import is_of_detector, read_detector_scores
from repairai.runs.folder import RunFolder, run_folders
from repairai.runs.journal import Asked, Journal
from repairai.runs.state import read_run
from repairai.schema import PartLimits, Visibility
from repairai.vision import detectors
from repairai.vision.detector import Limits
from repairai.vision.photo_set import PhotoSet, PhotoSource, edit, read_photo_set, write_photo_set
from tests.training.detector_runs import presence_set, rendered_set, trained
from training import detector_eval
from training.builtin_data import SOURCES
from training.detector import looks
from training.detector.measuring import Other, Own, report
from training.detector.trained_on import keep, knows, place_of, trained_on, unseen
from training.detector.worst_photos import draw_worst
from training.given import evaluation_run

ROOT = Path(__file__).parents[2]


def evaluation() -> RunFolder:
    """The newest evaluation."""
    return max((each for each in run_folders() if each.order.is_file()), key=lambda each: each.about.stat().st_mtime)


def test_a_detector_is_calibrated_measured_and_becomes_the_one_that_inspects(
    shared: Path, capsys: pytest.CaptureFixture[str]
):
    """On real photos: the built-in network under a run's name, its holes called otherwise."""
    run = trained(presence_set(shared), called={"screw_hole": "hole"})
    assert detector_eval.main(["mine", "--escape", "0.1"]) == 0
    told = capsys.readouterr().out
    assert "mine counts 100.0 % of parts exactly on 20 photos with 2 parts" in told
    assert "builtin does not know hole" in told
    assert "With 90 % confidence at most 10.0 % of a part's wrong steps pass" in told
    scores = read_detector_scores(run.scores)
    assert is_of_detector(run.scores)
    assert (scores.shown.photos, scores.shown.sources, scores.shown.split) == (20, 20, "test")
    assert set(scores.parts) == {"screw", "hole"}
    assert (scores.model, scores.left_out, set(scores.before)) == ("builtin", ("hole",), {"screw"})
    for each in (*scores.parts.values(), scores.whole):
        assert each.escape == 0.0
        assert each.exact >= 0.95
        assert each.decided >= 0.9
    assert scores.parts["screw"].ap50 > 0.95
    assert scores.figures["exact"].examples == 20
    assert scores.confusion.found[0][1] == scores.confusion.found[1][0] == 0
    assert scores == read_detector_scores(evaluation().scores)
    assert read_run(evaluation()).state == "finished"

    limits = read_record(run.model / "limits.json", Limits)
    assert (limits.escape, limits.confidence) == (scores.escape, scores.confidence) == (0.1, 0.9)
    assert limits.photos["screw"] > 30
    assert limits.parts["screw"].empty_place == "hole"
    assert "battery" in limits.undecided
    card = (run.model / "README.md").read_text()
    assert "screws_presence" in card
    assert "at most 10.0 % of wrong steps pass with 90 % confidence" in card

    assert repairai(["models", "use", "mine"]) == 0
    assert "mine is the detector that inspects now: it is not clearly apart from builtin" in capsys.readouterr().out
    assert open_detector().name.startswith("mine@")
    photo = next(path for path in (shared / "screws_presence" / "photos").glob("*_1111.jpg"))
    assert repairai(["inspect", str(photo), "--require", "4 screw", "--json", "--no-record"]) == 0
    assert json.loads(capsys.readouterr().out)["models"][0].startswith("mine@")
    assert repairai(["models", "back", "--detector"]) == 0
    assert detectors.active() == detectors.BUILTIN


def test_few_photos_leave_everything_undecided_and_the_gate_says_why(shared: Path):
    run = trained(presence_set(shared, every=3), called={"screw_hole": "hole"})
    assert detector_eval.main(["mine", "--escape", "0.01"]) == 0
    scores = read_detector_scores(run.scores)
    assert set(scores.undecided) == {"screw", "hole"}
    assert "it takes 230" in scores.undecided["screw"]
    assert scores.whole.decided == scores.parts["screw"].decided == 0.0
    assert scores.parts["screw"].counted == 1.0, "it could count, but nothing proves it"
    decision = activate("mine")
    assert not decision.active
    assert "too few to tell whether it is worse, 10 are needed" in decision.said
    assert activate("mine", force=True).active


def test_rendered_scenes_the_worst_photos_and_going_on_after_a_stop(monkeypatch: pytest.MonkeyPatch):
    photos = rendered_set()
    run = trained(photos)
    taken: list[str] = []
    look = looks.look

    def stops(pixels):
        taken.append("look")
        if len(taken) == 9:
            (evaluation().control).mkdir(exist_ok=True)
            (evaluation().control / "stop").touch()
        return look(pixels)

    monkeypatch.setattr(looks, "look", stops)
    assert detector_eval.main(["mine", "--escape", "0.25"]) == 1
    folder = evaluation()
    assert read_run(folder).state == "stopped"
    assert len(taken) == 9
    assert detector_eval.main([str(folder.path)]) == 0
    n_val, n_test = len(photos.of("val")), len(photos.of("test"))
    assert len(taken) == n_val + 2 * n_test, "no photo is looked at twice"

    scores = read_detector_scores(run.scores)
    assert scores.shown.photos == n_test
    worst = sorted((folder.path / "worst").glob("*.jpg"))
    assert {path.name for path in worst} == {f"{each.photo}.jpg" for each in scores.worst}
    page = (folder.path / "worst.md").read_text()
    assert page.startswith("# mine: its worst photos")
    if scores.worst:
        assert f"](worst/{worst[0].name})" in page
        assert Image.open(worst[0]).size == Image.open(photos.folder / "photos" / worst[0].stem).size
        assert (run.path / "worst.md").read_text().count(f"../{folder.id}/worst/") == len(worst)

    # Another order asks the same detector otherwise; limited photos are drawn, all the same each time.
    assert detector_eval.main(["mine", "--limit", "3", "--on", "val"]) == 0
    again = read_detector_scores(run.scores)
    assert (again.shown.photos, again.shown.of, again.shown.split) == (3, n_val, "val")
    assert not activate("mine").active


def test_worst_photos_of_one_name_but_for_its_end_are_drawn_each(tmp_path: Path):
    photos = rendered_set(n=2)
    first, second = photos.photos
    (photos.folder / "photos" / second.name).rename(photos.folder / "photos" / "0.jpg")
    photos = replace(photos, photos=(first, replace(second, name="0.jpg")))
    seen = [
        looks.Seen(each, looks.Look(each.name, (), (1.0, 1.0), Visibility(0.5, 0.0, 0.5))) for each in photos.photos
    ]
    limits = dict.fromkeys(photos.parts, PartLimits(0.7, 0.2))
    own = Own("mine", photos.parts, Limits(limits, "nothing"), dict.fromkeys(photos.parts, 0.5), seen)
    scores = report(own, Other("other", (), {}, ()), photos, "test", {}, 0.0)
    draw_worst(tmp_path, photos, scores, seen, limits)
    assert {path.name for path in (tmp_path / "worst").iterdir()} == {"0.png.jpg", "0.jpg.jpg"}
    assert (tmp_path / "worst.md").read_text().count("](worst/0.") == 2


def test_photos_that_the_training_saw_are_left_out_after_the_set_was_split_anew(capsys: pytest.CaptureFixture[str]):
    photos = rendered_set(n=12)
    run = trained(photos)
    keep(run.path, photos, "builtin")
    n_test = len(photos.of("test"))
    moved = {photos.of("train")[0].name, photos.of("val")[0].name}

    def anew(own: PhotoSet) -> PhotoSet:
        return replace(own, photos=tuple(replace(p, split="test") if p.name in moved else p for p in own.photos))

    edit(photos.folder, anew)
    assert detector_eval.main(["mine", "--escape", "0.3"]) == 0
    assert f"2 photos of {n_test + 2} for test were left out" in capsys.readouterr().out
    scores = read_detector_scores(run.scores)
    assert (scores.shown.photos, scores.shown.learned, scores.shown.of) == (n_test, 2, n_test + 2)
    assert not moved & {each.photo for each in scores.marks}
    assert "were left out" in evaluation().events.read_text()

    swapped = {"train": "test", "val": "test", "test": "train"}
    edit(
        photos.folder, lambda own: replace(own, photos=tuple(replace(p, split=swapped[p.split]) for p in photos.photos))
    )
    assert detector_eval.main(["mine"]) == 2
    assert "mine has seen all 6 test photos of scenes in its training" in capsys.readouterr().err


def test_what_a_training_saw_adds_up(tmp_path: Path):
    photos = rendered_set(n=6)
    first, second = tmp_path / "first", tmp_path / "second"
    keep(first, photos, "builtin")
    edit(photos.folder, lambda own: replace(own, photos=tuple(
        replace(p, split={"train": "val", "val": "test", "test": "train"}[p.split]) for p in own.photos)))  # fmt: skip
    now = read_photo_set(photos.folder)
    seen = keep(second, now, str(first / "model"))
    assert seen == trained_on(second, photos.folder)
    assert set(seen.learned) == {each.name for each in (*photos.of("train"), *now.of("train"))}
    assert unseen(now.of("test"), "test", seen) == ([], len(now.of("test")))
    assert trained_on(second, tmp_path).learned == {}, "it was another set"
    # A version of a photo that was learned from shows the same; sources that stood in two splits anyway say nothing.
    like = replace(now.of("train")[0], name="new.png")
    assert seen.has_seen(like, "val")
    mixed = replace(now, photos=tuple(replace(each, source="bench") for each in now.photos))
    assert not keep(tmp_path / "third", mixed, "builtin").has_seen(replace(like, source="bench"), "test")


def test_who_knows_the_test_photos_from_its_training_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    photos = rendered_set(n=6)
    old = trained(photos, "old")
    swapped = tuple(replace(p, split={"train": "test", "test": "train"}.get(p.split, p.split)) for p in photos.photos)
    keep(old.path, replace(photos, photos=swapped), "builtin")
    detectors.use(detectors.Inspector("old", str(old.model), "old"))
    trained(photos, "new")
    assert detector_eval.main(["new", "--escape", "0.3"]) == 0
    n_test = len(photos.of("test"))
    told = f"This favours old: it has learned from {n_test} of these {n_test} photos, or versions of them."
    assert told in capsys.readouterr().out
    assert told in evaluation().events.read_text()
    assert set(read_detector_scores(evaluation().scores).favoured) == {"old"}

    shown = photos.of("test")
    assert "it began with old, which has learned from 2 of these 2" in knows(
        _begun_with(old.model, tmp_path / "next"), photos, shown[:2]
    )
    # Where no list tells it, the sources do.
    amv = replace(photos, sources=(PhotoSource("screws_amv", "CC BY 4.0"),))
    assert knows(place_of("builtin"), photos, shown) == ""
    told = knows(place_of("builtin"), amv, shown)
    assert told == "it has learned from photos of screws_amv, and these may be among them"
    begun = _begun_with("builtin", tmp_path / "amv")
    assert knows(begun, amv, shown).startswith("it began with builtin, which has learned from photos of screws_amv")
    assert knows(_begun_with("nobody/nothing", tmp_path / "other"), amv, shown) == ""


def test_the_built_in_detector_names_what_it_has_learned_from():
    rows = json.loads((place_of("builtin") / "sources.json").read_text())
    assert [(row["name"], row["url"]) for row in rows] == [(each.name, each.url) for each in SOURCES]


def test_runs_of_one_recipe_with_several_seeds_are_told_as_mean_and_spread(capsys: pytest.CaptureFixture[str]):
    photos = rendered_set(n=6)
    first = trained(photos)
    recipe = read_recipe(first.recipe)
    assert detector_eval.main(["mine", "--seeds"]) == 2
    assert "no other run has been trained by the recipe of mine with another seed" in capsys.readouterr().err
    for name, own in (("second", replace(recipe, seed=8)), ("other", replace(recipe, seed=9, epochs=2.0))):
        saved(trained(photos, name).recipe, own)
    assert [each.id for each in detector_eval.sisters(first)] == ["mine", "second"]
    assert detector_eval.main(["second", "--seeds", "--escape", "0.3"]) == 0
    told = capsys.readouterr().out
    assert told.index("mine counts ") < told.index("second counts ")
    assert "other counts" not in told
    row = told.splitlines()[-1]
    assert row.startswith("| 1 | 2 | ")
    assert "± 0.0 %" in row, "both have the same weights"


def _begun_with(model: Path | str, run: Path) -> Path:
    """The folder of a model of a run that began with another."""
    run.mkdir()
    saved(run / "recipe.yaml", Recipe("detector", Workload(str(model), "full", image_px=320), 1.0, 1e-4))
    return run / "model"


def test_a_set_that_was_changed_is_looked_at_anew(tmp_path: Path):
    photos = rendered_set(n=4)
    found = looks.Looks(tmp_path / "looks.jsonl", "one")
    detector = looks.bare(open_detector(), {})
    looks.look_at(detector, photos, photos.of("test"), found)
    assert len(looks.Looks(tmp_path / "looks.jsonl", "one").by_name) == len(photos.of("test"))
    with (tmp_path / "looks.jsonl").open("a") as file:
        file.write('{"photo": "half')
    assert len(looks.Looks(tmp_path / "looks.jsonl", "one").by_name) == len(photos.of("test"))
    assert looks.Looks(tmp_path / "looks.jsonl", "two").by_name == {}


def test_a_folder_is_measured_without_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    photos = rendered_set(n=6)
    model = shutil.copytree(trained(photos).model, tmp_path / "bench")
    words = ["--model", str(model), "--data", str(photos.folder), "--escape", "0.3"]
    assert detector_eval.main(words) == 0
    assert "bench counts" in capsys.readouterr().out
    assert read_detector_scores(tmp_path / "bench-evaluation" / "scores.json").run == "bench"
    assert (model / "limits.json").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "there is no run"),
        (["mine", "--escape", "0.9"], "need escape from 0.0001 to 0.5"),
        (["--model", "here", "--data", "/nowhere"], "holds no annotations.coco.json"),
    ],
)
def test_bad_orders_are_one_sentence(words: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    trained(rendered_set(n=2))
    assert detector_eval.main(words) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1


def test_photos_that_do_not_fit_are_one_sentence(capsys: pytest.CaptureFixture[str]):
    photos = rendered_set(n=4)
    trained(photos)
    strange = {label: f"{label}_of_mine" for label in photos.parts}
    trained(photos, "other", strange)
    assert detector_eval.main(["other"]) == 2
    assert "other knows none of the parts in scenes" in capsys.readouterr().err
    Image.new("RGB", (70, 70)).save(photos.folder / "photos" / "2.png")
    Image.new("RGB", (70, 70)).save(photos.folder / "photos" / "3.png")
    assert detector_eval.main(["mine"]) == 2
    assert "is 70 x 70 px, and its boxes are for" in capsys.readouterr().err
    bare = read_photo_set(photos.folder)
    write_photo_set(type(bare)(bare.folder, bare.parts, bare.photos[:1]))
    assert detector_eval.main(["mine"]) == 2
    assert "scenes has no labelled test photos" in capsys.readouterr().err


def test_the_script_starts_by_its_name():
    done = subprocess.run(
        [sys.executable, "-m", "training.detector_eval"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "give a RUN, or --model and --data" in done.stderr


def test_a_stop_before_it_began():
    trained(rendered_set(n=2))
    folder = evaluation_run(Path("mine"), {}, detector_eval.COMMAND, {"limit": None})
    folder.control.mkdir()
    (folder.control / "stop").touch()
    with pytest.raises(Asked), Journal(folder) as journal:
        detector_eval.evaluate(folder, journal)
    assert read_run(folder).state == "stopped"
