"""What the tests of the judge share: detections by hand."""

from repairai.schema import Count, Detection, PartLimits, Sight, Visibility

LIMITS = {
    "screw": PartLimits(0.6, 0.3, empty_place="screw_hole"),
    "screw_hole": PartLimits(0.6, 0.3),
    "battery": PartLimits(0.6, 0.3),
}
CLEAR = Visibility(0.8, 0.0, 0.8)
FOUR = Count("screw", 4, 4)


def sight(visibility=CLEAR, **scores: list[float]) -> Sight:
    """Detections with the given scores, one label a keyword, side by side."""
    found = [
        Detection(label, score, (30.0 * i, 40.0 * row, 30.0 * i + 20, 40.0 * row + 20))
        for row, (label, each) in enumerate(scores.items())
        for i, score in enumerate(each)
    ]
    return Sight(tuple(found), LIMITS, visibility)
