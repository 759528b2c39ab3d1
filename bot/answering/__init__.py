"""What to answer to one turn: every step of the way, decided without writing anything.

The order is the promise: keywords, then danger, then who owns the thread, then understanding. The
words of danger are looked for in the whole text, before the guard shortens it and whoever owns the
thread; the engine may add to what they find or doubt it, and help never depends on it. This module
calls the engine and must therefore never run inside a write transaction; what it decides is carried
out by the inbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.answering import surge
from bot.answering.danger import emergencies
from bot.answering.work import Answer as Answer
from bot.answering.work import Mind as Mind
from bot.answering.work import Work as Work
from bot.base.errors import EngineError, NotPublished
from bot.base.languages import Language, chosen, identify
from bot.conversations import choices
from bot.conversations.engine import Guess, Understanding
from bot.conversations.models import Owner, TurnStatus
from bot.conversations.policy import MISSES, NEVER_SECOND, Grade, Verdict, alarm, decide, without_emergencies
from bot.conversations.reading import guard
from bot.conversations.reading.keywords import Keyword, is_assent, keyword
from bot.conversations.reading.safety import Hit
from bot.conversations.speaking import wording
from bot.conversations.speaking.replies import CALL_AT, LANGUAGE
from bot.deeds import wrong_person
from bot.deeds.disowning import disowned
from bot.deeds.shapes import chosen_deed
from bot.desk.cases import CALL_BACK
from bot.desk.reasons import reason
from bot.identity.steps import CHOICES, DEEDS, Step
from bot.identity.words import Wish, logs_out, wish
from bot.patients import references

PERSON = "speak_human"
"""The topic behind the button that leads to a person."""
ASSISTANT = "back_to_assistant"
"""The choice by which a patient takes the thread back from the team's queue."""
MEDIA = "media_not_read"
"""What is said of anything that is not text."""
PROVIDER_WORDS = {"STOP": Keyword.OPT_OUT, "START": Keyword.OPT_IN}
"""Twilio's OptOutType: with Advanced Opt-Out it hears words that an operator has set there."""
WISH = "patient_wish"
"""The reason for which somebody who asks for a person gets one."""
CHECKED = {Wish.CANCEL: Step.CANCEL, Wish.LOG_OUT: Step.LOG_OUT, Wish.NO_ACCESS: Step.NO_ACCESS}
"""What is heard at any moment of an identity check."""
CHECK_MESSAGE = "check_message"
"""The deed that judges a text somebody received."""
CHECK = "verify_intro"
"""Where this is not published, nobody can be verified yet."""
MONEY_MOVING = "money_moving"
POSSIBLE = "possible_danger"
TRIES = 3
"""A turn that failed unexpectedly this often is no longer understood, only apologised for."""


def answer(work: Work, mind: Mind) -> Answer:
    """The answer to a turn; never raises for an engine that fails, that is an answer of its own."""
    language = work.language if work.language_chosen else identify(references.hidden(work.text), work.language) or work.language
    work = replace(work, language=language)
    hits = () if work.is_press else emergencies(mind.lexicon, work.text)
    at_once = _keyword(work) or _known_danger(work, hits) or _choice(work)
    if at_once:
        return at_once
    if work.owner is Owner.STAFF:
        return Answer(work.language, status=TurnStatus.QUEUED)
    if work.attempts > TRIES:
        return _helped(work, hits) if hits else _failed(work)
    if work.is_awaited and not (hits or work.is_press or work.attached) and is_assent(work.text):
        return Answer(work.language, misses=work.misses)  # what they said yes to is on its way
    return (None if hits else _disowned(work) or _checked(work)) or _understood(work, mind, hits)


def speakable(said: Answer, content: Mapping[str, Any], *, is_verified: bool = False) -> Answer:
    """The answer without choices that nothing is published for; raises NotPublished when a text itself is missing."""
    wordings = content["wordings"]
    for name in said.say:
        if name not in wordings:
            raise NotPublished(f"No wording is published under the name {name}.")
        if wordings[name]["level"] != "public" and not is_verified:
            raise NotPublished(f"The wording {name} is for verified patients only.")
    offer = [topic for topic in said.offer if topic.startswith((LANGUAGE, CALL_AT)) or wording.has_label(content, topic)]
    return replace(said, offer=tuple(offer))


def _keyword(work: Work) -> Answer | None:
    if work.is_press:
        return None
    match PROVIDER_WORDS.get(work.keyword) or keyword(work.text, work.channel):
        case Keyword.OPT_OUT:
            return Answer(work.language, say=("opted_out",), opted_out=True, misses=work.misses)
        case Keyword.OPT_IN:
            return Answer(work.language, say=("opted_in",), opted_out=False, misses=work.misses)
    asked = chosen(work.text)
    return _language_fixed(work, asked) if asked else None


def _language_fixed(work: Work, language: Language) -> Answer:
    return Answer(language, say=("language_chosen",), fix_language=True, misses=work.misses)


