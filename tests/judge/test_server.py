import base64
import math
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from repairai.errors import RepairError
from repairai.judge import server
from repairai.judge.limits import limits_path, write_limits
from repairai.judge.reasoner import load_reasoner
from repairai.judge.server import KEY, SAID, ServerReasoner, sent_away
from repairai.judge.yes_no import plain_answer, probability, side
from repairai.schema import StateLimits
from tests.judge.vision_server import VisionServer

LIGHT, DARK = (np.full((60, 80, 3), shade, np.uint8) for shade in (230, 20))
QUESTION, OPPOSITE = "Is the latch light?", "Is the latch dark?"


@pytest.fixture
def vision() -> Iterator[VisionServer]:
    vision = VisionServer()
    yield vision
    vision.close()


def test_it_reads_the_probabilities_of_the_first_word(vision: VisionServer):
    reasoner = load_reasoner(vision.url, "bench server")
    assert reasoner.ask(LIGHT, QUESTION) == pytest.approx(0.91 / 0.99)
    assert reasoner.ask(LIGHT, OPPOSITE) == pytest.approx(0.08 / 0.99)
    assert reasoner.ask(DARK, QUESTION) == pytest.approx(0.08 / 0.99)
    assert reasoner.name == "bench server"
    asked = vision.asked[0]
    assert asked["path"] == "/v1/chat/completions"
    assert asked["model"] == "tiny-vlm", "the first that the server lists"
    assert (asked["temperature"], asked["logprobs"], asked["stream"]) == (0, True, False)
    assert asked["max_tokens"] < 8
    image, words = asked["messages"][0]["content"]
    assert words["text"].startswith(QUESTION)
    sent = Image.open(BytesIO(base64.b64decode(image["image_url"]["url"].removeprefix("data:image/jpeg;base64,"))))
    assert sent.size == (80, 60)
    assert "authorization" not in vision.headers[0]


def test_a_large_photo_is_made_smaller_once_for_both_questions(vision: VisionServer):
    reasoner = ServerReasoner(vision.url)
    photo = np.full((1500, 3000, 3), 200, np.uint8)
    reasoner.ask(photo, QUESTION)
    first = reasoner._sent
    reasoner.ask(photo, OPPOSITE)
    assert reasoner._sent is first
    urls = [each["messages"][0]["content"][0]["image_url"]["url"] for each in vision.asked]
    assert urls[0] == urls[1]
    assert Image.open(BytesIO(base64.b64decode(urls[0].partition(",")[2]))).size == (1024, 512)


def test_a_server_that_does_not_tell_how_sure_it_is(vision: VisionServer):
    vision.logprobs = False
    reasoner = ServerReasoner(vision.url, model="m")
    assert reasoner.ask(LIGHT, QUESTION) == SAID
    assert reasoner.ask(DARK, QUESTION) == 1 - SAID
    assert ["logprobs" in each for each in vision.asked] == [True, False, False], "it is tried once only"


def test_a_server_that_leaves_the_probabilities_out(vision: VisionServer):
    vision.silent_logprobs, vision.said = True, " Yes.\n"
    assert ServerReasoner(vision.url, model="m").ask(DARK, QUESTION) == SAID


def test_a_blank_before_the_answer_is_passed_over(vision: VisionServer):
    top = [{"token": "no", "logprob": math.log(0.6)}, {"token": "yes", "logprob": math.log(0.2)}]
    vision.tokens = [{"token": "\n", "logprob": 0.0, "top_logprobs": []}, {**top[0], "top_logprobs": top}]
    assert ServerReasoner(vision.url, model="m").ask(LIGHT, QUESTION) == pytest.approx(0.25)


def test_the_key_comes_from_the_environment_alone(vision: VisionServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(KEY, "secret")
    reasoner = ServerReasoner(f"{vision.url}/v1/#llava:7b")
    reasoner.ask(LIGHT, QUESTION)
    assert vision.headers[0]["authorization"] == "Bearer secret"
    assert vision.asked[0]["model"] == "llava:7b"
    assert reasoner.name == f"llava:7b at {vision.url.removeprefix('http://')}"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, '{"error": {"message": "bad key"}}', f"refuses with 401: bad key; set {KEY}"),
        (404, '{"error": "model not found"}', "refuses with 404: model not found"),
        (400, '{"error": "this model reads no images"}', "refuses with 400: this model reads no images"),
        (500, "<html>oh\nno</html>", "refuses with 500: <html>oh no</html>"),
        (302, "elsewhere", "refuses with 302"),
        (200, "this is no JSON", "what is no JSON"),
        (200, '{"choices": []}', "answers with no message"),
        (200, "[" * 5000, "what is no JSON"),
        (200, '"' + "a" * 2**21 + '"', "more than 1 MiB"),
    ],
)
def test_what_goes_wrong_is_one_sentence(vision: VisionServer, status: int, body: str, said: str):
    vision.status, vision.body = status, body
    vision.headers_out = {"content-type": "text/plain", "location": "http://127.0.0.1:9/elsewhere"}
    with pytest.raises(RepairError, match=said):
        ServerReasoner(vision.url, model="m").ask(LIGHT, QUESTION)
    assert len(vision.asked) == 1, "nothing is asked twice"


