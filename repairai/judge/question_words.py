"""The words that questions of state are read by."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


OPPOSITES: tuple[tuple[str, str], ...] = (
    ("open", "closed"),
    ("opened", "closed"),
    ("shut", "open"),
    ("ajar", "closed"),
    ("connected", "disconnected"),
    ("plugged in", "unplugged"),
    ("plugged into", "unplugged from"),
    ("in place", "missing"),
    ("removed", "in place"),
    ("taken out", "in place"),
    ("gone", "in place"),
    ("installed", "missing"),
    ("inserted", "missing"),
    ("present", "absent"),
    ("on", "off"),
    ("in", "out"),
    ("up", "down"),
    ("attached", "detached"),
    ("seated", "lifted"),
    ("raised", "lowered"),
    ("fastened", "unfastened"),
    ("locked", "unlocked"),
    ("latched", "unlatched"),
    ("clipped in", "unclipped"),
    ("hooked", "unhooked"),
    ("screwed in", "unscrewed"),
    ("wrapped", "unwrapped"),
    ("folded", "unfolded"),
    ("engaged", "released"),
    ("empty", "filled"),
    ("full", "empty"),
    ("visible", "hidden"),
    ("exposed", "covered"),
    ("straight", "bent"),
    ("intact", "damaged"),
    ("undamaged", "damaged"),
    ("cracked", "intact"),
    ("broken", "intact"),
    ("torn", "intact"),
    ("clean", "dirty"),
    ("dry", "wet"),
    ("aligned", "misaligned"),
    ("flat", "bent"),
)
"""A state and its opposite. Of a word that stands more than once, the first one counts."""
PRESENCE = frozenset(
    ("in place", "missing", "removed", "taken out", "gone", "installed", "inserted", "present", "absent", "there",
     "in", "out", "on", "off")
)  # fmt: skip
"""States that say whether a part is there at all: a part that is gone has no place of its own in a photo."""
LAST_ONLY = frozenset(("on", "in", "off", "out", "up", "down", "flat", "straight", "full", "there"))
"""States only at the end of a question: elsewhere the words only say where."""
UNSEEN: tuple[tuple[frozenset[str], str], ...] = (
    (_words("tight tightly tighten tightened loose loosely loosen loosened torque torqued snug snugly firm firmly "
               "secure securely overtightened"), "how tight something is"),
    (_words("charge charged charging discharged drained"), "what charge something holds"),
    (_words("hot warm cold cool cooled heated temperature overheated overheating"), "how warm something is"),
    (_words("voltage current energized energised grounded earthed shorted conductive resistance live"),
     "whether current flows"),
    (_words("work works working worked function functions functional functioning defective faulty operational "
               "responsive usable reliable compatible genuine original"), "whether something works"),
    (_words("sound noise noisy quiet silent audible click clicked clicks hear heard smell smells"),
     "what is heard or smelled"),
    (_words("heavy weight weighs magnetic magnetised magnetized sticky slippery"), "how something feels"),
    (_words("software firmware updated calibrated configured paired reset restarted rebooted"),
     "what a device does inside"),
    (_words("wait waited ago before yesterday earlier"), "what happened before it was taken"),
    (_words("you your yourself someone somebody"), "what a person did"),
)  # fmt: skip
"""Words that ask for what no photo shows, with what that is."""
ASKS_MORE = _words("what which where when why who how whose")
"""First words of questions that yes or no does not answer."""
AUXILIARIES = _words("is are was were has have had does do did can could will would should isn't aren't")
SHOWN = _words("there you see photo picture image show shows")
"""In front of a part they say only that it is looked for."""
EVERY_OR_ANY = {"any": "every", "every": "any", "each": "any"}
"""What is not so of any is otherwise with every one."""
ARTICLES = _words("a an the this that these those its their")
SEVERAL = _words("any every each some all both of are")
"""In front of a part they say that more than one of it is meant."""
ADVERBS = _words("fully completely entirely totally still now already yet really properly correctly just")
"""They change nothing of which state is meant."""
NUMBERS = _words(
    "one two three four five six seven eight nine ten eleven twelve first second third fourth fifth sixth last"
)
SIDES: dict[str, tuple[float | None, float | None]] = {
    "left": (0.0, None), "right": (1.0, None), "leftmost": (0.0, None), "rightmost": (1.0, None),
    "lefthand": (0.0, None), "righthand": (1.0, None),
    "top": (None, 0.0), "upper": (None, 0.0), "topmost": (None, 0.0), "uppermost": (None, 0.0),
    "bottom": (None, 1.0), "lower": (None, 1.0), "lowest": (None, 1.0),
    "middle": (0.5, 0.5), "centre": (0.5, 0.5), "center": (0.5, 0.5), "central": (0.5, 0.5),
}  # fmt: skip
"""Words of places, as shares of the width and of the height."""
BEFORE_PLACES = _words("in on at to of from under over behind inside into onto near by with off out outside")
NO_PART = _words("corner side edge hand one")
PLACES = NO_PART | _words("hole slot place position spot")
"""Nouns that a word of place may stand before and still tell which part is meant: "in the top left hole"."""
NAMED_BY_SIDE = _words(
    "cover case casing panel lid shell half housing plate board bezel door frame side speaker earbud button shield "
    "rail enclosure layer plastic cap tray shelf drawer bumper arm"
)
"""Parts that a single word of place names: the top cover is not the uppermost one of several covers."""
ENDS_SUBJECT = _words(
    "in on at of to from by with under over behind inside into onto off out up down near next between against above "
    "below beside around through for not no than and or if as so been being be there here that which"
)
"""What stands behind the name of the part that a question is about."""
STATE_WORDS = frozenset(word for pair in OPPOSITES for phrase in pair for word in phrase.split()) | _words(
    "plugged unplugged clipped screwed taken missing absent present gone there visible lifted tight loose charged hot "
    "cold warm working torqued secure secured fitted mounted placed put laid pulled pushed pressed pried peeled cut "
    "held glued taped stuck soldered free reachable accessible facing standing lying sitting hanging sticking "
    "showing touching resting bare blown burnt scratched corroded rusty leaking dusty upside properly fully "
    "low high enough ok okay good bad"
)
"""Words that say how a part is, and so do not name it."""
