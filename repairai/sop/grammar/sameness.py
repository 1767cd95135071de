"""What may be said in other words and still be the same, as tables: for holding an answer to a step.

A word goes in when any repair guide could use it so, never for the sake of one text.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LIGHT = _words(
    "a an the this that these those it its they them their there here he she we you your yours i my me our us one's "
    "is are was were be been being am isn aren has have had having do does did doing done will would can could may "
    "might must should shall need needs needed let lets get gets got getting make makes making made "
    "take takes taking taken took put puts putting set sets go goes going come comes coming came give gives "
    "use uses using used utilize utilise keep keeps keeping kept lie lies lying lay lays laying laid sit sits sitting "
    "stand stands standing stay stays become becomes begin begins beginning start starts starting continue proceed "
    "and or but nor so yet if then than as at by for from of to with via per toward towards about along across around "
    "through while when where which who whose what how why because since though although therefore thus also too just "
    "only even still again already now once next first finally lastly last afterwards later soon instead else other "
    "please sure ensure certain careful carefully care caution warning note remember tip important attention "
    "step steps guide instruction instructions following follow follows followed below above-mentioned is "
    "both all each every any some such same own very much more most less least hold holds held holding secure secures "
    "secured securing "
    "until till during whether unless order way thing things time times onto upon within "
    "happen happens able want like etc approximately approx roughly about exactly "
    "answer question sure okay ok yes hello hi thanks hope helps help good luck mind let's that's it's you'll "
    "has seems shows show tell tells told say says see look looks looking find finds mean means "
    "piece pieces part parts unit device component components area place placed position located location "
    "full whole complete entire new"
)
"""Words that assert nothing of their own; a step need not hold them for a sentence to be true of it."""

NEGATING = _words(
    "not never no without cannot can't don't doesn't didn't won't mustn't shouldn't isn't aren't wasn't weren't "
    "couldn't wouldn't needn't avoid avoids avoiding nothing none neither nor rather"
)
"""From one of these to the end of its clause the opposite is said."""
ENDS_NEGATION = _words("but until because since so while when before after then and")
"""Where a clause ends without a mark; "and" only where a new verb begins, which is told from what follows it."""
CLAUSE_MARKS = frozenset(',;:.!?()[]–—•\n"“”')
JOINTS = _words("and then but while because since so when until where which that if as")
"""Where a sentence may be cut into statements that stand by themselves; never "before" or "after", which tell an order,
and never "or"."""

SAME = (
    "remove detach extract unscrew unbolt uninstall takeout",
    "disconnect unplug detach unhook",
    "install insert attach reattach reinstall refit mount fit reinsert putin",
    "connect reconnect plug reattach",
    "tighten fasten retighten",
    "loosen loose slacken undo",
    "open unlatch",
    "close shut",
    "pry prise lever",
    "lift raise",
    "slide push insert",
    "peel pull",
    "press push depress",
    "turn rotate twist flip",
    "switch turn power shut",
    "grip grab grasp hold",
    "hold secure fasten fix fasten attach",
    "wipe clean",
    "wait let",
    "heat warm",
    "show tell reveal indicate",
    "belong go",
    "skip leave",
    "keep save",
    "begin start",
    "cool cold",
    "empty discharge",
    "screen display lcd",
    "motherboard mainboard",
    "cable cord lead",
    "socket port",
    "beside near adjacent close next by",
    "left leftmost",
    "right rightmost",
    "upper top",
    "lower bottom",
    "back rear",
    "inside interior",
    "outside exterior",
    "big large",
    "small little",
    "colour color",
    "catch latch",
    "image photo picture",
    "old worn existing",
    "one single",
    "swollen swell",
    "aluminum aluminium",
    "philips phillips",
    "flathead flat slotted",
    "screwdriver driver",
    "counterclockwise anticlockwise",
    "half halves",
    "tear tore torn",
    "bend bent",
    "hold held",
    "slide slid",
    "stick stuck",
    "replace replacement change swap exchange",
)
"""Words that may stand for each other in a step, a group a line; a word may be in several groups."""

OPPOSED = (
    ("on onto", "off"),
    ("in into", "out"),
    ("up", "down"),
    ("before", "after"),
    ("above over", "below under underneath beneath"),
    ("inside", "outside"),
    ("upward upwards", "downward downwards"),
    ("forward forwards", "backward backwards"),
    ("inward inwards", "outward outwards"),
    ("together", "apart"),
    ("gently gentle softly", "firmly hard forcefully"),
    ("slowly", "quickly fast"),
    ("partially partly slightly halfway", "completely fully entirely"),
)
"""Small words that turn a sentence round: where one stands and the step has only the other, they disagree."""

TURNED = (
    ("remove", "install"),
    ("takeout", "putin"),
    ("disconnect", "connect"),
    ("unplug", "plug"),
    ("unscrew", "screw"),
    ("loosen", "tighten"),
    ("open", "close"),
    ("push", "pull"),
    ("lift", "lower"),
)
"""Verbs that undo each other: where the step has one of them, it does not speak of the other by the way."""
PHRASES = (
    (r"\b(?:logic|main|system) board\b", "motherboard"),
    (r"(^|[.,;:] |\b(?:and|then|to|carefully|now) )screw (?=(?:in|on|back|into|onto)\b)", r"\1drive "),
)
"""Words that are one word together: a board by another name; "screw in", which is done to a screw but is none."""

ACTIONS = _words(
    "remove install disconnect connect loosen tighten open close insert attach detach unscrew unplug reconnect "
    "reinstall replace lift push pull press slide pry peel cut turn rotate"
)
"""What they act upon has to agree too, not only that both words stand somewhere."""
SIDES = _words(
    "left right upper lower top bottom front back rear inner outer inside outside middle center centre clockwise "
    "counterclockwise second third fourth fifth short shorter shortest long longer longest small smaller large larger "
    "positive negative black white red blue green yellow orange brown grey gray silver gold purple pink"
)
"""Words that tell one of several like things from another: they have to belong to the same thing."""
TAKEN_OUT = (_words("take takes taking taken took get gets getting"), _words("out off away"), "takeout")
MOVED_OUT = (
    _words(
        "pull pulls pulling pulled lift lifts lifting lifted slide slides sliding slid pop pops popping popped pry "
        "prying pried peel peeling peeled work working worked wiggle wiggling"
    ),
    _words("out off away"),
    "takeout",
)
PUT_IN = (
    _words("put puts putting place places placing set setting lay laying go goes going"),
    _words("back in into onto"),
    "putin",
)
SHUT_DOWN = (_words("shut shutting power powering powered"), _words("down"), "off")
"""A verb, what has to stand within a few words behind it, and what they mean together."""
UNSAID = _words(
    "assembly unit pack module piece set end side edge head screw screws bolt itself themselves beside near adjacent"
)
"""Behind a part's name they may be left out without naming another part."""
WEIGHTY = _words("enough")
"""Adverbs that a sentence may turn on."""
TEMPORAL = _words("before after until unless")
"""What stands behind one of these is not asked for by itself."""
REFERRING = _words("it them they its their this these that one ones")
"""A sentence with one of these is also about what the sentence before it names."""
DETERMINING = _words(
    "the a an its your this their his of to on from at in upper lower two three four five six seven eight ten and"
)
"""Behind one of these "back" is a side; anywhere else it only says that something returns."""
IRREGULAR = {
    "bent": "bend", "broke": "break", "broken": "break", "burnt": "burn", "feet": "foot", "fell": "fall",
    "fallen": "fall", "held": "hold", "left-hand": "left", "lost": "lose", "ran": "run", "right-hand": "right",
    "shook": "shake", "shut": "shut", "slid": "slide", "stuck": "stick", "swollen": "swell", "teeth": "tooth",
    "threw": "throw", "thrown": "throw", "tore": "tear", "torn": "tear", "worn": "wear", "counter-clockwise":
    "counterclockwise", "anti-clockwise": "counterclockwise", "anticlockwise": "counterclockwise", "metallic": "metal",
    "halves": "half", "colour": "color", "colours": "color", "colored": "color",
}  # fmt: skip
