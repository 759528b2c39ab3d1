"""The languages Candour speaks, and which of them a text is in.

`Language` is the only list of languages; everything else derives from it. Chinese is told by its characters, English, Tagalog and
Indonesian by which letters stand together (`bot/base/text/latin.py`; docs/decisions/0005-language-identification.md says why).
A text too short or too mixed to tell never changes a conversation's language.
"""

import re
from enum import StrEnum

from bot.base.text import fold, latin
from bot.base.text.han import CANTONESE, ONLY_SIMPLIFIED, ONLY_TRADITIONAL

READ = 1000  # characters of a text that are looked at; the first words tell the language


class Language(StrEnum):
    """The languages there are wordings in; the value is the BCP 47 tag."""

    EN = "en"  # the language every wording exists in
    ZH_HANT = "zh-Hant"  # Cantonese speakers write and read this
    ZH_HANS = "zh-Hans"
    TL = "tl"
    ID = "id"

    @property
    def own_name(self) -> str:
        """Its name, as its speakers write it."""
        return _OWN_NAMES[self]

    @property
    def fallbacks(self) -> tuple["Language", ...]:
        """The languages to say something in, best first, when it has not been written in this one."""
        return _FALLBACKS[self]


CHINESE = frozenset({Language.ZH_HANT, Language.ZH_HANS})

_OWN_NAMES = {
    Language.EN: "English",
    Language.ZH_HANT: "繁體中文",
    Language.ZH_HANS: "简体中文",
    Language.TL: "Tagalog",
    Language.ID: "Bahasa Indonesia",
}

_FALLBACKS = {
    Language.EN: (Language.EN,),
    Language.ZH_HANT: (Language.ZH_HANT, Language.ZH_HANS, Language.EN),
    Language.ZH_HANS: (Language.ZH_HANS, Language.ZH_HANT, Language.EN),
    Language.TL: (Language.TL, Language.EN),
    Language.ID: (Language.ID, Language.EN),
}

# How a patient names a language when that is all the text says, in any of the five; compared without case, spaces, punctuation.
_WORDS = {
    Language.EN: "en, eng, english, 英文, 英語, 英语, ingles, inggris, bahasa inggris",
    Language.ZH_HANT: """中文, 繁體, 繁体, 繁體中文, 繁体中文, 繁中, 廣東話, 广东话, 粵語, 粤语, 廣州話, 广州话,
        cantonese, chinese, traditional chinese, chinese traditional, zh, zh-hant, zh-hk, zh-tw, intsik, kantonis,
        bahasa kanton""",
    Language.ZH_HANS: """简体, 簡體, 简体中文, 簡體中文, 简中, 簡中, 普通话, 普通話, 国语, 國語, 汉语, 漢語,
        mandarin, putonghua, simplified chinese, chinese simplified, zh-hans, zh-cn, bahasa mandarin""",
    Language.TL: """tl, fil, tagalog, filipino, pilipino, bahasa tagalog, 菲律賓文, 菲律宾文, 菲律賓語, 菲律宾语,
        他加祿語, 他加禄语""",
    Language.ID: """id, indonesia, indonesian, bahasa, bahasa indonesia, 印尼文, 印尼語, 印尼语, 印尼話, 印尼话,
        印度尼西亞語, 印度尼西亚语""",
}
# What may stand before or after the name in a text that says nothing else.
_ASKING = re.compile(
    r"^(please|pls|plz|speak|use|in|switch to|change to|i speak|can you speak|do you speak"
    r"|請用|请用|請講|请讲|用|講|讲|說|说|轉|转|轉做|轉用|切换到"
    r"|pakisalin sa|sa|mag|pakai|pake|dalam|tolong pakai)[ ]?|[ ]?(please|pls|plz|po|唔該|謝謝|谢谢|thanks|ya|dong)$"
)
_NOT_LETTERS = re.compile(r"[\W_]+")


def _bare(text: str) -> str:
    return _NOT_LETTERS.sub("", fold(text))


_CHOICES = {_bare(word): language for language, words in _WORDS.items() for word in words.split(",")}


def chosen(text: str) -> Language | None:
    """The language a patient asks for when the whole text is such a choice ("English", "轉中文 please"), else None."""
    if len(text) > 60:
        return None
    asked = " ".join(_NOT_LETTERS.sub(" ", fold(text)).split())
    for _ in range(3):
        if language := _CHOICES.get(asked.replace(" ", "")):
            return language
        asked = _ASKING.sub("", asked, count=1)
    return None


