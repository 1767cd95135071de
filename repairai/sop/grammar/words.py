"""The nouns, adjectives and small words of repair guides as tables: what names a part, and what only stands around it.

A word goes in when any repair guide could use it so, never for the sake of one text.
"""

from __future__ import annotations

from typing import Literal

PartKind = Literal["line", "plug", "catch", "fastener", "other"]
"""Lines and plugs are disconnected, catches are opened, fasteners are screwed; everything else is taken off."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# ---- nouns that name a part

HOSES = _words("hose pipe tube tubing")
SCREWS = _words("screw thumbscrew setscrew")
KINDS: dict[PartKind, frozenset[str]] = {
    "line": _words("cable cord wire wiring harness lead flex ribbon line") | HOSES,
    "plug": _words("plug connector terminal jack coupler coupling"),
    "catch": _words("latch clip tab catch lock hook clasp clamp flap prong tooth"),
    "fastener": SCREWS | _words("bolt nut washer rivet stud"),
}
GUIDES = _words(
    "groove channel guide clip holder hole loop track bracket housing case casing cover panel frame shell body "
    "adhesive opening chassis way bottom top lid door compartment base enclosure path"
)
"""What a cable is only led through or kept in: out of one of these it is taken, out of anything else unplugged."""
THREADED = _words("drain spark fill filler glow oil")
"""In front of "plug" they say that it is screwed in, not plugged in."""
MASS = _words("ram memory wiring hardware insulation tape padding foam tubing fabric velcro felt carpet shielding")
"""Nouns that name any amount in the singular."""
PIECES = _words("piece strip stick bit sheet length section")
"""With "of" they count what follows: a piece of tape is tape."""
GROUPS = _words("set group row series type kind sort number rest remainder majority half couple")
"""With "of" they gather what follows: how many there are is another matter."""
CRACKS = _words("gap seam crack crevice crease notch")
"""What tools are put into, and no part belongs in."""
REGIONS = _words("side end edge corner tip rim perimeter center centre middle")
"""With "of" they name a place on a part, which is no part."""
ODD_PLURALS = {
    "feet": "foot",
    "teeth": "tooth",
    "halves": "half",
    "leaves": "leaf",
    "knives": "knife",
    "shelves": "shelf",
    "axes": "axis",
    "lenses": "lens",
    "buses": "bus",
}
SINGULAR_S = _words("lens canvas bias gps series always pliers tweezers scissors")

# ---- nouns that name none

_TOOLS = _words(
    "tool spudger screwdriver driver plier pliers tweezer tweezers wrench ratchet hammer knife scissors iron "
    "multimeter iopener chisel drill needle jack_stand drain_pan credit_card funnel rag towel cloth glove goggles "
    "pen pencil toothpick pick seam_ripper fingernail thumbnail"
)
_SUBSTANCES = _words(
    "adhesive glue paste solder dust dirt debris lint hair oil grease water fluid coolant liquid air food crumb "
    "ice residue rust paint sealant silicone cleaner alcohol detergent soap gas gasoline fuel refrigerant "
    "compound coffee ink corrosion moisture excess lubricant"
)
_SEWN = _words("garment fabric pant jean jacket shirt pocket hem seam clothing thread stitch scrap")
_IDEAS = _words(
    "step time care pressure force power electricity attention process way order access instruction procedure "
    "photo picture image note page software app application file program menu setting account network internet "
    "wifi problem issue repair job everything anything something nothing thing one other thumb eye skin side end "
    "edge corner tip direction angle place location area space hole gap opening groove turn rotation inch amount "
    "lot push hold tension resistance slack sound click voltage current charge tread damage injury shock content "
    "item help advantage weight distance video website person home house room table desk surface ground floor "
    "position degree minute second remain mark marking symbol wisdom ounce pint quart gallon liter litre"
)
NOT_PARTS = _TOOLS | _SUBSTANCES | _SEWN | _IDEAS
NOT_ALONE = _words(
    "jack guide system body finger index_finger rest hand mat probe grip pull upper lower inner outer main interior "
    "exterior external underside half couple reassembling"
)
"""Words that name a part only with another noun: a headphone jack and a paper guide are parts, a car jack is none."""

# ---- words before a noun

ARTICLES = _words("the a an this that these those your its their his her our my any some no such another")
PLURAL_ARTICLES = _words("these those")
POINTING = _words("the this that these those")
EACH = _words("each every any either")
VAGUE = _words("several few some many multiple most numerous")
DETERMINERS = ARTICLES | EACH | VAGUE | _words("all both it them")
SIDES = _words("left right middle leftmost rightmost topmost uppermost left-hand right-hand driver's passenger's")
KEPT_SIDES = _words(
    "front back rear top bottom upper lower side inner outer center centre inside outside interior exterior main"
)
"""Sides that are part of a large part's name (back_cover)."""
HEADS = _words(
    "phillips philips phillip phillip's philip flathead slotted torx pentalobe tri-wing tri-point hex allen jis "
    "pozidriv robertson phillips-head philips-head torx-head hex-head"
)
"""Heads of screws, which are all that is left of one without its noun: "two 3 mm Phillips"."""
BRANDS = _words(
    "apple iphone ipad ipod imac macbook samsung galaxy sony nokia lenovo thinkpad dell asus acer hp canon epson "
    "kindle xbox playstation nintendo keurig dyson roomba irobot linksys logitech honda toyota ford nissan bmw "
    "volkswagen volvo subaru chevrolet mercedes kenmore whirlpool cuisinart"
)
COLOURS = _words(
    "black white red blue green yellow orange brown grey gray silver gold golden pink purple violet clear "
    "transparent translucent dark bright beige tan colorful"
)
MATERIALS = _words(
    "iron plastic polymer teflon ceramic metal metallic rubber rubbery steel aluminum aluminium brass copper wooden "
    "nylon"
)
_SHAPES = _words(
    "small smaller smallest large larger largest big bigger biggest little tiny long longer longest short shorter "
    "shortest thin thinner thick thicker wide wider narrow round square circular rectangular triangular oval flat "
    "tall hexagonal cylindrical deep heavy medium similar identical same different various individual double dual "
    "curved straight size sized fine coarse"
)
_STATES = _words(
    "old new original existing replacement broken bad defective faulty dead good worn loose tight remaining "
    "entire whole complete full other visible hidden necessary final next previous last first second third fourth "
    "fifth sixth seventh eighth ninth tenth only following extra additional actual appropriate respective "
    "corresponding matching dirty stuck accessible adhesive sticky flush protruding surrounding underlying "
    "missing initial intermediate proper correct adjacent opposite positive negative delicate sharp fragile shiny "
    "freed own cut obvious special specific standard regular normal more current removable integrated flexible "
    "protective accompanying earlier blown burnt torn bent careful gentle"
)
ORDINALS = _words("first second third fourth fifth sixth seventh eighth ninth tenth last next")
ADJECTIVES = SIDES | HEADS | COLOURS | MATERIALS | _SHAPES | _STATES
NOT_PARTICIPLES = _words(
    "led bed feed seed reed shed speed red bearing ring spring wiring string housing casing coupling tubing fitting "
    "bushing opening ceiling building shielding sealing moulding molding covering lining backing padding webbing "
    "carpeting flooring packing"
)
"""Words in -ed and -ing that are no form of a verb."""
PRESENTED = _words("visible exposed revealed")
"""Behind a part they present it, as the words of `PRESENTING` do in front of it."""
POSTPOSED = _words(
    "containing including leading running going coming sitting holding securing attaching connecting covering "
    "keeping facing using found shown held seen open closed shut free loose"
)
"""Behind a noun they begin what is told of it."""

