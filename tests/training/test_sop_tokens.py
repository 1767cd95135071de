"""Examples as tokens, through tokenizers that are trained here and chat templates of the families' shapes."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from repairai.errors import RepairError
from repairai.sop.prompts import SYSTEM, Message
from training.sop.examples import Example
from training.sop.tokens import IGNORED, Tokens, give_template, load_tokenizer, preview, tokens

LLAMA3 = """{{ bos_token }}{% for m in messages %}<|start|>{{ m['role'] }}<|end|>

{{ m['content'] | trim }}<|eot|>{% endfor %}{% if add_generation_prompt %}<|start|>assistant<|end|>

{% endif %}"""
CHATML = """{% for m in messages %}<|im_start|>{{ m['role'] }}
{{ m['content'] }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
MISTRAL = """{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]\
{% elif m['role'] == 'assistant' %} {{ m['content'] }}{{ eos_token }}\
{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"""
DEAF = MISTRAL.replace("{{ raise_exception('Only user and assistant roles are supported!') }}", "")
"""Leaves a system's turn out without a word."""
THINKING = """{% for m in messages %}<|im_start|>{{ m['role'] }}
{% if m['role'] == 'assistant' and loop.last %}<think>

</think>

{% endif %}{{ m['content'] }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking is defined and enable_thinking is false %}<think>

</think>

{% endif %}{% endif %}"""
OTHERWISE = CHATML.replace("<|im_start|>assistant\n{% endif %}", "<|im_start|>bot\n{% endif %}")
"""Opens a turn that is to be answered otherwise than it writes one that was."""
ENDLESS = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"  # noqa: E501
TEMPLATES = {
    "llama3": (LLAMA3, "<|eot|>"),
    "chatml": (CHATML, "<|im_end|>"),
    "mistral": (MISTRAL, "</s>"),
    "deaf": (DEAF, "</s>"),
    "thinking": (THINKING, "<|im_end|>"),
    "otherwise": (OTHERWISE, "<|im_end|>"),
    "endless": (ENDLESS, "</s>"),
    "plain": (None, "</s>"),
    "mistral, spaces as signs": (MISTRAL, "</s>"),
    "otherwise, spaces as signs": (OTHERWISE, "<|im_end|>"),
}
SPECIAL = ["<s>", "</s>", "<|start|>", "<|end|>", "<|eot|>", "<|im_start|>", "<|im_end|>"]
ANSWER = "Tools: spudger, tweezers\n1. Remove the four 3 mm Phillips screws. [1]\n2. Lift the lid. [2]"
QUESTION = "# Lid (Dell)\n[1] Remove the four 3 mm Phillips screws.\n[2] Lift the lid.\n\nQuestion: How do I open it?"
EXAMPLE = Example(
    "how_to",
    "Dell",
    "ifixit-1",
    (
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": ANSWER},
    ),
)


def tokenizer(template: str | None, end: str | None = "</s>", signs: bool = False) -> PreTrainedTokenizerFast:
    """A byte-level BPE like those of Llama 3 and Qwen, or one like Mistral's first; trained on the example itself."""
    model = Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    if signs:
        model.pre_tokenizer, model.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
        alphabet = sorted(set("\n#[]<>/:'" + MISTRAL + SYSTEM + QUESTION + ANSWER))
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    model.train_from_iterator([SYSTEM, QUESTION, ANSWER], trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=model, bos_token="<s>", eos_token=end)
    made.add_special_tokens({"additional_special_tokens": SPECIAL[2:]})
    made.chat_template = template
    return made


@pytest.fixture(params=TEMPLATES)
def family(request: pytest.FixtureRequest) -> tuple[str, PreTrainedTokenizerFast, int]:
    template, end = TEMPLATES[request.param]
    made = tokenizer(template, signs="signs" in request.param)
    return request.param, made, made.convert_tokens_to_ids(end)


def trained(found: Tokens, by: PreTrainedTokenizerFast) -> str:
    return by.decode([label for label in found.labels if label != IGNORED])


def test_the_answer_and_its_end_are_trained_and_nothing_else(family):
    name, by, end = family
    found = tokens(EXAMPLE, by, 4096)
    assert trained(found, by).strip() == ANSWER + by.decode([end])
    assert found.labels[-1] == found.input_ids[-1] == end, "the end token is the last one"
    assert found.labels.count(end) == 1
    assert len(found.labels) == len(found.input_ids)
    assert not found.cut
    assert not found.prompt_cut
    places = [place for place, label in enumerate(found.labels) if label != IGNORED]
    assert places == list(range(places[0], len(found.labels))), "one run of trained tokens, at the end"
    assert [found.input_ids[place] for place in places] == [found.labels[place] for place in places]


def test_what_stands_before_the_answer_is_what_the_agent_is_asked(family):
    name, by, _ = family
    found = tokens(EXAMPLE, by, 4096)
    prompt = found.input_ids[: found.labels.count(IGNORED)]
    give_template(by)
    system, user, _ = EXAMPLE.messages
    turns = [system, user]
    if name.startswith(("mistral", "deaf")):
        turns = [{"role": "user", "content": f"{SYSTEM}\n\n{QUESTION}"}]
    asked = by.apply_chat_template(turns, tokenize=False, add_generation_prompt=True, enable_thinking=False)
    assert prompt == by(asked, add_special_tokens=False)["input_ids"]
    assert SYSTEM in by.decode(prompt), "the system's words are never lost"
    assert prompt.count(by.bos_token_id) <= 1


def test_a_template_that_thinks_is_answered_at_once(family):
    name, by, _ = family
    assert "<think>" not in trained(tokens(EXAMPLE, by, 4096), by)


def test_no_guide_can_end_a_turn(family):
    name, by, _ = family
    sly = [dict(message) for message in EXAMPLE.messages]
    sly[1]["content"] = sly[1]["content"].replace("Lift", "<|im_end|><|eot|></s>Lift")
    sly[2]["content"] = sly[2]["content"].replace("Lift", "Lift<|im_end|><|eot|></s>")
    example = Example("how_to", "", "", tuple(sly))
    if name.startswith("otherwise"):
        with pytest.raises(RepairError, match="changes the words of the answer"):
            tokens(example, by, 4096)
    else:
        assert tokens(example, by, 4096) == tokens(EXAMPLE, by, 4096)


def test_a_longer_conversation_trains_the_last_answer_alone(family):
    _, by, end = family
    first, second = {"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Remove the lid."}
    example = Example("chat", "", "", (first, second, *EXAMPLE.messages[1:]))
    found = tokens(example, by, 4096)
    assert trained(found, by).strip() == ANSWER + by.decode([end])


LONG = Example("how_to", "", "", (*EXAMPLE.messages[:2], {"role": "assistant", "content": f"{ANSWER}\n" * 20}))


def test_an_answer_that_is_too_long_loses_its_end_and_its_end_token(family):
    _, by, end = family
    whole = tokens(LONG, by, 4096)
    length = len(whole.input_ids) - 5
    found = tokens(LONG, by, length)
    assert (found.cut, found.prompt_cut) == (True, False)
    assert found.input_ids == whole.input_ids[:length]
    assert found.labels == whole.labels[:length]
    assert end not in found.labels


def test_an_answer_that_just_fits_is_not_cut(family):
    _, by, _ = family
    whole = tokens(LONG, by, 4096)
    assert tokens(LONG, by, len(whole.input_ids)) == whole
    assert tokens(LONG, by, len(whole.input_ids) - 1).input_ids == whole.input_ids[:-1]


def test_a_prompt_that_is_too_long_loses_its_middle_not_the_answer(family):
    _, by, end = family
    long: Message = {"role": "user", "content": QUESTION.replace("Lift", "Lift " * 500)}
    example = Example("how_to", "", "", (EXAMPLE.messages[0], long, EXAMPLE.messages[2]))
    whole = tokens(example, by, 10_000)
    answer = len(whole.labels) - whole.labels.count(IGNORED)
    found = tokens(example, by, answer * 8)
    assert len(found.input_ids) == answer * 8
    assert trained(found, by).strip() == ANSWER + by.decode([end]), "the answer is whole: it fits an eighth"
    assert (found.cut, found.prompt_cut) == (False, True)
    assert found.input_ids[:5] == whole.input_ids[:5]
    tight = tokens(example, by, answer * 4)
    assert (tight.cut, tight.prompt_cut) == (True, True)
    assert len(tight.labels) - tight.labels.count(IGNORED) == answer * 4 // 8
    assert end not in tight.labels


def test_the_preview_shows_every_token_and_which_are_trained(family):
    name, by, end = family
    spans = preview(EXAMPLE, by)
    assert [span.trained for span in spans] == [False, True]
    assert spans[1].text.strip() == ANSWER + by.decode([end])
    assert "Question: How do I open it?" in spans[0].text


def test_a_template_is_given_once():
    by = tokenizer(None)
    assert give_template(by)
    assert not give_template(by)
    assert tokens(EXAMPLE, by, 4096) == tokens(EXAMPLE, tokenizer(None), 4096)
    assert not give_template(tokenizer(CHATML))


def test_a_tokenizer_without_an_end_is_refused():
    with pytest.raises(RepairError, match="would never stop"):
        tokens(EXAMPLE, tokenizer(ENDLESS, end=None), 4096)
    assert tokens(EXAMPLE, tokenizer(CHATML, end=None), 4096).labels[-1] != IGNORED, "the template brings its own"


def test_turns_that_a_template_refuses_are_told():
    strict = "{{ raise_exception('Roles must alternate!') }}"
    with pytest.raises(RepairError, match="cannot hold a question and its answer"):
        tokens(EXAMPLE, tokenizer(strict), 4096)
    with pytest.raises(ValueError, match="need length_tokens from 8"):
        tokens(EXAMPLE, tokenizer(CHATML), 4)


def test_a_tokenizer_is_loaded_or_its_absence_told(tmp_path: Path):
    tokenizer(CHATML).save_pretrained(tmp_path / "model")
    loaded = load_tokenizer(str(tmp_path / "model"))
    assert tokens(EXAMPLE, loaded, 4096) == tokens(EXAMPLE, tokenizer(CHATML), 4096)
    with pytest.raises(RepairError, match="neither a folder nor a name on the Hub"):
        load_tokenizer(str(tmp_path / "none"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(RepairError, match="holds no tokenizer that can be read"):
        load_tokenizer(str(tmp_path / "empty"))
    with pytest.raises(RepairError, match="is not on this machine, and |there is no model"):
        load_tokenizer("nobody/no-such-model")
