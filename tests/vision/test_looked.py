"""What a person accepts keeps who drew it, and what comes back wrong tells whether they looked."""

from dataclasses import replace

import numpy as np
import pytest
from filelock import FileLock

from repairai import named_sets
from repairai.errors import RepairError
from repairai.named_sets import PHOTO_SETS
from repairai.vision.looked import accept, accept_above, answer_blind, interval, looked_share, next_blind
from repairai.vision.photo_set import (
    ANNOTATIONS,
    LabelledBox,
    LabelledPhoto,
    PhotoSet,
    edit,
    write_photo_set,
)
from repairai.vision.tiles import overlaps

BY = "model:tiny"


def proposed(*boxes: LabelledBox, split="train", name="a.jpg") -> PhotoSet:
    photo = LabelledPhoto(name, 640, 480, boxes, split, labelled=False)
    made = PhotoSet(PHOTO_SETS.folder("bench"), ("screw", "hole"), (photo,))
    write_photo_set(made)
    return made


SCREW = LabelledBox("screw", (100.25, 100, 140, 150), BY, False, 0.8)
HOLE = LabelledBox("hole", (300, 100, 330, 130), BY, False, 0.4)


def test_who_drew_a_box_is_kept_where_it_is_left_as_it_was(home):
    photos = proposed(SCREW, HOLE)
    left = (LabelledBox("screw", (100, 100, 140, 150)), LabelledBox("hole", (305, 101, 336, 132)))
    done = accept(photos, "a.jpg", (*left, LabelledBox("clip", (10, 10, 700, 60)))).photo("a.jpg")
    assert done.labelled
    assert done.boxes == (
        replace(SCREW, checked=True),
        LabelledBox("hole", (305, 101, 336, 132), "person", True),
        LabelledBox("clip", (10, 10, 640, 60), "person", True),
    )


def test_another_part_is_the_persons_and_what_is_deleted_is_gone(home):
    photos = proposed(SCREW, HOLE)
    done = accept(photos, "a.jpg", (replace(SCREW, part="hole"),)).photo("a.jpg")
    assert done.boxes == (LabelledBox("hole", SCREW.box, "person", True),)
    assert accept(photos, "a.jpg", ()).photo("a.jpg").labelled, "background, said by a person"
    again = accept(accept(photos, "a.jpg", (SCREW,)), "a.jpg", (SCREW, SCREW)).photo("a.jpg")
    assert [each.by for each in again.boxes] == [BY, "person"], "one box is kept as one"


def test_a_box_outside_is_one_sentence(home):
    with pytest.raises(RepairError, match="lies outside of a.jpg, which has 640 x 480 px"):
        accept(proposed(), "a.jpg", (LabelledBox("screw", (700, 10, 720, 30)),))


def test_only_sure_boxes_on_photos_to_train_on_are_accepted_without_a_person(home):
    done, names = accept_above(proposed(SCREW), 0.7)
    assert names == ("a.jpg",)
    assert done.photo("a.jpg") == replace(done.photo("a.jpg"), labelled=True, boxes=(SCREW,)), "nobody has looked"
    large = replace(SCREW, box=(0, 0, 640, 400), score=0.9)
    for photos in (proposed(SCREW, HOLE), proposed(SCREW, split="val"), proposed(SCREW, split="test"),
                   proposed(), proposed(large)):  # fmt: skip
        assert accept_above(photos, 0.7)[1] == ()
    assert accept_above(proposed(SCREW), 0.7, names=("b.jpg",))[1] == ()


# ---- blind


@pytest.fixture
def accepted(home) -> PhotoSet:
    """40 photos with 5 accepted boxes each: 10 come back at 5 %."""
    rng = np.random.default_rng(0)
    photos = []
    for number in range(40):
        boxes = tuple(
            LabelledBox(
                ("screw", "hole")[i % 2], (60 + 110 * i, y, 90 + 110 * i, y + 40), BY, True, round(0.5 + i / 20, 3)
            )
            for i, y in enumerate(rng.integers(60, 360, 5).tolist())
        )
        photos.append(LabelledPhoto(f"{number:02}.jpg", 640, 480, boxes))
    made = PhotoSet(PHOTO_SETS.folder("bench"), ("screw", "hole"), tuple(photos))
    write_photo_set(made)
    return made


