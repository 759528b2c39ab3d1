"""The identity check as patients and strangers meet it."""

from __future__ import annotations

import pytest

from bot.conversations.models import Owner
from bot.identity.limits import Limits
from bot.identity.models import CODE, CheckStatus, CodeDispatch, DispatchKind, Ending, How
from bot.identity.words import kept
from bot.patients.models import ContactPoint
from bot.patients.references import new_reference
from tests.growth import grows_like_its_input
from tests.identity.conftest import COLUMNS, House, Open, row


def test_a_reference_and_a_code_to_the_mobile_on_file_prove_who_is_asking(house: House) -> None:
    patient = house.patient()
    assert patient.hears("am i affected") == "<data_types en>\n\n<verify_start>"
    assert patient.owner() is Owner.BOT
    assert patient.chooses("verify_start") == "<verify_intro>"
    assert patient.owner() is Owner.VERIFYING
    assert patient.hears(f"it is {house.references['P001'].lower().replace('-', ' ')}, thanks") == "<verify_where>"
    assert patient.chooses("verify_by_mobile") == "<verify_code_sent>"
    assert patient.hears(house.code()).startswith("<verify_done>\n\n<my_data>")
    verified = patient.verified()
    assert verified is not None
    assert (verified.person_id, patient.owner()) == (house.person_id("P001"), Owner.BOT)


def test_a_stranger_reads_the_same_words_and_gets_nowhere(house: House) -> None:
    patient, stranger = house.patient(), house.patient()
    assert stranger.starts() == patient.starts()
    unknown = new_reference()
    assert stranger.hears(unknown) == patient.hears(house.references["P001"]) == "<verify_where>"
    assert stranger.choices().keys() == patient.choices().keys()
    assert stranger.chooses("verify_by_mobile") == patient.chooses("verify_by_mobile") == "<verify_code_sent>"
    [theirs, ours] = sorted(house.rows(CodeDispatch), key=lambda row: row.thread_id)[::-1]
    assert (theirs.contact_point_id, ours.contact_point_id is None) == (None, False)
    # Even the very code that was made for nobody is wrong.
    assert stranger.hears(house.vault.open(theirs.sealed_code, CODE)) == "<verify_code_wrong>"
    assert stranger.verified() is None


@pytest.mark.parametrize(
    ("typed", "way"),
    [
        ("+852 9123-4567", "mobile"),
        ("my number is 91234567", "mobile"),
        ("CHAN@example.com", "email"),
        ("９１２３４５６７", "email"),
    ],
)
def test_the_contact_by_which_we_wrote_finds_the_file_too(house: House, typed: str, way: str) -> None:
    patient = house.patient()
    patient.asks_for_code(typed, way)
    assert patient.hears(house.code()).startswith("<verify_done>")
    verified = patient.verified()
    assert verified is not None
    assert verified.person_id == house.person_id("P001")


def test_of_those_who_share_a_contact_the_reference_says_who_is_asking_and_only_after_the_code(house: House) -> None:
    patient = house.patient()
    patient.asks_for_code("5345 6789")
    assert patient.hears(house.code()) == "<verify_which_person>"
    assert patient.verified() is None
    assert patient.hears(house.references["P001"]) == "<verify_reference_unreadable>"
    assert patient.hears(house.references["P004"]).startswith("<verify_done>")
    verified = patient.verified()
    assert verified is not None
    assert verified.person_id == house.person_id("P004")


def test_for_a_child_the_code_goes_to_the_guardian(house: House) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P005"])
    [sent] = house.rows(CodeDispatch)
    [point] = [point for point in house.rows(ContactPoint) if point.id == sent.contact_point_id]
    assert point.person_id == house.person_id("P001")
    assert patient.hears(house.code()).startswith("<verify_done>")
    verified = patient.verified()
    assert verified is not None
    assert verified.person_id == house.person_id("P005")


