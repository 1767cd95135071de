"""Cards: their head as the Hub reads it, their tables, and nothing in them that somebody else can make of them."""

from dataclasses import replace

import pytest
from huggingface_hub import DatasetCard, ModelCard

from repairai.hub.card import model_card
from repairai.hub.card_use import pulled_name
from repairai.hub.card_words import Origin
from repairai.hub.data_card import DataFacts, DataSplit, data_card
from repairai.hub.facts import Figure, Judged, ModelFacts, Threshold
from tests.hub_server.server import HubServer

JUDGED = Judged(
    "mine is better than SmolLM2.", "60 questions", "repairai-exam-1", "test", "SmolLM2",
    (Figure("score", "score", 0.04, 0.78, 0.65, 0.85, 60), Figure("ap", "AP", None, 0.5)),
)  # fmt: skip
AGENT = ModelFacts(
    name="mine", kind="adapter", repo="me/mine", does="answers", base="HuggingFaceTB/SmolLM2-135M-Instruct",
    base_repo="HuggingFaceTB/SmolLM2-135M-Instruct", base_licence="apache-2.0", recipe=(("method", "lora"),),
    data="Train: 48 examples.", datasets=("me/data",), terms=("Their terms forbid it.",), hardware="RTX 3060",
    sources=(
        Origin("A guide", "CC BY-NC-SA 3.0", "https://www.ifixit.com/Guide/1", "1 guide", "Max"),
        Origin("Ours", "CC0-1.0"),
    ),
    hours=0.63, peak_gib=9.94, versions=(("torch", "2.13"),), judged=JUDGED, limits=("It cites wrongly.",),
    turns=(("system", "You help."), ("user", "[1] Lift it.\n\nQuestion: How do I lift it?")),
)  # fmt: skip
EYES = ModelFacts(
    name="eyes", kind="detector", repo="me/eyes", does="finds parts", base="the detector that comes with RepairAI",
    sources=(Origin("bench", "", "", "12 photos"),), parts=("screw", "hole"), has_onnx=True,
    measured_on="20 validation photos",
    thresholds=(Threshold("screw", 0.2, 0.61, 20), Threshold("hole", 0.3, None, 2, "too few photos")),
)  # fmt: skip
DATA = DataFacts(
    name="block", kind="photos", repo="me/block", said=("12 boxes.",), columns=(("image", "the photo"),),
    splits=(DataSplit("train", "train/**", 10), DataSplit("test", "test/**", 2, "", "background_test")),
    sources=(Origin("bench", "CC BY-NC-SA 3.0"),),
)  # fmt: skip


def test_the_hub_reads_the_head_of_a_models_card():
    head = ModelCard(model_card(AGENT)).data
    assert head.license == "cc-by-nc-sa-3.0", "the data's licence travels"
    assert (head.base_model, head.library_name, head.pipeline_tag) == (AGENT.base_repo, "peft", "text-generation")
    assert head.to_dict()["base_model_relation"] == "adapter"
    assert head.datasets == ["me/data"]
    assert head.tags == ["repairai", "repairai-adapter", "repair"]
    values = {each.metric_name: each.metric_value for each in head.eval_results}
    assert values == {"score": 0.78, "score, before (SmolLM2)": 0.04, "AP": 0.5}
    assert {each.dataset_split for each in head.eval_results} == {"test"}


def test_the_hub_takes_the_heads(hub: HubServer):
    for text in (model_card(AGENT), model_card(EYES), model_card(replace(EYES, kind="proposer"))):
        ModelCard(text).validate(repo_type="model")
    DatasetCard(data_card(DATA)).validate(repo_type="dataset")


def test_a_card_tells_all_that_a_reader_asks():
    text = model_card(AGENT)
    for said in (
        "# mine: an adapter on HuggingFaceTB/SmolLM2-135M-Instruct that answers",
        "| score | 0.040 | 0.780 | +0.650 to +0.850 | 60 |",
        "| A guide | 1 guide | CC BY-NC-SA 3.0 | Max | <https://www.ifixit.com/Guide/1> |",
        "| on | RTX 3060 |", "| took | 38 minutes |", "| memory at most | 9.9 GiB |", "| with | torch 2.13 |",
        "- It cites wrongly.", "Train: 48 examples.", "Their terms forbid it.",
        "So it goes on under **cc-by-nc-sa-3.0**: name the authors, as `sources.json` does; no commercial use; pass it",
        "The base model, HuggingFaceTB/SmolLM2-135M-Instruct, is under apache-2.0.",
        'python -m repairai ask "How do I lift it?" --model me/mine',
    ):  # fmt: skip
        assert said in text
    assert model_card(AGENT) == text


