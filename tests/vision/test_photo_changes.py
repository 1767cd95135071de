"""Of a large set only what was changed is written, and nothing of it is lost, whoever goes down when."""

import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from faster_coco_eval import COCO

from repairai.errors import RepairError
from repairai.named_sets import PHOTO_SETS
from repairai.vision import photo_changes, photo_set
from repairai.vision.looked import accept
from repairai.vision.photo_set import (
    ANNOTATIONS,
    CHANGES,
    LabelledBox,
    LabelledPhoto,
    PhotoSet,
    PhotoSource,
    digest_of_annotations,
    edit,
    read_photo_set,
    version_of,
    with_boxes,
    write_changes,
    write_photo_set,
)

SCREW = LabelledBox("screw", (10.5, 20, 40.25, 60))
DRAWN = LabelledBox("clip", (1, 2, 30, 40.1), "person", True)


@pytest.fixture
def photos(home: Path) -> PhotoSet:
    """Return a set whose COCO file is too large to be written at each change."""
    every = tuple(LabelledPhoto(f"p{number:05}.jpg", 640, 480, (SCREW,), source=f"s{number}") for number in range(2500))
    made = PhotoSet(PHOTO_SETS.folder("bench"), ("screw", "hole"), every, (PhotoSource("mine"),), (3, 4))
    write_photo_set(made)
    assert (made.folder / ANNOTATIONS).stat().st_size > photo_set.WHOLE_BYTES
    return made


def draws(name: str, *boxes: LabelledBox) -> Callable[[PhotoSet], PhotoSet]:
    return lambda now: with_boxes(now, name, boxes)


def read_anew(folder: Path) -> PhotoSet:
    """Read as another process does, which has read nothing before."""
    photo_set._held.clear()
    return read_photo_set(folder)


def test_saving_one_photo_writes_that_photo_alone(photos: PhotoSet):
    before = (photos.folder / ANNOTATIONS).stat()
    for number in range(20):
        changed = edit(photos.folder, draws(f"p{number:05}.jpg", DRAWN))
    now = (photos.folder / ANNOTATIONS).stat()
    assert (now.st_ino, now.st_mtime_ns, now.st_size) == (before.st_ino, before.st_mtime_ns, before.st_size)
    assert (photos.folder / CHANGES).stat().st_size < 20 * 800
    assert changed.parts == ("screw", "hole", "clip")
    assert read_photo_set(photos.folder) == changed
    assert read_anew(photos.folder) == changed
    assert [each.boxes for each in changed.photos[18:22]] == [(DRAWN,), (DRAWN,), (SCREW,), (SCREW,)]


def test_a_small_set_is_written_whole(photos: PhotoSet):
    write_photo_set(replace(photos, photos=photos.photos[:200]))
    edit(photos.folder, draws("p00007.jpg", DRAWN))
    assert not (photos.folder / CHANGES).exists()
    assert DRAWN.part in (photos.folder / ANNOTATIONS).read_text()


def test_at_rest_all_is_plain_coco(photos: PhotoSet):
    changed = edit(photos.folder, draws("p00007.jpg", DRAWN, SCREW))
    write_changes(photos.folder)
    assert sorted(path.name for path in photos.folder.iterdir() if path.suffix) == [ANNOTATIONS]
    coco = COCO(str(photos.folder / ANNOTATIONS))
    assert [each["name"] for each in coco.loadCats(coco.getCatIds())] == ["screw", "hole", "clip"]
    assert [each["bbox"] for each in coco.loadAnns(coco.getAnnIds(imgIds=[7]))] == [
        [1, 2, 29, 38.1], [10.5, 20, 29.75, 40],
    ]  # fmt: skip
    assert read_photo_set(photos.folder) == read_anew(photos.folder) == changed
    write_changes(photos.folder)


def test_a_mend_takes_in_what_was_saved_before_it(photos: PhotoSet):
    edit(photos.folder, draws("p00007.jpg", DRAWN))
    after = edit(photos.folder, lambda now: replace(now, photos=now.photos[5:]))
    assert not (photos.folder / CHANGES).exists()
    assert read_anew(photos.folder) == after
    assert (len(after.photos), after.photo("p00007.jpg").boxes) == (2495, (DRAWN,))


def test_photos_that_are_new_stand_behind_the_others(photos: PhotoSet):
    new = LabelledPhoto("a-new.jpg", 9, 9, (), "train", "pasted")
    sources = (*photos.sources, PhotoSource("rendered", "Apache-2.0", "", 1))
    edit(photos.folder, lambda now: replace(now, photos=(*now.photos, new), sources=sources))
    assert (photos.folder / CHANGES).exists()
    now = read_anew(photos.folder)
    assert (now.photos[-1], now.sources, len(now.photos)) == (new, sources, 2501)


def test_many_changes_are_written_whole(photos: PhotoSet, monkeypatch: pytest.MonkeyPatch):
    bare = edit(
        photos.folder, lambda now: replace(now, photos=tuple(replace(each, labelled=False) for each in now.photos))
    )
    assert not (photos.folder / CHANGES).exists()
    monkeypatch.setattr(photo_set, "MOST_CHANGED", 0.002)
    for number in range(10):
        bare = edit(photos.folder, draws(f"p{number:05}.jpg", DRAWN))
    assert (photos.folder / CHANGES).stat().st_size < 0.002 * (photos.folder / ANNOTATIONS).stat().st_size + 100
    assert read_anew(photos.folder) == bare


def test_what_changes_nothing_writes_nothing(photos: PhotoSet):
    edit(photos.folder, lambda now: with_boxes(now, "p00003.jpg", (SCREW,)))
    assert not (photos.folder / CHANGES).exists()


