"""Datasets of others: every shape of row, from every kind of file, and what is said of those that do not fit."""

import json
from pathlib import Path

import pytest
from datasets import Dataset

from repairai.errors import RepairError
from training.sop.examples import Example, Source, as_data, write_examples
from training.sop.hub_data import Contents, holds_guides, read_dataset

from .sop_guides import guide, myfixit_file

USER = {"role": "user", "content": "How do I open it?"}
SAID = {"role": "assistant", "content": "Pry the lid off."}
CHAT = [
    {"from": "system", "value": "Be short."},
    {"from": "human", "value": "How do I open it?"},
    {"from": "gpt", "value": "Pry the lid off."},
    {"from": "human", "value": "And then?"},
    {"from": "gpt", "value": "Pull the battery."},
]
GUIDE_ROWS = [
    {"guide_id": 7, "task_title": "Fan", "device_name": "Dell XPS", "text": "Unplug it.", "tools": ["spudger"]},
    {"guide_id": 9, "task_title": "Lid", "device_name": "HP 15", "text": "Turn it over.", "tools": []},
    {"guide_id": 7, "task_title": "Fan", "device_name": "Dell XPS", "text": "Mind the cable.", "tools": ["PH0"]},
]


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def read(path: Path, licence: str = "", **columns: str) -> Contents:
    return read_dataset(str(path), columns, licence)


def turns(example: Example) -> list[tuple[str, str]]:
    return [(turn["role"], turn["content"]) for turn in example.messages]


PAIR = [("user", "How do I open it?"), ("assistant", "Pry the lid off.")]


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [USER, SAID]},
        {"messages": [USER, {**SAID, "content": [{"type": "text", "text": "Pry the lid off."}]}], "id": 3},
        {"conversations": CHAT[1:3]},
        {"conversations": [USER, SAID]},
        {"prompt": "How do I open it?", "completion": "Pry the lid off."},
        {"prompt": [USER], "completion": [SAID]},
        {"instruction": "How do I open it?", "input": "", "output": "Pry the lid off."},
        {"question": " How do I open it? ", "answer": "Pry the lid off.", "score": 3},
    ],
)
def test_each_shape_of_row_is_told_by_its_columns(tmp_path: Path, row: dict[str, object]):
    contents = read(lines(tmp_path / "own.jsonl", row))
    assert [turns(chat) for chat in contents.chats] == [PAIR]
    assert contents.chats[0].task == "chat"
    assert contents.chats[0].source == Source(licence="unknown", origin="own.jsonl")


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv", "parquet"])
def test_each_kind_of_file_is_read(tmp_path: Path, kind: str):
    rows = [{"question": f"How do I open {n}?", "answer": "Pry the lid off.", "device": f"Dell {n}"} for n in range(3)]
    path = tmp_path / f"own.{kind}"
    data = Dataset.from_list(rows)
    if kind == "json":
        path.write_text(json.dumps(rows))
    elif kind == "jsonl":
        lines(path, *rows)
    else:
        data.to_csv(path) if kind == "csv" else data.to_parquet(path)
    contents = read(path, licence="MIT")
    assert [chat.device for chat in contents.chats] == ["Dell 0", "Dell 1", "Dell 2"]
    assert {chat.source.licence for chat in contents.chats} == {"MIT"}
    assert not contents.problems


def test_a_conversation_makes_an_example_of_each_answer(tmp_path: Path):
    contents = read(lines(tmp_path / "own.jsonl", {"conversations": CHAT}))
    assert [len(chat.messages) for chat in contents.chats] == [3, 5]
    assert turns(contents.chats[0]) == [("system", "Be short."), *PAIR]
    assert contents.chats[1].answer == "Pull the battery."


def test_the_input_and_the_system_go_before_the_answer(tmp_path: Path):
    row = {"instruction": "Translate.", "input": "Lid", "output": "Deckel", "system": "Be short."}
    contents = read(lines(tmp_path / "own.jsonl", row))
    assert turns(contents.chats[0]) == [("system", "Be short."), ("user", "Translate.\n\nLid"), ("assistant", "Deckel")]


def test_columns_of_other_names_are_named(tmp_path: Path):
    path = lines(tmp_path / "own.jsonl", {"ask": "How do I open it?", "reply": "Pry the lid off.", "what": "Dell"})
    contents = read(path, question="ask", answer="reply", device="what")
    assert turns(contents.chats[0]) == PAIR
    assert contents.chats[0].device == "Dell"