def test_a_detectors_card_tells_its_thresholds_and_how_it_is_pulled():
    text = model_card(EYES)
    assert "| screw | 20 | 0.200 | 0.610 |" in text
    assert "| hole | 2 | 0.300 | never |" in text
    assert "- hole stays undecided: too few photos." in text
    assert "python -m repairai models pull me/eyes" in text
    assert f'--require "4 screw" --detector {pulled_name("me/eyes")}' in text
    assert 'for part in look("photo.jpg", threshold=0.61):' in text
    assert ModelCard(text).data.license == "unknown"
    assert "Of a part of it nobody said a licence" in text
    assert "It was not measured" in text


def test_a_whole_model_and_one_that_proposes_say_so():
    whole = model_card(replace(AGENT, kind="agent", base_licence=""))
    assert ModelCard(whole).data.to_dict()["base_model_relation"] == "finetune"
    assert ModelCard(whole).data.library_name == "transformers"
    assert "peft" not in whole
    assert "The licence of the base model, HuggingFaceTB/SmolLM2-135M-Instruct, holds for this one, too" in whole
    proposes = model_card(replace(EYES, kind="proposer", thresholds=()))
    assert "it does not inspect" in proposes
    assert ModelCard(proposes).data.pipeline_tag == "zero-shot-object-detection"


EVIL = "![x](http://evil.example/x.png) <img src=x> | **b** `c`\n# head"


def test_nothing_from_outside_is_markdown():
    told = model_card(
        replace(
            AGENT, name=EVIL, base=EVIL, data=EVIL, hardware=EVIL, limits=(EVIL,), terms=(EVIL,),
            sources=(Origin(EVIL, EVIL, EVIL, EVIL, EVIL),), recipe=((EVIL, EVIL),),
            judged=replace(JUDGED, said=EVIL, on=EVIL, against=EVIL),
        )
    )  # fmt: skip
    told += data_card(replace(DATA, said=(EVIL,), sources=(Origin(EVIL, EVIL, EVIL),), limits=(EVIL,)))
    body = told.partition("\n---\n")[2]
    outside = "".join(part for part in body.split("```")[::2])
    assert "![x](" not in outside
    assert "<img" not in outside.replace("\\<img", "")
    assert "\n# head" not in outside


def test_code_of_a_card_stays_in_its_fence():
    turns = (("system", "```\nend"), ("user", 'Question: `rm -rf` "$HOME" | & ; ?'))
    text = model_card(replace(AGENT, turns=turns))
    assert 'python -m repairai ask "rm -rf HOME   ; ?" --model me/mine' in text
    code = text.split("````python\n")[1].split("\n````")[0]
    compile(code, "card", "exec")
    assert len(code.splitlines()) == 5


def test_a_data_sets_card_says_how_it_is_loaded():
    text = data_card(DATA)
    head = DatasetCard(text).data.to_dict()
    assert head["license"] == "cc-by-nc-sa-3.0"
    assert head["configs"] == [
        {"config_name": "default", "data_files": [{"split": "train", "path": "train/**"}]},
        {"config_name": "background_test", "data_files": [{"split": "test", "path": "test/**"}]},
    ]
    assert head["size_categories"] == ["n<1K"]
    assert "python -m repairai data pull me/block" in text
    assert "| train | 10 |" in text


@pytest.mark.parametrize(
    ("n", "size"), [(999, "n<1K"), (1000, "1K<n<10K"), (99_999, "10K<n<100K"), (2_000_000, "n>1M")]
)
def test_its_size_is_one_of_the_hubs(n: int, size: str):
    text = data_card(replace(DATA, splits=(DataSplit("train", "train/**", n),)))
    assert DatasetCard(text).data.to_dict()["size_categories"] == [size]
