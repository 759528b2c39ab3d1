"""The policy, over every ranking an engine could send."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.conversations.engine import Guess
from bot.conversations.policy import CHOICES, MISSES, NEVER_OFFERED, URGENT, URGENT_AT, Verdict, decide

TOPICS = ("what_happened", "data_types", "out_of_scope", "greeting_thanks", *URGENT)


@st.composite
def rankings(draw: st.DrawFn) -> list[Guess]:
    topics = draw(st.lists(st.sampled_from(TOPICS), unique=True, max_size=5))
    weights = [draw(st.floats(0, 1)) for _ in topics]
    total = max(sum(weights), 1.0)
    guesses = [Guess(topic, weight / total) for topic, weight in zip(topics, weights, strict=True)]
    return sorted(guesses, key=lambda guess: -guess.confidence)


@given(rankings(), st.integers(0, 5))
def test_danger_that_is_likely_enough_is_always_acted_on(ranking: list[Guess], misses: int) -> None:
    likely = sum(guess.confidence for guess in ranking if guess.topic in URGENT)
    assert (decide(ranking, misses).verdict is Verdict.URGENT) == (likely >= URGENT_AT)


@given(rankings(), st.integers(0, 5))
def test_what_is_offered_is_few_and_makes_sense_on_a_button(ranking: list[Guess], misses: int) -> None:
    decision = decide(ranking, misses)
    if decision.verdict is Verdict.CLARIFY:
        assert len(decision.topics) <= CHOICES
        assert not NEVER_OFFERED & set(decision.topics)


@given(rankings())
def test_the_second_miss_in_a_row_never_asks_back(ranking: list[Guess]) -> None:
    assert decide(ranking, MISSES - 1).verdict is not Verdict.CLARIFY


def test_a_clear_topic_is_answered_and_a_close_race_asked_back() -> None:
    assert decide([Guess("what_happened", 0.9), Guess("data_types", 0.05)], 0).verdict is Verdict.ANSWER
    close = decide([Guess("what_happened", 0.5), Guess("data_types", 0.45)], 0)
    assert (close.verdict, close.topics) == (Verdict.CLARIFY, ("what_happened", "data_types"))


def test_nothing_understood_is_asked_back_once_and_then_given_over() -> None:
    assert decide([], 0).verdict is Verdict.CLARIFY
    assert decide([], 1).verdict is Verdict.GIVE_OVER
