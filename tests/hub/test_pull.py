"""Pulling from the Hub: shown first, fetched whole, checked, going on where it stopped, and nothing that can run."""

import json
import os
from pathlib import Path

import pytest

from repairai.errors import RepairError
from repairai.files import PULLED, pulled
from repairai.hub import pull
from repairai.hub.account import log_in
from repairai.hub.contents import folder_name, in_words, repo_of, sorted_out, what_of
from repairai.hub.pulled import pulled_data, pulled_models
from repairai.hub_faults import Unreachable
from tests.hub_server.server import HubServer

DETECTOR = {"model_type": "rt_detr_v2", "architectures": ["RTDetrV2ForObjectDetection"]}
WEIGHTS = os.urandom(3_000_000)


def detector(hub: HubServer, name: str = "me/eyes", **more) -> str:
    """A repository with a detector and much that is not fetched; its commit comes back."""
    contents = {
        "README.md": "---\nlicense: apache-2.0\ntags: [repairai]\n---\n# Eyes\n",
        "config.json": json.dumps(DETECTOR),
        "preprocessor_config.json": "{}",
        "limits.json": "{}",
        "empty.txt": "",
        "model.safetensors": WEIGHTS,
        "model.onnx": WEIGHTS[:1000],
        "pytorch_model.bin": b"pickle",
        "modeling_eyes.py": "print('no')",
        "onnx/model_fp16.onnx": b"more",
        "photos.zip": b"zip",
        "run.sh": "rm",
    }
    return hub.add_repo("model", name, {**contents, **more}).head.oid


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.parent.glob(".*")]


def test_a_plan_says_what_would_come_and_what_would_not(hub):
    commit = detector(hub)
    planned = pull.plan("me/eyes")
    assert (planned.what, planned.revision, planned.licence) == ("detector", commit, "apache-2.0")
    assert dict(planned.files)["model.safetensors"] == 3_000_000
    assert planned.total_bytes == sum(n for _, n in planned.files) > 3_001_000
    why = dict(planned.left_out)
    assert why["pytorch_model.bin"] == "a pickle, which can hold a program"
    assert why["modeling_eyes.py"] == why["run.sh"] == "a program, which is never run here"
    assert why["photos.zip"] == "an archive, in which anything may be"
    assert why["onnx/model_fp16.onnx"] == "it lies in a folder that is not read here"
    assert not hub.asked("GET", "model.safetensors"), "nothing is fetched yet"


def test_it_comes_whole_and_says_where_from(hub, home):
    commit = detector(hub)
    planned = pull.plan("me/eyes")
    seen: list[tuple[int, int]] = []
    folder = pull.fetch(planned, lambda done, total, words: seen.append((done, total)))
    assert folder == home / "models" / "me--eyes" == pulled("me/eyes")
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert {path.name for path in folder.iterdir()} == {path for path, _ in planned.files} | {PULLED}
    assert hidden(folder) == []
    assert seen[-1] == (planned.total_bytes, planned.total_bytes)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    (known, where), *others = pulled_models()
    assert not others
    assert (known.repo, known.revision, known.what, where) == ("me/eyes", commit, "detector", folder)
    assert pulled("me/eyes", "0" * 40) is None
    asked = len(hub.asked("GET", "resolve"))
    assert pull.fetch(pull.plan("me/eyes")) == folder
    assert len(hub.asked("GET", "resolve")) == asked + 1, "only its settings are asked for again"


def test_one_that_was_cut_off_goes_on(hub, home):
    detector(hub)
    planned = pull.plan("me/eyes")
    hub.misbehave(path="model.safetensors", method="GET", after_bytes=1_000_000)
    hub.misbehave(503, path="model.safetensors", method="GET", times=None)
    with pytest.raises(Unreachable, match="out of order: it answers 503; try again"):
        pull.fetch(planned)
    assert pulled("me/eyes") is None
    assert pulled_models() == ()
    hub.behave()
    (part,) = (home / "models" / ".pulling-me--eyes").glob("*.part")
    assert part.stat().st_size >= 1_000_000
    begun = part.stat().st_size
    hub.log.clear()
    seen: list[int] = []
    folder = pull.fetch(pull.plan("me/eyes"), lambda done, total, words: seen.append(done))
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert min(seen) >= begun
    assert not [each for each in hub.asked("GET", "resolve") if "limits.json" in each.path], "what was whole is kept"
    assert hidden(folder) == []


