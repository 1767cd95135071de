"""Every record that crosses rooms: read this first.

Records are frozen and check themselves when they are made: a wrong value is a `ValueError` that says what was wanted
and what was got. Boxes are (left, top, right, bottom) in pixels of the photo as it is shown, that is, after its EXIF
rotation. `score` is always in [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, get_args

if TYPE_CHECKING:
    import numpy as np

Outcome = Literal["PASS", "FAIL", "UNCERTAIN"]
View = Literal["device", "mat", "before_after"]
Action = Literal[
    "remove", "install", "disconnect", "connect", "loosen", "tighten", "open", "close", "keep",
]  # fmt: skip
"""What a step asks to be done with a part; `keep` is an explicit "do not touch"."""
Box = tuple[float, float, float, float]

Reason = Literal[
    "count_met",
    "count_short",
    "count_over",
    "count_ambiguous",
    "change_met",
    "change_missing",
    "change_over",
    "change_ambiguous",
    "state_met",
    "state_missed",
    "state_unknown",
    "state_unsure",
    "state_contradicted",
    "not_observable",
    "unmeasured_judge",
    "judge_failed",
    "person_said",
    "place_not_seen",
    "too_dark",
    "too_bright",
    "too_blurred",
    "too_small",
    "view_differs",
    "unknown_part",
    "unmeasured_part",
    "no_photo_before",
    "nothing_required",
]
"""Why a finding came out as it did; these words are stable, records and scripts rely on them."""


def _check_choice(name: str, got: str, choices: object) -> None:
    wanted = get_args(choices)
    if got not in wanted:
        raise ValueError(f"need {name} to be one of {', '.join(wanted)}, got {got!r}")


def _check_bounds(at_least: int, at_most: int | None) -> None:
    if at_least < 0 or (at_most is not None and at_most < at_least):
        raise ValueError(f"need 0 <= at_least <= at_most, got {at_least} and {at_most}")


def _check_score(name: str, got: float) -> None:
    if not 0.0 <= got <= 1.0:
        raise ValueError(f"need {name} in [0, 1], got {got}")


# ---- what should be done


@dataclass(frozen=True)
class Line:
    """One line of a step.

    Args:
        text: Plain text; never HTML.
        kind: What the line is for; iFixit marks it with an icon, other sources have plain steps only.
        level: How far the line is indented, from 0.
    """

    text: str
    kind: Literal["step", "note", "caution", "reminder"] = "step"
    level: int = 0


@dataclass(frozen=True)
class Step:
    """One step of a guide.

    Args:
        number: From 1, without gaps, in the order of the guide.
        lines: What it says, at least one line.
        title: Empty where the source gives none.
        tools: Names of the tools it needs, as the source writes them.
        image_urls: Where the source shows its photos.
        source_id: The step's own id at its source; empty where there is none.
    """

    number: int
    lines: tuple[Line, ...]
    title: str = ""
    tools: tuple[str, ...] = ()
    image_urls: tuple[str, ...] = ()
    source_id: str = ""

    def __post_init__(self) -> None:
        if self.number < 1:
            raise ValueError(f"need number from 1, got {self.number}")
        if not self.lines:
            raise ValueError(f"need at least one line, got none in step {self.number}")

    @property
    def text(self) -> str:
        """Return the lines joined by newlines: the text that spans count in."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True)
class Guide:
    """A repair guide with where it comes from.

    Args:
        id: Unique in the library: `ifixit-2178`, `sample-practice-block`.
        title: As the source writes it.
        device: What is repaired.
        licence: An SPDX-like name; it travels with the guide wherever its text goes.
        steps: At least one, numbered 1, 2, 3...
        subject: The part that the guide is about; empty where the source does not say.
        url: Where a person can read it; empty for guides written here.
        author: Empty where the source gives none.
        tools: Names of the tools for the whole guide.
        introduction: What the source says before the first step.
    """

    id: str
    title: str
    device: str
    licence: str
    steps: tuple[Step, ...]
    subject: str = ""
    url: str = ""
    author: str = ""
    tools: tuple[str, ...] = ()
    introduction: str = ""

    def __post_init__(self) -> None:
        if not self.id or not self.title or not self.licence:
            raise ValueError(f"need id, title and licence, got {self.id!r}, {self.title!r} and {self.licence!r}")
        numbers = [step.number for step in self.steps]
        if not numbers or numbers != list(range(1, len(numbers) + 1)):
            raise ValueError(f"need steps numbered 1, 2, 3..., got {numbers} in {self.id}")


