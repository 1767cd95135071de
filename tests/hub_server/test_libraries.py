"""datasets and transformers, speaking to the Hub for tests through their own code."""

from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict, get_dataset_config_names, load_dataset
from datasets.exceptions import DatasetNotFoundError
from huggingface_hub import login
from PIL import Image
from tokenizers import Tokenizer, models
from transformers import AutoConfig, AutoModel, AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast

from .server import HubServer


def test_a_data_set_is_pushed_and_loaded(hub: HubServer):
    login(hub.add_user("me"))
    rows = Dataset.from_list([{"question": f"How {n}?", "answer": "So."} for n in range(20)])
    DatasetDict({"train": rows, "test": rows.select(range(3))}).push_to_hub("me/rows", private=True)
    assert hub.repo("dataset", "me/rows").private
    there = load_dataset("me/rows")
    assert {split: len(part) for split, part in there.items()} == {"train": 20, "test": 3}
    assert there["train"][7]["question"] == "How 7?"
    assert next(iter(load_dataset("me/rows", split="test", streaming=True)))["answer"] == "So."
    rows.push_to_hub("me/rows", config_name="small", private=True)
    assert get_dataset_config_names("me/rows") == ["default", "small"]
    hub.add_repo("dataset", "maker/hidden", {"train.jsonl": '{"a": 1}\n'}, private=True)
    with pytest.raises(DatasetNotFoundError):
        load_dataset("maker/hidden")


def test_data_that_lie_there_as_files_are_loaded(hub: HubServer, tmp_path: Path):
    hub.add_repo("dataset", "maker/lines", {"train.jsonl": '{"a": 1}\n{"a": 2}\n', "README.md": "# Lines\n"})
    assert load_dataset("maker/lines", split="train")["a"] == [1, 2]
    Image.new("RGB", (8, 6), "red").save(tmp_path / "one.png")
    notes = '{"file_name": "one.png", "label": "screw"}\n'
    hub.add_repo("dataset", "maker/photos", {"train/one.png": tmp_path / "one.png", "train/metadata.jsonl": notes})
    photos = load_dataset("maker/photos", split="train")
    assert (photos[0]["image"].size, photos[0]["label"]) == ((8, 6), "screw")


def test_a_model_is_pushed_and_loaded_by_name(hub: HubServer, tmp_path: Path):
    login(hub.add_user("me"))
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = BertModel(BertConfig(vocab_size=4, **shape))
    model.push_to_hub("me/tiny", private=True)
    own = Tokenizer(models.WordLevel({"[UNK]": 0, "screw": 1, "hole": 2, "[PAD]": 3}, unk_token="[UNK]"))
    PreTrainedTokenizerFast(tokenizer_object=own, unk_token="[UNK]", pad_token="[PAD]").push_to_hub("me/tiny")
    assert "model.safetensors" in hub.repo("model", "me/tiny").files()
    again = AutoModel.from_pretrained("me/tiny")
    assert again.num_parameters() == model.num_parameters()
    assert AutoConfig.from_pretrained("me/tiny").hidden_size == 16
    assert AutoTokenizer.from_pretrained("me/tiny")("hole")["input_ids"] == [2]
