"""What an import saw of its photos, gathered while they pass, and told as findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from training.detector.findings import Finding, few, finding, n
from training.detector.labels import Said
from training.detector.photos_in import LONGEST_PX, Arrived
from training.detector.placing import Placed
from training.detector.splits import Parted


@dataclass
class Seen:
    """What an import saw: names in the source for what is in no set, else names in the set.

    Args:
        unreadable: Name -> why.
        doubles: Files with the same bytes as another one.
        differing: Those of them whose boxes were others.
        shrunk: Photos that were larger than sets keep them.
        counts: Kind -> name -> how many boxes it happened to.
    """

    unreadable: dict[str, str] = field(default_factory=dict)
    doubles: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    shrunk: list[str] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def note(self, name: str, arrived: Arrived, placed: Placed) -> None:
        """Remember what became of a photo and its boxes."""
        if max(arrived.full) > LONGEST_PX:
            self.shrunk.append(name)
        for kind in ("empty", "clipped", "outside", "turned", "resized", "strange"):
            if count := int(getattr(placed, kind)):
                self.counts.setdefault(kind, {})[name] = count


def findings(seen: Seen, sources: Sequence[Said], parted: Parted) -> tuple[Finding, ...]:
    """Return what an import saw, as findings that no mend takes back."""
    absent = [name for said in sources for name in said.absent]
    crowds = [name for said in sources for name in said.crowds]
    found = [*_files(seen, absent), *_boxes(seen.counts), *_splits(parted), *_crowds(crowds)]
    return tuple(each for each in found if each.count)


def _files(seen: Seen, absent: Sequence[str]) -> list[Finding]:
    first, why = next(iter(seen.unreadable.items()), ("", ""))
    lost, doubled = n(len(seen.unreadable), "photo"), n(len(seen.doubles), "file")
    return [
        finding(
            "unreadable-files", "warn",
            f"{lost} could not be read and {_were(len(seen.unreadable))} left out, such as {first}: {why}",
            seen.unreadable,
        ),
        finding(
            "photos-absent", "warn",
            f"{n(len(absent), 'label')} {_were(len(absent))} for photos that are not there, such as {few(absent, 1)}",
            absent,
        ),
        finding(
            "same-files", "note",
            f"{doubled} {_were(len(seen.doubles))} the same, byte for byte, as another one, and came in once",
            seen.doubles,
        ),
        finding(
            "same-files-differ", "warn",
            f"{n(len(seen.differing), 'photo')} stood there twice with different boxes; those met first were kept",
            seen.differing,
        ),
        finding(
            "shrunk", "note",
            f"{n(len(seen.shrunk), 'photo')} {_were(len(seen.shrunk))} kept with {LONGEST_PX} px on the longer side",
            seen.shrunk,
        ),
    ]  # fmt: skip


def _boxes(counts: Mapping[str, Mapping[str, int]]) -> list[Finding]:
    def of(kind: str) -> tuple[Mapping[str, int], int]:
        return counts.get(kind, {}), sum(counts.get(kind, {}).values())

    (empty, no_area), (clipped, cut), (outside, out) = of("empty"), of("clipped"), of("outside")
    (turned, _), (resized, _), (strange, _) = of("turned"), of("resized"), of("strange")
    return [
        finding(
            "empty-boxes", "note", f"{n(no_area, 'box', 'boxes')} had no area and {_were(no_area)} left out",
            empty, no_area,
        ),
        finding(
            "clipped", "note", f"{n(cut, 'box', 'boxes')} stood over the edge and {_were(cut)} clipped", clipped, cut
        ),
        finding(
            "outside-boxes", "warn", f"{n(out, 'box', 'boxes')} lay outside the photo and {_were(out)} left out",
            outside, out,
        ),
        finding(
            "turned", "note",
            f"the boxes of {n(len(turned), 'photo')} had been drawn before EXIF turned it, and were turned too", turned,
        ),
        finding(
            "resized", "note",
            f"the boxes of {n(len(resized), 'photo')} had been drawn on another size of it, and were scaled", resized,
        ),
        finding(
            "strange-size", "warn",
            f"the labels of {n(len(strange), 'photo')} speak of a size that it cannot have had: look at their boxes",
            strange,
        ),
    ]  # fmt: skip


def _splits(parted: Parted) -> list[Finding]:
    leaks, filled = parted.leaks, " and ".join(parted.filled)
    found = [
        finding(
            "leak-mended", "warn",
            f"{n(len(leaks), 'photo')} had versions in two splits of the source, and went to train with all of them",
            leaks,
        )
    ]  # fmt: skip
    if filled:
        found.append(
            finding("splits-filled", "note", f"nothing of the source was for {filled}: taken out of the rest", (), 1)
        )
    return found


def _crowds(crowds: Sequence[str]) -> list[Finding]:
    many = n(len(crowds), "box", "boxes")
    said = f"{many} of many parts at once, which nobody can count, {_were(len(crowds))} left out"
    return [finding("crowds", "note", said, dict.fromkeys(crowds), len(crowds))]


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