def test_rows_of_guides_become_guides(tmp_path: Path):
    contents = read(lines(tmp_path / "rows.jsonl", *GUIDE_ROWS), licence="CC-BY-4.0")
    assert [each.title for each in contents.guides] == ["Fan", "Lid"]
    fan = contents.guides[0]
    assert (fan.id, fan.device, fan.licence) == ("rows-jsonl-7", "Dell XPS", "CC-BY-4.0")
    assert [step.text for step in fan.steps] == ["Unplug it.", "Mind the cable."]
    assert fan.tools == ("spudger", "PH0")


def test_a_table_of_guides_is_read_with_its_order_kinds_and_lists(tmp_path: Path):
    rows = [
        {"guide_id": 1, "title": "Fan", "text": "Lift it.", "step": 2, "type": "step", "tools": "['PH0', 'T5']"},
        {"guide_id": 1, "title": "Fan", "text": "Unplug it.\nWait.", "step": 1, "type": "Warning", "tools": "PH0; T8"},
    ]
    Dataset.from_list(rows).to_csv(tmp_path / "rows.csv")
    (fan,) = read(tmp_path / "rows.csv").guides
    assert [[line.text for line in step.lines] for step in fan.steps] == [["Unplug it.", "Wait."], ["Lift it."]]
    assert fan.steps[0].lines[0].kind == "caution"
    assert fan.tools == ("PH0", "T8", "T5")
    assert fan.licence == "unknown"


def test_what_was_built_here_is_read_as_it_was(tmp_path: Path):
    example = Example("tools", "Dell", "g", (USER, SAID), (("g", 2),), Source("https://x", "MIT", "Ann", "myfixit"))
    write_examples(tmp_path / "train.jsonl", [example])
    assert read(tmp_path / "train.jsonl").chats == (example,)
    foreign = lines(tmp_path / "own.jsonl", {**as_data(example), "task": "qa"})
    assert read(foreign).chats[0].task == "chat"


# ---- the Hub: `load_dataset` itself, on folders as the Hub has them


def hub_folder(tmp_path: Path, **parts: list[dict[str, object]]) -> Path:
    folder = tmp_path / "repo"
    for name, rows in parts.items():
        (folder / "data").mkdir(parents=True, exist_ok=True)
        Dataset.from_list(rows).to_parquet(folder / "data" / f"{name}-00000-of-00001.parquet")
    (folder / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n# A dataset\n")
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


def test_a_dataset_of_the_hub_is_read_with_the_licence_of_its_card(tmp_path: Path):
    folder = hub_folder(tmp_path, train=[{"messages": [USER, SAID]}], test=[{"messages": [SAID, USER]}])
    contents = read_dataset(f"hub:{folder}", {})
    assert [turns(chat) for chat in contents.chats] == [PAIR], "its own test is not trained on"
    assert contents.chats[0].source == Source(licence="cc-by-4.0", origin=f"hub:{folder}")


def test_rows_of_guides_on_the_hub_become_guides(tmp_path: Path):
    contents = read_dataset(f"hub:{hub_folder(tmp_path, train=GUIDE_ROWS)}", {})
    assert [(each.device, len(each.steps), each.licence) for each in contents.guides] == [
        ("Dell XPS", 2, "cc-by-4.0"),
        ("HP 15", 1, "cc-by-4.0"),
    ]


def test_our_own_data_come_back_from_the_hub(tmp_path: Path):
    example = Example("tools", "Dell", "g", (USER, SAID), (("g", 2),), Source("https://x", "MIT", "Ann", "myfixit"))
    (tmp_path / "repo").mkdir()
    write_examples(tmp_path / "repo" / "train.jsonl", [example])
    assert read_dataset(f"hub:{tmp_path / 'repo'}", {}).chats == (example,)


def test_a_dataset_without_a_part_for_training_is_read_whole(tmp_path: Path):
    rows = [{"question": "How?", "answer": "So."}]
    folder = hub_folder(tmp_path, validation=rows, test=rows)
    assert len(read_dataset(f"hub:{folder}", {}).chats) == 2


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("hub:nobody/nothing", "nobody/nothing is not on this machine, and HF_HUB_OFFLINE is set"),
        ("hub:a b/c", "'a b/c' is neither a folder nor a name on the Hub"),
        ("hub:", "'hub:' names no dataset; write hub:OWNER/NAME"),
    ],
)
def test_a_dataset_that_is_not_there_is_told(name: str, told: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(RepairError) as error:
        read_dataset(name, {})
    assert told in str(error.value)


# ---- bad input


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"messages": [USER]}, {"messages": [USER]}], "line 1 of own.jsonl is no conversation: need an assistant's turn, got user (and 1 more like it)"),  # noqa: E501
        ([{"messages": [SAID]}], "need words of the assistant behind words of a user, got none"),
        ([{"messages": []}], "need an assistant's turn, got no turn"),
        ([{"messages": None}], "need messages to be a list of turns, got NoneType"),
        ([{"messages": ["hello"]}], "need each turn to be an object, got str"),
        ([{"messages": [{"role": "tool", "content": "x"}, SAID]}], "need each turn to be of system, user, assistant, got 'tool'"),  # noqa: E501
        ([{"messages": [{"role": "user", "content": [{"type": "image"}]}, SAID]}], "got a photo or the like"),
        ([{"question": "How?", "answer": None}], "need words in question and answer, got none in answer"),
        ([{"guide_id": 1, "title": "", "text": "Lift."}], "line 1 of own.jsonl is no step of a guide: it has no title"),
        ([{"ask": "How?", "reply": "So."}], "the columns of own.jsonl are ask, reply, and need to be one of: mess"),
        (["{not json"], "line 1 of own.jsonl is not JSON: expecting property name enclosed in double quotes at col"),
        ([{"messages": [USER, SAID]}, '"text"'], 'line 2 of own.jsonl is no object but "text"'),
        ([], "own.jsonl is empty"),
        (["", ""], "own.jsonl is empty"),
    ],
)  # fmt: skip
def test_what_holds_nothing_to_learn_is_told_in_one_sentence(tmp_path: Path, rows: list[object], told: str):
    with pytest.raises(RepairError) as error:
        read(lines(tmp_path / "own.jsonl", *rows))
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_bad_rows_among_good_ones_are_left_out_and_told(tmp_path: Path):
    contents = read(lines(tmp_path / "own.jsonl", {"messages": [USER, SAID]}, {"messages": [USER]}))
    assert len(contents.chats) == 1
    assert [problem.where for problem in contents.problems] == ["line 2 of own.jsonl"]


