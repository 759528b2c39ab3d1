"""The policy, over every ranking an engine could send."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.conversations.engine import Guess
from bot.conversations.policy import (
    BELIEVED_AT,
    CHOICES,
    MISSES,
    NEVER_OFFERED,
    NEVER_SECOND,
    URGENT,
    URGENT_AT,
    Alarm,
    Grade,
    Verdict,
    alarm,
    decide,
    without_emergencies,
)

TOPICS = ("what_happened", "data_types", "out_of_scope", "greeting_thanks", *URGENT)


@st.composite
def rankings(draw: st.DrawFn) -> list[Guess]:
    topics = draw(st.lists(st.sampled_from(TOPICS), unique=True, max_size=5))
    weights = [draw(st.floats(0, 1)) for _ in topics]
    total = max(sum(weights), 1.0)
    guesses = [Guess(topic, weight / total) for topic, weight in zip(topics, weights, strict=True)]
    return sorted(guesses, key=lambda guess: -guess.confidence)


def dangers(confidence: float, topic: str = "extortion") -> list[Guess]:
    return [Guess(topic, confidence)]


LEAST = {Grade.NONE: 0, Grade.POSSIBLE: 1, Grade.CERTAIN: 2}


@given(rankings())
def test_without_a_detector_likely_emergencies_are_acted_on(ranking: list[Guess]) -> None:
    likely = sum(guess.confidence for guess in ranking if guess.topic in URGENT)
    assert (alarm((), ranking).grade is Grade.CERTAIN) == (likely >= URGENT_AT)


@given(rankings(), st.floats(0, 1), st.floats(0, 1))
def test_more_confidence_never_lessens_an_alarm(ranking: list[Guess], one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert LEAST[alarm(dangers(low), ranking).grade] <= LEAST[alarm(dangers(high), ranking).grade]


@given(rankings(), st.floats(0, 1))
def test_words_of_danger_are_never_passed_over(ranking: list[Guess], doubt: float) -> None:
    found = alarm(dangers(doubt), ranking, ("self_harm",))
    assert found == Alarm(Grade.CERTAIN if doubt >= BELIEVED_AT else Grade.POSSIBLE, "self_harm")
    assert alarm((), ranking, ("self_harm",)).grade is Grade.CERTAIN


@given(rankings(), st.floats(0, 1))
def test_an_alarm_names_its_danger(ranking: list[Guess], confidence: float) -> None:
    found = alarm(dangers(confidence), ranking)
    assert (found.danger in URGENT) == (found.grade is not Grade.NONE)


@given(rankings())
def test_what_else_is_asked_holds_no_emergency_and_stays_a_ranking(ranking: list[Guess]) -> None:
    rest = without_emergencies(ranking)
    assert not {guess.topic for guess in rest} & set(URGENT)
    assert sum(guess.confidence for guess in rest) <= 1 + 1e-9
    assert [guess.topic for guess in rest] == [guess.topic for guess in ranking if guess.topic not in URGENT]


@given(rankings(), st.integers(0, 5))
def test_what_is_offered_is_few_and_makes_sense_on_a_button(ranking: list[Guess], misses: int) -> None:
    decision = decide(ranking, misses)
    if decision.verdict is Verdict.CLARIFY:
        assert len(decision.topics) <= CHOICES
        assert not NEVER_OFFERED & set(decision.topics)


@given(rankings())
def test_the_second_miss_in_a_row_never_asks_back(ranking: list[Guess]) -> None:
    assert decide(ranking, MISSES - 1).verdict is not Verdict.CLARIFY


def test_a_clear_topic_is_answered_either_of_two_with_both_and_a_vague_turn_asked_back() -> None:
    assert decide([Guess("what_happened", 0.9), Guess("data_types", 0.1)], 0).topics == ("what_happened",)
    torn = decide([Guess("what_happened", 0.5), Guess("data_types", 0.45)], 0)
    assert (torn.verdict, torn.topics) == (Verdict.ANSWER, ("what_happened", "data_types"))
    vague = decide([Guess("what_happened", 0.35), Guess("data_types", 0.25), Guess("ransom", 0.2)], 0)
    assert (vague.verdict, vague.topics) == (Verdict.CLARIFY, ("what_happened", "data_types", "ransom"))


@given(rankings(), st.integers(0, 5))
def test_two_topics_are_answered_only_where_neither_needs_a_sure_sign(ranking: list[Guess], misses: int) -> None:
    topics = decide(ranking, misses).topics
    answered = decide(ranking, misses).verdict is Verdict.ANSWER and len(topics) > 1
    assert len(topics) <= CHOICES
    assert not (answered and set(topics) & NEVER_SECOND)


def test_what_is_probably_none_of_our_matters_is_said_to_be_so() -> None:
    unsure = [Guess("what_happened", 0.4), Guess("out_of_scope", 0.25), Guess("adversarial", 0.1)]
    assert decide(unsure, 0).topics == ("out_of_scope",)
    assert decide([Guess("what_happened", 0.8), Guess("out_of_scope", 0.2)], 0).topics == ("what_happened",)


def test_nothing_understood_is_asked_back_once_and_then_given_over() -> None:
    assert decide([], 0).verdict is Verdict.CLARIFY
    assert decide([], 1).verdict is Verdict.GIVE_OVER
