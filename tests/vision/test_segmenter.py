"""SAM 2 without torchvision: a mask in each box, the same as transformers' own way of enlarging gives."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from repairai.errors import RepairError
from repairai.schema import Detection
from repairai.vision.masks import decode
from repairai.vision.segmenter import load_segmenter, with_masks
from tests.vision.tiny_open_models import owl, sam


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory):
    return load_segmenter(str(sam(tmp_path_factory.mktemp("models") / "sam")))


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


BOXES = [(10.4, 20.0, 90.7, 80.2), (150.0, 0.0, 300.0, 130.0), (0.0, 60.0, 14.0, 70.0)]


def test_masks_lie_in_their_boxes(segmenter):
    masks = segmenter.masks(noise(300, 130), BOXES)
    assert (masks.dtype, masks.shape) == (bool, (3, 130, 300))
    for mask, (left, top, right, bottom) in zip(masks, BOXES, strict=True):
        rows, columns = np.nonzero(mask)
        if len(rows):
            assert int(left) <= columns.min() <= columns.max() < np.ceil(right)
            assert int(top) <= rows.min() <= rows.max() < np.ceil(bottom)
    assert masks.any(), "by chance these weights give some"
    assert segmenter.masks(noise(300, 130), []).shape == (0, 130, 300)


def test_masks_are_those_of_the_whole_photo_enlarged(segmenter):
    photo = noise(300, 130)
    scale = np.tile([128 / 300, 128 / 130], 2)
    with torch.inference_mode():
        seen = segmenter.model.get_image_embeddings(segmenter._pixels(photo))
        boxes = torch.tensor(np.array(BOXES) * scale, dtype=torch.float32)[None]
        coarse = segmenter.model(image_embeddings=seen, input_boxes=boxes, multimask_output=False).pred_masks[0]
        theirs = F.interpolate(coarse, (130, 300), mode="bilinear", align_corners=False)[:, 0].numpy()
    ours = segmenter.masks(photo, BOXES)
    for own, all_of_it, (left, top, right, bottom) in zip(ours, theirs, BOXES, strict=True):
        box = np.s_[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))]
        sure = np.abs(all_of_it[box]) > 1e-4 * np.abs(theirs).max()
        assert np.array_equal(own[box][sure], (all_of_it[box] > 0)[sure])


def test_many_boxes_need_one_look_at_the_photo_and_little_memory(segmenter, monkeypatch):
    looks = []
    embed = segmenter.model.get_image_embeddings
    monkeypatch.setattr(segmenter.model, "get_image_embeddings", lambda pixels: looks.append(1) or embed(pixels))
    rng = np.random.default_rng(1)
    corner = rng.uniform(0, [3900, 2900], (100, 2))
    boxes = [tuple(each) for each in np.concatenate([corner, corner + rng.uniform(20, 90, (100, 2))], axis=1).tolist()]
    masks = segmenter.compact(noise(4000, 3000), boxes)
    assert (len(masks), looks) == (100, [1])
    assert all(decode(mask).shape == (mask.height, mask.width) for mask in masks)
    assert max(mask.width * mask.height for mask in masks) < 100 * 100


def test_detections_get_their_masks(segmenter):
    found = (Detection("screw", 0.9, BOXES[0]), Detection("hole", 0.4, BOXES[1], small=True))
    seen = with_masks(noise(300, 130), found, segmenter)
    assert [(each.label, each.score, each.box, each.small) for each in seen] == [
        (each.label, each.score, each.box, each.small) for each in found
    ]
    assert [(each.mask.left, each.mask.top) for each in seen] == [(10, 20), (150, 0)]


def test_another_kind_of_model_is_one_sentence(tmp_path):
    with pytest.raises(RepairError, match="kind 'owlv2', which makes no masks"):
        load_segmenter(str(owl(tmp_path)))