@dataclass(frozen=True)
class PartAction:
    """What a step's text asks to be done with one kind of part.

    Args:
        action: Always the plain direction of the text: "is removed" is `remove`, "do not remove" is `keep`.
        part: Singular snake_case: `screw`, `battery_connector`.
        count: How many; with `count_max`, at least how many. None: the text does not say.
        span: Where in `Step.text` it was read, as (start, end) offsets of characters.
        count_max: The upper end of a range ("three to five"); None where the text gives one number or none.
        size: Length, head or driver as written: "3 mm", "T5", "PH00"; None where the text gives none.
        or_more: Whether `count` is only the lower end ("at least two").
        among: Whether the text tells of more of this part than it asks for: `some` ("two of the screws"), so that
            others stay as they are, or `rest` ("the other two"), so that the others have had their turn; else empty.
    """

    action: Action
    part: str
    count: int | None
    span: tuple[int, int]
    count_max: int | None = None
    size: str | None = None
    or_more: bool = False
    among: Literal["", "some", "rest"] = ""

    def __post_init__(self) -> None:
        _check_choice("action", self.action, Action)
        _check_choice("among", self.among, Literal["", "some", "rest"])
        if not self.part:
            raise ValueError("need part, got an empty name")
        if self.count is not None:
            _check_bounds(self.count, self.count_max)
        elif self.count_max is not None:
            raise ValueError(f"need count where count_max is given, got count_max {self.count_max} alone")
        if self.or_more and (self.count is None or self.count_max is not None):
            raise ValueError(f"need count and no count_max where or_more is set, got {self.count} and {self.count_max}")
        if not 0 <= self.span[0] < self.span[1]:
            raise ValueError(f"need 0 <= start < end in span, got {self.span}")


# ---- what a photo must show


@dataclass(frozen=True)
class Count:
    """A photo must show a number of one part.

    Args:
        part: A label of the detector.
        at_least: From 0.
        at_most: None means no upper bound; 0 means that the part must be absent.
    """

    part: str
    at_least: int
    at_most: int | None

    def __post_init__(self) -> None:
        _check_bounds(self.at_least, self.at_most)


@dataclass(frozen=True)
class Change:
    """Between a photo before and a photo after, a number of one part must be gone or come.

    Args:
        part: A label of the detector.
        direction: Which way the count goes from before to after.
        at_least: From 1.
        at_most: None means no upper bound.
    """

    part: str
    direction: Literal["removed", "added"]
    at_least: int
    at_most: int | None

    def __post_init__(self) -> None:
        _check_choice("direction", self.direction, Literal["removed", "added"])
        _check_bounds(self.at_least, self.at_most)
        if self.at_least < 1:
            raise ValueError(f"need at_least from 1 in a change, got {self.at_least}")


@dataclass(frozen=True)
class State:
    """A photo must show a state that no count can tell; a judge that reads photos answers it, or a person.

    Args:
        question: To be answered by yes or no: "Is the latch open?".
        expected: The answer that is wanted.
        opposite: The same question the other way round: "Is the latch closed?".
    """

    question: str
    expected: Literal["yes", "no"]
    opposite: str

    def __post_init__(self) -> None:
        _check_choice("expected", self.expected, Literal["yes", "no"])
        if not self.question.endswith("?") or not self.opposite.endswith("?"):
            raise ValueError(f"need two questions that end in '?', got {self.question!r} and {self.opposite!r}")


Requirement = Count | Change | State


def part_of(requirement: Requirement) -> str:
    """Return the part that a requirement is about; empty for a state, which is about a question."""
    return "" if isinstance(requirement, State) else requirement.part


# ---- what is seen


