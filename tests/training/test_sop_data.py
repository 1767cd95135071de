"""The data step as a whole: what it writes, what it keeps out, and that it writes nothing when something is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from repairai.errors import RepairError
from repairai.named_sets import DATA_SETS
from repairai.runs.order import own_exam
from repairai.sop.library import Library
from training.sop.examples import read_examples
from training.sop.sources import TERMS
from training.sop.split import normalised, texts_of
from training.sop_data import keep_exam, main, name_of
from training.sop_samples import main as show
from training.sop_samples import read_report, samples

from .sop_guides import guide, guides, myfixit_file
from .test_sop_tokens import CHATML, tokenizer

ROOT = Path(__file__).parents[2]
SIDES = ("train", "val", "exam")


@pytest.fixture
def source(tmp_path: Path) -> str:
    return str(myfixit_file(tmp_path / "myfixit.json"))


def built(name: str) -> dict[str, list]:
    return {side: read_examples(DATA_SETS.place() / name / f"{side}.jsonl") for side in SIDES}


def told(capsys: pytest.CaptureFixture[str]) -> str:
    """The last line on standard error, which is the one that says what is wrong."""
    return capsys.readouterr().err.strip().splitlines()[-1]


def left_behind() -> list[str]:
    place = DATA_SETS.place()
    return sorted(path.name for path in place.iterdir()) if place.is_dir() else []


def test_a_build_is_a_folder_with_five_files(source: str, capsys: pytest.CaptureFixture[str]):
    assert main([source, "--name", "first", "--show", "6"]) == 0
    folder = DATA_SETS.place() / "first"
    assert sorted(path.name for path in folder.iterdir()) == [
        "exam.jsonl", "report.json", "sources.json", "train.jsonl", "val.jsonl",
    ]  # fmt: skip
    assert left_behind() == ["first"]
    sides = built("first")
    report = read_report(folder)
    assert report["examples"]["train"]["how_to"] == sum(each.task == "how_to" for each in sides["train"])
    assert report["leaks"] == 0
    assert report["terms"] == []
    sources = json.loads((folder / "sources.json").read_text())["CC-BY-NC-SA-3.0"]
    assert sources["examples"] == sum(map(len, sides.values()))
    assert len(sources["guides"]) == 24
    assert sources["guides"][0] == {
        "id": "ifixit-10", "title": "Maker 0 Battery Replacement", "device": "Maker 0",
        "url": "https://www.ifixit.com/Guide/10", "author": "", "origin": "myfixit",
    }  # fmt: skip
    shown = capsys.readouterr()
    assert "how_to" in shown.out
    assert "leaks: 0 texts" in shown.out
    assert "[[Tools: spudger" in shown.out
    assert shown.out.count("---- ") == 6
    assert "making examples of guides: 24 of 24" in shown.err


def test_the_same_command_makes_the_same_files(source: str):
    assert main([source, "--name", "a"]) == main([source, "--name", "b"]) == 0
    for side in SIDES:
        assert (DATA_SETS.place() / "a" / f"{side}.jsonl").read_bytes() == (
            DATA_SETS.place() / "b" / f"{side}.jsonl"
        ).read_bytes()
    assert main([source, "--name", "c", "--seed", "8"]) == 0
    assert built("c")["train"] != built("a")["train"]
    assert {each.device for each in built("c")["exam"]} == {each.device for each in built("a")["exam"]}


def test_the_library_is_the_default_and_its_built_in_guides_stay_out(capsys: pytest.CaptureFixture[str]):
    assert main([]) == 2
    assert told(capsys).startswith("repairai: the library holds no guides but the built-in ones; import some")
    Library().add(guides(6))
    assert main(["--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["folder"] == str(DATA_SETS.place() / "guides")
    assert answer["origins"].keys() == {"file"}
    assert not any(each.guide_id.startswith("sample-") for each in built("guides")["train"])
    assert name_of("") == "guides-2"


def test_what_ifixit_gives_is_told_of_and_can_be_left_out(capsys: pytest.CaptureFixture[str]):
    Library().add(guides(4), "ifixit")
    Library().add([guide(f"Other {number}", "fan") for number in range(4)], "myfixit")
    assert main(["--name", "all"]) == 0
    assert TERMS in capsys.readouterr().out
    assert read_report(DATA_SETS.place() / "all")["origins"].keys() == {"ifixit", "myfixit"}
    assert main(["--name", "some", "--without-ifixit"]) == 0
    assert TERMS not in capsys.readouterr().out
    report = read_report(DATA_SETS.place() / "some")
    assert report["origins"].keys() == {"myfixit"}
    assert report["notes"] == ["8 guides were left out as asked"]
    assert "Maker" not in (DATA_SETS.place() / "some" / "sources.json").read_text()


def test_a_file_that_ifixit_gave_is_known_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "guides"
    folder.mkdir()
    for number in range(1, 5):
        lines = [{"text_raw": f"Remove the {number + 2} screws of lid {number}.", "bullet": "black", "level": 0}]
        steps = [{"stepid": 9, "orderby": 1, "title": "", "lines": lines}]
        about = {"guideid": number, "title": f"Maker {number} Lid Replacement", "category": f"Maker {number}"}
        (folder / f"{number}.json").write_text(json.dumps({**about, "subject": "Lid", "steps": steps}, indent=1))
    assert main([str(folder), "--name", "a"]) == 0
    assert TERMS in capsys.readouterr().out
    assert read_report(DATA_SETS.place() / "a")["origins"].keys() == {"ifixit"}
    assert main([str(folder), "--name", "b", "--without-ifixit"]) == 2
    assert (
        told(capsys) == "repairai: 4 guides were read and none is wanted: all of them are from iFixit; ask for others."
    )


def test_only_some_devices_or_guides(source: str, capsys: pytest.CaptureFixture[str]):
    assert main([source, "--name", "one", "--device", "MAKER 3", "--device", "Maker 4", "--guide", "ifixit-60"]) == 0
    devices = {each.device for side in SIDES for each in built("one")[side]}
    assert devices == {"Maker 3", "Maker 4", "Maker 5"}
    assert main([source, "--device", "Nothing"]) == 2
    assert told(capsys) == "repairai: 24 guides were read and none is wanted: none is for Nothing; ask for others."


def test_the_number_of_examples_is_limited(source: str):
    assert main([source, "--name", "few", "--limit-examples", "9"]) == 0
    assert {side: len(found) for side, found in built("few").items()}["train"] == 9
    assert len({each.task for each in built("few")["train"]}) > 3, "of all tasks"


def test_one_device_is_split_by_guide_and_it_is_said(capsys: pytest.CaptureFixture[str]):
    Library().add([guide("Only", part) for part in ("fan", "battery", "display", "hinge")])
    assert main(["--name", "one"]) == 0
    report = read_report(DATA_SETS.place() / "one")
    assert report["split_by"] == "guide"
    assert "fewer than 3 devices" in report["notes"][0]
    ids = {side: {each.guide_id for each in found} for side, found in built("one").items()}
    assert not ids["train"] & ids["exam"]
    assert not ids["train"] & ids["val"]


def test_one_guide_is_trained_on_and_what_is_missing_is_said(capsys: pytest.CaptureFixture[str]):
    Library().add([guide("Only", "fan")])
    assert main(["--name", "one", "--keep-exam"]) == 2
    assert "has no exam to keep" in told(capsys)
    assert main(["--name", "one"]) == 0
    assert sorted(path.name for path in (DATA_SETS.place() / "one").iterdir()) == [
        "report.json", "sources.json", "train.jsonl",
    ]  # fmt: skip
    assert [note.split(":")[0] for note in read_report(DATA_SETS.place() / "one")["notes"][1:]] == [
        "val is empty",
        "exam is empty",
    ]


def test_several_sources_come_together_and_a_guide_comes_once(source: str, tmp_path: Path):
    chats = tmp_path / "own.jsonl"
    rows = [{"question": f"How do I open model {n}?", "answer": f"Pry the lid off number {n}."} for n in range(40)]
    chats.write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder = tmp_path / "more"
    folder.mkdir()
    myfixit_file(folder / "again.json", 14)
    (folder / "notes.json").write_text('{"a": 1}')
    assert main([source, str(folder), str(chats), "--name", "all", "--licence", "MIT"]) == 0
    report = read_report(DATA_SETS.place() / "all")
    assert report["origins"]["own.jsonl"] == 40
    assert report["licences"]["MIT"] == 40
    assert sum(report["devices"].values()) == 14
    assert report["n_problems"] == 1
    assert report["problems"][0].startswith("the columns of notes.json are a")
    assert all(report["examples"][side].get("how_to") for side in SIDES), "conversations do not crowd out the exam"
    sources = json.loads((DATA_SETS.place() / "all" / "sources.json").read_text())
    assert sources["MIT"] == {"examples": 40, "guides": [], "datasets": ["own.jsonl"]}
    assert len(sources["CC-BY-NC-SA-3.0"]["guides"]) == 28


# ---- the person's own fixed exam


def test_the_fixed_exam_is_kept_once_and_never_trained_on(source: str, capsys: pytest.CaptureFixture[str]):
    assert main([source, "--name", "first", "--keep-exam"]) == 0
    assert "kept your fixed exam" in capsys.readouterr().out
    first = own_exam().read_bytes()
    assert first == (DATA_SETS.place() / "first" / "exam.jsonl").read_bytes()
    assert main([source, "--name", "other", "--keep-exam", "--seed", "5"]) == 0
    assert "stays as it is; --replace-exam replaces it" in capsys.readouterr().out
    assert own_exam().read_bytes() == first
    assert main([source, "--name", "other", "--replace-exam", "--seed", "5"]) == 0
    assert own_exam().read_bytes() == (DATA_SETS.place() / "other" / "exam.jsonl").read_bytes() != first


def test_devices_and_steps_of_the_fixed_exam_stay_out_wherever_they_come_from(source: str, tmp_path: Path):
    own_exam().parent.mkdir(parents=True)
    assert main([source, "--name", "plain"]) == 0
    on_train = built("plain")["train"]
    device = on_train[0].device
    fixed = [each for each in on_train if each.device == device]
    lines = (DATA_SETS.place() / "plain" / "train.jsonl").read_text().splitlines(keepends=True)
    own_exam().write_text("".join(line for line in lines if json.loads(line)["device"] == device))
    copied = next(each for each in fixed if each.task == "requirements").messages[1]["content"]
    Library().add([guide(f"New {number}", "fan", 4, (copied,)) for number in range(6)])
    assert main([source, "library", "--name", "held"]) == 0
    held = built("held")
    shown = {normalised(copied)}
    for side in ("train", "val"):
        assert device not in {each.device for each in held[side]}
        assert not any(shown & texts_of(each) for each in held[side]), "nor a step of it, copied into other guides"
    assert device in {each.device for each in held["exam"]}


def test_nothing_is_built_where_all_is_in_the_fixed_exam(source: str, capsys: pytest.CaptureFixture[str]):
    assert main([source, "--name", "first"]) == 0
    own_exam().parent.mkdir(parents=True)
    own_exam().write_text("".join((DATA_SETS.place() / "first" / f"{side}.jsonl").read_text() for side in SIDES))
    assert main([source, "--name", "second"]) == 2
    assert told(capsys).startswith("repairai: no example is left to train on: all of them are in your fixed exam")
    assert left_behind() == ["first"]


def test_a_build_without_an_exam_gives_none(tmp_path: Path):
    with pytest.raises(RepairError, match="has no exam to keep"):
        keep_exam(tmp_path, again=False)


# ---- through a chat template


@pytest.fixture
def model(tmp_path: Path) -> str:
    made: PreTrainedTokenizerFast = tokenizer(CHATML)
    made.save_pretrained(tmp_path / "model")
    return str(tmp_path / "model")


def test_tokens_are_counted_by_the_models_own_tokenizer(source: str, model: str, capsys: pytest.CaptureFixture[str]):
    assert main([source, "--name", "counted", "--model", model, "--length-tokens", "400"]) == 0
    report = read_report(DATA_SETS.place() / "counted")
    assert report["counted_with"] == model
    lengths = report["lengths"]["train"]
    n_train = sum(report["examples"]["train"].values())
    assert sum(lengths["histogram"]) == n_train
    assert lengths["longest_tokens"] > 400
    assert 0 < lengths["answers_cut"] <= n_train
    assert any("of the answers are cut" in note for note in report["notes"])
    assert f"answers ({lengths['answers_cut'] / n_train:.1%})" in capsys.readouterr().out


def test_samples_show_what_is_trained_on(source: str, model: str, capsys: pytest.CaptureFixture[str]):
    assert main([source, "--name", "a"]) == 0
    folder = DATA_SETS.place() / "a"
    assert {each.task for each in samples(folder, 5)} == {"how_to", "next_step", "tools", "requirements", "refusal"}
    capsys.readouterr()
    assert show([str(folder), "--model", model, "--n", "2"]) == 0
    out = capsys.readouterr().out
    assert "<|im_start|>assistant\n[[" in out
    assert out.count("<|im_end|>]]") == 2, "the end token is trained"
    assert show([str(folder), "--model", model, "--n", "1", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    spans = answer["samples"][0]["spans"]
    assert [span["trained"] for span in spans] == [False, True]
    assert answer["samples"][0]["source"]["licence"] == "CC-BY-NC-SA-3.0"
    assert answer["name"] == "a"


def test_samples_of_what_is_not_there_are_refused(tmp_path: Path, source: str, capsys: pytest.CaptureFixture[str]):
    assert show([str(tmp_path)]) == 2
    assert "holds no data that were built here" in told(capsys)
    assert main([source, "--name", "a"]) == 0
    assert show([str(DATA_SETS.place() / "a"), "--model", str(tmp_path / "none")]) == 2
    assert "neither a folder nor a name on the Hub" in told(capsys)
    (DATA_SETS.place() / "a" / "report.json").write_text("{")
    assert show([str(DATA_SETS.place() / "a")]) == 2
    assert "is damaged" in told(capsys)


# ---- whole or not at all


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["nowhere.json"], "nowhere.json does not exist; give the library, a file or folder of guides"),
        (
            ["https://www.ifixit.com/Guide/x/1"],
            "is a web address; run `guides import https://www.ifixit.com/Guide/x/1`",
        ),
        (["SOURCE", "--name", "../x"], "'../x' is no name for data"),
        (["SOURCE", "--name", "x" * 65], "is no name for data"),
        (["SOURCE", "--model", "./nothing"], "'./nothing' is neither a folder nor a name on the Hub"),
        (["SOURCE", "--length-tokens", "4"], "argument --length-tokens: need a whole number from 64 on, got 4"),
        (["SOURCE", "--column", "question"], "argument --column: need OURS=THEIRS, got question"),
        (["SOURCE", "--colour", "red"], "unrecognized arguments: --colour red"),
        (["EMPTY"], "empty.jsonl is empty"),
        (["EMPTY.json"], "empty.json is empty"),
        (["FOLDER"], "holds no guides: none of its 0 files is JSON"),
        (["CHAT"], "line 1 of chat.jsonl is no conversation: need an assistant's turn, got user"),
        (["WRONG"], "the columns of wrong.jsonl are ask, reply, and need to be one of"),
        (["BROKEN"], "line 1 of broken.jsonl is not JSON"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    words: list[str], what: str, source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "chat.jsonl").write_text('{"messages": [{"role": "user", "content": "?"}]}\n')
    (tmp_path / "wrong.jsonl").write_text('{"ask": "?", "reply": "!"}\n')
    (tmp_path / "broken.jsonl").write_text("{oh\n")
    named = {"SOURCE": source, "EMPTY": "empty.jsonl", "EMPTY.json": "empty.json", "FOLDER": "folder"}
    named |= {"CHAT": "chat.jsonl", "WRONG": "wrong.jsonl", "BROKEN": "broken.jsonl"}
    arguments = [str(tmp_path / named[word]) if word in named else word for word in words]
    assert main(arguments) == 2
    last = told(capsys)
    assert last.startswith("repairai: ")
    assert what in last
    assert left_behind() == []


def test_a_full_disk_leaves_what_was_there(source: str, small_disk: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setenv("REPAIRAI_HOME", str(small_disk))
    assert main([source, "--name", "a", "--limit-examples", "20"]) == 0
    before = {path.name: path.read_bytes() for path in (DATA_SETS.place() / "a").iterdir()}
    (small_disk / "big").write_bytes(b"x" * (os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_bsize - 40_000))
    capsys.readouterr()
    assert main([source, "--name", "a"]) == 2
    assert "the disk is full" in told(capsys)
    assert {path.name: path.read_bytes() for path in (DATA_SETS.place() / "a").iterdir()} == before
    assert left_behind() == ["a"], "nothing half-written stays"


def test_a_build_of_the_same_name_is_replaced_whole(source: str):
    assert main([source, "--name", "a", "--device", "Maker 1"]) == 0
    assert main([source, "--name", "a"]) == 0
    assert len({each.device for each in built("a")["train"]}) > 5
    assert left_behind() == ["a"]


def test_the_script_tells_its_progress_as_json_and_is_stopped_clean(shared: Path):
    command = [sys.executable, "-m", "training.sop_data", str(shared / "myfixit"), "--progress-json", "--json"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    first = json.loads(process.stderr.readline())
    assert first["what"].startswith("reading ")
    assert first.keys() == {"done", "total", "what"}
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143
    assert left_behind() == []