def _known_danger(work: Work, hits: tuple[Hit, ...]) -> Answer | None:
    """Help for what the words tell where the engine is not asked: the thread is the team's, or nobody is to be told."""
    if not hits:
        return None
    first = hits[0]
    if work.owner is Owner.STAFF and _code(first) in work.known_reasons:
        return None  # the help was given and the case is marked; the team reads on
    if not reason(first.reason).told:
        return Answer(work.language, say=(first.wording,), reason=first.reason)
    return None if work.owner is Owner.BOT else _helped(work, hits)


def _disowned(work: Work) -> Answer | None:
    """Whoever reads at this contact is not the person we write to, or the person has died."""
    said = None if work.is_press else disowned(work.text, work.channel)
    if said is None or wrong_person.DEED not in work.content["wordings"]:
        return None
    return Answer(work.language, deed=wrong_person.DEED, details={"kind": said.value})


def _checked(work: Work) -> Answer | None:
    """What is for the identity check: its choices whoever has the thread, and while it runs every text."""
    topic = work.pressed.topic if work.pressed else choices.typed(work.text, work.last_choices)
    if topic in CHOICES:
        return Answer(work.language, identity=CHOICES[topic])
    if topic and (asked := chosen_deed(topic)):
        return Answer(work.language, deed=asked[0], details=asked[1])
    if not work.is_press and work.verified and logs_out(work.text):
        return Answer(work.language, identity=Step.LOG_OUT)
    if work.owner is not Owner.VERIFYING or (work.is_press and topic != PERSON):
        return None
    wanted = Wish.PERSON if topic == PERSON else wish(work.text)
    if wanted is Wish.PERSON:
        return _handed_over(Answer(work.language), (), WISH)
    return Answer(work.language, identity=CHECKED[wanted] if wanted else Step.WORDS)


def _helped(work: Work, hits: tuple[Hit, ...]) -> Answer:
    """Help first, then the hand-over. Two dangers at once get both texts, the more urgent first."""
    code = _code(hits[0])
    last_word = "still_with_team" if work.owner is Owner.STAFF else _hand_over_wording(code)
    help_texts = tuple(dict.fromkeys(hit.wording for hit in hits))[:2]
    return Answer(work.language, say=(*help_texts, last_word), reason=code, topics=help_texts, offer=(ASSISTANT,))


def _code(hit: Hit) -> str:
    """The reason of a hit; money that is moving now cannot wait as long as a link that was clicked."""
    return MONEY_MOVING if hit.reason == "phishing_clicked" and hit.priority == "P0" else hit.reason


def _choice(work: Work) -> Answer | None:
    if not work.is_press:
        # Where there are no buttons, whoever waits for a person types the choice.
        return _while_waiting(work, choices.typed(work.text, work.last_choices)) if work.owner is Owner.STAFF else None
    if work.pressed is None or work.pressed.expired:
        again = (work.pressed.topic,) if work.pressed else ()
        return Answer(work.language, say=("choice_expired",), offer=again, misses=work.misses)
    topic = work.pressed.topic
    if topic.startswith(LANGUAGE):
        return _language_fixed(work, Language(topic.removeprefix(LANGUAGE)))
    return _while_waiting(work, topic)


def _while_waiting(work: Work, topic: str | None) -> Answer | None:
    """What somebody may choose who waits for a person: the assistant again, or a call."""
    if topic == ASSISTANT:
        return Answer(work.language, say=(ASSISTANT,), hand_back=True)
    if topic == CALL_BACK:
        return surge.call_times(work) or Answer(work.language, say=(CALL_BACK,), reason=CALL_BACK, offer=(ASSISTANT,))
    if topic is not None and surge.is_call(topic):
        return Answer(work.language, reason=CALL_BACK, call=topic)
    return None


def _understood(work: Work, mind: Mind, hits: tuple[Hit, ...]) -> Answer:
    topic = work.pressed.topic if work.pressed else choices.typed(work.text, work.last_choices)
    if hits:
        topic = None
    if topic and (topic.startswith(LANGUAGE) or topic in (ASSISTANT, CALL_BACK) or surge.is_call(topic)):
        return _choice(replace(work, is_press=True, pressed=choices.Chosen(topic, expired=False))) or _failed(work)
    guarded = guard.clean(references.hidden(work.text), official=mind.official)
    if topic is None and guarded.empty:
        say = MEDIA if work.attached and MEDIA in work.content["wordings"] else "empty_turn"
        return Answer(work.language, say=(say,), offer=(PERSON,), misses=work.misses)
    try:
        patience = replace(mind, engine=mind.hurried) if hits and mind.hurried else mind
        answered = _said(work, mind, hits, _asked(work, patience, topic, guarded.text))
    except EngineError:
        return _helped(work, hits) if hits else _failed(work)
    if guarded.hidden and topic is None:
        answered = replace(answered, say=(*answered.say, "private_details"))
    if work.attached and MEDIA in work.content["wordings"]:
        answered = replace(answered, say=(*answered.say, MEDIA))
    return answered


def _asked(work: Work, mind: Mind, topic: str | None, text: str = "") -> Understanding:
    if topic:
        return mind.engine.press(work.engine_key, topic, work.language.value)
    return mind.engine.ask(work.engine_key, text, work.language.value)