def test_a_set_that_has_changed_says_so(photos: PhotoSet):
    write_photo_set(replace(photos, folder=PHOTO_SETS.folder("other")))
    os.utime(PHOTO_SETS.folder("bench") / ANNOTATIONS, (1, 1))
    before = version_of(photos.folder), digest_of_annotations(photos.folder)
    assert PHOTO_SETS.names() == ("other", "bench")
    edit(photos.folder, draws("p00000.jpg"))
    between = version_of(photos.folder), digest_of_annotations(photos.folder)
    assert PHOTO_SETS.names() == ("bench", "other")
    edit(photos.folder, draws("p00001.jpg"))
    after = version_of(photos.folder), digest_of_annotations(photos.folder)
    assert len({before, between, after}) == 3
    assert len({each[1] for each in (before, between, after)}) == 3


# ---- who goes down


def test_a_change_that_was_not_written_to_its_end_is_none(photos: PhotoSet):
    saved = edit(photos.folder, draws("p00001.jpg", DRAWN))
    path = photos.folder / CHANGES
    whole = path.read_bytes()
    edit(photos.folder, draws("p00002.jpg", DRAWN))
    for lost in range(1, len(path.read_bytes()) - len(whole)):
        path.write_bytes(path.read_bytes()[:-1])
        if lost % 50 == 1:
            assert read_anew(photos.folder) == saved
    photo_set._held.clear()
    after = edit(photos.folder, draws("p00003.jpg", DRAWN))
    assert read_anew(photos.folder) == after
    assert [after.photo(f"p0000{number}.jpg").boxes for number in (1, 2, 3)] == [(DRAWN,), (SCREW,), (DRAWN,)]


def test_changes_that_were_taken_in_count_no_second_time(photos: PhotoSet):
    edit(photos.folder, draws("p00001.jpg", DRAWN))
    left = (photos.folder / CHANGES).read_bytes()
    edit(photos.folder, lambda now: replace(now, photos=now.photos[1:], parts=(*now.parts, "nut")))
    (photos.folder / CHANGES).write_bytes(left)  # whoever wrote the file went down before it took these away
    before = read_anew(photos.folder)
    edit(photos.folder, draws("p00001.jpg"))
    assert read_anew(photos.folder).photo("p00001.jpg").boxes == ()
    write_photo_set(before)
    (photos.folder / CHANGES).write_bytes(left)
    write_changes(photos.folder)
    assert read_anew(photos.folder) == before
    assert not (photos.folder / CHANGES).exists()


def test_a_full_disk_loses_the_change_alone(photos: PhotoSet, monkeypatch: pytest.MonkeyPatch):
    saved = edit(photos.folder, draws("p00001.jpg", DRAWN))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(photo_changes.os, "fsync", full)
        with pytest.raises(RepairError, match="the disk is full"):
            edit(photos.folder, draws("p00002.jpg", DRAWN))
    assert read_photo_set(photos.folder) == read_anew(photos.folder) == saved
    assert edit(photos.folder, draws("p00002.jpg", DRAWN)).photo("p00002.jpg").boxes == (DRAWN,)


def test_damaged_changes_are_one_sentence(photos: PhotoSet):
    edit(photos.folder, draws("p00001.jpg", DRAWN))
    with (photos.folder / CHANGES).open("ab") as file:
        file.write(b'{"images": 3}\n')
    with pytest.raises(RepairError, match=r"changes.jsonl is damaged"):
        read_anew(photos.folder)


def test_somebody_else_who_writes_is_seen(photos: PhotoSet):
    """Another process changes the set, and writes it whole, while this one has read it before."""
    read_photo_set(photos.folder)
    elsewhere = dict(photo_set._held)
    edit(photos.folder, draws("p00001.jpg", DRAWN))
    photo_set._held.clear()
    photo_set._held.update(elsewhere)
    assert read_photo_set(photos.folder).photo("p00001.jpg").boxes == (DRAWN,)
    photo_set._held.clear()
    write_changes(photos.folder)
    edit(photos.folder, draws("p00002.jpg", DRAWN))
    photo_set._held.clear()
    photo_set._held.update(elsewhere)
    now = read_photo_set(photos.folder)
    assert [now.photo(f"p0000{number}.jpg").boxes for number in (1, 2, 3)] == [(DRAWN,), (DRAWN,), (SCREW,)]


def test_many_who_save_at_once_lose_nothing(photos: PhotoSet):
    def work(first: int) -> None:
        for number in range(first, 40, 4):
            edit(photos.folder, draws(f"p{number:05}.jpg", DRAWN))
            if number % 8 == 3:
                write_changes(photos.folder)
            read_photo_set(photos.folder)

    workers = [threading.Thread(target=work, args=(first,)) for first in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    now = read_anew(photos.folder)
    assert sum(each.boxes == (DRAWN,) for each in now.photos) == 40
    assert len(now.photos) == 2500


def test_what_a_person_accepts_is_kept_with_who_drew_it(photos: PhotoSet):
    model = LabelledBox("hole", (5.015, 5, 9.333, 9), "model:owl", False, 0.5)
    edit(photos.folder, lambda now: replace(now, photos=(replace(now.photos[0], boxes=(model,)), *now.photos[1:])))
    edit(photos.folder, lambda now: accept(now, "p00000.jpg", now.photos[0].boxes))
    (box,) = read_anew(photos.folder).photos[0].boxes
    assert (box.by, box.checked, box.score) == ("model:owl", True, 0.5)
    first = json.loads((photos.folder / CHANGES).read_text().splitlines()[1])
    assert len(first["images"]) == 1
