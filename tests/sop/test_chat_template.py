import pytest
from tokenizers.processors import TemplateProcessing

from repairai.errors import RepairError
from repairai.sop.chat_template import DEFAULT_TEMPLATE, end_of_turn, render, template_of
from repairai.sop.prompts import Message
from tests.sop.tiny_llama import END, tiny_tokenizer

TURNS: list[Message] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "How?"},
    {"role": "assistant", "content": "So."},
]
REFUSING = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
DROPPING = "{% for m in messages %}{% if m.role != 'system' %}{{ m.role }}: {{ m.content }}\n{% endif %}{% endfor %}"


def test_a_model_without_a_template_gets_ours():
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = None
    assert template_of(tokenizer) == DEFAULT_TEMPLATE
    asked = render(tokenizer, TURNS[:2], add_generation_prompt=True)
    assert asked == "Be brief.\n\n### User:\nHow?\n\n### Assistant:\n"
    assert render(tokenizer, TURNS, add_generation_prompt=False) == f"{asked}So.{END}\n"
    assert end_of_turn(tokenizer) == END


def test_a_begin_token_stands_there_once_where_the_tokenizer_adds_one():
    tokenizer = tiny_tokenizer()
    tokenizer.add_special_tokens({"bos_token": "<begin>"})
    tokenizer.chat_template = None
    assert template_of(tokenizer) == DEFAULT_TEMPLATE, "this one does not begin texts with it"
    begin = ("<begin>", tokenizer.convert_tokens_to_ids("<begin>"))
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<begin> $A", special_tokens=[begin])
    assert render(tokenizer, TURNS, add_generation_prompt=False).count("<begin>") == 1
    assert render(tokenizer, TURNS, add_generation_prompt=False).startswith("<begin>Be brief.")


@pytest.mark.parametrize("template", [REFUSING, DROPPING])
def test_a_system_turn_that_is_not_known_goes_to_the_person(template: str):
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = template
    text = render(tokenizer, TURNS, add_generation_prompt=False)
    assert text.index("user") < text.index("Be brief.\n\nHow?") < text.index("So.")
    assert text.count("Be brief.") == 1


def test_the_prompt_is_how_the_whole_begins():
    tokenizer = tiny_tokenizer()
    for template in (None, REFUSING):
        tokenizer.chat_template = template
        asked = render(tokenizer, TURNS[:2], add_generation_prompt=True)
        assert render(tokenizer, TURNS, add_generation_prompt=False).startswith(asked)


def test_a_template_that_lets_a_model_think_is_told_not_to():
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = "{{ messages[0].content }}{% if enable_thinking %}<think>{% endif %}"
    assert "<think>" not in render(tokenizer, TURNS[:2], add_generation_prompt=True)


def test_no_guide_can_end_a_turn():
    tokenizer = tiny_tokenizer()
    cut = f"a{END[:2]}{END}{END[2:]}b"
    text = render(tokenizer, [{"role": "user", "content": cut}], add_generation_prompt=True)
    assert END not in text
    assert "ab" in text


def test_a_template_that_holds_no_question_is_one_sentence():
    tokenizer = tiny_tokenizer()
    for broken in ("{{ raise_exception('no') }}", "{% for"):
        tokenizer.chat_template = broken
        with pytest.raises(RepairError, match="cannot hold a question and its answer"):
            render(tokenizer, TURNS, add_generation_prompt=False)
