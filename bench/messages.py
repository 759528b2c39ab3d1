"""What the measured patients write: a fixed mix in five languages, short and long, calm and in danger.

Written for this; none of it comes from a real person. About one in twenty is an emergency, as on a bad day.
"""

from __future__ import annotations

_WORRY = (
    "I have been your patient for eleven years and I brought both of my parents to you, and now I read in the news that "
    "somebody was inside your computers for days before anyone noticed. I did not get much sleep. My mother is 82, she gives "
    "her details to anybody who calls and sounds polite, and she asked me this morning whether she has to change the bank. "
)

MESSAGES: tuple[tuple[str, str], ...] = (
    ("en", "What happened?"),
    ("en", "what kind of data did they take"),
    ("en", "Am I affected? I was at your Central clinic last year"),
    ("en", "can I still trust an sms from you"),
    ("en", "is it safe to keep my appointment on Thursday"),
    ("en", "why did it take you so long to tell us"),
    ("en", "should I change my passwords"),
    ("en", _WORRY + "What exactly was taken, and what should we do first?"),
    ("en", _WORRY * 4 + "Please tell me what happened."),
    ("en", "somebody called and asked for a code, was that you?"),
    ("en", "do I need a new identity card"),
    ("en", "who can I talk to at the privacy commissioner"),
    ("en", "thanks"),
    ("en", "I can't go on, I want to end my life"),
    ("en", "what is the weather like tomorrow"),
    ("zh-Hant", "發生咗咩事？"),
    ("zh-Hant", "我嘅資料有冇外洩"),
    ("zh-Hant", "點解咁遲先通知我哋"),
    ("zh-Hant", "你哋有冇畀贖金"),
    ("zh-Hant", "身份證號碼俾人攞咗，我要點做"),
    ("zh-Hant", "我想同真人講"),
    ("zh-Hant", "我阿媽今年八十二歲，佢成日都信電話入面嘅人，而家連病歷都可能俾人睇過，我真係好擔心，請問佢應該點樣保護自己？"),
    ("zh-Hant", "有人打電話話係你哋診所，叫我俾驗證碼"),
    ("zh-Hans", "发生了什么事？"),
    ("zh-Hans", "哪些诊所受影响"),
    ("zh-Hans", "我的病历被看到了吗"),
    ("zh-Hans", "你们有没有报警"),
    ("zh-Hans", "我需要换身份证吗"),
    ("zh-Hans", "有人发短信说有我的体检报告，要我付钱，不付就公开"),
    ("zh-Hans", "怎么保护自己"),
    ("tl", "Ano po ang nangyari?"),
    ("tl", "Kasama po ba ang data ko?"),
    ("tl", "May tumawag po sa akin at humihingi ng code, kayo po ba iyon?"),
    ("tl", "Ano po ang dapat kong gawin para ligtas ang amo ko"),
    ("id", "Apa yang terjadi?"),
    ("id", "Data apa saja yang dicuri?"),
    ("id", "Apakah data majikan saya ikut bocor?"),
    ("id", "Bagaimana cara melindungi diri saya dari penipuan?"),
    ("id", "Saya mau bicara dengan orang"),
    ("en", "what will you do so that this never happens again"),
)
"""Pairs of the language a patient began in and the text."""
