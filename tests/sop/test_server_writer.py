from collections.abc import Iterator

import pytest

from repairai.errors import RepairError
from repairai.sop.ask import answer
from repairai.sop.library import Library
from repairai.sop.prompts import SYSTEM, passages_of
from repairai.sop.samples import samples
from repairai.sop.search import Search
from repairai.sop.server_writer import KEY, ServerWriter, sent_away
from tests.sop.chat_server import ChatServer

STEPS = next(passages_of(guide) for guide in samples() if guide.id == "sample-cordless-drill-brushes")
QUESTION = "How do I change the carbon brushes of a cordless drill?"


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    chat = ChatServer()
    yield chat
    chat.close()


def test_it_streams_what_the_server_streams(chat: ChatServer):
    writer = ServerWriter(chat.url, "llama3.2")
    assert list(writer.answer(QUESTION, STEPS)) == chat.pieces
    asked = chat.asked[0]
    assert asked["path"] == "/v1/chat/completions"
    assert asked["model"] == "llama3.2"
    assert asked["temperature"] == 0
    assert asked["messages"][0] == {"role": "system", "content": SYSTEM}
    assert STEPS[0].text in asked["messages"][1]["content"]
    assert "authorization" not in chat.headers[0]
    assert writer.name == f"llama3.2 at {chat.url.removeprefix('http://')}"


def test_the_key_comes_from_the_environment_alone(chat: ChatServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(KEY, "secret")
    list(ServerWriter(chat.url + "/v1/", "m").answer(QUESTION, STEPS))
    assert chat.headers[0]["authorization"] == "Bearer secret"
    assert chat.asked[0]["path"] == "/v1/chat/completions"


def test_without_a_name_its_first_model_is_asked(chat: ChatServer):
    list(ServerWriter(chat.url).answer(QUESTION, STEPS))
    assert chat.asked[0]["model"] == "first-model"


def test_a_server_that_does_not_stream(chat: ChatServer):
    chat.kind, chat.body = "application/json", '{"choices": [{"message": {"content": "1. Wait. [1]"}}]}'
    assert list(ServerWriter(chat.url, "m").answer(QUESTION, STEPS)) == ["1. Wait. [1]"]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, '{"error": {"message": "bad key"}}', f"refuses with 401: bad key; set {KEY}"),
        (404, '{"error": "model not found"}', "refuses with 404: model not found"),
        (500, "<html>oh\nno</html>", "refuses with 500: <html>oh no</html>"),
        (302, "elsewhere", "refuses with 302"),
        (200, "this is no event", "what is no JSON"),
    ],
)
def test_what_goes_wrong_is_one_sentence(chat: ChatServer, status: int, body: str, said: str):
    chat.status, chat.body, chat.kind = status, body, "text/plain"
    with pytest.raises(RepairError, match=said):
        list(ServerWriter(chat.url, "m").answer(QUESTION, STEPS))


def test_a_server_that_is_not_there():
    with pytest.raises(RepairError, match=r"cannot be reached: .*; start the server"):
        list(ServerWriter("http://127.0.0.1:9", "m").answer(QUESTION, STEPS))


def test_a_server_that_breaks_off_is_finished_by_the_steps(chat: ChatServer):
    chat.breaks_off = True
    reply = answer(QUESTION, Search(Library()), ServerWriter(chat.url, "m"))
    assert "broke off: out of memory" in reply.notes[0]
    assert reply.made_from_steps
    assert all(each.supported for each in reply.sentences)
    assert {each.cited[0].step for each in reply.sentences if each.cited} == set(range(1, 8))


@pytest.mark.parametrize("wrong", ["", "127.0.0.1:11434", "file:///etc/passwd", "ftp://x", "http://"])
def test_what_is_no_address(wrong: str):
    with pytest.raises(RepairError, match="no web address"):
        ServerWriter(wrong)


def test_a_password_in_the_address_is_refused():
    with pytest.raises(RepairError, match="holds a password"):
        ServerWriter("http://me:secret@127.0.0.1:8080")


def test_what_leaves_this_machine_is_said():
    assert sent_away("http://127.0.0.1:11434") == ""
    assert sent_away("http://localhost:8080/v1") == ""
    assert sent_away("http://[::1]:8080") == ""
    assert "sent to 192.168.0.7, which is not this machine" in sent_away("http://192.168.0.7:11434")
    assert "api.example.org" in sent_away("https://api.example.org/v1")