# ---- the small words of a sentence

ADVERBS = _words(
    "then now also just simply please first next finally again straight directly upright upwards upward downwards "
    "downward always yet once instead afterwards later only further so still very already too together ever "
    "lastly therefore even apart aside ahead forward backwards backward sideways outward outwards inward inwards "
    "clockwise counterclockwise counter-clockwise anticlockwise enough altogether halfway soon however otherwise much "
    "less thus"
)
NOT_ADVERBS = _words("apply reply imply rely multiply assembly sub-assembly subassembly supply family")
FINITE = _words(
    "is are was were be been has have had do does did will would can could may might must should shall cannot "
    "need needs comes come goes go holds hold falls fall pops slides makes keeps stays looks seems isn't aren't "
    "won't can't shouldn't doesn't don't"
)
"""Verbs that a subject stands before."""
STOPS = FINITE | _words(
    "from of with without on in into onto at by for to under underneath over above below beneath behind between "
    "beside near through against along across around about during inside outside toward towards via per than as "
    "within off out up down away upon using while like except if when where that which who whose what because "
    "since until till but or nor so prior closest nearest once after before being sure it's there here they you "
    "we i he she and not apart next although though whereas"
)
"""Words that no part's name holds."""
PREPOSITIONS = _words(
    "from of with without on in into onto at by for to under underneath over above below beneath behind between beside "
    "near through against along across around during inside outside toward towards via per within after before like"
)
"""What stands behind one of these is no subject."""
PLACING = _words("on in at from along inside under near for by of to around")
TELLING = _words("on at near behind beneath under underneath above below along inside closest nearest that which")
"""Behind "the screw" they tell which one is meant, so that it is not just the one from before."""
LYING = _words("located found situated positioned placed visible holding securing")
"""Between a part and the words that say where it is."""

