"""Notices emergencies in a patient's text: suicide, acute illness, violence, blackmail, money moving now, a claim to be the attacker.

The lexicon (data/safety.yml) is looked for in the whole text whatever the classifier says, because help must stand in the first reply.
It prefers one call too many to one too few. A hit names the phrase of the file, never the patient's words, so it may be logged.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.conversations.phrases import Phrase, Sentence, sentences

PRIORITIES = ("P0", "P1")  # P0: minutes count; P1: a person the same day
NOT = "not"  # look-alikes: words that do not count where they stand like this
LISTS = "lists"


@dataclass(frozen=True)
class Hit:
    """One kind of emergency that a text speaks of."""

    category: str
    reason: str  # for the desk
    wording: str  # what the patient is told first
    priority: str
    phrase: str  # as the file has it


@dataclass(frozen=True)
class _Entry:
    rank: tuple[int, int]  # category, then priority
    hit: Hit
    phrase: Phrase


@dataclass(frozen=True)
class Lexicon:
    """All phrases of data/safety.yml, ready to be looked for."""

    entries: tuple[_Entry, ...]
    lookalikes: dict[str, tuple[Phrase, ...]]
    index: dict[str, tuple[_Entry, ...]]  # a word → the phrases that need it

    @classmethod
    def load(cls, path: Path) -> "Lexicon":
        """Reads the file; BadInput names file, category, language and line of the first mistake."""
        return _File(path).lexicon()

    def scan(self, text: str) -> tuple[Hit, ...]:
        """The emergencies in a text, most urgent first, each category once; reads the text to its end."""
        read = sentences(text)
        everything = "\n".join(sentence.bare for sentence in read)
        possible = {id(entry): entry for word in self.index if word in everything for entry in self.index[word]}
        hits: dict[str, Hit] = {}
        for entry in sorted(possible.values(), key=lambda entry: entry.rank):
            if entry.hit.category not in hits and self._holds(entry, read):
                hits[entry.hit.category] = entry.hit
        return tuple(hits.values())

    def _holds(self, entry: _Entry, read: list[Sentence]) -> bool:
        return any(
            entry.phrase.found_in(sentence) and entry.phrase.found_in(self._without_lookalikes(entry.hit.category, sentence))
            for sentence in read
        )

    def _without_lookalikes(self, category: str, sentence: Sentence) -> Sentence:
        for phrase in self.lookalikes[category]:
            if phrase.possible_in(sentence):
                sentence = phrase.without(sentence)
        return sentence


class _File:
    """Reads data/safety.yml node by node, so that every mistake can be told with its line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{path.name}: the file of emergencies cannot be read") from error
        except yaml.YAMLError as error:
            raise BadInput(f"{path.name}: not valid YAML: {error}") from error
        self.lists: dict[str, str] = {}

    def lexicon(self) -> Lexicon:
        entries: list[_Entry] = []
        lookalikes: dict[str, tuple[Phrase, ...]] = {}
        for name, node in self._mapping(self.root, "the file"):
            if name == LISTS:
                self.lists = {key: " ".join(value.value.split()) for key, value in self._mapping(node, LISTS)}
                continue
            rank = len(lookalikes)
            found, lookalikes[name] = self._category(name, node, rank)
            entries += found
        index: dict[str, list[_Entry]] = {}
        for entry in entries:
            for word in entry.phrase.key:
                index.setdefault(word, []).append(entry)
        return Lexicon(tuple(entries), lookalikes, {word: tuple(found) for word, found in index.items()})

    def _category(self, name: str, node: yaml.Node, rank: int) -> tuple[list[_Entry], tuple[Phrase, ...]]:
        names = {"wording": name, "reason": name}
        entries: list[_Entry] = []
        lookalikes: tuple[Phrase, ...] = ()
        for key, value in self._mapping(node, name):
            if key in names and isinstance(value, yaml.ScalarNode):
                names[key] = value.value
            elif key == NOT:
                lookalikes = tuple(phrase for _, phrase in self._phrases(value, name))
            elif key in PRIORITIES:
                hit = Hit(name, names["reason"], names["wording"], key, "")
                for source, phrase in self._phrases(value, name):
                    full = Hit(hit.category, hit.reason, hit.wording, hit.priority, source)
                    entries.append(_Entry((rank, PRIORITIES.index(key)), full, phrase))
            else:
                raise self._wrong(value, f"{name}: '{key}' is not one of wording, reason, {', '.join(PRIORITIES)}, {NOT}")
        if not entries:
            raise self._wrong(node, f"{name}: there is no phrase under {' or '.join(PRIORITIES)}")
        return entries, lookalikes

    def _phrases(self, node: yaml.Node, category: str) -> Iterator[tuple[str, Phrase]]:
        for tag, block in self._mapping(node, category):
            if tag not in set(Language):
                raise self._wrong(block, f"{category}: '{tag}' is not one of the languages {', '.join(Language)}")
            if not isinstance(block, yaml.ScalarNode) or block.style != "|":
                raise self._wrong(block, f"{category}, {tag}: write the phrases one a line under '{tag}: |'")
            for number, line in enumerate(block.value.split("\n"), start=block.start_mark.line + 2):
                if not (phrase := line.strip()) or phrase.startswith("#"):
                    continue
                try:
                    yield phrase, Phrase.read(phrase, self.lists)
                except BadInput as error:
                    raise BadInput(f"{self.path.name}, {category}, {tag}, line {number}: {error}") from None

    def _mapping(self, node: yaml.Node | None, place: str) -> list[tuple[str, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self._wrong(node, f"{place} must be a list of 'name: …' lines")
        return [(key.value, value) for key, value in node.value]

    def _wrong(self, node: yaml.Node | None, what: str) -> BadInput:
        line = node.start_mark.line + 1 if node else 1
        return BadInput(f"{self.path.name}, line {line}: {what}")
