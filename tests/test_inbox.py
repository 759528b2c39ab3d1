"""The inbox over real databases: every step of a turn's way, and what a crash in between leaves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import func, select

from bot.answering import TRIES, Mind
from bot.base.audit import AuditEntry, content_of
from bot.base.database import Database
from bot.base.errors import EngineSlow, EngineUnavailable, NotPublished
from bot.base.settings import REPOSITORY
from bot.base.vault import Vault
from bot.conversations.engine import Deed, Guess
from bot.conversations.models import Owner, PatientSession, Reply, Thread, Turn, TurnStatus
from bot.conversations.policy import MISSES
from bot.conversations.reading.safety import Lexicon
from bot.conversations.speaking.publication import Library
from bot.conversations.threads import LEASE, RENEW_ENGINE_KEY_AFTER, take_lease
from bot.desk.cases import unresolved
from bot.desk.models import Case, CaseReason
from bot.inbox import Inbox
from tests.make import FakeClock
from tests.people import FakeEngine, Patient, make_inbox, publish, small_content, understood

LEXICON = Lexicon.load(REPOSITORY / "data" / "safety.yml")


@dataclass
class World:
    """A database with a publication, an engine that can be told what to say, and one patient."""

    database: Database
    vault: Vault
    clock: FakeClock
    engine: FakeEngine
    inbox: Inbox
    patient: Patient

    def cases(self) -> list[Case]:
        with self.database.reading() as session:
            return unresolved(session)

    def thread(self) -> Thread:
        with self.database.reading() as session:
            return session.get_one(Thread, self.patient.thread_id)

    def turns(self) -> list[Turn]:
        with self.database.reading() as session:
            return list(session.scalars(select(Turn).order_by(Turn.number)))

    def count(self, table: type) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def make_world(database: Database, vault: Vault, clock: FakeClock) -> Callable[..., World]:
    def make(channel: str = "web") -> World:
        publish(database, small_content(), clock())
        engine = FakeEngine()
        inbox = make_inbox(database, vault, clock, engine, LEXICON)
        return World(database, vault, clock, engine, inbox, Patient(database, vault, inbox, clock, channel))

    return make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


# ------------------------------------------------------------------ answers


def test_a_question_gets_the_published_answer_with_its_buttons(world: World) -> None:
    assert world.patient.says("what is going on at the clinic") == ["<what_happened en>"]
    assert set(world.patient.choices()) == {"data_types button en"}
    [turn] = world.turns()
    assert (turn.status, turn.topic, turn.confidence) == (TurnStatus.ANSWERED, "what_happened", 0.95)
    assert world.cases() == []


def test_no_write_transaction_is_open_while_the_engine_thinks(world: World) -> None:
    world.patient.says("what is going on at the clinic")
    world.patient.presses(world.patient.choices()["data_types button en"])
    assert len(world.engine.asked) == len(world.engine.pressed) == 1
    assert not world.engine.called_while_writing


def test_the_answer_is_in_the_language_of_the_turn(world: World) -> None:
    assert world.patient.says("診所發生咩事呀？我好擔心") == ["<what_happened zh-Hant>"]
    assert world.patient.says("我想知道诊所的系统到底怎么了") == ["<what_happened zh-Hans>"]
    assert world.thread().language == "zh-Hans"


def test_a_language_chosen_by_word_stays_whatever_is_written_next(world: World) -> None:
    assert world.patient.says("繁體中文") == ["<language_chosen zh-Hant>"]
    assert world.patient.says("what is going on at the clinic") == ["<what_happened zh-Hant>"]


def test_what_the_guard_hides_never_reaches_the_engine_and_the_patient_is_told(world: World) -> None:
    said = world.patient.says("my HKID is A123456(3) was it taken")
    assert said == ["<what_happened en>\n\n<private_details en>"]
    assert "123456" not in world.engine.asked[0][1]


@pytest.mark.parametrize("blank", ["", "   ", "\u200b\u200d", "😀🙏", "?!…"])
def test_a_turn_without_words_gets_a_friendly_answer_and_no_engine(world: World, blank: str) -> None:
    assert world.patient.says(blank) == ["<empty_turn en>"]
    assert world.engine.asked == []


def test_turns_are_answered_in_the_order_they_came(world: World) -> None:
    for words in ("first question here", "second question here", "third question here"):
        world.patient.writes(words)
    assert world.inbox.answer(world.patient.thread_id) == 3
    assert [text for _, text, _ in world.engine.asked] == ["first question here", "second question here", "third question here"]
    replies = [line.number for line in world.patient.lines() if line.kind == "reply"]
    assert replies == [4, 5, 6]


def test_a_pressed_button_follows_its_topic_without_understanding(world: World) -> None:
    world.patient.says("what is going on at the clinic")
    world.engine.answers = lambda topic: understood(topic, 1.0)
    assert world.patient.presses(world.patient.choices()["data_types button en"]) == ["<data_types en>"]
    assert [topic for _, topic, _ in world.engine.pressed] == ["data_types"]


def test_a_button_can_be_typed_by_its_number(world: World) -> None:
    world.patient.says("what is going on at the clinic")
    world.engine.answers = lambda topic: understood(topic, 1.0)
    assert world.patient.says("1") == ["<data_types en>"]


def test_a_button_of_an_ended_session_is_refused_and_offered_anew(world: World) -> None:
    world.patient.says("what is going on at the clinic")
    old = world.patient.choices()["data_types button en"]
    world.clock.advance(hours=1)
    assert world.patient.presses(old) == ["<choice_expired en>"]
    assert world.engine.pressed == []
    assert set(world.patient.choices()) == {"data_types button en"}


def test_a_button_of_a_superseded_publication_is_refused(world: World) -> None:
    world.patient.says("what is going on at the clinic")
    old = world.patient.choices()["data_types button en"]
    publish(world.database, small_content(facts={"new": {"value": "x", "as_of": None}}), world.clock.advance(seconds=1))
    assert world.patient.presses(old) == ["<choice_expired en>"]


def test_a_button_of_somebody_else_is_refused(world: World) -> None:
    world.patient.says("what is going on at the clinic")
    stranger = Patient(world.database, world.vault, world.inbox, world.clock)
    assert stranger.presses(world.patient.choices()["data_types button en"]) == ["<choice_expired en>"]
    assert world.engine.pressed == []


def test_each_reply_remembers_its_publication_and_is_proven(world: World) -> None:
    world.patient.says("what is going on at the clinic")
    with world.database.reading() as session:
        [reply] = session.scalars(select(Reply))
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.kind == "reply.said"))
    content = content_of(entry, world.vault)
    assert content is not None
    assert (content["publication"], content["say"]) == (reply.publication_id, ["what_happened"])
    assert "clinic" not in str(content)


# ------------------------------------------------------------------ not understood


def test_an_unclear_turn_is_asked_back_with_topics_and_a_person(world: World) -> None:
    world.engine.answers = lambda _: understood("what_happened", 0.3, ("data_types", 0.25))
    assert world.patient.says("hm so the thing with the data") == ["<clarify en>"]
    assert list(world.patient.choices()) == ["what_happened button en", "data_types button en", "speak_human button en"]
    assert world.cases() == []


def test_a_turn_that_is_one_of_two_is_answered_for_both(world: World) -> None:
    torn = understood("what_happened", 0.5, ("data_types", 0.4))
    world.engine.answers = lambda words: understood("data_types") if words == "data_types" else torn
    assert world.patient.says("hm so the thing with the data") == ["<what_happened en>\n\n<data_types en>"]


def test_no_person_is_called_for_what_is_only_one_of_two(world: World) -> None:
    torn = understood("what_happened", 0.5, ("data_types", 0.4))
    calling = understood("data_types", do=(Deed("hand_over", {"reason": "complaint_clinic"}),))
    world.engine.answers = lambda words: calling if words == "data_types" else torn
    assert world.patient.says("hm so the thing with the data") == ["<clarify en>"]
    assert world.cases() == []
    world.patient.says("the thing with the data I said")
    assert [case.reason for case in world.cases()] == ["not_understood"]


def test_asked_back_with_no_topic_to_offer_the_assistant_says_that_it_did_not_understand(world: World) -> None:
    world.engine.answers = lambda _: understood("no_such_topic", 0.4, ("greeting_thanks", 0.3))
    assert world.patient.says("hm so the thing with the data") == ["<not_understood en>"]
    assert list(world.patient.choices()) == ["speak_human button en"]


def test_two_misses_in_a_row_bring_a_person(world: World) -> None:
    world.engine.answers = lambda _: understood("what_happened", 0.2)
    for n in range(MISSES):
        said = world.patient.says(f"something odd number {n} that nobody understands")
    [case] = world.cases()
    assert said == [f"<hand_over en {case.number}>"]
    assert (case.reason, world.thread().owner) == ("not_understood", Owner.STAFF)


def test_an_understood_turn_between_two_misses_starts_the_count_anew(world: World) -> None:
    unclear, clear = understood("what_happened", 0.2), understood("what_happened")
    for answer in (unclear, clear, unclear):
        world.engine.answers = lambda _, answer=answer: answer
        world.patient.says("some words about the clinic")
    assert world.cases() == []


# ------------------------------------------------------------------ danger


@pytest.mark.parametrize(
    "words", ["I want to kill myself", "我唔想做人啦", "我想自杀", "gusto ko nang mamatay", "saya mau bunuh diri"]
)
def test_danger_gets_help_first_and_a_case_even_without_an_engine(world: World, words: str) -> None:
    world.engine.answers = lambda _: EngineUnavailable("down")
    [said] = world.patient.says(words)
    [case] = world.cases()
    assert said.startswith("<self_harm ")
    assert f"{case.number}>" in said
    assert (case.reason, case.priority) == ("self_harm", 0)


def test_danger_is_seen_at_the_end_of_a_very_long_turn(world: World) -> None:
    [said] = world.patient.says("I have so many questions about my records. " * 4000 + "I want to kill myself")
    assert said.startswith("<self_harm en>")


def test_danger_the_classifier_finds_is_acted_on_even_when_another_topic_leads(world: World) -> None:
    world.engine.answers = lambda _: understood("what_happened", 0.55, ("extortion", 0.4))
    [said] = world.patient.says("somebody wrote about my records")
    assert said.startswith("<extortion en>")
    assert world.cases()[0].priority == 0


def test_danger_the_detector_is_certain_of_gets_help_first(world: World) -> None:
    world.engine.answers = lambda _: replace(understood("what_happened"), danger=(Guess("self_harm", 0.9),))
    [said] = world.patient.says("it will all be simpler soon")
    assert said.startswith("<self_harm en>")
    assert world.cases()[0].priority == 0


def test_possible_danger_gets_the_answer_a_gentle_sentence_and_a_case_that_takes_nothing_over(world: World) -> None:
    world.engine.answers = lambda _: replace(understood("what_happened"), danger=(Guess("self_harm", 0.4),))
    [said] = world.patient.says("how long will I have to think of this")
    assert said == "<possible_self_harm en>\n\n<what_happened en>"
    [case] = world.cases()
    assert (case.reason, case.priority) == ("possible_danger", 2)
    assert world.thread().owner == Owner.BOT.value


def test_words_of_danger_which_the_detector_doubts_are_a_possibility(world: World) -> None:
    world.engine.answers = lambda _: replace(understood("data_types"), danger=(Guess("self_harm", 0.01),))
    [said] = world.patient.says("I want to kill myself")
    assert said == "<possible_self_harm en>\n\n<data_types en>"
    assert world.cases()[0].reason == "possible_danger"


def test_a_possible_danger_leading_the_topics_is_answered_by_the_next_topic(world: World) -> None:
    possible = replace(understood("self_harm", 0.9, ("data_types", 0.09)), danger=(Guess("self_harm", 0.4),))
    world.engine.answers = lambda words: understood(words) if words == "data_types" else possible
    [said] = world.patient.says("what would you do with my file if I were gone")
    assert said == "<possible_self_harm en>\n\n<data_types en>"
    assert [topic for _, topic, _ in world.engine.pressed] == ["data_types"]


def test_two_questions_in_one_turn_get_two_answers(world: World) -> None:
    both = replace(understood("what_happened"), also=("data_types",))
    world.engine.answers = lambda words: understood(words) if words == "data_types" else both
    assert world.patient.says("what happened? and what did they take?") == ["<what_happened en>\n\n<data_types en>"]


def test_worry_beside_a_question_calls_nobody(world: World) -> None:
    world.engine.answers = lambda _: replace(understood("what_happened"), also=("distress",))
    assert world.patient.says("what happened? I am so worried") == ["<what_happened en>"]
    assert world.cases() == []


def test_money_that_is_moving_now_is_a_case_of_minutes(world: World) -> None:
    world.engine.answers = lambda _: EngineUnavailable("down")
    world.patient.says("they are taking money out of my account right now")
    [case] = world.cases()
    assert (case.reason, case.priority) == ("money_moving", 0)


def test_with_the_team_the_assistant_is_silent_but_new_danger_still_gets_help_once(world: World) -> None:
    world.engine.answers = lambda _: understood("speak_human", do=(Deed("hand_over", {"reason": "patient_wish"}),))
    world.patient.says("let me talk to somebody real please")
    assert world.patient.says("hello are you there") == []
    [said] = world.patient.says("I want to kill myself")
    assert said == "<self_harm en>\n\n<still_with_team en>"
    assert world.patient.says("I really want to kill myself") == []
    [case] = world.cases()
    assert (case.priority, case.reason) == (0, "self_harm")
    assert world.count(CaseReason) == 2


def test_who_claims_to_be_the_attacker_gets_a_neutral_reply_and_is_not_told_of_the_case(world: World) -> None:
    assert world.patient.says("I am the hacker who stole your database") == ["<attacker_claim en>"]
    [case] = world.cases()
    assert case.priority == 1


def test_help_for_words_of_danger_does_not_wait_for_a_patient_engine(world: World) -> None:
    patient_engine, hurried = FakeEngine(), FakeEngine(lambda _: EngineSlow("slow"))
    mind = Mind(patient_engine, LEXICON, hurried=hurried)
    inbox = Inbox(world.database, world.vault, mind, Library(), world.clock)
    [said] = Patient(world.database, world.vault, inbox, world.clock).says("I want to kill myself")
    assert said.startswith("<self_harm en>")
    assert (len(hurried.asked), len(patient_engine.asked)) == (1, 0)


# ------------------------------------------------------------------ a person


def hand_over(_: str) -> object:
    return understood("speak_human", do=(Deed("hand_over", {"reason": "patient_wish"}),))


def test_a_wish_for_a_person_is_honoured_at_once_with_the_case_number(world: World) -> None:
    world.engine.answers = hand_over
    said = world.patient.says("let me talk to somebody real please")
    [case] = world.cases()
    assert said == [f"<speak_human en>\n\n<hand_over en {case.number}>"]


def test_after_the_hand_over_the_assistant_is_silent_for_days_and_every_turn_is_kept(world: World) -> None:
    world.engine.answers = hand_over
    world.patient.says("let me talk to somebody real please")
    asked = len(world.engine.asked)
    for _ in range(3):
        world.clock.advance(days=1)
        assert world.patient.says("anybody there by now") == []
    assert len(world.engine.asked) == asked
    assert [turn.status for turn in world.turns()[1:]] == [TurnStatus.QUEUED] * 3
    assert len(world.cases()) == 1


def test_the_patient_may_have_the_assistant_back_and_the_case_stays(world: World) -> None:
    world.engine.answers = hand_over
    world.patient.says("let me talk to somebody real please")
    assert world.patient.presses(world.patient.choices()["back_to_assistant button en"]) == ["<back_to_assistant en>"]
    world.engine.answers = lambda _: understood("what_happened")
    assert world.patient.says("what is going on at the clinic") == ["<what_happened en>"]
    assert len(world.cases()) == 1


def test_asked_for_a_person_five_times_there_is_one_case(world: World) -> None:
    world.engine.answers = hand_over
    for n in range(5):
        world.patient.writes(f"a person please, number {n}")
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: world.inbox.answer(world.patient.thread_id), range(5)))
    assert len(world.cases()) == 1


def test_a_feature_that_is_not_there_is_answered_honestly(world: World) -> None:
    silent = understood("my_case", do=(Deed("my_case", {}),))
    world.engine.answers = lambda _: type(silent)((), silent.do, silent.ranking)
    assert world.patient.says("what about my case from yesterday") == ["<not_here_yet en>"]
    assert set(world.patient.choices()) == {"speak_human button en"}


# ------------------------------------------------------------------ keywords


def test_stop_on_sms_opts_out_before_anything_else_and_start_undoes_it(make_world: Callable[..., World]) -> None:
    world = make_world("sms")
    assert world.patient.says("STOP") == ["<opted_out short>"]
    assert world.thread().opted_out_at is not None
    assert world.patient.says("start") == ["<opted_in short>"]
    assert world.thread().opted_out_at is None
    assert world.engine.asked == []


def test_please_stop_calling_me_is_a_sentence_and_no_keyword(make_world: Callable[..., World]) -> None:
    world = make_world("sms")
    world.patient.says("please stop calling me")
    assert world.thread().opted_out_at is None
    assert len(world.engine.asked) == 1


# ------------------------------------------------------------------ failures


@pytest.mark.parametrize("error", [EngineUnavailable("down"), EngineSlow("slow")])
def test_an_engine_that_fails_means_an_apology_and_exactly_one_case(world: World, error: Exception) -> None:
    world.engine.answers = lambda _: error
    said = [*world.patient.says("what is going on at the clinic"), *world.patient.says("hello? what is going on")]
    [case] = world.cases()
    assert said == [f"<apology en {case.number}>"] * 2
    assert case.reason == "engine_failed"
    assert {turn.status for turn in world.turns()} == {TurnStatus.FAILED}


def test_an_engine_that_is_back_answers_the_next_turn(world: World) -> None:
    world.engine.answers = lambda _: EngineUnavailable("down")
    world.patient.says("what is going on at the clinic")
    world.engine.answers = lambda _: understood("what_happened")
    assert world.patient.says("what is going on at the clinic") == ["<what_happened en>"]


def test_an_error_nobody_expected_is_an_apology_too_and_its_text_is_not_logged(world: World, logged: Callable[[], str]) -> None:
    def break_down(text: str) -> None:
        raise RuntimeError(f"broken by {text}")

    world.engine.answers = break_down
    [said] = world.patient.says("my very private words")
    assert said.startswith("<apology en")
    assert "private words" not in logged()
    assert "RuntimeError" in logged()


def test_a_wording_the_engine_names_and_nobody_published_still_gets_an_apology(world: World) -> None:
    world.engine.answers = lambda _: understood("no_such_wording")
    [said] = world.patient.says("what is going on at the clinic")
    assert said.startswith("<apology en")
    assert len(world.cases()) == 1


def test_a_wording_for_verified_patients_is_not_said_to_a_stranger(world: World) -> None:
    content = small_content()
    content["wordings"]["data_types"]["level"] = "verified"
    publish(world.database, content, world.clock.advance(seconds=1))
    world.engine.answers = lambda _: understood("data_types")
    [said] = world.patient.says("what is going on at the clinic")
    assert said.startswith("<apology en")


def test_nothing_published_leaves_the_turn_waiting(database: Database, vault: Vault, clock: FakeClock) -> None:
    engine = FakeEngine()
    inbox = make_inbox(database, vault, clock, engine, LEXICON)
    patient = Patient(database, vault, inbox, clock)
    patient.writes("what is going on at the clinic")
    with pytest.raises(NotPublished):
        inbox.answer(patient.thread_id)
    publish(database, small_content(), clock())
    assert inbox.answer(patient.thread_id) == 1


def test_who_died_in_the_middle_is_followed_by_another_after_the_lease(world: World) -> None:
    world.patient.writes("what is going on at the clinic")
    with world.database.writing() as session:
        take_lease(session, world.patient.thread_id, world.clock())  # the process that died
    assert world.inbox.answer(world.patient.thread_id) == 0
    world.clock.advance(seconds=LEASE.total_seconds())
    assert world.inbox.answer(world.patient.thread_id) == 1
    assert world.count(Reply) == 1


def test_who_comes_back_after_losing_the_lease_writes_nothing(world: World) -> None:
    def slow(_: str) -> object:
        world.clock.advance(seconds=LEASE.total_seconds() + 1)
        world.engine.answers = lambda _: understood("data_types")
        other = make_inbox(world.database, world.vault, world.clock, world.engine, LEXICON)
        assert other.answer(world.patient.thread_id) == 1
        return understood("what_happened")

    world.engine.answers = slow
    assert world.patient.says("what is going on at the clinic") == ["<data_types en>"]
    assert world.count(Reply) == 1


def test_a_turn_stored_while_another_is_being_answered_is_not_left_behind(world: World) -> None:
    def second_arrives(_: str) -> object:
        world.engine.answers = lambda _: understood("data_types")
        world.patient.writes("and a second question")
        assert world.inbox.answer(world.patient.thread_id) == 0  # its door finds the thread taken
        return understood("what_happened")

    world.engine.answers = second_arrives
    assert world.patient.says("what is going on at the clinic") == ["<what_happened en>", "<data_types en>"]


def test_a_turn_that_keeps_failing_is_apologised_for_without_trying_again(world: World) -> None:
    world.patient.writes("what is going on at the clinic")
    with world.database.writing() as session:
        session.scalars(select(Turn)).one().attempts = TRIES
    world.inbox.answer(world.patient.thread_id)
    assert world.engine.asked == []
    assert world.turns()[0].status == TurnStatus.FAILED


def test_many_threads_and_many_answerers_lose_and_double_nothing(world: World) -> None:
    patients = [Patient(world.database, world.vault, world.inbox, world.clock) for _ in range(6)]
    for patient in patients:
        for n in range(4):
            patient.writes(f"question number {n} about the clinic")
    work = [patient.thread_id for patient in patients] * 4
    start = threading.Barrier(8)

    def run(part: int) -> None:
        start.wait()
        for thread_id in work[part::8]:
            world.inbox.answer(thread_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(8)))
    for patient in patients:
        world.inbox.answer(patient.thread_id)
    assert world.count(Reply) == 24
    for patient in patients:
        assert [line.number for line in patient.lines()] == list(range(1, 9))


def test_the_engine_key_is_renewed_before_its_memory_grows_long(world: World) -> None:
    for n in range(RENEW_ENGINE_KEY_AFTER + 1):
        world.patient.says(f"question number {n} about the clinic")
    keys = [key for key, _, _ in world.engine.asked]
    assert len(set(keys)) == 2
    assert keys.count(keys[0]) == RENEW_ENGINE_KEY_AFTER


def test_a_new_session_has_another_engine_key_and_keeps_who_owns_the_thread(world: World) -> None:
    world.patient.says("what is going on at the clinic")
    world.clock.advance(hours=2)
    world.patient.says("what is going on at the clinic")
    assert world.engine.asked[0][0] != world.engine.asked[1][0]
    assert world.count(PatientSession) == 2


def test_the_patients_words_are_sealed_in_the_database(world: World) -> None:
    world.patient.says("a very recognisable sentence about the clinic")
    [turn] = world.turns()
    assert turn.sealed_text is not None
    assert "recognisable" not in turn.sealed_text