@pytest.mark.parametrize(
    ("key", "way", "why"),
    [
        ("P006", "mobile", "has died"),
        ("P007", "mobile", "is protected"),
        ("P008", "email", "only the mobile is safe"),
        ("P009", "mobile", "wants no SMS"),
        ("P010", "mobile", "lives in a country that is not listed"),
    ],
)
def test_nothing_is_sent_where_nothing_may_be_and_the_words_are_the_same(house: House, key: str, way: str, why: str) -> None:
    patient = house.patient()
    assert patient.asks_for_code(house.references[key], way) == "<verify_code_sent>", why
    [row] = house.rows(CodeDispatch)
    assert row.contact_point_id is None
    assert patient.hears(house.code()) == "<verify_code_wrong>"


def test_of_several_contacts_only_the_safe_one_is_used(house: House) -> None:
    house.patient().asks_for_code(house.references["P008"])
    [row] = house.rows(CodeDispatch)
    assert row.contact_point_id is not None


def test_a_new_code_kills_the_one_before(house: House) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    old = house.code()
    house.clock.advance(seconds=5)
    assert patient.chooses("verify_by_email") == "<verify_code_sent>"
    new = house.code()
    if old != new:
        assert patient.hears(old) == "<verify_code_wrong>"
    assert patient.hears(new).startswith("<verify_done>")


def test_a_code_works_once(house: House) -> None:
    patient, code = house.patient(), ""
    patient.asks_for_code(house.references["P001"])
    code = house.code()
    patient.hears(code)
    assert patient.chooses("verify_log_out") == "<verify_ended>"
    patient.starts()
    patient.hears(house.references["P001"])
    assert patient.hears(code) in ("<verify_where>", "<verify_reference_unreadable>")
    assert patient.verified() is None


def test_a_code_is_good_for_ten_minutes(house: House) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    house.clock.advance(minutes=10)
    assert patient.hears(house.code()) == "<verify_code_expired>"


def test_a_code_of_one_thread_opens_no_other(house: House) -> None:
    patient, thief = house.patient(), house.patient()
    thief.asks_for_code(house.references["P001"])
    patient.asks_for_code(house.references["P001"])
    assert thief.hears(house.code()) == "<verify_code_wrong>"


def test_five_wrong_codes_end_the_check_with_waits_that_double(house: House) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    wrong = f"{(int(house.code()) + 1) % 10**6:06}"
    assert [patient.hears(wrong), patient.hears(wrong)] == ["<verify_code_wrong>"] * 2
    for minutes in (1, 2, 4):
        assert patient.hears(house.code()) == f"<verify_code_wait> {minutes}"
        house.clock.advance(minutes=minutes)
        if minutes < 4:
            assert patient.hears(wrong) == "<verify_code_wrong>"
    assert patient.hears(wrong) == "<verify_too_many>"
    assert (patient.owner(), patient.check().status) == (Owner.BOT, CheckStatus.ENDED)
    house.clock.advance(minutes=1)
    patient.asks_for_code(house.references["P001"])
    assert patient.hears(house.code()).startswith("<verify_done>"), "nobody is locked out"


def test_a_stranger_who_guesses_does_not_keep_the_owner_out(house: House) -> None:
    stranger, owner = house.patient(network="n1"), house.patient(network="n2")
    stranger.asks_for_code(house.references["P001"])
    for _ in range(5):
        stranger.hears("000000")
        house.clock.advance(minutes=5)
    owner.asks_for_code(house.references["P001"])
    assert owner.hears(house.code()).startswith("<verify_done>")


def test_the_fourth_code_in_an_hour_is_refused_openly_and_to_everybody(house: House) -> None:
    for typed in (house.references["P001"], new_reference()):
        said = [house.patient().asks_for_code(typed) for _ in range(4)]
        assert said == ["<verify_code_sent>"] * 3 + ["<verify_limit>"]
    house.clock.advance(hours=1, seconds=1)
    assert house.patient().asks_for_code(house.references["P001"]) == "<verify_code_sent>"


