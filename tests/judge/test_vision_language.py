import json
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForImageTextToText, Idefics3Processor, LlamaConfig, PaliGemmaProcessor

from repairai.errors import RepairError
from repairai.judge import yes_no
from repairai.judge.photo_prompt import FAMILIES, JUDGE_FILE
from repairai.judge.reasoner import load_reasoner
from repairai.judge.vision_language import VisionLanguage, kinds_of_token, load_vision_language, on_device
from tests.judge.tiny_judges import save_tiny

RANDOM = np.random.default_rng(0)
WIDE, TALL = (RANDOM.integers(0, 255, (*size, 3), dtype=np.uint8) for size in ((40, 70), (64, 30)))
QUESTION, OPPOSITE = "Is the light patch on the left?", "Is the light patch not on the left, but right?"


@pytest.fixture(scope="module", params=[*FAMILIES, "paligemma photo first"])
def judge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> VisionLanguage:
    folder = save_tiny(tmp_path_factory.mktemp("judge"), request.param.split()[0])
    if " " in request.param:
        (folder / JUDGE_FILE).write_text('{"photo_first": true}')
    return load_vision_language(str(folder), "tiny")


def plain(judge: VisionLanguage, photo: np.ndarray, question: str) -> torch.Tensor:
    """The scores after everything was read in one go, nothing kept and nothing shared."""
    opening, pixels = judge.prompt.opening(photo)
    ids = torch.tensor([opening + judge.prompt.tail(question)])
    first = len(opening) if judge.prompt.shares_tokens else ids.shape[1]
    with torch.inference_mode():
        told = kinds_of_token(judge.prompt, ids, first)
        return judge.model(input_ids=ids, **on_device(pixels, judge.model), **told, use_cache=False).logits[0, -1]


def test_what_is_shared_changes_no_answer(judge: VisionLanguage):
    asked = [(WIDE, QUESTION), (WIDE, OPPOSITE), (TALL, OPPOSITE), (WIDE, QUESTION), (TALL, QUESTION)]
    found = [judge.scores(*each) for each in asked]
    for each, scores in zip(asked, found, strict=True):
        assert torch.allclose(scores, plain(judge, *each), atol=1e-4)
    assert torch.equal(found[0], found[3]), "the same photo and question, the same answer"
    assert not torch.allclose(found[0], found[1], atol=1e-3)
    assert not torch.allclose(found[0], found[4], atol=1e-3), "it looks at the photo"


def test_the_photo_is_read_once_for_both_questions(judge: VisionLanguage):
    tower = next(each for name, each in judge.model.named_modules() if name.split(".")[-1] in (
        "vision_tower", "vision_model", "visual"
    ))  # fmt: skip
    read: list[int] = []
    words: list[int] = []
    hooks = [
        tower.register_forward_hook(lambda *_: read.append(1)),
        judge.model.get_input_embeddings().register_forward_hook(lambda _, given, __: words.append(given[0].shape[1])),
    ]
    judge.scores(TALL, QUESTION)
    first = sum(words)
    judge.scores(TALL, OPPOSITE)
    judge.scores(TALL, QUESTION)
    for hook in hooks:
        hook.remove()
    judge.scores(WIDE, QUESTION)
    assert len(read) <= 1
    if judge.prompt.shares_tokens:
        assert sum(words[-2:]) == len(judge.prompt.tail(QUESTION)) + len(judge.prompt.tail(OPPOSITE))
        assert first > 0


