"""Lines of the SOP agent's data: what is read, and how a bad one is told."""

import json
from pathlib import Path

import pytest

from repairai.errors import RepairError
from training.sop.examples import Example, Source, read_examples, write_examples

ASKED = {"role": "user", "content": "How do I open it?"}
SAID = {"role": "assistant", "content": "1. Open the lid. [1]"}


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_what_is_written_is_read_again(tmp_path: Path):
    source = Source("https://example.org/1", "CC-BY-NC-SA-3.0", "Ann", "myfixit")
    examples = [
        Example("how_to", "Dell XPS — 13", "ifixit-1", (ASKED, SAID), (("ifixit-1", 2), ("ifixit-1", 3)), source),
        Example("chat", "", "", (ASKED, SAID)),
    ]
    path = tmp_path / "train.jsonl"
    write_examples(path, examples)
    assert read_examples(path) == examples
    assert read_examples(path, limit=1) == examples[:1]
    assert examples[0].prompt == [ASKED]
    assert examples[0].answer == SAID["content"]


def test_messages_alone_are_enough_and_blank_lines_are_none(tmp_path: Path):
    path = write(tmp_path / "own.jsonl", "", {"messages": [ASKED, SAID]}, "")
    assert [example.task for example in read_examples(path)] == ["chat"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"messages": [', "is not JSON: expecting value at column"),
        ("[1, 2]", "holds no object but [1, 2]"),
        ({"messages": [ASKED]}, "need an assistant's turn, got user"),
        ({"messages": []}, "need an assistant's turn, got nothing"),
        ({"messages": [ASKED, SAID, ASKED]}, "need the last turn to be the assistant's, got user, assistant, user"),
        ({"messages": [SAID]}, "need a turn before the assistant's, got none"),
        ({"messages": [ASKED, {**SAID, "content": " "}]}, "need words in the assistant's last turn"),
        ({"messages": [ASKED, {**SAID, "content": None}]}, "need content to be text, got NoneType"),
        ({"messages": [{"from": "human", "value": "?"}, SAID]}, "object with role and content, got from, value"),
        ({"messages": [{**ASKED, "role": "human"}, SAID]}, "need role to be one of system, user, assistant, got 'hum"),
        ({"messages": "hello"}, "need messages to be a list, got str"),
        ({"prompt": "?", "completion": "!"}, "need the key 'messages', got prompt, completion"),
        ({"messages": [ASKED, SAID], "devise": "x"}, "unknown key 'devise', did you mean 'device'?"),
        ({"messages": [ASKED, SAID], "task": "howto"}, "need task to be one of how_to, next_step"),
        ({"messages": [ASKED, SAID], "passages": [["a"]]}, "need each passage to be [guide_id, step], got ['a']"),
        ({"messages": [ASKED, SAID], "source": {"license": "x"}}, "only url, licence, author, origin, got license"),
        ({"messages": [ASKED, SAID], "device": 3}, "need device to be text, got int"),
    ],
)
def test_a_bad_line_is_named_with_its_file_and_number(tmp_path: Path, line: object, told: str):
    path = write(tmp_path / "train.jsonl", {"messages": [ASKED, SAID]}, line)
    with pytest.raises(RepairError) as error:
        read_examples(path)
    assert str(error.value).startswith("line 2 of train.jsonl ")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_holds_nothing_is_refused(tmp_path: Path):
    for content in ("", "\n\n"):
        path = write(tmp_path / "train.jsonl", content)
        with pytest.raises(RepairError, match="train.jsonl is empty"):
            read_examples(path)
    with pytest.raises(RepairError, match="does not exist"):
        read_examples(tmp_path / "none.jsonl")
    (tmp_path / "photo.jsonl").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(RepairError, match="is not UTF-8 text"):
        read_examples(tmp_path / "photo.jsonl")
    with pytest.raises(RepairError, match="cannot be read"):
        read_examples(tmp_path)


def test_an_example_checks_itself():
    with pytest.raises(ValueError, match="need task to be one of"):
        Example("cook", "", "", (ASKED, SAID))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="need an assistant's turn, got nothing"):
        Example("chat", "", "", ())


def test_a_full_disk_is_told(small_disk: Path):
    many = [Example("chat", "", "", (ASKED, {"role": "assistant", "content": "word " * 1000}))] * 200
    with pytest.raises(RepairError, match="the disk is full"):
        write_examples(small_disk / "train.jsonl", many)
