"""Words that people ask with, as tables: they say how something is asked, not what about.

A word goes in when anybody could ask so about any device, never for the sake of one question.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ASKED_WITH = _words(
    "a about above add added adding after again all also am an and another any anybody anyone anything "
    "apart are around as at away back "
    "bad badly be because been before begin behind being below best better between big both bought broke broken but by "
    "came can cannot can't change changed changing cheap check come complete completely could couldn't correct "
    "correctly cracked damage damaged dead did didn't difference different difficult directly disassemble disassembly "
    "do does doesn't doing done don't down during dying each easily easy either else enough even ever every everything "
    "exactly exchange exchanging explain failed failing failure faulty few find fine first fix fixed fixing following "
    "for from full further gave get getting give go goes going gone good got guide guides had happen happened happens "
    "hard has have haven't having he hello help hey hi hints his hold holding holds hour hours how howto i i'd i'm "
    "i've if important in inside instruction instructions instead into is isn't it it's its just keep keeps kind know "
    "last later least leave left let like list little long longer look looking lot made make makes making many may "
    "maybe me mean method might mine minute minutes more most much must my myself near necessary need needed needs "
    "never new newer next nice no normal not nothing now number of off often ok okay old on once one ones only open "
    "opened opening or order original other our out over own part parts people per perform place please possible "
    "problem procedure process proper properly put quick quickly quite ready really reason recommend recommended "
    "repair repaired repairing repairs replace replaced replacement replacements replaces replacing required requires "
    "right safe safely said same save say see seem seems sequence set several shall she should shouldn't show side "
    "since so some somebody someone something sometimes soon sort start started step steps still stop stopped stopping "
    "stuff such suggest sure swap swapped swapping take taken takes taking tear teardown tell than thank thanks that "
    "that's the their them then there these they thing things think this those through time to together told too took "
    "tool tools toward trouble try trying turn tutorial two type under until up upgrade upgrading us use used useful "
    "using usually very want wanted wants was way we well went were weren't what what's when where which while who "
    "whole whom why will with within without won't wonder wondering work working works worn would write wrong yes yet "
    "you you'll your yours yourself"
)
"""They may stand in a question whatever it is about; a guide need not hold them."""
STEP_ASKED = (
    r"\bhow (?:many|much|long|short|big|large|far|often|tight|hot|deep)\b", r"\bwhat (?:size|length|kind|type|if)\b",
    r"^(?:which|where|when|why|is|are|does|do|can|must|should|may|in which|at which|with which|what happens|"
    r"what do i do if)\b", r"\bwhat (?:comes|is) (?:next|after)\b", r"\bnext step\b",
)  # fmt: skip
"""One step is asked for, not all of them."""
TOOLS_ASKED = (r"\bwh(?:ich|at) (?:[\w-]+ )?(?:tools?|screwdrivers?|drivers?|bits?|supplies|parts)\b",)
"""What the whole guide needs is asked for."""
UNITS = _words(
    "mm cm inch inches in v volt volts w watt watts a amp amps ohm ohms kilohm kilohms degree degrees percent minute "
    "minutes second seconds hour hours day days gb tb mb mah hz pin pins times x"
)
"""Behind one of these a number measures something and names no device."""
COUNTED_BEHIND = _words("step steps the all those these with remove install unscrew tighten loosen number")
"""Behind one of these a small number counts something and names no device."""
SYNONYMS = (
    "screen display lcd panel", "ram memory", "ssd drive", "motherboard mainboard", "cord cable lead", "cover lid",
    "cell battery", "stick joystick thumbstick", "fan cooler", "photo picture", "charger adapter", "bulb lamp",
)  # fmt: skip
"""Words for the same part, a group a line."""