def test_one_cut_off_again_and_again_goes_on_by_itself(hub):
    detector(hub)
    hub.misbehave(path="model.safetensors", method="GET", after_bytes=1_100_000, times=None)
    assert (pull.fetch(pull.plan("me/eyes")) / "model.safetensors").read_bytes() == WEIGHTS


def test_a_person_who_has_had_enough_stops_it(hub, home):
    detector(hub)

    def enough(done: int, total: int, words: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull.fetch(pull.plan("me/eyes"), enough)
    assert pulled("me/eyes") is None
    assert pull.fetch(pull.plan("me/eyes")).is_dir()


def test_a_newer_revision_brings_what_changed_alone(hub):
    detector(hub)
    first = pull.plan("me/eyes")
    folder = pull.fetch(first)
    newer = hub.commit(hub.repo("model", "me/eyes"), {"limits.json": '{"a": 1}', "new.txt": "x"})
    hub.log.clear()
    assert pull.fetch(pull.plan("me/eyes")) == folder
    assert {each.path.rpartition("/")[2] for each in hub.asked("GET", "resolve")} == {
        "limits.json", "new.txt", "config.json"
    }  # fmt: skip
    assert (folder / "limits.json").read_text() == '{"a": 1}'
    assert pulled_models()[0][0].revision == newer
    old = pull.plan("me/eyes", revision=first.revision)
    assert old.revision == first.revision
    pull.fetch(old)
    assert not (folder / "new.txt").exists()


def test_what_a_person_has_changed_is_not_written_over(hub):
    detector(hub)
    folder = pull.fetch(pull.plan("me/eyes"))
    hub.commit(hub.repo("model", "me/eyes"), {"limits.json": '{"a": 1}'})
    (folder / "limits.json").write_text("mine")
    with pytest.raises(RepairError, match=r"limits.json in .* was changed since me/eyes was pulled"):
        pull.fetch(pull.plan("me/eyes"))
    assert (folder / "limits.json").read_text() == "mine"
    (folder / PULLED).unlink()
    with pytest.raises(RepairError, match="did not come from the Hub"):
        pull.fetch(pull.plan("me/eyes"))


def test_a_file_that_is_not_what_it_should_be_is_not_taken(hub, home):
    detector(hub)
    planned = pull.plan("me/eyes")
    blob = hub.repo("model", "me/eyes").files()["model.safetensors"]
    hub.store.lfs_path(blob.sha256).write_bytes(b"x" * 3_000_000)
    with pytest.raises(RepairError, match="does not come as the Hub says"):
        pull.fetch(planned)
    assert pulled("me/eyes") is None


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"pytorch_model.bin": b"x", "config.json": "{}"}, "as pytorch_model.bin alone, a pickle"),
        ({"config.json": "{}"}, "has no weights in safetensors"),
        ({"model.gguf": b"x"}, "has no weights in safetensors"),
    ],
)
def test_a_model_without_safetensors_is_refused(hub, files, said):
    hub.add_repo("model", "you/unsafe", files)
    with pytest.raises(RepairError, match=said):
        pull.plan("you/unsafe")


def test_what_may_not_be_had_is_said_in_a_sentence(hub, home):
    detector(hub, "you/gated")
    detector(hub, "you/eyes")
    hub.repo("model", "you/gated").gated = "manual"
    hub.add_repo("model", "you/secret", {"model.safetensors": b"x"}, private=True)
    for repo, revision, said in (
        ("you/gated", "main", "given only to those who asked"),
        ("you/secret", "main", "there is no model you/secret on the Hub, or it is private"),
        ("you/none", "main", "there is no model you/none"),
        ("you/eyes", "v9", "has no revision 'v9'"),
        ("no name", "main", "is no name on the Hub"),
    ):
        with pytest.raises(RepairError, match=said) as caught:
            pull.plan(repo, revision=revision)
        assert "\n" not in str(caught.value)
    assert not (home / "models").exists()
    hub.add_organisation("you2")
    log_in(hub.add_user("you"))
    assert pull.plan("you/gated").gated
    assert pull.plan("you/secret").files


def test_a_disk_without_room_is_told_before_anything_comes(hub, small_disk, monkeypatch):
    detector(hub)
    monkeypatch.setenv("REPAIRAI_HOME", str(small_disk))
    with pytest.raises(RepairError, match=r"me/eyes needs 2.9 MiB more, and \d+.\d KiB are free"):
        pull.fetch(pull.plan("me/eyes"))
    assert not hub.asked("GET", "model.safetensors")


