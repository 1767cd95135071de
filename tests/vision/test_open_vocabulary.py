"""Words, or a part shown once, to boxes in px of the photo: with tiny models of the real classes."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from transformers import AutoImageProcessor, Owlv2Processor

from repairai.errors import RepairError
from repairai.vision.open_vocabulary import Example, OpenVocabulary, OwlEyes, load_open_vocabulary
from repairai.vision.proposals import Prompt
from tests.vision.tiny_open_models import grounding, owl, sam

RED, BLUE, GREY = (220, 30, 30), (30, 30, 220), (120, 120, 120)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("models")
    return {
        "grounding-dino": grounding(place / "gdino"),
        "mm-grounding-dino": grounding(place / "mm", mm=True),
        "owlv2": owl(place / "owl"),
        "sam2": sam(place / "sam"),
    }


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["grounding-dino", "mm-grounding-dino", "owlv2"])
def test_a_model_is_loaded_by_name_and_gives_boxes_in_the_photo(folders, kind):
    model = load_open_vocabulary(str(folders[kind]))
    assert (model.kind, model.name) == (kind, folders[kind].name)
    prompts = [Prompt("screw", "a screw."), Prompt("hole", "hole")]
    for width, height in ((300, 130), (130, 300)):
        found = model.propose(noise(width, height), prompts, floor=0.0)
        assert found
        for each in found:
            left, top, right, bottom = each.box
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
            assert each.suspicious == ((right - left) * (bottom - top) > 0.4 * width * height)
        assert {each.part for each in found} <= {"screw", "hole"}
        assert list(found) == sorted(found, key=lambda each: -each.score)
        assert found == model.propose(noise(width, height), prompts, floor=0.0), "the same photo has the same boxes"
    with pytest.raises(ValueError, match="need a part"):
        model.propose(noise(100, 100), [])


@pytest.mark.parametrize("kind", ["grounding-dino", "owlv2"])
def test_a_negative_of_the_same_words_leaves_nothing_that_it_claims(folders, kind, monkeypatch):
    model = load_open_vocabulary(str(folders[kind]))
    asked = []
    plain_ask = type(model.eyes).ask

    def ask(eyes, seen, words):
        asked.append(words)
        boxes, scores = plain_ask(eyes, seen, "screw")
        return boxes, scores + (0.01 if words == "washer" else 0.0)

    monkeypatch.setattr(type(model.eyes), "ask", ask)
    photo = noise(120, 100)
    assert model.propose(photo, [Prompt("screw", "screw")], floor=0.0)
    assert model.propose(photo, [Prompt("screw", "screw")], ["washer"], floor=0.0) == ()
    assert asked == ["screw", "screw", "washer"], "one prompt a forward"


def test_grounding_boxes_are_where_the_processor_puts_them(folders):
    model = load_open_vocabulary(str(folders["grounding-dino"]))
    photo = noise(260, 120)
    seen = model.eyes.see([Image.fromarray(photo)])
    text = model.eyes.tokenizer(["a screw."], return_tensors="pt")
    with torch.inference_mode():
        out = model.eyes.model(**seen, **text)
    from transformers import GroundingDinoProcessor

    theirs = GroundingDinoProcessor(model.eyes.processor, model.eyes.tokenizer).post_process_grounded_object_detection(
        out, text["input_ids"], threshold=0.0, target_sizes=[(120, 260)]
    )[0]
    shares, scores = model.eyes.ask(seen, "A screw.")
    order = np.argsort(-scores[0])
    np.testing.assert_allclose(shares[0] * [260, 120, 260, 120], theirs["boxes"].numpy(), atol=1e-3)
    np.testing.assert_allclose(scores[0][order], theirs["scores"].numpy()[order], atol=1e-6)


@pytest.mark.parametrize("size", [(260, 120), (120, 260), (96, 96), (40, 30)])
def test_owl_boxes_are_where_the_processor_puts_them(folders, size):
    """Regression: boxes on photos that are not square were shifted (transformers 27205)."""
    model = load_open_vocabulary(str(folders["owlv2"]))
    width, height = size
    photo = Image.fromarray(noise(width, height))
    seen = model.eyes.see([photo])
    shares, scores = model.eyes.ask(seen, "screw")
    small = photo.resize([round(side * 96 / max(size)) for side in size], Image.Resampling.BICUBIC)
    pixels = model.eyes.processor(images=[small if max(size) > 96 else photo], return_tensors="pt")["pixel_values"]
    text = model.eyes.tokenizer(["screw"], return_tensors="pt", padding="max_length")
    with torch.inference_mode():
        out = model.eyes.model(text["input_ids"], pixels, text["attention_mask"])
    theirs = Owlv2Processor(model.eyes.processor, model.eyes.tokenizer).post_process_grounded_object_detection(
        out, threshold=0.0, target_sizes=[(height, width)]
    )[0]
    np.testing.assert_allclose(shares[0] * [width, height, width, height], theirs["boxes"].numpy(), rtol=1e-2, atol=0.3)
    np.testing.assert_allclose(scores[0], theirs["scores"].numpy(), atol=1e-6)


# ---- more like this


class Colours:
    """Stands in for OWLv2's network: what stands at a patch is its mean colour, and its box is the patch."""

    device = torch.device("cpu")
    side = 12

    def image_embedder(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor]:
        return (torch.nn.functional.avg_pool2d(pixel_values, 96 // self.side).permute(0, 2, 3, 1),)

    def box_predictor(self, flat: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        at = (torch.arange(self.side) + 0.5) / self.side
        y, x = torch.meshgrid(at, at, indexing="ij")
        size = torch.full_like(x, 1 / self.side)
        return torch.stack([x, y, size, size], -1).reshape(1, -1, 4).expand(len(flat), -1, -1)

    def class_predictor(self, flat: torch.Tensor, query: torch.Tensor | None = None) -> tuple:
        if query is None:
            return None, flat
        away = (flat - query).norm(dim=-1, keepdim=True)
        return 4 - 12 * away, flat


def bench(width: int, height: int, squares: dict[tuple[int, int], tuple[int, int, int]]) -> np.ndarray:
    photo = Image.new("RGB", (width, height), GREY)
    for (x, y), colour in squares.items():
        ImageDraw.Draw(photo).rectangle((x, y, x + 39, y + 39), fill=colour)
    return np.asarray(photo)


@pytest.mark.parametrize(("width", "height"), [(480, 240), (240, 480)])
def test_more_like_this_finds_its_likeness_in_place(folders, width, height):
    processor = AutoImageProcessor.from_pretrained(folders["owlv2"], backend="pil")
    model = OpenVocabulary("colours", "owlv2", OwlEyes(Colours(), processor, None, 96))
    shown = bench(400, 300, {(200, 120): RED, (40, 40): BLUE})
    # Patches are a twelfth of the longer side: squares of one patch each, on the grid.
    red = {(40, 80): RED, (120, 200): RED, (200, 40): RED}
    photo = bench(width, height, {**red, (160, 120): BLUE})
    found = model.like(photo, model.learn([Example("screw", shown, (200, 120, 240, 160))]), floor=0.7, tiled=False)
    assert sorted(each.box for each in found) == [(x, y, x + 40, y + 40) for x, y in sorted(red)]
    assert {each.part for each in found} == {"screw"}
    both = model.learn([Example("screw", shown, (200, 120, 240, 160)), Example("clip", shown, (40, 40, 80, 80))])
    found = model.like(photo, both, floor=0.7, tiled=False)
    assert [each.box for each in found if each.part == "clip"] == [(160, 120, 200, 160)]


def test_a_tiny_owl_learns_from_a_box_and_others_do_not(folders):
    model = load_open_vocabulary(str(folders["owlv2"]))
    likeness = model.learn([Example("screw", noise(300, 200), (280, 5, 299, 25))])
    assert likeness.vectors[0].shape == (16,)
    found = model.like(noise(300, 200), likeness, floor=0.0)
    assert all(0 <= each.box[0] < each.box[2] <= 300 and each.box[3] <= 200 for each in found)
    with pytest.raises(RepairError, match="finds by words alone"):
        load_open_vocabulary(str(folders["grounding-dino"])).learn([])


# ---- large photos, and what is no such model


def test_a_large_photo_is_looked_at_in_tiles_as_well(folders, monkeypatch):
    model = load_open_vocabulary(str(folders["owlv2"]))
    sizes = []

    def see(eyes, pictures):
        sizes.extend(each.size for each in pictures)
        return SimpleNamespace(n=len(pictures), size=pictures[0].size)

    def ask(eyes, seen, words):
        return np.tile([[[0.4, 0.4, 0.6, 0.6]]], (seen.n, 1, 1)).astype(np.float32), np.full((seen.n, 1), 0.9)

    monkeypatch.setattr(OwlEyes, "see", see)
    monkeypatch.setattr(OwlEyes, "ask", ask)
    found = model.propose(noise(600, 300), [Prompt("screw", "screw")])
    assert sizes.count((144, 144)) == len(sizes) - 1 > 6
    assert len(found) == len(sizes) - 1, "the box of the whole photo lies round several of the tiles'"
    sizes.clear()
    assert [each.box for each in model.propose(noise(600, 300), [Prompt("screw", "screw")], tiled=False)] == [
        (240, 120, 360, 180)
    ]
    assert sizes == [(600, 300)]


def test_what_is_no_such_model_is_one_sentence(folders, tmp_path, monkeypatch):
    with pytest.raises(RepairError, match="kind 'sam2', which finds nothing by words"):
        load_open_vocabulary(str(folders["sam2"]))
    with pytest.raises(RepairError, match="holds no config"):
        load_open_vocabulary(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "owlv2"}')
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(RepairError, match="no weights in safetensors"):
        load_open_vocabulary(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(RepairError, match="cannot be opened"):
        load_open_vocabulary(str(tmp_path))
    with pytest.raises(RepairError, match="neither a folder nor a name"):
        load_open_vocabulary("no such/model/there")


def test_the_page_and_the_choice_of_boxes_need_no_torch():
    code = (
        "import sys, repairai.vision.proposals, repairai.vision.masks, repairai.vision.looked;"
        "print([m for m in ('torch', 'transformers', 'supervision') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