@pytest.mark.parametrize("prose", ["The latch seems to be open", "Nothing of that is seen", ""])
def test_prose_is_no_answer(vision: VisionServer, prose: str):
    vision.silent_logprobs, vision.said = True, prose or " "
    with pytest.raises(RepairError, match="says neither yes nor no"):
        ServerReasoner(vision.url, model="m").ask(LIGHT, QUESTION)


def test_a_slow_server_is_left(vision: VisionServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server, "READ_SECONDS", 0.3)
    vision.pause_seconds = 1.0
    with pytest.raises(RepairError, match="does not answer within"):
        ServerReasoner(vision.url, model="m").ask(LIGHT, QUESTION)
    vision.pause_seconds, vision.drip_seconds = 0.0, 0.1
    with pytest.raises(RepairError, match="does not answer within"):
        ServerReasoner(vision.url, model="m").ask(LIGHT, QUESTION)


def test_a_server_that_is_not_there():
    with pytest.raises(RepairError, match=r"cannot be reached: .*; start the server"):
        ServerReasoner("http://127.0.0.1:9", model="m").ask(LIGHT, QUESTION)


def test_a_server_that_lists_no_model(vision: VisionServer):
    vision.body = '{"data": []}'
    with pytest.raises(RepairError, match="lists no model; name one"):
        ServerReasoner(vision.url).ask(LIGHT, QUESTION)


@pytest.mark.parametrize("wrong", ["", "127.0.0.1:11434", "ftp://x", "http://", "http://[::1", "http://host:port"])
def test_what_is_no_address(wrong: str):
    with pytest.raises(RepairError, match="no web address"):
        ServerReasoner(wrong)


def test_a_password_in_the_address_is_refused():
    with pytest.raises(RepairError, match="holds a password"):
        ServerReasoner("http://me:secret@127.0.0.1:8080")


@pytest.mark.parametrize("question", ["", "  ?", "Is " + "very " * 200 + "open?"])
def test_what_is_no_question(vision: VisionServer, question: str):
    with pytest.raises(RepairError, match="the question"):
        ServerReasoner(vision.url, model="m").ask(LIGHT, question)
    assert not vision.asked


def test_nothing_is_decided_until_it_was_measured(vision: VisionServer):
    named = f"{vision.url}#llava"
    assert ServerReasoner(named).limits(QUESTION).sure == 1.0
    write_limits(limits_path(named), {QUESTION: StateLimits(0.9, sources=50)})
    assert ServerReasoner(named).limits(QUESTION).sure == 0.9
    write_limits(limits_path(vision.url), {QUESTION: StateLimits(0.9, sources=50)})
    assert ServerReasoner(vision.url).limits(QUESTION).sure == 1.0, "tomorrow it may list another model first"


def test_what_leaves_this_machine_is_said():
    for here in ("http://127.0.0.1:11434", "http://localhost:8080/v1", "http://[::1]:8080", "http://[", ""):
        assert sent_away(here) == ""
    assert "The photo and the question are sent to 192.168.0.7, which is not" in sent_away("http://192.168.0.7:11434")
    assert "api.example.org" in sent_away("https://api.example.org/v1")


def test_yes_and_no_are_told():
    assert [side(each) for each in (" Yes", "NO\n", "\u2581yes", "\u0120no", "not", "")] == [
        "yes", "no", "yes", "no", "", "",
    ]  # fmt: skip
    assert [plain_answer(each) for each in ("**Yes**, it is", "no.", "No doubt it is", "yesterday")] == [
        "yes", "no", "", "",
    ]  # fmt: skip
    assert probability([("maybe", 0.95), ("yes", 0.02)]) is None
    assert 0 < probability([("no", 1.0)]) < 1e-5