def test_an_address_that_was_written_to_often_gets_no_more_whatever_was_typed_and_nobody_is_told(house: House) -> None:
    for _ in range(3):
        house.patient().asks_for_code(house.references["P001"])
    patient = house.patient()
    assert patient.asks_for_code("91234567") == "<verify_code_sent>"
    assert house.rows(CodeDispatch)[-1].contact_point_id is None
    assert patient.hears(house.code()) == "<verify_code_wrong>"


def test_the_whole_system_sends_no_more_than_its_budget(open_house: Open) -> None:
    house = open_house(limits=Limits(system_day=1))
    assert house.patient().asks_for_code(house.references["P001"]) == "<verify_code_sent>"
    assert house.patient().asks_for_code(house.references["P002"]) == "<verify_limit>"
    assert house.patient().asks_for_code(new_reference()) == "<verify_limit>"
    house.clock.advance(days=1, seconds=1)
    assert house.patient().asks_for_code(house.references["P002"]) == "<verify_code_sent>"


@pytest.mark.parametrize("form", ["{0} {1}", "{0}-{1}", "code: {0}{1}.", "spaced", "pairs", "full-width", "han", "line\n{0}{1}"])
def test_a_code_is_read_however_it_is_typed_and_stays_masked(open_house: Open, form: str) -> None:
    house = open_house(codes=["482913"])
    patient, code = house.patient(), "482913"
    made = {
        "spaced": " ".join(code),
        "pairs": "48 29 13",
        "full-width": "４８２９１３",
        "han": "四八二九一三",
    }
    patient.asks_for_code(house.references["P001"])
    typed = made.get(form, form.format(code[:3], code[3:]))
    assert patient.hears(typed).startswith("<verify_done>")
    kept = patient.kept()[-1]
    assert "⟦code⟧" in kept
    assert not any(piece in kept for piece in (code[3:], made["full-width"][3:], made["han"][3:], "29 13", "9 1 3"))


@pytest.mark.parametrize(
    "typed", ["9123 4567", "+85212", "20230508", "四八二九一三〇", "48291", "4829133", "A123456(7)", "chan.482910@example.com"]
)
def test_what_is_no_code_costs_no_try(house: House, typed: str) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    assert patient.hears(typed) == "<verify_code_sent>"
    assert patient.check().wrong == 0


def test_a_reference_that_begins_with_six_digits_costs_no_try(house: House) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    assert patient.hears("68574-8KNVK") == "<verify_where>"
    assert patient.check().wrong == 0


@pytest.mark.parametrize("text", ["我" * 200_000, "😀" * 5_000, "😱", "\u202e\u200d" * 400, "1" * 200_000, "- " * 90_000])
def test_no_text_is_too_long_or_too_strange_in_the_middle_of_a_check(house: House, text: str) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    assert patient.hears(text) in ("<verify_code_sent>", "<empty_turn en>")
    assert patient.hears(house.code()).startswith("<verify_done>")


def test_a_person_is_never_sent_an_sms_to_a_landline_and_hears_the_same(open_house: Open) -> None:
    house = open_house(rows=[row("P001", "", "2345 6789"), row("P002", "lee@example.com", "2345 6780")])
    patient = house.patient()
    assert patient.asks_for_code(house.references["P001"]) == "<verify_code_sent>"
    [sent] = house.rows(CodeDispatch)
    assert sent.contact_point_id is None
    house.clock.advance(minutes=3)
    assert patient.hears("no code") == "<verify_code_overdue>"
    assert patient.chooses("verify_no_access") == "<verify_no_access>"
    assert [case.reason for case in house.cases()] == ["identity_offline"]
    # Who types a landline may still have the code sent to the e-mail of the same file.
    other = house.patient()
    other.asks_for_code("2345 6780", "email")
    assert other.hears(house.code()).startswith("<verify_done>")


