from repairai.schema import Guide, Line, Step
from repairai.sop.ask import answer
from repairai.sop.library import Library
from repairai.sop.search import Search
from repairai.sop.steps_writer import StepsWriter
from repairai.ui import ask_render
from tests.sop.test_ask import Said

QUESTION = "How do I replace the battery of my robot vacuum?"
LIVE = "<img src=x onerror=alert(1)>${alert(2)}{{3}}"


def shown(text: str, question: str = QUESTION) -> str:
    return ask_render.answer(answer(question, Search(Library()), Said(text)))


def test_steps_are_buttons_and_sources_have_their_licence():
    html = ask_render.answer(answer(QUESTION, Search(Library()), StepsWriter()))
    assert 'data-state="answered"' in html
    assert ask_render.FROM_STEPS in html
    assert html.count('data-cite="sample-robot-vacuum-battery#3"') == 1, "once behind the sentences of one step"
    assert "CC0-1.0" in html
    assert ask_render.NOT_IN_STEPS not in html


def test_what_no_step_says_is_marked_in_words():
    html = shown("1. Remove the battery door. [3]\n2. Drink tea. [1]")
    assert html.count(ask_render.NOT_IN_STEPS) == 1
    assert "1 statement stands in no step" in html
    assert "<s>Drink tea.</s>" in html
    assert "Warnings of these steps that the answer leaves out" in html
    assert "The answer passes over" in html
    assert "Written by parrot" in html


def test_a_tool_that_the_guide_does_not_name_is_marked():
    html = shown("Tools: Phillips #1 screwdriver, hammer\n1. Remove the battery door. [3]")
    assert "<s>hammer</s>" in html
    assert "<s>Phillips" not in html


def test_a_refusal_shows_the_steps():
    html = shown("I have no guide for that.")
    assert 'data-state="refused"' in html
    assert "parrot says that it has no guide for these steps. They say:" in html
    assert 'data-cite="sample-robot-vacuum-battery#1"' in html


def test_no_guide_shows_the_nearest():
    html = shown("", "iPhone 99 battery")
    assert 'data-state="none"' in html
    assert "No guide of the library is for “99”." in html
    assert 'aria-label="Read iPhone 6 battery replacement"' in html


def test_nothing_from_outside_is_live():
    library = Library()
    guide = Guide(f"g{LIVE}", f"Toaster lever {LIVE}", f"Toaster {LIVE}", f"CC0 {LIVE}",
                  (Step(1, (Line(f"Remove the lever {LIVE}."), Line(LIVE, "caution"))),),
                  url=f"javascript:{LIVE}", author=LIVE, tools=(LIVE,))  # fmt: skip
    library.add([guide])
    search = Search(library)
    for writer in (StepsWriter(), Said(f"Tools: {LIVE}\n1. Remove {LIVE} [1]\n2. {LIVE}"), Said("I have no guide.")):
        reply = answer(f"How do I remove the lever of my toaster? {LIVE}", search, writer)
        html = ask_render.answer(reply) + ask_render.growing(LIVE, reply.found, [reply.sentences], LIVE)
        assert "<img" not in html
        assert "href" not in html, "only web addresses become links"
        assert 'onerror="' not in html
    assert "<img" not in ask_render.answer(answer(f"iPhone 99 {LIVE}", search, StepsWriter()))


def test_an_answer_grows():
    reply = answer(QUESTION, Search(Library()), Said("1. Remove the battery door. [3]"))
    html = ask_render.growing(QUESTION, reply.found, [reply.sentences], "Lift the bat")
    assert 'data-state="growing"' in html
    assert "Lift the bat" in html
    assert "Robot vacuum battery replacement" in html