def test_a_column_that_is_named_must_be_there(tmp_path: Path):
    path = lines(tmp_path / "own.jsonl", {"ask": "How?", "reply": "So."})
    with pytest.raises(RepairError, match="own.jsonl has no column 'asks': it has ask, reply"):
        read(path, question="asks")
    with pytest.raises(RepairError, match="'qestion' is no column that is asked for; give one of answer"):
        read(path, qestion="ask")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path):
    with pytest.raises(RepairError, match="does not exist"):
        read(tmp_path / "none.jsonl")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(RepairError, match=r"notes.txt is no dataset that can be read; give a file that ends in .jsonl"):
        read(tmp_path / "notes.txt")
    (tmp_path / "photo.parquet").write_bytes(b"\xff\xd8\xff\xe0" * 10)
    with pytest.raises(RepairError, match="photo.parquet cannot be read as a dataset"):
        read(tmp_path / "photo.parquet")
    (tmp_path / "photo.jsonl").write_bytes(b"\xff\xd8\xff\xe0" * 10)
    with pytest.raises(RepairError, match="photo.jsonl is not UTF-8 text"):
        read(tmp_path / "photo.jsonl")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(RepairError, match="empty.csv is empty"):
        read(tmp_path / "empty.csv")
    (tmp_path / "heads.csv").write_text("question,answer\n")
    with pytest.raises(RepairError, match="heads.csv is empty"):
        read(tmp_path / "heads.csv")
    (tmp_path / "one.json").write_text('{\n  "messages": 3,\n')
    with pytest.raises(RepairError, match="one.json is not JSON: .* at line 3"):
        read(tmp_path / "one.json")


def test_guides_and_datasets_are_told_apart(tmp_path: Path):
    assert holds_guides(myfixit_file(tmp_path / "a.json", 1))
    (tmp_path / "one.json").write_text(json.dumps({"guideid": 3, "steps": []}, indent=2))
    assert holds_guides(tmp_path / "one.json")
    (tmp_path / "own.json").write_text(json.dumps({"id": guide("Dell", "fan").id, "steps": []}))
    assert holds_guides(tmp_path / "own.json")
    assert not holds_guides(lines(tmp_path / "b.jsonl", {"messages": [USER, SAID]}))