def _failed(work: Work) -> Answer:
    return Answer(work.language, say=("apology",), reason="engine_failed", status=TurnStatus.FAILED, misses=work.misses)


def _said(work: Work, mind: Mind, hits: tuple[Hit, ...], understood: Understanding) -> Answer:
    found = alarm(understood.danger, understood.ranking, tuple(hit.category for hit in hits))
    base = Answer(work.language, ranking=understood.ranking, asked_engine=True)
    if found.grade is Grade.CERTAIN and hits:
        return replace(_helped(work, hits), ranking=understood.ranking, asked_engine=True)
    if found.grade is Grade.CERTAIN and found.danger:
        say = (found.danger, _hand_over_wording(found.danger))
        return replace(base, say=say, reason=found.danger, topics=(found.danger,), offer=(ASSISTANT,))
    if found.grade is Grade.NONE:
        return _told(work, mind, base, understood, understood.ranking)
    told = _told(work, mind, base, understood, without_emergencies(understood.ranking))
    gentle = f"possible_{found.danger}"
    said = (gentle, *told.say) if gentle in work.content["wordings"] else told.say
    return replace(told, say=said, mark=POSSIBLE)


def _told(work: Work, mind: Mind, base: Answer, understood: Understanding, ranking: tuple[Guess, ...]) -> Answer:
    """The answer to what was asked, going by this ranking; raises EngineError."""
    decision = decide(ranking, work.misses)
    match decision.verdict:
        case Verdict.GIVE_OVER:
            return _handed_over(base, (), "not_understood")
        case Verdict.CLARIFY:
            return _asked_back(base, work, decision.topics)
        case Verdict.ANSWER:
            torn = len(decision.topics) > 1
            topics = decision.topics if torn else _questions(understood, decision.topics[0])
            said = _each(work, mind, understood, topics)
            if torn and any(deed.name == "hand_over" for deed in said.do):  # only for what is surely meant
                again = work.misses + 1 >= MISSES
                return _handed_over(base, (), "not_understood") if again else _asked_back(base, work, topics)
            return replace(_obeyed(base, work, said), topics=topics)


def _questions(understood: Understanding, topic: str) -> tuple[str, ...]:
    """The topic and that of a second question in the same turn, if there is one."""
    more = [also for also in understood.also[:1] if also not in (topic, *NEVER_SECOND)]
    return (topic, *more) if topic == understood.ranking[0].topic else (topic,)


def _each(work: Work, mind: Mind, understood: Understanding, topics: tuple[str, ...]) -> Understanding:
    """What the engine says to these topics; the first is asked for again only when something else leads."""
    first, *rest = topics
    told = understood if first == understood.ranking[0].topic else _asked(work, mind, first)
    for topic in rest:
        more = _asked(work, mind, topic)
        told = replace(told, say=(*told.say, *more.say), do=(*told.do, *more.do))
    return told


def _asked_back(base: Answer, work: Work, topics: tuple[str, ...]) -> Answer:
    known = tuple(topic for topic in topics if work.content["wordings"].get(topic, {}).get("label"))
    return replace(base, say=("clarify" if known else "not_understood",), offer=(*known, PERSON), misses=work.misses + 1)


def _obeyed(base: Answer, work: Work, understood: Understanding) -> Answer:
    """Say what the engine says and do what it asks; a deed whose feature is not there is answered honestly."""
    deeds = {deed.name: deed.details for deed in understood.do}
    if "hand_over" in deeds:
        return _handed_over(base, understood.say, deeds["hand_over"].get("reason", ""))
    if "choose_language" in deeds:
        languages = tuple(f"{LANGUAGE}{language.value}" for language in Language)
        return replace(base, say=understood.say or ("choose_language",), offer=languages)
    if "clarify" in deeds:
        topics = tuple(guess.topic for guess in understood.ranking[:3] if guess.topic in work.content["wordings"])
        return _asked_back(base, work, topics)
    wanted = next((name for name in deeds if name in (*DEEDS, CHECK_MESSAGE)), "")
    if wanted and CHECK in work.content["wordings"]:
        return replace(base, say=understood.say, offer=_next_of(work.content, understood.say), deed=wanted)
    say = understood.say or ("not_here_yet",)
    return replace(base, say=say, offer=_next_of(work.content, say) or ((PERSON,) if deeds else ()))


def _handed_over(base: Answer, say: tuple[str, ...], code: str) -> Answer:
    before = tuple(name for name in say if not name.startswith("hand_over"))
    return replace(base, say=(*before, _hand_over_wording(code)), reason=reason(code).code, offer=(ASSISTANT,))


def _hand_over_wording(code: str) -> str:
    return "hand_over_urgent" if reason(code).priority <= 1 else "hand_over"


def _next_of(content: Mapping[str, Any], say: tuple[str, ...]) -> tuple[str, ...]:
    offered = [follower for name in say for follower in content["wordings"].get(name, {}).get("next", ())]
    return tuple(dict.fromkeys(offered))[:3]
