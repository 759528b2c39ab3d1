"""What the invented patients of the demo day say: who writes where and when, and what it is taken for. No real person."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """One turn: its words, what the engine would take it for, and the reason when a person is called."""

    text: str
    topic: str
    reason: str = ""


@dataclass(frozen=True)
class Talk:
    """One patient's line: `hours` before now, and which row of the sample roster writes (None: a stranger)."""

    hours: float
    channel: str
    language: str
    said: tuple[Said, ...]
    person: int | None = None
    then: str = ""  # what the team did with the case: a deed of `shift`
    proven: bool = False  # a code showed that the person on file is writing


TALKS = (
    Talk(8.4, "web", "en", (Said("What happened to my data?", "what_happened"), Said("Which data was it?", "data_types"))),
    Talk(
        8.1, "whatsapp", "zh-Hant", (Said("發生咩事？", "what_happened"), Said("我嘅身份證號碼有冇外洩", "id_numbers_exposed")), 3
    ),
    Talk(7.6, "sms", "en", (Said("Is this message really from you?", "scam_message_check"),), 7),
    Talk(7.2, "web", "zh-Hans", (Said("什么时候发生的？", "incident_dates"), Said("我要怎么保护自己", "protect_myself"))),
    Talk(
        6.9,
        "email",
        "en",
        (Said("I want to see all the data you hold about me.", "data_access_request", "data_access_request"),),
        12,
        then="private",
        proven=True,
    ),
    Talk(
        6.5,
        "web",
        "tl",
        (Said("Ano ang nangyari?", "what_happened"), Said("Paano ko mapoprotektahan ang sarili ko?", "protect_myself")),
    ),
    Talk(6.2, "whatsapp", "id", (Said("Apa yang terjadi dengan data saya?", "what_happened"),), 21),
    Talk(
        5.8,
        "web",
        "en",
        (Said("Somebody wrote they will publish my results unless I pay", "extortion", "extortion"),),
        then="referred",
    ),
    Talk(5.1, "sms", "zh-Hant", (Said("我想搵真人", "speak_human", "patient_wish"),), 33, then="answered"),
    Talk(
        4.7, "web", "en", (Said("I clicked the link and gave my card", "phishing_clicked", "phishing_clicked"),), then="waiting"
    ),
    Talk(4.2, "whatsapp", "zh-Hant", (Said("我好驚，成晚瞓唔著", "distress", "distress"),), 40, then="called"),
    Talk(3.8, "web", "en", (Said("asdf qwer", "gibberish"), Said("zxcv", "gibberish"))),
    Talk(3.5, "email", "zh-Hant", (Said("我要投訴你們的處理手法", "complaint_clinic", "complaint_clinic"),), 52, then="held"),
    Talk(
        3.0,
        "web",
        "en",
        (
            Said("My child is a patient of yours. Was she affected?", "child_dependant"),
            Said("Please let me talk to a person", "speak_human", "child_matter"),
        ),
        then="booked",
    ),
    Talk(2.6, "sms", "en", (Said("When do I hear more?", "investigation_timeline"),), 61),
    Talk(2.2, "web", "zh-Hant", (Said("診所係咪照常開放", "is_it_safe_now"), Said("多謝", "greeting_thanks"))),
    Talk(1.9, "web", "en", (Said("I am a reporter and need a comment today", "media_enquiry", "media_enquiry"),)),
    Talk(
        1.4,
        "whatsapp",
        "en",
        (Said("I need my prescription again, I run out tomorrow", "prescriptions", "medicine_needed"),),
        75,
        then="drafted",
    ),
    Talk(1.0, "web", "id", (Said("Saya ingin bicara dengan orang", "speak_human", "patient_wish"),), then="booked"),
    Talk(0.06, "web", "en", (Said("I do not want to live any more", "self_harm", "self_harm"),)),
    Talk(0.5, "sms", "zh-Hant", (Said("要賠償", "compensation", "compensation"),), 88, then="snoozed"),
    Talk(
        0.3,
        "web",
        "en",
        (
            Said("How do I change my phone number with you?", "contact_update"),
            Said("A person, please", "speak_human", "contact_change"),
        ),
    ),
    Talk(2.4, "sms", "en", (Said("Can somebody call me?", "speak_human", "patient_wish"),), 120, "merged", proven=True),
    Talk(
        2.1,
        "whatsapp",
        "en",
        (Said("I asked by SMS too. A person please.", "speak_human", "patient_wish"),),
        120,
        "merged",
        proven=True,
    ),
    Talk(4.6, "web", "en", (Said("Somebody opened a bank account in my name", "identity_misuse", "identity_misuse"),)),
    Talk(
        3.3,
        "whatsapp",
        "zh-Hant",
        (Said("我聽日覆診，份報告仲未收到", "lab_results", "result_awaited"),),
        140,
    ),
    Talk(8.9, "web", "zh-Hant", (Said("想同職員傾", "speak_human", "patient_wish"),), then="answered"),
    Talk(8.2, "web", "en", (Said("I would like to talk to somebody", "speak_human", "patient_wish"),), then="answered"),
    Talk(7.8, "web", "tl", (Said("Gusto kong makausap ang tao", "speak_human", "patient_wish"),), then="waiting"),
    Talk(6.6, "sms", "zh-Hant", (Said("我要更改電話", "contact_update", "contact_change"),), 130, proven=True),
    Talk(0.1, "web", "zh-Hant", (Said("我個資料喺網上見到", "data_seen_online", "data_seen_online"),)),
)
"""The day, oldest first."""
