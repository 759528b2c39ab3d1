"""The many who ask one thing and go: how such questions swell after the notice went out, and ebb. Always the same day."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from bot.cli.demo.script import Said, Talk

SEED = 20261124
MANY = 90
HOURS = (9.5, 9.0, 8.6, 8.3, 8.0, 7.7, 7.3, 6.8, 6.2, 5.5, 4.8, 4.0, 3.2, 2.4, 1.6, 0.8)
WEIGHTS = (1, 3, 8, 12, 14, 12, 10, 8, 7, 6, 5, 5, 4, 4, 3, 2)
"""How the day begins, swells within an hour of the notice, and ebbs: hours before now, and how many write around then."""
CHANNELS = ("web",) * 6 + ("whatsapp",) * 3 + ("sms",) * 2 + ("email",)
ASKED: dict[str, tuple[tuple[str, str], ...]] = {
    "en": (
        ("What happened to my records?", "what_happened"),
        ("Which clinics are affected?", "clinics_affected"),
        ("Was my ID card number taken?", "id_numbers_exposed"),
        ("What data was it?", "data_types"),
        ("What should I do now to protect myself?", "protect_myself"),
        ("Is this SMS really from you?", "scam_message_check"),
        ("When did it happen?", "incident_dates"),
        ("Are the clinics open as usual?", "is_it_safe_now"),
        ("When will you know more?", "investigation_timeline"),
        ("Did they get my medical records?", "data_stolen_status"),
        ("qwe asd zxc", "gibberish"),
    ),
    "zh-Hant": (
        ("我嘅資料有冇外洩？", "what_happened"),
        ("邊間診所受影響？", "clinics_affected"),
        ("身份證號碼係咪俾人攞咗？", "id_numbers_exposed"),
        ("洩漏咗啲咩資料", "data_types"),
        ("我而家應該點做", "protect_myself"),
        ("收到個短訊係咪你哋發嘅", "scam_message_check"),
        ("幾時發生㗎", "incident_dates"),
        ("診所仲有冇開", "is_it_safe_now"),
        ("幾時會有消息", "investigation_timeline"),
    ),
    "zh-Hans": (
        ("我的资料泄露了吗？", "what_happened"),
        ("哪些诊所受影响？", "clinics_affected"),
        ("我现在应该怎么做？", "protect_myself"),
    ),
    "tl": (("Ano ang nangyari?", "what_happened"), ("Ano ang dapat kong gawin?", "protect_myself")),
    "id": (("Apa yang terjadi?", "what_happened"), ("Data apa yang bocor?", "data_types")),
}
LANGUAGES = ("zh-Hant",) * 9 + ("en",) * 7 + ("zh-Hans",) * 2 + ("tl", "id")


def crowd() -> Iterator[Talk]:
    """The same people at the same hours before now, whenever the day is played."""
    by_chance = Random(SEED)  # noqa: S311 - a script, not a secret
    for _ in range(MANY):
        language, channel = by_chance.choice(LANGUAGES), by_chance.choice(CHANNELS)
        [hour] = by_chance.choices(HOURS, WEIGHTS)
        hours = max(0.2, hour + by_chance.uniform(-0.25, 0.25))
        number = by_chance.choice((1, 1, 1, 2))
        said = tuple(Said(*one) for one in by_chance.sample(ASKED[language], number))
        yield Talk(hours, channel, language, said, None if channel == "web" else by_chance.randint(90, 190))