def test_a_helper_is_a_patient_in_their_own_right(open_house: Open) -> None:
    helper = [*row("P002", "maria@example.com", "6234 5678"), "P001"]
    house = open_house(rows=[[*row("P001", "chan@example.com", "9123 4567"), ""], helper], columns=(*COLUMNS, "Employer key"))
    employer = house.patient()
    employer.asks_for_code(house.references["P002"])
    [sent] = house.rows(CodeDispatch)
    [mine] = [
        point.id for point in house.rows(ContactPoint) if point.kind == "mobile" and point.person_id == house.person_id("P002")
    ]
    assert sent.contact_point_id == mine, "the code goes to the helper, not to the employer"
    owner = house.patient()
    owner.asks_for_code(house.references["P001"])
    assert "my_wards" not in owner.hears(house.code())


# ------------------------------------------------------------------ what is heard first


@pytest.mark.parametrize("words", ["I want to kill myself", "我唔想做人啦", "gusto ko nang mamatay", "saya mau bunuh diri"])
def test_danger_is_heard_while_the_check_runs_and_no_engine_is_asked(house: House, words: str) -> None:
    patient = house.patient()
    patient.starts()
    asked = len(house.engine.asked)
    assert patient.hears(words).startswith("<self_harm ")
    assert (patient.owner(), len(house.engine.asked)) == (Owner.STAFF, asked)
    assert house.cases()[0].priority == 0
    assert patient.check().ended_because == Ending.STAFF


@pytest.mark.parametrize(
    "words",
    [
        "I want to talk to a human",
        "agent please",
        "我要搵真人",
        "请转人工",
        "我想同職員講",
        "pwede bang makausap ang tao po",
        "saya mau petugas",
    ],
)
def test_whoever_wants_a_person_gets_one_while_the_check_runs(house: House, words: str) -> None:
    patient = house.patient()
    patient.starts()
    asked = len(house.engine.asked)
    assert patient.hears(words).startswith("<hand_over ")
    assert (patient.owner(), len(house.engine.asked)) == (Owner.STAFF, asked)


@pytest.mark.parametrize("words", ["cancel", "never mind", "取消", "算啦", "huwag na", "batal"])
def test_a_check_can_be_stopped_by_word(house: House, words: str) -> None:
    patient = house.patient()
    patient.starts()
    assert patient.hears(words) == "<verify_cancelled>"
    assert patient.owner() is Owner.BOT


@pytest.mark.parametrize("words", ["log out", "登出", "退出登录", "mag-log out", "keluar"])
def test_who_is_verified_can_log_out_by_word(house: House, words: str) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    patient.hears(house.code())
    assert patient.hears(words) == "<verify_ended>"
    assert patient.verified() is None


def test_a_language_can_be_chosen_while_the_check_runs(house: House) -> None:
    patient = house.patient()
    patient.starts()
    assert patient.hears("繁體中文") == "<language_chosen zh-Hant>"
    assert patient.owner() is Owner.VERIFYING


def test_stop_is_heard_while_the_check_runs(house: House) -> None:
    patient = house.patient("sms", "+85291234567")
    patient.starts()
    assert patient.hears("STOP") == "<opted_out short>"
    assert patient.owner() is Owner.BOT


def test_without_access_there_is_another_way_and_a_case(house: House) -> None:
    patient = house.patient()
    patient.starts()
    assert patient.hears("I lost my phone last week").startswith("<verify_no_access>")
    assert [case.reason for case in house.cases()] == ["identity_offline"]
    assert patient.verified() is None


# ------------------------------------------------------------------ how long it lasts


def test_nobody_is_verified_beyond_half_an_hour_or_the_session(house: House) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    patient.hears(house.code())
    for _ in range(2):
        house.clock.advance(minutes=14)
        patient.hears("what happened then")
        assert patient.verified() is not None
    house.clock.advance(minutes=2)
    patient.hears("what happened then")
    assert patient.verified() is None
    assert patient.check().ended_because == Ending.SESSION


def test_a_new_session_ends_a_check_and_goes_on_with_the_assistant(house: House) -> None:
    patient = house.patient()
    patient.starts()
    house.clock.advance(minutes=31)
    assert patient.hears("what happened then") == "<what_happened en>"
    assert patient.owner() is Owner.BOT


def test_a_hand_over_ends_the_verified_state(house: House) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    patient.hears(house.code())
    patient.hears("I want to kill myself")
    assert patient.verified() is None


