"""Findings of questions of state to HTML, pure: where a judge looked, how sure it is, and the person's own answer."""

from __future__ import annotations

from html import escape

from repairai.schema import Finding, Reason, State

HALF = 50
"""Percent at which a judge says nothing."""
ANSWERS = {"yes": "Yes, it is", "no": "No, it is not"}
"""What the buttons say."""
PRESS = """
let last = null;
element.addEventListener("click", event => {
  const pressed = event.target.closest("button[data-answer]");
  if (!pressed) return;
  last = {at: pressed.dataset.at, answer: pressed.dataset.answer};
  trigger("click", last);
});
// The verdict is written anew when it was answered: the focus comes back to the button that was pressed.
watch("value", () => {
  if (!last || (document.activeElement && document.activeElement !== document.body)) return;
  const {at, answer} = last;
  const own = element.querySelector(`button[data-at="${CSS.escape(at)}"][data-answer="${CSS.escape(answer)}"]`);
  last = null;
  if (own) own.focus({preventScroll: true});
});
"""
"""A press on an answer becomes an event that names the finding and the answer, and nothing else."""


def details(finding: Finding, at: int, crop: str = "", asks: bool = False) -> str:
    """Return the line below a finding of a state; empty where there is nothing to show.

    Args:
        finding: Of a question of state.
        at: Its number in the verdict.
        crop: Address of a picture of where the judge looked; empty for none.
        asks: Whether the person can answer it.
    """
    if not isinstance(finding.requirement, State):
        return ""
    sure = "" if finding.probability is None else probability(finding.probability, finding.reason)
    buttons = answers(finding.requirement, at, said_by_person(finding)) if asks else ""
    if not (crop or sure or buttons):
        return ""
    return (
        f'<tr class="state" data-question="{escape(finding.requirement.question)}"><td colspan="3"><div class="looked">'
        f"{_picture(crop) if crop else ''}<div>{sure}{buttons}</div></div></td></tr>"
    )


def probability(share: float, reason: Reason) -> str:
    """Return what a judge says and how sure it is, as a bar from no to yes and in words.

    Args:
        share: The probability of yes.
        reason: Of the finding: where it decides nothing, the judge only leans to an answer.
    """
    answer, percent = ("yes", round(100 * share)) if share > 0.5 else ("no", round(100 * (1 - share)))
    if reason in ("state_met", "state_missed"):
        said = f"{percent} % sure: {answer}"
    elif percent == HALF:
        said = "neither"
    else:
        said = f"the judge: {answer}, {percent} %" if reason == "person_said" else f"leans to {answer}: {percent} %"
    return (
        f'<div class="sure" role="img" aria-label="{said}"><span aria-hidden="true">no</span>'
        f'<span class="track wide" aria-hidden="true"><span class="tone-elsewhere" style="width:{100 * share:.0f}%">'
        f'</span><i style="left:50%"></i></span><span aria-hidden="true">yes</span>'
        f'<strong aria-hidden="true">{said}</strong></div>'
    )


def _picture(address: str) -> str:
    return (
        f'<figure class="crop"><img src="{address}" alt="The part of the photo where the judge looked">'
        "<figcaption>It looked here</figcaption></figure>"
    )


def answers(requirement: State, at: int, said: str = "") -> str:
    """Return the buttons by which a person answers a question.

    Args:
        requirement: The question.
        at: Number of its finding.
        said: What the person has answered; empty for nothing yet.
    """
    buttons = "".join(
        f'<button type="button" class="answer-{answer}" data-at="{at}" data-answer="{answer}" '
        f'aria-pressed="{str(answer == said).lower()}">{words}</button>'
        for answer, words in ANSWERS.items()
    )
    led = "You answered; another press changes it:" if said else "Look for yourself, and say what you see:"
    return (
        f'<div class="person" role="group" aria-label="{escape(requirement.question)}"><p class="fine">{led}</p>'
        f"<div>{buttons}</div></div>"
    )


def said_by_person(finding: Finding) -> str:
    """Return a person's answer to a finding's question; empty where none was given."""
    if finding.reason != "person_said" or not isinstance(finding.requirement, State):
        return ""
    wanted = finding.requirement.expected
    other = "no" if wanted == "yes" else "yes"
    return wanted if finding.outcome == "PASS" else other