def test_a_disk_that_fills_on_the_way_loses_nothing(hub, small_disk, monkeypatch):
    detector(hub)
    monkeypatch.setenv("REPAIRAI_HOME", str(small_disk))
    with monkeypatch.context() as patch:
        patch.setattr(pull, "_refuse_full", lambda *_: None)
        with pytest.raises(RepairError, match="the disk is full"):
            pull.fetch(pull.plan("me/eyes"))
    assert pulled("me/eyes") is None
    assert (small_disk / "models" / ".pulling-me--eyes").is_dir()


def test_an_adapter_names_its_base(hub):
    adapter = {"base_model_name_or_path": "you/base", "peft_type": "LORA"}
    files = {"adapter_config.json": json.dumps(adapter), "adapter_model.safetensors": b"x"}
    hub.add_repo("model", "me/agent", files)
    planned = pull.plan("me/agent")
    assert (planned.what, planned.base) == ("adapter", "you/base")
    hub.add_repo("model", "me/lost", {**files, "adapter_config.json": '{"base_model_name_or_path": "/home/x/base"}'})
    assert pull.plan("me/lost").base == ""


def test_built_data_have_their_name_of_here(hub, home):
    files = {"train.jsonl": "{}\n", "report.json": '{"name": "mine", "sources": []}', "sources.json": "{}"}
    hub.add_repo("dataset", "me/steps", files)
    planned = pull.plan("me/steps", "dataset")
    assert planned.what == "sop-data"
    folder = pull.fetch(planned)
    assert folder == home / "data" / "sop" / "me--steps"
    assert json.loads((folder / "report.json").read_text())["name"] == "me--steps"
    assert pull.fetch(pull.plan("me/steps", "dataset")) == folder
    hub.commit(hub.repo("dataset", "me/steps"), {"val.jsonl": "{}\n"})
    pull.fetch(pull.plan("me/steps", "dataset"))
    assert (folder / "val.jsonl").is_file()
    assert [known.repo for known, _ in pulled_data()] == ["me/steps"]


def test_names_that_lead_out_of_the_folder_are_left_out():
    wrong = [
        "../a.json",
        "/etc/a.json",
        "a/../../b.json",
        "C:\\a.json",
        "a\\b.json",
        "a//b.json",
        "x\n.json",
        "d:a.json",
    ]
    wanted, left_out = sorted_out([*wrong, "train/a.jpg", ".gitattributes", PULLED], "dataset")
    assert wanted == ["train/a.jpg"]
    assert [why for path, why in left_out if path in wrong] == ["its name leads out of the folder"] * len(wrong)


@pytest.mark.parametrize(
    ("kind", "paths", "tags", "settings", "what"),
    [
        ("model", ["config.json"], [], {"model_type": "d_fine"}, "detector"),
        ("model", [], [], {"architectures": ["GroundingDinoForObjectDetection"]}, "proposer"),
        ("model", [], [], {"model_type": "grounding-dino", "id2label": {"0": "screw"}}, "detector"),
        ("model", [], [], {"model_type": "sam2", "architectures": ["Sam2Model"]}, "segmenter"),
        ("model", [], [], {"architectures": ["LlamaForCausalLM"]}, "agent"),
        ("model", [], [], {"architectures": ["SmolVLMForConditionalGeneration"]}, "judge"),
        ("model", [], [], {"architectures": ["T5ForConditionalGeneration"]}, "model"),
        ("model", ["adapter_config.json"], [], {}, "adapter"),
        ("dataset", ["train/metadata.jsonl"], [], {}, "photos"),
        ("dataset", ["a.parquet"], ["repairai-photos"], {}, "photos"),
        ("dataset", ["guides.jsonl"], [], {}, "guides"),
        ("dataset", ["a.csv"], [], {}, "data"),
    ],
)
def test_what_a_repository_holds(kind, paths, tags, settings, what):
    assert what_of(kind, paths, tags, settings) == what


def test_words():
    assert in_words(0) == "0 bytes"
    assert in_words(1536) == "1.5 KiB"
    assert in_words(3 * 2**30) == "3.00 GiB"
    assert folder_name("gpt2") == "hub--gpt2"
    assert [repo_of(folder_name(name)) for name in ("gpt2", "me/eyes-2")] == ["gpt2", "me/eyes-2"]
    assert pulled("gpt2") is None
