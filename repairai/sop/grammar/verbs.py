"""The verbs of repair guides as tables: what each may do to a part, and the words around it that change its meaning.

A word goes in when any repair guide could use it so, never for the sake of one text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from repairai.schema import Action

Form = Literal["base", "gerund", "participle"]


@dataclass(frozen=True)
class Sense:
    """One meaning of a verb.

    Args:
        action: What it does to the part.
        particles: One of these must stand before or behind the part; empty: none is needed.
        kinds: The kinds of part (`words.KINDS`) it has this meaning with; empty: every kind.
    """

    action: Action
    particles: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _sense(action: Action, particles: str = "", kinds: str = "") -> Sense:
    return Sense(action, _words(particles), _words(kinds))


# ---- what a verb does

_OPEN = _sense("open", "open")
_SHUT = _sense("close", "shut closed")
_TAKE_OUT = (_sense("disconnect", "out off from", "line plug"), _sense("remove", "out off from"))
_TAKE_AWAY = (
    _sense("disconnect", "out off from away free", "line plug"),
    _sense("remove", "out off from away free"),
)
_REMOVE = (_sense("disconnect", kinds="plug"), _sense("remove"))
_DETACH = (_sense("disconnect", kinds="line plug"), _sense("remove"))
_UNCLIP = (_sense("disconnect", kinds="line plug"), _sense("open"))
_UNDO = (_sense("remove", kinds="fastener"), *_UNCLIP)
_SEPARATE = (_sense("disconnect", "from", "line plug"), _sense("remove", "from"))
_RELEASE = (_sense("open", kinds="catch"), *_SEPARATE)
_PRY = (_OPEN, _sense("disconnect", "up", "line plug"), _sense("open", "up back", "catch"), *_TAKE_AWAY)
_ATTACH = (_sense("connect", kinds="line plug"), _sense("install"))
_LAY = (_sense("install", "back in into inside on onto over"),)
_TIGHTEN = (_sense("tighten"),)
_FASTEN = (_sense("tighten", kinds="fastener"),)

VERBS: dict[str, tuple[Sense, ...]] = {
    **dict.fromkeys(["remove", "extract", "unscrew", "unbolt", "uninstall", "eject", "unthread", "untwist"], _REMOVE),
    **dict.fromkeys(["disconnect", "unplug", "unhook"], (_sense("disconnect"),)),
    **dict.fromkeys(["unlatch", "unlock", "open"], (_sense("open"),)),
    **dict.fromkeys(["unclip", "unsnap"], _UNCLIP),
    **dict.fromkeys(["undo", "unfasten"], _UNDO),
    **dict.fromkeys(["release", "disengage"], _RELEASE),
    **dict.fromkeys(["wiggle", "rock"], (_OPEN, *_TAKE_AWAY)),
    **dict.fromkeys(["pry", "prise", "lever"], _PRY),
    **dict.fromkeys(["work", "tug", "tap", "knock"], _TAKE_OUT),
    **dict.fromkeys(["close", "shut"], (_sense("close"),)),
    **dict.fromkeys(["tighten", "retighten"], _TIGHTEN),
    **dict.fromkeys(["fasten", "torque"], _FASTEN),
    **dict.fromkeys(["install", "reinstall", "replace", "refit", "mount", "rescrew"], (_sense("install"),)),
    **dict.fromkeys(["insert", "reinsert", "attach", "reattach", "reseat"], _ATTACH),
    **dict.fromkeys(["put", "place"], _LAY),
    **dict.fromkeys(["connect", "reconnect"], (_sense("connect"),)),
    **dict.fromkeys(["detach", "unhinge", "uncouple", "unmount", "dismount"], _DETACH),
    "dislodge": (_sense("open", kinds="catch"), *_DETACH),
    "separate": _SEPARATE,
    "take": (_sense("disconnect", "out off away", "plug"), _sense("remove", "out off away")),
    "get": (_sense("remove", "out off"),),
    "pull": (_sense("disconnect", "apart", "plug"), _OPEN, *_TAKE_AWAY),
    "lift": (_sense("open", "up", "catch"), _OPEN, *_TAKE_AWAY),
    "peel": (_sense("remove", "off away from"),),
    "slide": (_OPEN, *_TAKE_OUT, _sense("install", "in into")),
    "pop": (_sense("disconnect", "up", "plug"), _OPEN, *_TAKE_OUT),
    "push": (_OPEN, _sense("remove", "out off"), _sense("connect", "in into", "line plug")),
    "shake": (_sense("remove", "out"),),
    "slip": (_sense("remove", "out off"),),
    "back": (_sense("remove", "out", "fastener"),),
    "screw": (_sense("remove", "out off"), _sense("install", "in on into back down"), _sense("install")),
    "snap": (_sense("remove", "off out"), _SHUT, _sense("install", "in into back on")),
    "swing": (_OPEN, _SHUT),
    "split": (_OPEN,),
    "crack": (_OPEN,),
    "flip": (_OPEN, _sense("open", "up", "catch")),
    "loosen": (_sense("loosen"),),
    "bolt": (_sense("install", "down on onto in to"),),
    "set": (_sense("install", "back into"),),
    "plug": (_sense("connect", "in into back"), _sense("connect", kinds="line plug")),
    "twist": (_sense("disconnect", "off", "line plug"), _sense("remove", "off")),
    "hook": (_sense("connect", "up"),),
}
"""What each verb may mean; the first meaning that fits holds.

