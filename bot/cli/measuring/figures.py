"""Figures about messages that were asked: shares with 95 % intervals, by language, topic and kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import sqrt
from statistics import median
from typing import Any

from bot.cli.measuring.asking import OUT_OF_SCOPE, Asked, Outcome

LOOKALIKE = "lookalike"
WORST = 25
Z = 1.96  # 95 %

Test = Callable[[Asked], bool]


def figures(asked: Sequence[Asked]) -> dict[str, Any]:
    """One object with every figure; a share of nothing is null."""
    return {
        "n": len(asked),
        **_shares(asked, {"top1": _top(1), "top3": _top(3)}),
        "by_lang": _grouped(asked, lambda one: one.message.language.value),
        "by_kind": _grouped(asked, lambda one: one.message.kind),
        "by_topic": _grouped(asked, lambda one: one.message.topic),
        **_out_of_scope(asked),
        **_shares(asked, {outcome.value: _is(outcome) for outcome in Outcome}),
        **_danger(asked),
        "confusions": _confusions(asked),
        "calibration": _calibration(asked),
        "p50_ms": _at(asked, 0.5),
        "p95_ms": _at(asked, 0.95),
    }


def interval(hits: int, of: int) -> tuple[float, float]:
    """Wilson's interval for a share; (0, 1) of nothing."""
    if of == 0:
        return 0.0, 1.0
    share = hits / of
    middle = (share + Z * Z / (2 * of)) / (1 + Z * Z / of)
    reach = Z * sqrt(share * (1 - share) / of + Z * Z / (4 * of * of)) / (1 + Z * Z / of)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _top(places: int) -> Test:
    return lambda one: bool(one.message.right & set(one.topics[:places]))


def _is(outcome: Outcome) -> Test:
    return lambda one: one.outcome is outcome


def _shares(asked: Iterable[Asked], tests: dict[str, Test]) -> dict[str, Any]:
    """Each test's share under its name, and its interval under name_ci."""
    among = list(asked)
    found: dict[str, Any] = {}
    for name, test in tests.items():
        hits = sum(map(test, among))
        found[name] = round(hits / len(among), 4) if among else None
        found[f"{name}_ci"] = [round(end, 4) for end in interval(hits, len(among))]
    return found


def _grouped(asked: Sequence[Asked], key: Callable[[Asked], str]) -> dict[str, Any]:
    groups: dict[str, list[Asked]] = {}
    for one in asked:
        groups.setdefault(key(one), []).append(one)
    tests = {"top1": _top(1), "top3": _top(3), **{outcome.value: _is(outcome) for outcome in Outcome}}
    return {name: {"n": len(group), **_shares(group, tests)} for name, group in sorted(groups.items())}


def _out_of_scope(asked: Sequence[Asked]) -> dict[str, Any]:
    outside = [one for one in asked if one.message.topic in OUT_OF_SCOPE]
    inside = [one for one in asked if not one.message.right & OUT_OF_SCOPE]
    answered = (Outcome.RIGHT, Outcome.WRONG)
    return {
        **_shares(outside, {"oos_recall": lambda one: one.out_of_scope or one.outcome not in answered}),
        **_shares(outside, {"oos_said": lambda one: one.out_of_scope}),
        **_shares(inside, {"oos_false": lambda one: one.out_of_scope}),
    }


def _danger(asked: Sequence[Asked]) -> dict[str, Any]:
    urgent = [one for one in asked if one.message.urgent]
    alike = [one for one in asked if one.message.kind == LOOKALIKE]
    calm = [one for one in asked if not one.message.urgent and one.message.kind != LOOKALIKE]

    def helped(one: Asked) -> bool:
        return one.certain or one.possible or one.person

    kinds = sorted({one.message.kind for one in urgent})
    return {
        **_shares(urgent, {"urgent_recall": helped, "urgent_certain": lambda one: one.certain}),
        "urgent_by_kind": {kind: _urgent([one for one in urgent if one.message.kind == kind], helped) for kind in kinds},
        "urgent_by_lang": {
            lang: _urgent([one for one in urgent if one.message.language.value == lang], helped)
            for lang in sorted({one.message.language.value for one in urgent})
        },
        **_shares(alike, {"urgent_false": lambda one: one.certain, "urgent_possible_false": lambda one: one.possible}),
        **_shares(calm, {"calm_false": lambda one: one.certain, "calm_possible_false": lambda one: one.possible}),
    }


def _urgent(group: Sequence[Asked], helped: Test) -> dict[str, Any]:
    return {"n": len(group), **_shares(group, {"recall": helped, "certain": lambda one: one.certain})}


def _confusions(asked: Sequence[Asked]) -> list[dict[str, Any]]:
    missed = [one for one in asked if one.topics and not _top(1)(one)]
    pairs = Counter((one.message.topic, one.topics[0]) for one in missed)
    return [{"topic": topic, "taken_for": other, "n": number} for (topic, other), number in pairs.most_common(WORST)]


def _calibration(asked: Sequence[Asked]) -> list[dict[str, Any]]:
    """By tenths of the first topic's confidence: how many, the mean confidence and the share that was right."""
    found = []
    for tenth in range(10):
        group = [one for one in asked if not one.certain and min(int(one.confidence * 10), 9) == tenth]
        if group:
            right = sum(map(_top(1), group)) / len(group)
            mean = sum(one.confidence for one in group) / len(group)
            found.append({"n": len(group), "confidence": round(mean, 3), "right": round(right, 3)})
    return found


def _at(asked: Sequence[Asked], share: float) -> float | None:
    times = sorted(one.milliseconds for one in asked)
    if not times:
        return None
    return round(median(times) if share == 0.5 else times[min(int(len(times) * share), len(times) - 1)], 1)