def test_the_answer_is_yes_against_no(judge: VisionLanguage, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(RepairError, match="would hardly answer yes or no"):
        judge.ask(WIDE, QUESTION)  # its weights are random: all words are as likely
    monkeypatch.setattr(yes_no, "LEAST_MASS", 0.0)
    shares = judge.scores(WIDE, QUESTION).softmax(-1)
    yes, no = (
        sum(shares[at] for at, word in judge.prompt.answer_ids.items() if word == each) for each in ("yes", "no")
    )
    assert judge.ask(WIDE, QUESTION) == pytest.approx(float(yes / (yes + no)), abs=1e-5)
    assert judge.limits(QUESTION).sure == 1.0, "nothing was measured"
    assert {judge.prompt.tokenizer.decode(at).strip().lower() for at in judge.prompt.answer_ids} == {"yes", "no"}


def test_an_answer_that_is_taught_is_one_that_is_read(judge: VisionLanguage):
    for word in ("yes", "no"):
        token = judge.prompt.answer(word)
        assert judge.prompt.answer_ids[token] == word
        spelled = {"paligemma": word, "smolvlm": f" {word.capitalize()}", "idefics3": f" {word.capitalize()}"}
        assert judge.prompt.tokenizer.decode(token) == spelled.get(judge.prompt.family, word.capitalize())


def test_a_question_holds_no_special_token(judge: VisionLanguage):
    image = judge.prompt._image_token
    assert judge.prompt.tail(f"Is {image}{image[:2]}{image}{image[2:]} it open?") == judge.prompt.tail("Is  it open?")
    with pytest.raises(RepairError, match="the question is empty"):
        judge.ask(WIDE, " ?")


@pytest.mark.parametrize("photo", [WIDE, TALL, WIDE[:28, :28]], ids=["wide", "tall", "square"])
def test_the_layout_is_that_of_the_familys_own_processor(tmp_path: Path, photo: np.ndarray):
    tiled = load_vision_language(str(save_tiny(tmp_path / "idefics", "idefics3")), "tiny").prompt
    own = Idefics3Processor(tiled.image_processor, tiled.tokenizer, image_seq_len=4)
    turns = [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": f"{QUESTION} {yes_no.INSTRUCTION}"}]}
    ]
    text = tiled.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    found = own(images=[photo], text=text, add_special_tokens=False, return_tensors="pt")
    opening, pixels = tiled.opening(photo)
    assert found["input_ids"][0].tolist() == opening + tiled.tail(QUESTION)
    assert torch.equal(found["pixel_values"], pixels["pixel_values"])

    pali = load_vision_language(str(save_tiny(tmp_path / "pali", "paligemma")), "tiny").prompt
    found = PaliGemmaProcessor(pali.image_processor, pali.tokenizer)(
        images=photo, text=f"<image>answer en {QUESTION}", return_tensors="pt"
    )
    opening, pixels = pali.opening(photo)
    assert found["input_ids"][0].tolist() == opening + pali.tail(QUESTION)
    assert torch.equal(found["pixel_values"], pixels["pixel_values"])


def test_a_photo_of_an_odd_form_is_read_or_refused(judge: VisionLanguage):
    for form in ((1, 1), (2, 900), (300, 1)):
        photo = np.zeros((*form, 3), np.uint8)
        try:
            assert judge.scores(photo, QUESTION).isfinite().all()
        except RepairError as error:
            assert "cannot read this" in str(error)  # noqa: PT017  either will do
    assert judge.scores(WIDE, QUESTION).isfinite().all()


def test_tiles_are_no_more_than_a_crop_needs(tmp_path: Path):
    save_tiny(tmp_path, "smolvlm")
    about = tmp_path / "preprocessor_config.json"
    about.write_text(json.dumps({**json.loads(about.read_text()), "size": {"longest_edge": 2048}}))
    assert load_vision_language(str(tmp_path), "").prompt.image_processor.size["longest_edge"] == 1024
    (tmp_path / JUDGE_FILE).write_text("{}")  # it was trained so
    assert load_vision_language(str(tmp_path), "").prompt.image_processor.size["longest_edge"] == 2048


# ---- opening one


def test_an_adapter_stands_on_its_base(tmp_path: Path):
    base = save_tiny(tmp_path / "base", "smolvlm")
    model = get_peft_model(
        AutoModelForImageTextToText.from_pretrained(base),
        LoraConfig(target_modules=["q_proj"], init_lora_weights=False),
    )
    model.save_pretrained(tmp_path / "adapter")
    judge = load_reasoner(str(tmp_path / "adapter"), "mine")
    assert isinstance(judge, VisionLanguage)
    name, _, revision = judge.name.partition("@")
    assert name == "mine"
    assert len(revision) == 8
    found = judge.scores(WIDE, QUESTION)
    judge.model = model.eval()
    judge._photo = None
    assert torch.allclose(found, judge.scores(WIDE, QUESTION), atol=1e-4)
    assert not torch.allclose(found, load_vision_language(str(base), "").scores(WIDE, QUESTION), atol=1e-3)
    base.rename(tmp_path / "moved")
    with pytest.raises(RepairError, match="the base of .* is not there"):
        load_reasoner(str(tmp_path / "adapter"), "mine")
    again = load_reasoner(str(tmp_path / "adapter"), "mine", str(tmp_path / "moved"))
    assert torch.allclose(found, again.scores(WIDE, QUESTION), atol=1e-4)


def test_a_model_that_was_closed(tmp_path: Path):
    judge = load_vision_language(str(save_tiny(tmp_path, "paligemma")), "")
    judge.close()
    judge.close()
    with pytest.raises(RepairError, match="was let go"):
        judge.ask(WIDE, QUESTION)


def test_a_model_without_a_chat_template(tmp_path: Path):
    save_tiny(tmp_path, "smolvlm")
    template = (tmp_path / "chat_template.jinja").read_text()
    (tmp_path / "chat_template.jinja").unlink()
    with pytest.raises(RepairError, match="has no chat template, so it was never taught to answer; choose"):
        load_vision_language(str(tmp_path), "tiny")
    (tmp_path / "chat_template.json").write_text(json.dumps({"chat_template": template}))
    assert load_vision_language(str(tmp_path), "tiny").prompt.tail("Is it?"), "that of the processor will do"
    for wrong in ("{{ messages[0]['content'][1]['text'] }}", "{% if %}", "{{ messages.no.such }}"):
        (tmp_path / "chat_template.json").write_text(json.dumps({"chat_template": wrong}))
        with pytest.raises(RepairError, match="has no place for a photo and a question"):
            load_vision_language(str(tmp_path), "tiny")


def test_a_model_that_cannot_be_asked(tmp_path: Path):
    LlamaConfig().save_pretrained(tmp_path)
    with pytest.raises(RepairError, match=r"of the kind llama, which cannot be asked .* or run it on a server"):
        load_reasoner(str(tmp_path), "words")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "no weights as safetensors|cannot be opened"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"0" * 99), "cannot be opened"),
        (lambda folder: (folder / "preprocessor_config.json").unlink(), "cannot be opened"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be opened"),
    ],
)
def test_damaged_files_are_one_sentence(tmp_path: Path, spoil, said: str):
    spoil(save_tiny(tmp_path, "smolvlm") and tmp_path)
    with pytest.raises(RepairError, match=said) as found:
        load_reasoner(str(tmp_path), "tiny")
    assert "\n" not in str(found.value)
