"""The one normalisation of what patients type: `plain` for what is kept and shown, `fold` for what is compared.

Everything that looks for something in a text (languages, the guard, the lexicon of emergencies) reads it through these
two, so that no trick of spelling works against one and not the other. Linear in the length of the text; never raises;
both are idempotent.
"""

import re
import unicodedata

MARKS_KEPT = 3  # combining marks in a row; Hebrew and Vietnamese need two or three, a flood has hundreds

_SPACES = "\t\n\r\v\f\x1c\x1d\x1e\x1f\x85"  # controls that are white space to Python: folded, not removed
# controls, zero-width and bidi and tag characters, lone surrogates, private use, not assigned
_GONE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# what looks like nothing without being any of these: variation selectors, fillers of Hangul and Khmer, the Braille blank
_BLANK = frozenset(
    map(
        chr,
        (
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
            0x034F,
            0x115F,
            0x1160,
            0x17B4,
            0x17B5,
            0x180B,
            0x180C,
            0x180D,
            0x180F,
            0x2800,
            0x3164,
            0xFFA0,
        ),
    )
)
_LIGATURES = re.compile("[\ufb50-\ufdff]+")  # one of these becomes up to eighteen letters: a bomb, so they stay as they are
_SPACE = re.compile(r"\s+")
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")


def _visible(text: str) -> str:
    """Without what cannot be seen, every decimal digit as 0-9, and at most `MARKS_KEPT` combining marks in a row."""
    table: dict[int, str | None] = {}
    marks = ""
    for char in set(text):  # a few hundred different characters even in a very long text: no table of all Unicode is needed
        if char < "\x7f" and char >= " ":
            continue
        category = unicodedata.category(char)
        if char in _BLANK or (category in _GONE and char not in _SPACES):
            table[ord(char)] = None
        elif category == "Nd":
            table[ord(char)] = str(unicodedata.decimal(char))
        elif category == "Me" or unicodedata.combining(char):
            marks += char
    if table:
        text = text.translate(table)
    if marks:
        kind = f"[{re.escape(marks)}]"
        text = re.sub(f"({kind}{{{MARKS_KEPT}}}){kind}+", r"\1", text)
    return text


def _compatible(text: str) -> str:
    """Unicode NFKC, except for the Arabic ligatures."""
    if not _LIGATURES.search(text):
        return unicodedata.normalize("NFKC", text)
    pieces = _LIGATURES.split(text)
    kept = [*_LIGATURES.findall(text), ""]
    return "".join(unicodedata.normalize("NFKC", piece) + ligature for piece, ligature in zip(pieces, kept, strict=True))


def plain(text: str) -> str:
    """The text as a person would read it aloud: one form of each letter and digit, single spaces, nothing invisible."""
    for _ in range(4):  # removing may bring two pieces together that have a form of their own; two rounds are the most seen
        before = text
        if _NOT_ASCII.search(text):
            # Marks are cut first: putting a long run of them in order, as NFKC does, takes quadratic time.
            text = _visible(_compatible(_visible(text)))
        text = _SPACE.sub(" ", text).strip()
        if text == before:
            break
    return text


def fold(text: str) -> str:
    """`plain`, without the difference between capital and small letters; only for comparing, never shown."""
    return plain(plain(text).casefold())
