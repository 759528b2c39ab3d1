"""Notices emergencies in a patient's text: suicide, acute illness, violence, blackmail, money moving now, attackers.

The lexicon (data/safety.yml) is looked for in the whole text whatever the classifier says, because help must stand in the
first reply. It prefers one call too many to one too few. A hit names the phrase of the file, never the patient's words, so
it may be logged.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path

import yaml

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.conversations.reading.phrases import Phrase, Sentence, sentences

PRIORITIES = ("P0", "P1")  # P0: minutes count; P1: a person the same day
NOT = "not"  # look-alikes: words that do not count where they stand like this
CALM = "calm"  # signs that a sentence asks, supposes or looks back: nothing in it counts
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
    calm: dict[str, tuple[Phrase, ...]]
    # the first two characters of a word → such words, each with the places in `entries` of the phrases that need it most
    index: dict[str, tuple[tuple[str, tuple[int, ...]], ...]]

    @classmethod
    def load(cls, path: Path) -> "Lexicon":
        """Reads the file; BadInput names file, category, language and line of the first mistake."""
        return _File(path).lexicon()

    def scan(self, text: str) -> tuple[Hit, ...]:
        """The emergencies in a text, most urgent first, each category once; reads the text to its end."""
        read = sentences(text)
        hits: dict[str, Hit] = {}
        for entry, places in sorted(self._places(read).items(), key=lambda pair: self.entries[pair[0]].rank):
            hit = self.entries[entry].hit
            if hit.category not in hits and any(self._holds(self.entries[entry], read[place]) for place in sorted(places)):
                hits[hit.category] = hit
        return tuple(hits.values())

    def _places(self, read: list[Sentence]) -> dict[int, set[int]]:
        """In which sentences each entry is possible, by the word it needs most: this keeps long texts cheap."""
        everything = "\n".join(sentence.bare for sentence in read)
        ends = list(accumulate(len(sentence.bare) + 1 for sentence in read))
        beginnings = {*everything, *map("".join, pairwise(everything))}
        places: dict[int, set[int]] = {}
        for beginning in beginnings & self.index.keys():
            for word, entries in self.index[beginning]:
                found = []
                position = everything.find(word)
                while position >= 0:
                    found.append(bisect_right(ends, position))
                    position = everything.find(word, ends[found[-1]])
                for entry in entries if found else ():
                    places.setdefault(entry, set()).update(found)
        return places

    def _holds(self, entry: _Entry, sentence: Sentence) -> bool:
        found, category = entry.phrase.found_in, entry.hit.category
        if not found(sentence) or any(phrase.found_in(sentence) for phrase in self.calm[category]):
            return False
        return found(self._without_lookalikes(category, sentence))

    def _without_lookalikes(self, category: str, sentence: Sentence) -> Sentence:
        likes = (phrase for phrase in self.lookalikes[category] if phrase.possible_in(sentence))
        return sentence.without(span for phrase in likes for span in phrase.spans(sentence))


def _index(entries: list[_Entry]) -> dict[str, tuple[tuple[str, tuple[int, ...]], ...]]:
    words: dict[str, list[int]] = {}
    for number, entry in enumerate(entries):
        for word in entry.phrase.key:
            words.setdefault(word, []).append(number)
    index: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for word, numbers in words.items():
        index.setdefault(word[:2], []).append((word, tuple(numbers)))
    return {beginning: tuple(found) for beginning, found in index.items()}


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
        silent: dict[str, dict[str, tuple[Phrase, ...]]] = {NOT: {}, CALM: {}}
        for name, node in self._mapping(self.root, "the file"):
            if name == LISTS:
                self.lists = {key: " ".join(value.value.split()) for key, value in self._mapping(node, LISTS)}
                continue
            found, silencers = self._category(name, node, len(silent[NOT]))
            entries += found
            for kind, phrases in silent.items():
                phrases[name] = silencers[kind]
        return Lexicon(tuple(entries), silent[NOT], silent[CALM], _index(entries))

    def _category(self, name: str, node: yaml.Node, rank: int) -> tuple[list[_Entry], dict[str, tuple[Phrase, ...]]]:
        names = {"wording": name, "reason": name}
        entries: list[_Entry] = []
        silencers: dict[str, tuple[Phrase, ...]] = {NOT: (), CALM: ()}
        for key, value in self._mapping(node, name):
            if key in names and isinstance(value, yaml.ScalarNode):
                names[key] = value.value
            elif key in silencers:
                silencers[key] = tuple(phrase for _, phrase in self._phrases(value, name, in_one_clause=True))
            elif key in PRIORITIES:
                hit = Hit(name, names["reason"], names["wording"], key, "")
                for source, phrase in self._phrases(value, name):
                    entries.append(_Entry((rank, PRIORITIES.index(key)), replace(hit, phrase=source), phrase))
            else:
                known = ", ".join(["wording", "reason", *PRIORITIES, *silencers])
                raise self._wrong(value, f"{name}: '{key}' is not one of {known}")
        if not entries:
            raise self._wrong(node, f"{name}: there is no phrase under {' or '.join(PRIORITIES)}")
        return entries, silencers

    def _phrases(self, node: yaml.Node, category: str, *, in_one_clause: bool = False) -> Iterator[tuple[str, Phrase]]:
        for tag, block in self._mapping(node, category):
            if tag not in set(Language):
                raise self._wrong(block, f"{category}: '{tag}' is not one of the languages {', '.join(Language)}")
            if not isinstance(block, yaml.ScalarNode) or block.style != "|":
                raise self._wrong(block, f"{category}, {tag}: write the phrases one a line under '{tag}: |'")
            for number, line in enumerate(block.value.split("\n"), start=block.start_mark.line + 2):
                if not (phrase := line.strip()) or phrase.startswith("#"):
                    continue
                try:
                    yield phrase, Phrase.read(phrase, self.lists, language=tag, in_one_clause=in_one_clause)
                except BadInput as error:
                    raise BadInput(f"{self.path.name}, {category}, {tag}, line {number}: {error}") from None

    def _mapping(self, node: yaml.Node | None, place: str) -> list[tuple[str, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self._wrong(node, f"{place} must be a list of 'name: …' lines")
        return [(key.value, value) for key, value in node.value]

    def _wrong(self, node: yaml.Node | None, what: str) -> BadInput:
        line = node.start_mark.line + 1 if node else 1
        return BadInput(f"{self.path.name}, line {line}: {what}")
