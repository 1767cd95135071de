"""A step's text to what it asks: one row for each way that repair guides put it, in our own words."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repairai.sop.actions import read_actions


def said(text: str) -> list[tuple[str, str, int | None]]:
    return [(found.action, found.part, found.count) for found in read_actions(text)]


SCREWS_4 = [("remove", "screw", 4)]


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        # numbers in words and digits
        ("Remove the four screws.", SCREWS_4),
        ("Remove 4 screws", SCREWS_4),
        ("Remove the four (4) screws.", SCREWS_4),
        ("Remove the (4) four screws.", SCREWS_4),
        ("Remove the (4)6 mm screws.", SCREWS_4),
        ("Remove the screws (4).", SCREWS_4),
        ("Remove the screws (4 total) below the label.", SCREWS_4),
        ("Remove the screws x4.", SCREWS_4),
        ("Remove 4x screws.", SCREWS_4),
        ("Remove a total of four screws.", SCREWS_4),
        ("Remove twenty-one screws.", [("remove", "screw", 21)]),
        ("Remove a dozen screws.", [("remove", "screw", 12)]),
        ("Remove the set of four screws.", SCREWS_4),
        # one, both, all, each, some
        ("Remove the screw.", [("remove", "screw", 1)]),
        ("Remove a screw.", [("remove", "screw", 1)]),
        ("Remove the single screw.", [("remove", "screw", 1)]),
        ("Remove another screw.", [("remove", "screw", 1)]),
        ("Remove the remaining screw.", [("remove", "screw", 1)]),
        ("Remove the first screw.", [("remove", "screw", 1)]),
        ("Remove the screws.", [("remove", "screw", None)]),
        ("Remove the screw(s).", [("remove", "screw", None)]),
        ("Remove the remaining screws.", [("remove", "screw", None)]),
        ("Remove the remaining three screws.", [("remove", "screw", 3)]),
        ("Remove the last two screws.", [("remove", "screw", 2)]),
        ("Remove the other two screws.", [("remove", "screw", 2)]),
        ("Remove both screws.", [("remove", "screw", 2)]),
        ("Remove both of the screws.", [("remove", "screw", 2)]),
        ("Remove a pair of screws.", [("remove", "screw", 2)]),
        ("Remove two pairs of screws.", SCREWS_4),
        ("Remove all four screws.", SCREWS_4),
        ("Remove all of the screws.", [("remove", "screw", None)]),
        ("Remove every screw.", [("remove", "screw", None)]),
        ("Remove each of the three screws.", [("remove", "screw", 3)]),
        ("Remove one of the four screws.", [("remove", "screw", 1)]),
        ("Remove the second of the two screws.", [("remove", "screw", 1)]),
        ("Detach both the blue and red wires.", [("disconnect", "wire", 2)]),
        ("Remove 2 of the screws.", [("remove", "screw", 2)]),
        ("Remove several of the four screws.", [("remove", "screw", None)]),
        ("Remove half of the screws.", [("remove", "screw", None)]),
        (
            "Loosen the bottom two bolts. Loosen the rest of the bolts.",
            [("loosen", "bolt", 2), ("loosen", "bolt", None)],
        ),
        ("Remove the rest of the screws.", [("remove", "screw", None)]),
        ("Remove two sets of screws.", [("remove", "screw", None)]),
        ("Remove the 2nd, 4th and 9th screw.", [("remove", "screw", None)]),
        ("Remove the front two screws.", [("remove", "screw", 2)]),
        # of how many places is not said
        ("Remove the two screws on each side.", [("remove", "screw", None)]),
        ("Remove two screws from both sides of the lid.", [("remove", "screw", None)]),
        ("Remove a screw from each corner.", [("remove", "screw", None)]),
        ("Remove the four screws in the corners.", SCREWS_4),
        ("Remove the four screws, two on each side.", SCREWS_4),
        # mass nouns and pieces
        ("Remove the tape.", [("remove", "tape", None)]),
        ("Remove the two pieces of tape.", [("remove", "tape", 2)]),
        ("Remove the strip of tape.", [("remove", "tape", 1)]),
    ],
)
def test_counts(text: str, facts: list[tuple[str, str, int | None]]):
    assert said(text) == facts


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("Remove three to five screws.", (3, 5, False)),
        ("Remove 3-5 screws.", (3, 5, False)),
        ("Remove two or three screws.", (2, 3, False)),
        ("Remove between 2 and 4 screws.", (2, 4, False)),
        ("Remove at least 2 screws.", (2, None, True)),
        ("Remove one or more screws.", (1, None, True)),
        ("Remove up to four screws.", (0, 4, False)),
        ("Remove the four screws.", (4, None, False)),
    ],
)
def test_ranges(text: str, bounds: tuple[int, int | None, bool]):
    (found,) = read_actions(text)
    assert (found.count, found.count_max, found.or_more) == bounds


@pytest.mark.parametrize(
    ("text", "count", "size"),
    [
        ("Remove the 6 mm screws.", None, "6 mm"),
        ("Remove the two 6.5mm screws.", 2, "6.5mm"),
        ("Remove the #2 screw.", 1, "#2"),
        ("Remove the Philips #2 screws.", None, "Philips #2"),
        ("Remove the three T5 Torx screws.", 3, "T5"),
        ("Remove the three PH00 screws.", 3, "PH00"),
        ('Remove five 1/4" screws.', 5, '1/4"'),
        ("Remove the 3 5/16 screws.", 3, "5/16"),
        ("Remove the two size #000 5 mm long screws.", 2, "size #000, 5 mm"),
        ("Remove 3 Torx T8 at the bottom.", 3, "T8"),
        ("Remove the 4 - 9mm screws.", 4, "9mm"),
        ('Remove the two, 1", Phillips, PH#2 screws.', 2, '1", PH#2'),
        ("Remove the two (12 mm) screws.", 2, "12 mm"),
        ("Remove the 10 mm bolt.", 1, "10 mm"),
        ("Remove 2 in the corner.", None, None),
        ("Remove 4 in total.", None, None),
    ],
)
def test_a_size_is_no_count(text: str, count: int | None, size: str | None):
    found = read_actions(text)
    assert [(each.count, each.size) for each in found] == ([(count, size)] if size else [])


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("Remove two 3 mm and three 5 mm screws.", [("remove", "screw", 2), ("remove", "screw", 3)]),
        ("Remove the two long and two short screws.", [("remove", "screw", 2), ("remove", "screw", 2)]),
        ("Remove the 3 mm and 5 mm screws.", [("remove", "screw", None)]),
        ("Remove the nut and washer.", [("remove", "nut", 1), ("remove", "washer", 1)]),
        ("Remove three screws at the front and two at the back.", [("remove", "screw", 3), ("remove", "screw", 2)]),
        ("Remove the four screws on the lid, two on the left and two on the right.", SCREWS_4),
        (
            "Connect the red wire to the left post and the long cable to the pump.",
            [("connect", "wire", 1), ("connect", "cable", 1)],
        ),
        ("Pull the fan from the base and lift the lid from the pot.", [("remove", "fan", 1), ("remove", "lid", 1)]),
        (
            "Remove the fan, two screws and both clips.",
            [("remove", "fan", 1), ("remove", "screw", 2), ("remove", "clip", 2)],
        ),
        ("Remove six screws, two long screws and four short screws.", [("remove", "screw", 6)]),
        ("Remove the upper and lower bolts.", [("remove", "bolt", None)]),
        ("Remove the front and back covers.", [("remove", "front_cover", None), ("remove", "back_cover", None)]),
        (
            "Lift out the inner and outer brake pads.",
            [("remove", "inner_brake_pad", None), ("remove", "outer_brake_pad", None)],
        ),
        ("Remove the cover and hang it up.", [("remove", "cover", 1)]),
        ("Remove the caps and keep track of the wires.", [("remove", "cap", None)]),
        ("Remove the floor mats, shown in order.", [("remove", "floor_mat", None)]),
        ("Remove the tape and you're done.", [("remove", "tape", None)]),
        ("Remove the cover and lift the board out.", [("remove", "cover", 1), ("remove", "board", 1)]),
        ("Remove the cover and the battery will fall out.", [("remove", "cover", 1)]),
        ("Remove the lid, noting the slot in it.", [("remove", "lid", 1)]),
        (
            "Remove the following screws: two 3.0 mm, one 5 mm and three 6 mm Phillips.",
            [("remove", "screw", 2), ("remove", "screw", 1), ("remove", "screw", 3)],
        ),
        (
            "Remove the following three screws:\nTwo 4 mm screws on either side of the drive\nOne 8 mm screw",
            [("remove", "screw", 2), ("remove", "screw", 1)],
        ),
        (
            "Remove the following screws. Seven P2 8.0mm Two T6 17.0mm",
            [("remove", "screw", 7), ("remove", "screw", 2)],
        ),
        (
            "Remove the eight screws with a T15 driver.\nTwo 14 mm screws\nSix 21 mm screws",
            [("remove", "screw", 2), ("remove", "screw", 6)],
        ),
        (
            "Remove the four screws. Two 5 mm screws hold the lid.",
            [("remove", "screw", 4)],
        ),
        (
            "Remove the following screws and lift the lid off.",
            [("remove", "screw", None), ("remove", "lid", 1)],
        ),
        ("Remove these five screws: two 3 mm, one 5 mm.", [("remove", "screw", 5)]),
        ("Loosen and remove the nut.", [("remove", "nut", 1)]),
        ("Remove and rinse the two filters.", [("remove", "filter", 2)]),
    ],
)
def test_lists(text: str, facts: list[tuple[str, str, int | None]]):
    assert said(text) == facts


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("Unscrew the cap.", [("remove", "cap", 1)]),
        ("Take the board out.", [("remove", "board", 1)]),
        ("Take off the lid.", [("remove", "lid", 1)]),
        ("Pull out the fan.", [("remove", "fan", 1)]),
        ("Lift the keyboard up and away.", [("remove", "keyboard", 1)]),
        ("Lift the blades with their hood out of the base.", [("remove", "blade", None)]),
        ("Slide the drive out of its bay.", [("remove", "drive", 1)]),
        ("Pop the key off.", [("remove", "key", 1)]),
        ("Pry the battery from the case.", [("remove", "battery", 1)]),
        ("Back out the screw.", [("remove", "screw", 1)]),
        ("Tap the bearing out of the hub.", [("remove", "bearing", 1)]),
        ("Unhinge the door.", [("remove", "door", 1)]),
        ("Dislodge the two clips.", [("open", "clip", 2)]),
        ("Pull of the hose.", [("disconnect", "hose", 1)]),
        ("Undo the two screws.", [("remove", "screw", 2)]),
        ("Undo the clip.", [("open", "clip", 1)]),
        ("Separate the frame from the lid.", [("remove", "frame", 1)]),
        ("Detach the panel.", [("remove", "panel", 1)]),
        ("Detach the cable.", [("disconnect", "cable", 1)]),
        ("Unplug the power cord.", [("disconnect", "power_cord", 1)]),
        ("Pull the cable out of the socket.", [("disconnect", "cable", 1)]),
        ("Pull the wire out of its groove.", [("remove", "wire", 1)]),
        ("Pry up the connector.", [("disconnect", "connector", 1)]),
        ("Remove the battery connector from the board.", [("disconnect", "battery_connector", 1)]),
        ("Remove the ribbon cable.", [("remove", "ribbon_cable", 1)]),
        ("Remove the spark plug.", [("remove", "spark_plug", 1)]),
        ("Plug in the fan cable.", [("connect", "fan_cable", 1)]),
        ("Reconnect both cables.", [("connect", "cable", 2)]),
        ("Plug the two wires to the board.", [("connect", "wire", 2)]),
        ("Twist the knob off.", [("remove", "knob", 1)]),
        ("Insert the battery.", [("install", "battery", 1)]),
        ("Place the fan inside the housing.", [("install", "fan", 1)]),
        ("Place the screws inside a bag.", []),
        ("Put the back cover back on.", [("install", "back_cover", 1)]),
        ("Screw in the two screws.", [("install", "screw", 2)]),
        ("Re-install the fan.", [("install", "fan", 1)]),
        ("Replace the battery.", [("install", "battery", 1)]),
        ("Attach the hose.", [("connect", "hose", 1)]),
        ("Flip up the latch.", [("open", "latch", 1)]),
        ("Pry open the case.", [("open", "case", 1)]),
        ("Close the lid.", [("close", "lid", 1)]),
        ("Release the two clips.", [("open", "clip", 2)]),
        ("Loosen the bolt.", [("loosen", "bolt", 1)]),
        ("Tighten the lug nuts.", [("tighten", "lug_nut", None)]),
        # a movement that takes nothing off
        ("Lift the cover.", []),
        ("Slide the cover to the left.", []),
        ("Pull the tab out slightly.", []),
        ("Pull the radio a few inches out of the dash.", []),
        ("Lift the board partly out.", []),
        ("Place the filter face down in a bucket.", []),
        ("Push the cable out of the way.", []),
        ("Pull the oven forward from the wall.", []),
        ("Put the screws in a bowl.", []),
        ("Place the phone on a soft cloth.", []),
        ("Place the blade in the gap.", []),
        ("Cut the two wires.", []),
        ("Shut the printer off.", []),
        ("Take the 3 screws (.5) out of the frame.", [("remove", "screw", 3)]),
        ("Pull the hose off the pump.", [("disconnect", "hose", 1)]),
        ("Re-screw the drain plug into the pan.", [("install", "drain_plug", 1)]),
        ("Loosen the drain plug. Remove the plug.", [("loosen", "drain_plug", 1), ("remove", "plug", 1)]),
    ],
)
def test_verbs(text: str, facts: list[tuple[str, str, int | None]]):
    assert said(text) == facts


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Remove the old black plastic back cover.", "back_cover"),
        ("Remove the left speaker.", "speaker"),
        ("Remove the top left screw.", "screw"),
        ("Remove the upper left case screw.", "screw"),
        ("Remove the pentalobe screw.", "screw"),
        ("Remove the iPhone battery.", "battery"),
        ("Remove the printer's base.", "base"),
        ("Remove the front cable.", "cable"),
        ("Remove the rubber O-ring.", "o_ring"),
        ("Remove the left I/O board.", "i_o_board"),
        ("Remove the spring-loaded arm.", "arm"),
        ("Remove the screw covering the port.", "screw"),
        ("Remove the retaining bracket.", "retaining_bracket"),
        ('Remove the teflon "feet".', "foot"),
        ("Remove the feet.", "foot"),
        ("Remove the batteries.", "battery"),
        ("Remove the glass.", "glass"),
        ("Remove the CO2 cartridge.", "co2_cartridge"),
        ("Remove the iron plate.", "plate"),
        ("Pull the bottom covering off.", "bottom_covering"),
        ("Remove the sealing rubber.", "sealing_rubber"),
        ("Remove the lens/battery bundle.", "lens_battery_bundle"),
        ("Remove the cover/panel.", "cover"),
        ("Remove the triangle shaped tab.", "tab"),
        ("Remove the base-plate from the bottom.", "base_plate"),
        ("Remove the on/off switch.", "on_off_switch"),
        ("Remove the lock-nut.", "nut"),
        ("Remove the lug bolt.", "bolt"),
        ("Remove the top half of the case.", "top_half"),
        ("Peel off the heat shielding from the wall.", "heat_shielding"),
    ],
)
def test_part_names(text: str, part: str):
    assert [found.part for found in read_actions(text)] == [part]


@pytest.mark.parametrize(
    "text",
    [
        "Remove any dust.",
        "Remove two ounces of fluid.",
        "Insert the screwdriver into the gap.",
        "Note the lock and unlock markings on the lid.",
        "Remove the edge of the cover.",
        "Insert the back of a plastic opening tool.",
        "Remove the jack.",
        "Turn the phone over.",
        "",
        "?!",
    ],
)
def test_what_names_no_part(text: str):
    assert said(text) == []


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("Using a T5 driver, remove the four screws.", SCREWS_4),
        ("With a T5 driver remove the four screws.", SCREWS_4),
        ("Use a T5 driver to remove the four screws.", SCREWS_4),
        ("Utilize a T5 driver to remove the four screws.", SCREWS_4),
        ("Using a thin tool pry the lid off.", [("remove", "lid", 1)]),
        ("Using a thin tool remove the (1/4 in.) bolt.", [("remove", "bolt", 1)]),
        ("After unplugging the fan use a thin tool to lift the board out.", [("remove", "board", 1)]),
        ("remove the four screws", SCREWS_4),
        ("2) The four screws can be removed.", SCREWS_4),
        ("Use your nails peel the label off.", [("remove", "label", 1)]),
        ("Turn the phone over then lift the lid off.", [("remove", "lid", 1)]),
        ("Don't forget to remove the four screws.", SCREWS_4),
        ("Begin by turning the fan around and removing the four screws.", SCREWS_4),
        ("The cover is light and can therefore be removed by hand.", [("remove", "cover", 1)]),
        ("Use the screws that were kept and replace the washer.", [("install", "washer", 1)]),
        ("Turn the lid if needed, now remove the four screws.", SCREWS_4),
        ("Turn it over.Remove the four screws.", SCREWS_4),
        ("You will need to remove the four screws.", SCREWS_4),
        ("You can now remove the four screws.", SCREWS_4),
        ("Be sure to remove the four screws.", SCREWS_4),
        ("Begin by removing the four screws.", SCREWS_4),
        ("Lift the lid off by removing the four screws.", [("remove", "lid", 1), *SCREWS_4]),
        ("The four screws are removed.", SCREWS_4),
        ("The four screws should be removed.", SCREWS_4),
        ("There are four screws that need to be removed.", SCREWS_4),
        ("There are four screws to remove.", SCREWS_4),
        ("The cable must be disconnected.", [("disconnect", "cable", 1)]),
        ("For safety the mixer must be unplugged.", [("disconnect", "mixer", 1)]),
        ("The nut and washer can be removed by hand.", [("remove", "nut", 1), ("remove", "washer", 1)]),
        ("The air filters are now able to be removed.", [("remove", "air_filter", None)]),
        ("Make sure the toaster is unplugged.", [("disconnect", "toaster", 1)]),
        ("Pull the tab to remove the battery.", [("remove", "battery", 1)]),
        ("Press the catch while lifting the lid off.", [("remove", "lid", 1)]),
        ("Remove the lid by pressing the knob while sliding out.", [("remove", "lid", 1)]),
        # not asked, or not now
        ("Before removing the fan, unplug the cable.", [("disconnect", "cable", 1)]),
        ("After you have removed the screws, lift off the lid.", [("remove", "lid", 1)]),
        ("Once the screws, clips and tape are removed, lift the lid off.", [("remove", "lid", 1)]),
        ("Once the screws are removed pull the lid off.", [("remove", "lid", 1)]),
        ("To remove the battery, pull the tab.", []),
        ("Without removing the lid, unplug the cable.", [("disconnect", "cable", 1)]),
        ("You don't need to remove the fan.", []),
        ("You may need to remove the fan.", []),
        ("Remove the fan if needed.", []),
        ("Remove the fan if it is worn.", []),
        ("Remove the fan even if it is new.", [("remove", "fan", 1)]),
        ("Remove the fan if you have not yet.", [("remove", "fan", 1)]),
        ("Plug in the lamp and see if it works.", [("connect", "lamp", 1)]),
        ("I didn't replace the fan.", []),
        ("Bend it just enough to remove the fan.", []),
        ("The fan can be removed if needed.", []),
        ("We'll remove the fan in the next step.", []),
        ("As soon as the plug is removed the oil will drain.", []),
        ("Now the whole lid should be disconnected.", []),
        ("If needed, remove the fan.", []),
        ("Remove the lid and, if necessary, pry off the tape.", [("remove", "lid", 1)]),
        ("If the fan is stuck, remove the screws.", []),
        ("Optional: remove the fan.", []),
        ("When reinstalling the fan, insert the tab first.", []),
        ("To reassemble, attach the lid in reverse order.", []),
        ("Pull it until you can remove the fan.", []),
        ("Be careful not to lose the screws.", []),
        ("Did you remove the screws?", []),
        ("The screws were removed earlier.", []),
        ("The lid is now removed.", []),
        ("The lid is attached to the base.", []),
        ("The lid should now be disconnected.", []),
        ("You can also use a knife to pry the lid off.", []),
        ("If the door is covered with tape, remove it.", []),
        ("The next step is to remove the lid.", [("remove", "lid", 1)]),
        ("Proceed with removing the lid.", [("remove", "lid", 1)]),
        ("Unplug the fan as well as removing the lid.", [("disconnect", "fan", 1), ("remove", "lid", 1)]),
        ("The battery should slide out.", []),
        ("Remove the two screws to free the fan.", [("remove", "screw", 2)]),
        # prohibitions
        ("Do not remove the two screws.", [("keep", "screw", 2)]),
        ("Don't disconnect the cable.", [("keep", "cable", 1)]),
        ("Never loosen the nut.", [("keep", "nut", 1)]),
        ("Unscrew the two nuts but do not remove them.", [("loosen", "nut", 2), ("keep", "nut", 2)]),
        ("The nut must not be removed.", [("keep", "nut", 1)]),
        ("Leave the cable connected.", [("keep", "cable", 1)]),
        ("Do not pull the tray out too fast.", []),
        ("Do not overtighten the screws.", []),
        ("Do not insert the battery.", []),
    ],
)
def test_what_is_asked_here_and_now(text: str, facts: list[tuple[str, str, int | None]]):
    assert said(text) == facts


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("Locate the six screws and remove them.", [("remove", "screw", 6)]),
        ("There are four screws holding the side panels. Remove them.", SCREWS_4),
        ("Two 5 mm screws hold this hinge, remove them.", [("remove", "screw", 2)]),
        ("Twist the cap and pull it off.", [("remove", "cap", 1)]),
        ("Unscrew the cap all the way, then pull it off.", [("remove", "cap", 1)]),
        ("The card is held in with two clips. Release them.", [("open", "clip", 2)]),
        (
            "Remove the rear panel. Turn to the front panel. Take off the panel.",
            [("remove", "rear_panel", 1), ("remove", "panel", 1)],
        ),
        ("Unscrew the 3 mm screw. Rotate the screw to loosen it.", [("remove", "screw", 1)]),
        ("Locate the two screws and remove with a driver.", [("remove", "screw", 2)]),
        ("Locate the two bolts. Remove the bolts.", [("remove", "bolt", 2)]),
        ("The lid hides two clips and two tabs. Remove them.", []),
        ("There is a fine mesh. Remove this by hand.", [("remove", "mesh", 1)]),
        ("Turn the screw that holds the lid in.", []),
        ("Be careful with the lid.", []),
        ("The board lies under the shield. Remove it.", []),
        ("Lower the jack and remove it from under the car.", []),
        ("Use a 17 mm socket to finish tightening it.", []),
        ("Two small screws will be visible above the feet. Unscrew them.", [("remove", "screw", 2)]),
        ("Remove the cover. You can remove it by hand.", [("remove", "cover", 1)]),
        ("Remove the four screws. These screws are removed with a T5.", SCREWS_4),
        ("Remove the screw. Remove the screw on the right.", [("remove", "screw", 1), ("remove", "screw", 1)]),
        ("Remove the screw on the right. Remove the screw and lay it aside.", [("remove", "screw", 1)]),
        ("Remove the four screws. Remove the 5 mm screw.", [*SCREWS_4, ("remove", "screw", 1)]),
        ("Open the clip on top. Open the clip at the back.", [("open", "clip", 1), ("open", "clip", 1)]),
        ("The filters are old. Simply pull them out.", [("remove", "filter", None)]),
        ("Squeeze and pull on the hose to remove it.", [("remove", "hose", 1)]),
        ("Press the tabs and pull up on the key to remove.", [("remove", "key", 1)]),
        ("Pull up on the tab to remove.", []),
        ("Hold the two strips of tape and pull up on the fan to remove it.", [("remove", "fan", 1)]),
        ("There is a bolt at the bottom; you can remove it.", [("remove", "bolt", 1)]),
        ("Remove the latch by gently lifting it up.", [("remove", "latch", 1)]),
        ("Remove the hose by pinching its end and pulling it off.", [("remove", "hose", 1)]),
        ("A lamp comes next. Remove the bulb by turning it, then pulling it out.", [("remove", "bulb", 1)]),
    ],
)
def test_what_is_meant(text: str, facts: list[tuple[str, str, int | None]]):
    assert said(text) == facts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("First, remove the four screws.", ["remove the four screws"]),
        ("Do not remove the fan.", ["Do not remove the fan"]),
        ("Remove two 3 mm and three 5 mm screws.", ["Remove two 3 mm", "three 5 mm screws"]),
        ("The two cables must be disconnected.", ["The two cables must be disconnected"]),
        ("Locate the screws and remove them.", ["remove them"]),
        ("Remove the [[Battery#Section|small battery]].", ["Remove the [[Battery#Section|small battery"]),
    ],
)
def test_spans_are_the_words_that_were_read(text: str, words: list[str]):
    assert [text[slice(*found.span)] for found in read_actions(text)] == words


WORDS = (
    "remove the two 3 mm screws and cable , . : ( ) them it do not to be is if once using #2 1/4 - x from out of both "
    "each following lift unplug connector must you"
)


@given(st.text() | st.lists(st.sampled_from([*WORDS.split(), "\n"]), max_size=60).map(" ".join))
def test_any_text_is_read_alike_twice_and_spans_are_inside_and_in_order(text: str):
    found = read_actions(text)
    assert found == read_actions(text)
    starts = [each.span[0] for each in found]
    assert starts == sorted(starts)
    assert all(0 <= start < end <= len(text) for start, end in (each.span for each in found))


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "remove the screw ",
        "remove it ",
        "[[",
        "1 ",
        "(",
        "- ",
        "the ",
        "must be removed ",
        "1/",
        "two 3 mm ",
        "of ",
    ],
)
def test_a_hundred_thousand_characters_take_well_under_a_second(unit: str):
    text = (unit * (100_000 // len(unit) + 1))[:100_000]
    began = time.perf_counter()
    read_actions(text)
    # Half a second on a quiet machine; a rule that looks at everything once more for each word takes minutes.
    assert time.perf_counter() - began < 5.0, "something in the reader grows faster than the text"