_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_CODE = re.compile(r"[a-z0-9]+(?:[-.@_/][a-z0-9]+)*", re.ASCII)  # with a digit in it: a reference, a number plate, an address
_ADDRESS = re.compile(
    r"⟦[a-z]{1,12}⟧|(?:https?://|www\.)[^\s\u3000-\u9fff]+|[^\s@\u3000-\u9fff]{1,64}@[^\s@\u3000-\u9fff]{1,255}"
)
"""E-mail addresses, links and what stands for hidden details: "ng.ka.po@…" is a name of Hong Kong and no Tagalog."""
_LATIN_WORD = re.compile(r"[a-z\u00e0-\u024f]+(?:['’\-][a-z\u00e0-\u024f]+)*")
# Function words of one of the three only, for texts too short to count letters in ("id" and "may" are English too).
_TELLING = {
    Language.EN: """the is are was were my your you what when where how why who please thanks thank hello hi do does did dont can
        could will would has have not and with from about help yes i am im it this that they he she we of for on or any""",
    Language.TL: """po opo ako ko ikaw kayo nyo niyo namin natin sila siya nila ang ng mga hindi wala meron yung yun ito iyan
        dito doon bakit paano kailan saan sino ano salamat kumusta magandang umaga hapon gabi naman nga daw raw lang pwede
        puwede gusto ayoko tulong oo""",
    Language.ID: """saya aku kamu anda kami kita dia mereka yang tidak nggak gak bukan apa apakah siapa kapan kenapa mengapa
        bagaimana gimana dimana terima kasih makasih selamat pagi siang sore malam tolong sudah belum bisa mau ini itu dan
        dengan untuk dari dong sih ya iya""",
}
_TELLS = {word: language for language, words in _TELLING.items() for word in words.split()}
NAMED = 5  # words that a name may have
SURE = 120  # by how much the best must lead, in tenths of a logarithm of likelihood; tried on 3,114 texts of patients


def _chinese(text: str, current: Language | None) -> Language:
    """Which Chinese: by the characters only one of the two scripts has, then by written Cantonese, then what it was."""
    traditional = sum(char in ONLY_TRADITIONAL for char in text)
    simplified = sum(char in ONLY_SIMPLIFIED for char in text)
    if traditional != simplified:
        return Language.ZH_HANT if traditional > simplified else Language.ZH_HANS
    if any(char in CANTONESE for char in text):
        return Language.ZH_HANT
    return current if current in CHINESE else Language.ZH_HANT


def _latin(words: list[str], current: Language | None) -> Language:
    """English, Tagalog or Indonesian; the current language where the text does not tell."""
    # "ng" joins two words in Tagalog; at either end of a few it is the surname of every thirtieth person in Hong Kong.
    inside = words if len(words) > NAMED else words[1:-1]
    votes = {_TELLS[word] for word in words if word in _TELLS and (word != "ng" or word in inside)}
    ranks = latin.ranked(words)
    best = Language(ranks[0][1]) if ranks else None
    is_sure = bool(ranks) and ranks[0][0] - ranks[1][0] >= SURE
    if len(words) < 4:  # too few letters to count: only a word that tells decides
        decided = votes.pop() if len(votes) == 1 else None
    elif best and (is_sure or best in votes):
        decided = best
    else:
        decided = votes.pop() if len(votes) == 1 else None
    return decided or current or (best if best and is_sure else Language.EN)


def _without_codes(text: str) -> str:
    """The text without addresses and what mixes letters and digits: "4YA7-MDNG" holds no Indonesian word, whatever it spells."""
    return _CODE.sub(lambda found: " " if any(map(str.isdigit, found[0])) else found[0], _ADDRESS.sub(" ", text))


def latin_words(text: str) -> list[str]:
    """The words in Latin letters that tell a language, of the beginning of a text."""
    return _LATIN_WORD.findall(_without_codes(fold(text[: READ * 4])[:READ]))


def identify(text: str, current: Language | None) -> Language | None:
    """The language of a text; `current` where it does not tell, None where it has no words (digits, emoji)."""
    text = fold(text[: READ * 4])[:READ]
    has_letters = any(char.isalpha() for char in text)
    text = _without_codes(text)
    han = "".join(_HAN.findall(text))
    words = _LATIN_WORD.findall(text)
    if not han and not words:
        return current if has_letters else None
    # A Chinese sentence keeps its English nouns ("HIV test result有冇leak"); an English one may hold a Chinese name.
    share = 0.25 if any(char in CANTONESE for char in han) else 0.5
    if han and len(han) >= share * len(words):
        return _chinese(han, current)
    return _latin(words, current)