def test_what_comes_back_is_never_written_and_a_blind_clicker_is_found_out(accepted):
    before = (accepted.folder / ANNOTATIONS).read_bytes()
    kinds = []
    while (blind := next_blind(accepted.folder)) is not None:
        assert next_blind(accepted.folder) == blind, "the same one until it is answered"
        true = accepted.photo(blind.photo).boxes
        check = answer_blind(accepted.folder, blind.id, blind.boxes)
        kinds.append(check.wrong)
        differ = [each for each in blind.boxes if each not in true]
        assert differ == ([] if check.wrong == "nothing" else [check.altered])
        assert not check.noticed
        if check.wrong == "moved":
            lost = next(each for each in true if each not in blind.boxes)
            shared = overlaps(np.array(check.altered.box), np.array([lost.box]))[1][0]
            assert 0.2 < shared < 0.6
            assert check.altered.part == lost.part
        elif check.wrong == "decoy":
            assert len(blind.boxes) == 6
            others = np.array([each.box for each in true])
            assert not overlaps(np.array(check.altered.box), others)[0].any()
    assert len(kinds) == 10
    assert len(set(kinds)) >= 3
    assert (accepted.folder / ANNOTATIONS).read_bytes() == before
    seen = looked_share(accepted.folder)
    assert (seen.noticed, seen.share, seen.changed) == (0, 0, 0)
    assert (seen.altered, seen.right) == (10 - kinds.count("nothing"), kinds.count("nothing"))
    assert seen.high < 0.45
    assert "0 were mended" in seen.said


def test_who_puts_it_right_has_looked(accepted):
    while (blind := next_blind(accepted.folder)) is not None:
        true = accepted.photo(blind.photo).boxes
        check = answer_blind(accepted.folder, blind.id, true)
        assert check.noticed == (check.wrong != "nothing")
    seen = looked_share(accepted.folder)
    assert seen.share == 1
    assert seen.low > 0.6
    assert seen.changed == 0
    assert seen.accepted == 200


def test_few_boxes_and_photos_just_seen_do_not_come_back(accepted):
    edit(accepted.folder, lambda each: replace(each, photos=each.photos[:3]))
    assert next_blind(accepted.folder) is None, "15 boxes: not yet one in twenty"
    assert next_blind(accepted.folder, share=0.2, not_now=("00.jpg", "01.jpg", "02.jpg")) is None
    assert next_blind(accepted.folder, share=0.2, not_now=("00.jpg", "02.jpg")).photo == "01.jpg"
    assert looked_share(accepted.folder).share is None


def test_a_photo_that_was_labelled_anew_or_deleted_waits_no_more(accepted):
    blind = next_blind(accepted.folder)
    edit(accepted.folder, lambda each: replace(each, photos=tuple(p for p in each.photos if p.name != blind.photo)))
    other = next_blind(accepted.folder)
    assert other.photo != blind.photo
    edit(accepted.folder, lambda each: accept(each, other.photo, ()))
    assert next_blind(accepted.folder).photo not in (blind.photo, other.photo)
    with pytest.raises(RepairError, match="no photo waits"):
        answer_blind(accepted.folder, 999, ())


def test_the_interval_is_wilsons():
    assert interval(0, 0) == (0, 1)
    assert interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert interval(0, 5) == pytest.approx((0, 0.4345), abs=1e-4)


def test_copies_of_accepted_boxes_on_made_photos_do_not_come_back(home):
    photos = proposed(replace(SCREW, checked=True))
    boxes = (replace(SCREW, checked=True),) * 40
    scene = LabelledPhoto("pasted-000000.jpg", 640, 480, boxes, source="pasted")
    write_photo_set(replace(photos, photos=(*accept(photos, "a.jpg", boxes[:1]).photos, scene)))
    assert looked_share(photos.folder).accepted == 1
    assert next_blind(photos.folder, share=1.0).photo == "a.jpg"


def test_whoever_is_long_at_it_is_told_of(home, monkeypatch):
    folder = proposed(SCREW).folder
    monkeypatch.setattr(named_sets, "LOCK_SECONDS", 0.05)
    with FileLock(folder / ".looked.lock"), pytest.raises(RepairError, match="bench is being looked at"):
        next_blind(folder)
