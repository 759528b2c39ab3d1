"""The columns of a roster and the headings by which they are known; whatever else a file has is named, never stored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.base.errors import BadInput
from bot.base.text import fold


class Column(StrEnum):
    """What a roster may say about a person."""

    KEY = "patient key"
    NAME = "name"
    NAME_ZH = "chinese name"
    LANGUAGE = "language"
    EMAIL = "e-mail"
    PHONE = "phone"
    ADDRESS = "address"
    CATEGORIES = "affected categories"
    MINOR = "minor"
    GUARDIAN = "guardian key"
    DECEASED = "deceased"
    SAFE = "safe contact"
    NOT_BY = "do not contact by"
    STAFF = "staff"
    PROTECTED = "protected person"
    EMPLOYER = "employer key"
    HOUSEHOLD = "household"
    CLINIC = "clinic"
    DIGEST = "row digest"


SEVERAL = frozenset({Column.EMAIL, Column.PHONE, Column.ADDRESS})
"""Columns a file may have more than once, such as `phone 2`; the parts of an address are joined."""

_HEADINGS = {
    Column.KEY: """patient key, patient id, patient no, patient number, key, id, record no, chart no, file no, client id,
        病人編號, 病人编号, 病人號碼, 檔案編號, 編號, 编号, 病歷編號""",
    Column.NAME: """name, full name, english name, name en, patient name, name in english,
        英文姓名, 英文名, 英文名稱, 姓名, 名字""",
    Column.NAME_ZH: """chinese name, name zh, name chinese, name in chinese, 中文姓名, 中文名, 中文名稱, 中文名字""",
    Column.LANGUAGE: "language, lang, preferred language, language preference, 語言, 语言, 首選語言, 語文",
    Column.EMAIL: "e mail, email, mail, email address, e mail address, 電郵, 電郵地址, 电邮, 邮箱, 電子郵件",
    Column.PHONE: """phone, mobile, telephone, tel, mobile phone, mobile no, phone no, phone number, mobile number, home phone,
        home tel, office tel, office phone, contact no, contact number, whatsapp, landline,
        電話, 手機, 手提電話, 流動電話, 電話號碼, 手提, 住宅電話, 聯絡電話, 办公电话, 手机, 电话""",
    Column.ADDRESS: """address, postal address, address line, mailing address, correspondence address, home address,
        地址, 通訊地址, 郵寄地址, 住址, 通讯地址""",
    Column.CATEGORIES: """affected categories, categories, data categories, affected data, categories affected,
        受影響資料類別, 資料類別, 资料类别, 類別""",
    Column.MINOR: "minor, is minor, child, under 18, 未成年, 未成年人, 兒童, 儿童",
    Column.GUARDIAN: "guardian key, guardian, guardian id, parent key, guardian no, 監護人編號, 監護人, 监护人编号",
    Column.DECEASED: "deceased, died, is deceased, 已故, 離世, 已離世, 去世",
    Column.SAFE: "safe contact, safe, 安全聯絡方式, 安全聯絡, 安全联络方式",
    Column.NOT_BY: "do not contact by, do not use, not by, no contact by, 不得聯絡方式, 請勿以此聯絡, 請勿聯絡, 不可聯絡方式",
    Column.STAFF: "staff, is staff, employee, 員工, 职员, 職員",
    Column.PROTECTED: "protected person, protected, 受保護人士, 受保護, 受保护人士",
    Column.EMPLOYER: "employer key, employer, employer id, helper of, 僱主編號, 僱主, 雇主编号",
    Column.HOUSEHOLD: "household, household key, household no, family no, family, family id, 家庭編號, 住戶, 家庭, 家庭编号",
    Column.CLINIC: "clinic, clinic name, branch, practice, centre, center, 診所, 诊所, 診所名稱, 分店, 中心",
    Column.DIGEST: "row digest, digest, row hash, checksum, 核對碼, 校驗碼",
}
_NEVER = re.compile(
    r"hk ?id|identity card|id card|passport|birth|^dob$|sex$|gender|diagnos|symptom|allerg|medicat|prescri|treatment|illness"
    r"|icd|clinical|lab |result|blood|doctor|visit|credit card|card no"
    r"|身份證|身份证|護照|护照|出生|生日|性別|性别|診斷|诊断|病症|過敏|藥|药|治療|病情|化驗|血型|覆診|信用卡"
)


@dataclass(frozen=True)
class Layout:
    """Which cell of a row is which column."""

    places: dict[Column, tuple[int, ...]]
    headings: tuple[str, ...]
    unknown: tuple[str, ...]

    def heading(self, place: int) -> str:
        """The heading over a cell as the file writes it."""
        return self.headings[place] if place < len(self.headings) else f"column {place + 1}"


def _bare(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", fold(text)).split())


_KNOWN = {_bare(word): column for column, words in _HEADINGS.items() for word in words.split(",")}


def _column(heading: str) -> Column | None:
    """The column of a heading: also `Phone (2)`, `電郵2`, `Name / 姓名`, `Address line 1`."""
    bare = _bare(heading)
    for form in (bare, re.sub(r" ?\d$", "", bare)):
        if found := _KNOWN.get(form):
            return found
    parts = {_KNOWN[word] for part in re.split(r"[/()（）\n]", heading) if (word := re.sub(r" ?\d$", "", _bare(part))) in _KNOWN}
    return parts.pop() if len(parts) == 1 else None


def read_headings(cells: Sequence[str]) -> Layout:
    """The layout by the first row; raises BadInput for a column that may not be there, is there twice, or is missing."""
    headings = [" ".join(cell.split()) for cell in cells]
    while headings and not headings[-1]:
        headings.pop()
    never = [heading for heading in headings if not _column(heading) and _NEVER.search(fold(heading))]
    if never:
        raise BadInput(
            f"These columns may not be in a roster, take them out: {_listed(never)}. Health records are never imported."
        )
    places: dict[Column, tuple[int, ...]] = {}
    unknown = []
    for place, heading in enumerate(headings):
        column = _column(heading)
        if column is None:
            unknown.append(heading or f"column {place + 1} (no heading)")
        elif column in places and column not in SEVERAL:
            raise BadInput(f"The column “{column}” is there twice, the second time as “{heading[:40]}”.")
        else:
            places[column] = (*places.get(column, ()), place)
    _complete(places, unknown)
    return Layout(places, tuple(headings), tuple(unknown))


def _complete(places: dict[Column, tuple[int, ...]], unknown: Sequence[str]) -> None:
    missing = [] if Column.KEY in places else [Column.KEY.value]
    if not {Column.NAME, Column.NAME_ZH} & places.keys():
        missing.append(Column.NAME.value)
    if Column.CATEGORIES not in places:
        missing.append(Column.CATEGORIES.value)
    if not SEVERAL & places.keys():
        missing.append("e-mail, phone or address")
    if missing:
        seen = f" Headings that were not understood: {_listed(unknown)}." if unknown else ""
        raise BadInput(f"The first row must name the columns; missing: {', '.join(missing)}.{seen}")


def _listed(headings: Sequence[str]) -> str:
    # A first row may be data: what looks like data is not repeated.
    shown = [
        f"“{heading[:40]}”" if not re.search(r"\d{4}|@", heading) else "(looks like data, not a heading)" for heading in headings
    ]
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")