@dataclass(frozen=True)
class Mask:
    """Which px of a window of the photo are the part; `repairai.vision.masks` reads and writes it.

    Args:
        left: Of the window, in px of the photo.
        top: Likewise.
        width: Of the window, in px.
        height: Likewise.
        counts: Its px column by column, as COCO writes runs of them in letters.
    """

    left: int
    top: int
    width: int
    height: int
    counts: str

    def __post_init__(self) -> None:
        if min(self.left, self.top) < 0 or min(self.width, self.height) < 1:
            raise ValueError(f"need a window of px in the photo, got {self.left, self.top, self.width, self.height}")


@dataclass(frozen=True)
class Detection:
    """One part found in a photo.

    Args:
        label: One of the detector's.
        score: In [0, 1].
        box: In px of the photo.
        small: Too small in the photo for its score to be trusted.
        mask: Its px, where somebody asked for them.
    """

    label: str
    score: float
    box: Box
    small: bool = False
    mask: Mask | None = None

    def __post_init__(self) -> None:
        _check_score("score", self.score)
        left, top, right, bottom = self.box
        if not (left < right and top < bottom):
            raise ValueError(f"need left < right and top < bottom, got {self.box}")


@dataclass(frozen=True)
class PartLimits:
    """What was measured of a detector for one label, stored beside its weights.

    Args:
        sure: From this score on, a detection is counted as there. 1 where too little was measured to say: then
            nothing is decided of the part, whatever is seen.
        maybe: From this score on, up to `sure`, a detection may be there.
        min_side_px: Shortest side of a box, in px of the detector's input, under which scores are not to be trusted.
        empty_place: The label that marks a place of this part without the part (`screw_hole` for `screw`);
            None where an empty place does not show.
    """

    sure: float
    maybe: float
    min_side_px: float = 0.0
    empty_place: str | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.maybe <= self.sure <= 1.0:
            raise ValueError(f"need 0 <= maybe <= sure <= 1, got {self.maybe} and {self.sure}")


@dataclass(frozen=True)
class Visibility:
    """How much a photo can show at all; see `repairai.vision.visibility` for how each is measured.

    Args:
        brightness: Luminance of the bright parts, in [0, 1].
        glare: Share of the photo that is blown out, in [0, 1].
        sharpness: Share of the finest detail that one more blur would take away, in [0, 1].
        problem: What keeps the photo from being judged; None where nothing does.
    """

    brightness: float
    glare: float
    sharpness: float
    problem: Literal["too_dark", "too_bright", "too_blurred"] | None = None


@dataclass(frozen=True)
class Sight:
    """What a detector saw in one photo: all that a judge needs to know of it.

    Args:
        detections: From the lowest `maybe` on, best first.
        limits: What was measured of the detector, for each label that it knows.
        visibility: How much the photo can show at all.
    """

    detections: tuple[Detection, ...]
    limits: Mapping[str, PartLimits]
    visibility: Visibility


class Detector(Protocol):
    """Finds parts in photos. Same bytes and same weights give the same detections."""

    @property
    def name(self) -> str:
        """Return `name@revision`, kept with every inspection."""
        ...

    @property
    def limits(self) -> Mapping[str, PartLimits]:
        """Return what was measured, for each label that it knows."""
        ...

    def detect(self, photo: np.ndarray) -> tuple[Detection, ...]:
        """Return all detections from the lowest `maybe` on, best first.

        Args:
            photo: RGB uint8 (H, W, 3).
        """
        ...


# ---- what is asked of a photo


@dataclass(frozen=True)
class StateLimits:
    """What was measured of a reasoner for one question, stored beside its weights.

    Args:
        sure: From this probability on the answer is yes, and from 1 - `sure` down it is no; in [0.5, 1]. 1 where too
            little was measured to say: then nothing is decided, whatever it answers.
        scale: The reasoner's own log-odds, times this and plus `shift`, are those that `sure` is held against.
        shift: Likewise.
        sources: Independent photos on which this was measured.

    Source:
        `scale` and `shift`: Platt 1999, "Probabilistic Outputs for Support Vector Machines".
    """

    sure: float = 1.0
    scale: float = 1.0
    shift: float = 0.0
    sources: int = 0

    def __post_init__(self) -> None:
        if not 0.5 <= self.sure <= 1.0:
            raise ValueError(f"need sure in [0.5, 1], got {self.sure}")
        if self.scale <= 0:
            raise ValueError(f"need scale above 0, got {self.scale}")