To replace is to install: whether it means to put back or to change for a new one, the part is in its place afterwards.
"""

NOUN_VERBS = _words(
    "take get separate release eject pull lift pry lever peel slide pop split crack work tug push shake slip back "
    "screw snap swing flip open close shut mount insert attach bolt put place set connect plug hook rock wiggle "
    "fasten torque undo tap knock"
)
"""Words that can be nouns, adjectives or verbs of a plural: they ask where a clause begins or behind "to" or "must"."""
PLAIN_VERBS = frozenset(VERBS) - NOUN_VERBS
"""Words that can be nothing but verbs."""
PART_VERBS = _words("screw bolt plug hook lever insert snap clip guide jack")
"""Verbs that name a part where they end a list: "the nut and screw"."""

OTHER_PLAIN_VERBS = _words(
    "locate identify grab grasp squeeze begin continue repeat make ensure be keep leave see desolder apply add allow "
    "let give go do try perform follow align orient consult refer reveal expose depress inspect examine adjust carry "
    "bring engage remember proceed unroute reassemble disassemble maneuver jiggle raise rotate compress utilize wash "
    "rinse discard lubricate grease"
)
"""Those of `OTHER_VERBS` that can be nothing but verbs."""
OTHER_VERBS = OTHER_PLAIN_VERBS | _words(
    "use snip find grip hold pinch press turn tilt bend move wedge lay lower stand start store note check look clean "
    "wipe cut clip strip solder position fold wrap roll run test measure tie mark drill heat wait watch access "
    "need support jack reach touch pick force drain pour fill spread thread stitch guide feed route return save "
    "switch spin flex pivot secure assist chock sew blow dry repair draw dip hang tuck prepare smooth"
)
"""Verbs that ask for nothing that a photo is judged by; what they act upon may be meant by a later "it"."""
MOVEMENTS = _words(
    "use using pull lift pry lever slide push pop peel wiggle rock grasp grip grab pinch squeeze press turn "
    "rotate twist tilt bend depress flex pivot spin wedge insert apply compress jiggle maneuver cut desolder work "
    "raise utilize"
)
"""Behind these, "to remove X" says what the movement is for, and that it is to happen now."""
KEPT_FROM = _words("remove disconnect loosen open")
"""The actions whose prohibition means that a part stays as it is."""

# ---- where a part goes

PARTICLES = _words("free out off away apart up down back in into inside on onto open shut closed from over")
MOVING = _words("pull lift wiggle rock pry prise lever slide pop work tug")
"""Verbs that say how a part moves; what it leaves tells whether a cable is unplugged or only taken out of a groove."""
LAYING = _words("put place set")
"""Verbs that lay something down: into the device, or into a bowl."""
NOT_QUITE = _words("slightly partially partly halfway little bit about enough just until inch inches")
"""Around a particle they say that the part does not come off: "pull it out slightly"."""
DIRECTIONS = _words(
    "below behind beneath underneath above left right top bottom side inside outside middle corner front back "
    "rear end edge under one here there"
)
"""Behind "from" they say from where one pulls, not what the part leaves."""
SEATS = _words("hole slot socket groove housing bracket holder port bay mount lug stud post shaft peg spindle hub rod")
"""What a part is put on or over when it is put where it belongs."""
CONTAINERS = _words(
    "place spot location bowl bag container cup pan bucket pile order dish box hand bin water freezer microwave oven "
    "vise vice park gear neutral direction orientation way photo picture area room sun front middle center half jar lap"
)
"""What things are put into when they are put aside."""

# ---- forms

_DOUBLING = _words("unplug plug get put shut set snap slip flip pop tug tap refit")
"""Verbs that double their last letter before -ing and -ed."""
_IRREGULAR = {"take": "taken", "get": "gotten", "undo": "undone", "slide": "slid", "swing": "swung", "shake": "shaken"}
"""Participles that do not end in -ed; those of put, set and shut cannot be told from the base."""


def _forms() -> dict[str, tuple[str, Form]]:
    forms: dict[str, tuple[str, Form]] = {}
    for base in VERBS:
        stem = base[:-1] if base.endswith("e") else base + base[-1] if base in _DOUBLING else base
        past = stem[:-1] + "ied" if base.endswith("ry") else stem + "ed"
        forms[_IRREGULAR.get(base, past)] = (base, "participle")
        forms[stem + "ing"] = (base, "gerund")
    return forms | {base: (base, "base") for base in VERBS}


_FORMS = _forms()


def form_of(word: str) -> tuple[str, Form] | None:
    """Return the base and the form of a verb, of "re-install" as of "reinstall"; None where we know no such verb."""
    return _FORMS.get(word) or _FORMS.get(word.replace("-", ""))