def test_another_channel_is_not_verified(house: House) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    patient.hears(house.code())
    other = house.patient("sms", "+85291234567")
    other.hears("what happened then")
    assert other.verified() is None


# ------------------------------------------------------------------ possession


def test_whatsapp_from_a_number_that_one_person_has_on_file_is_proof(house: House) -> None:
    patient = house.patient("whatsapp", "+85291234567")
    assert patient.starts().startswith("<verify_done>")
    verified = patient.verified()
    assert verified is not None
    assert (verified.person_id, patient.check().how) == (house.person_id("P001"), How.WHATSAPP)


def test_whatsapp_from_a_shared_number_needs_the_reference_and_no_code(house: House) -> None:
    patient = house.patient("whatsapp", "+85253456789")
    assert patient.starts() == "<verify_intro>"
    assert patient.hears(house.references["P003"]).startswith("<verify_done>")


def test_whatsapp_from_another_number_and_any_sms_prove_nothing(house: House) -> None:
    for channel, number in (("whatsapp", "+85269999999"), ("sms", "+85291234567")):
        patient = house.patient(channel, number)
        assert patient.starts().startswith("<verify_intro>")
        assert patient.hears(house.references["P001"]) == "<verify_where>"
        assert patient.verified() is None


# ------------------------------------------------------------------ what stays


def test_what_is_typed_stays_masked_and_never_reaches_the_engine(house: House) -> None:
    patient, reference = house.patient(), house.references["P001"]
    patient.asks_for_code(reference)
    code = house.code()
    patient.hears(f"the code is {code[:3]} {code[3:]}")
    kept = "\n".join(patient.kept())
    assert reference not in kept
    assert "⟦reference⟧" in kept
    assert code[3:] not in kept.replace(reference, "")
    assert "⟦code⟧" in kept
    assert all(reference[:5] not in text and code not in text for _, text, _ in house.engine.asked)


def test_a_reference_is_masked_outside_a_check_too_and_hidden_from_the_engine(house: House) -> None:
    patient, reference = house.patient(), house.references["P001"]
    patient.hears(f"I got a letter with {reference} on it, what happened")
    assert patient.kept() == ["I got a letter with ⟦reference⟧ on it, what happened"]
    assert all(reference[:5] not in text for _, text, _ in house.engine.asked)


def test_a_code_typed_after_the_check_ended_is_masked(house: House) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    code = house.code()
    patient.hears("I want to talk to a human")
    patient.hears(f"oh here is the code {code}")
    assert patient.kept()[-1] == "oh here is the code ⟦code⟧"


def test_every_step_is_in_the_sealed_log_without_code_or_reference(house: House) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    patient.hears("000000")
    patient.hears(house.code())
    patient.chooses("verify_log_out")
    steps = ("started", "code_queued", "wrong_code", "verified", "ended")
    content = [house.audited(f"identity.{step}") for step in steps]
    assert all(content)
    assert house.references["P001"] not in str(content)
    assert house.code() not in str(content)


def test_another_contact_on_file_is_told_after_success(house: House) -> None:
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    patient.hears(house.code())
    [note] = [row for row in house.rows(CodeDispatch) if row.kind == DispatchKind.NOTE]
    assert (note.way, note.sealed_code) == ("email", None)


def test_a_mistyped_reference_is_told_without_looking_anything_up(house: House) -> None:
    patient = house.patient()
    patient.starts()
    good = house.references["P001"]
    bad = good[:-1] + ("2" if good[-1] != "2" else "3")
    assert patient.hears(bad) == "<verify_reference_unreadable>"
    assert bad not in patient.kept()[-1]


@pytest.mark.parametrize("piece", ["a", "1 ", "a1-", "5-", "a@", "AAAAA-", "⟦a1⟧", "+1 "])
def test_masking_takes_time_like_the_length_of_the_text_whatever_it_is(piece: str) -> None:
    assert grows_like_its_input(lambda text: kept(f"{text}1⟧", checking=True, code_open=True), piece, 2_000)