class Reasoner(Protocol):
    """Answers questions about photos by yes or no. Same bytes and same weights give the same answer."""

    @property
    def name(self) -> str:
        """Return `name@revision`, kept with every inspection."""
        ...

    def limits(self, question: str) -> StateLimits:
        """Return what was measured of its answers to a question; as a rule nothing, for one it was never tried on."""
        ...

    def ask(self, photo: np.ndarray, question: str) -> float:
        """Return the probability of yes, before `limits` are applied; what is costly of a photo is done once for all.

        Args:
            photo: RGB uint8 (H, W, 3): the whole photo, or the region of it that the question is about.
            question: To be answered by yes or no.

        Raises:
            RepairError: It cannot answer: it is down, too slow, says neither, or was never taught this question.
        """
        ...


# ---- what follows


@dataclass(frozen=True)
class Finding:
    """What became of one requirement.

    Args:
        requirement: What was asked.
        outcome: PASS, FAIL or UNCERTAIN.
        expected: In words: "exactly 4 screws".
        found: In words: "3 screws, perhaps 4".
        reason: A stable word for scripts.
        interval: The fewest and the most that may be there; None where nothing was counted.
        next_action: What the person does next; empty on PASS.
        flips: What would have turned the outcome, in words; empty where nothing was counted.
        probability: That the question's answer is yes, as the reasoner's two answers say it together; None where none
            was asked.
        region: Where the reasoner looked, in px of the photo; None for the whole photo, or where none was asked.
    """

    requirement: Requirement
    outcome: Outcome
    expected: str
    found: str
    reason: Reason
    interval: tuple[int, int] | None = None
    next_action: str = ""
    flips: str = ""
    probability: float | None = None
    region: Box | None = None

    def __post_init__(self) -> None:
        _check_choice("outcome", self.outcome, Outcome)
        _check_choice("reason", self.reason, Reason)
        if self.probability is not None:
            _check_score("probability", self.probability)
        if self.outcome == "UNCERTAIN" and not self.next_action:
            raise ValueError(f"need next_action where the outcome is UNCERTAIN, got none for {self.requirement}")


@dataclass(frozen=True)
class Verdict:
    """The answer to "is this step done?", with a finding for each requirement."""

    outcome: Outcome
    findings: tuple[Finding, ...]

    def __post_init__(self) -> None:
        _check_choice("outcome", self.outcome, Outcome)


@dataclass(frozen=True)
class PhotoTaken:
    """Which photo was inspected; the photo itself stays with its owner.

    Args:
        name: The file's name, for people.
        sha256: Of the file's bytes, in hex.
        width_px: As it is shown, after its EXIF rotation.
        height_px: Likewise.
    """

    name: str
    sha256: str
    width_px: int
    height_px: int


@dataclass(frozen=True)
class Inspection:
    """A verdict with everything it came from: what is kept, and what a second look can check.

    Args:
        at: When, ISO 8601 with its offset from UTC.
        photo: The photo that was judged.
        before: The photo from before; None where none was given.
        view: What the photo shows.
        guide: Id of the guide; empty where the requirements were given by hand.
        step: Number of its step; None likewise.
        models: Each as `name@revision`.
        detections: In the photo.
        before_detections: In the photo from before.
        visibility: Of the photo.
        verdict: With a finding for each requirement.
        seconds: From the photo's bytes to the verdict.
        versions: (name, version) of what computed it.
    """

    at: str
    photo: PhotoTaken
    before: PhotoTaken | None
    view: View
    guide: str
    step: int | None
    models: tuple[str, ...]
    detections: tuple[Detection, ...]
    before_detections: tuple[Detection, ...]
    visibility: Visibility
    verdict: Verdict
    seconds: float
    versions: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        _check_choice("view", self.view, View)
