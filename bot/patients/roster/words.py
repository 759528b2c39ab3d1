"""What people write for yes and no, for the ways of reaching somebody and for the kinds of data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from bot.base.languages import Language, chosen
from bot.base.text import fold
from bot.patients.models import Category, Way

Member = TypeVar("Member", bound=StrEnum)

_YES = frozenset(["y", "yes", "true", "t", "1", "x", "✓", "✔", "√", "是", "有", "對", "对"])
_NO = frozenset(["", "n", "no", "false", "f", "0", "否", "無", "无", "不是", "沒有", "没有"])

WAYS: Mapping[Way, str] = {
    Way.EMAIL: "email, e-mail, 電郵, 电邮",
    Way.SMS: "sms, text, 短訊, 短信, 短讯",
    Way.WHATSAPP: "whatsapp, wa",
    Way.PHONE: "phone, call, calls, telephone, tel, 電話, 电话, 致電",
    Way.LETTER: "letter, letters, post, 郵寄, 邮寄, 信件, 書信",
}
CATEGORIES: Mapping[Category, str] = {
    Category.IDENTITY: "identity, name, personal particulars, date of birth, 個人資料, 身份資料",
    Category.IDENTITY_DOCUMENT: "identity document, id document, identity card, hkid, passport, 身份證, 身份證明文件, 護照",
    Category.CONTACT: "contact, contacts, contact details, address, 聯絡資料, 聯絡方法",
    Category.APPOINTMENT: "appointment, appointments, visits, bookings, 預約, 預約紀錄",
    Category.MEDICAL: "medical, medical record, medical records, health record, health records, 病歷, 醫療紀錄, 醫療記錄",
    Category.PAYMENT: "payment, payments, billing, bills, 付款, 付款資料, 帳單",
    Category.INSURANCE: "insurance, insurance details, 保險, 保險資料",
}
_BETWEEN = re.compile(r"[;；、|,，/+\n]")


def yes_or_no(text: str) -> bool | None:
    """What a flag says, or None when it cannot be told."""
    folded = text.casefold()
    return True if folded in _YES else False if folded in _NO else None


@lru_cache(maxsize=512)
def language(text: str) -> Language | None:
    """The language a cell names, by tag or by name in any of the languages."""
    return next((one for one in Language if one.value.casefold() == text.casefold()), None) or chosen(text)


@lru_cache(maxsize=2048)
def ways(text: str) -> tuple[Way, ...] | None:
    """The ways listed in a cell, or None when one of them is not understood."""
    return _members(text, WAYS)


@lru_cache(maxsize=2048)
def categories(text: str) -> tuple[Category, ...] | None:
    """The categories listed in a cell, or None when one of them is not understood."""
    return _members(text, CATEGORIES)


def _members(text: str, words: Mapping[Member, str]) -> tuple[Member, ...] | None:
    known = {fold(word): member for member, line in words.items() for word in line.split(",")}
    found = [known.get(fold(part.replace("_", " "))) for part in _BETWEEN.split(text) if part.strip()]
    return None if None in found else tuple(member for member in words if member in found)