# ---- what a clause is for

MODALS = _words("can must should shall will")
ASKING = MODALS | _words("you we you'll we'll let's please now")
"""Words that ask when a verb follows them."""
NOT_ASKING = _words("they that which who it help helps lets let the a an or can't cannot won't not")
"""In front of a verb they keep it from asking."""
FORBIDDING = _words("do must should shall")
"""In front of "not" they forbid."""
ASKING_BEFORE_TO = _words(
    "need needs have has is going sure remember continue proceed begin start time able safe try attempt"
)
"""Before "to" they ask: "make sure to remove"."""
DOUBTING = _words("not no never may might could would don't doesn't won't needn't cannot didn't if unable")
"""Close before one of these, "need to" asks nothing."""
BEGINNING = _words("by start begin continue keep finish")
"""Before a gerund they ask: "start by removing"."""
WANTED = _words("needed necessary desired required applicable present wanted possible")
"""Behind "if" they leave it to the reader."""
MANNER = _words("too quickly fast hard forcefully until before unless without when with by using")
"""Behind a prohibition they tell how or when a thing is not to be done; the thing itself is not forbidden."""
KEPT = _words("attached connected installed plugged")
"""A part that is to be left so is kept."""
CONNECTIVES = _words("before after once when whenever while until till as since because unless if whether that which")
PREPOSED = _words("with following during upon given")
"""Words that open a sentence and stand before its verb without one of their own: "with a T5 driver"."""
SUBORDINATORS = (
    CONNECTIVES | PREPOSED | _words("who whose where so how why what although though whereas to")
)  # fmt: skip
"""Words that may begin what is only told."""
CLAUSE_MARKS = _words(", ; : and but then or once when after before if until that sure ensure")
"""Behind one of these the subject of a passive may stand."""
ANOTHER_TIME = _words("when while before after during for on upon to whenever")
REBUILDING = _words(
    "reassembling reassembly reassemble reinstalling reinstallation reinstall reattaching reattach refitting "
    "refit replacing rebuilding putting installing"
)
"""Behind a word of `ANOTHER_TIME` they tell what will be done later, or was explained elsewhere."""
PRESENTING = _words("locate find identify note is are see has have reveal reveals exposing expose exposes")
"""In front of a part they present it: what comes next is about it."""


def is_adverb(word: str) -> bool:
    """Tell whether a word says how or when, not what."""
    return word in ADVERBS or (word.endswith("ly") and len(word) > 4 and word not in NOT_ADVERBS)


def is_participle(word: str, ending: str) -> bool:
    """Tell whether a word is a form of a verb by its ending, "ed" or "ing"."""
    return word.endswith(ending) and word not in NOT_PARTICIPLES
