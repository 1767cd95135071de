"""The built-in detector's photos: a set like any other, of which no split has seen another's."""

from pathlib import Path

from repairai.named_sets import PHOTO_SETS
from repairai.vision.photo_set import SPLITS, read_photo_set
from training import builtin_data
from training.detector.splits import leaking


def test_rendered_scenes_become_a_set(tmp_path: Path):
    folder = PHOTO_SETS.folder("builtin")
    builtin_data.main(["--out", str(folder), "--shared", str(tmp_path / "absent"), "--scenes", "10"])
    photos = read_photo_set(folder)
    assert [len(photos.of(split)) for split in SPLITS] == [10, 1, 1]
    assert photos.parts[:2] == ("screw", "screw_hole")
    assert [(each.name, each.licence, each.photos) for each in photos.sources] == [("scenes", "Apache-2.0", 12)]
    assert not leaking(photos.photos)
    assert all(photos.path(each).is_file() and each.source.startswith("scenes/") for each in photos.photos)
    assert any(each.boxes for each in photos.photos)
