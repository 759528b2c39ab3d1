"""The words around a number that say what kind of number it is, in the five languages."""

import re
from collections.abc import Callable

MONEY_BEFORE = re.compile(
    r"(?:\$|[€£¥₱₩]|hkd|usd|rmb|cny|php|idr|gbp|eur|rp\.?|港[幣币元]|人民[幣币]|美[金元]) ?$", re.IGNORECASE
)
UNIT_AFTER = re.compile(
    r" ?(?:[元蚊塊块萬万億亿人名個个位宗份條条件次歲岁天日年月%]|港元|美金|dollar|hkd|usd|peso|rupiah|million|thousand"
    r"|ribu|juta|k\b|bitcoin|btc|patient|people|person|record|pasien|pasyente|orang|tao|hour|day|week|month|year|mg|ml|kg|km)",
    re.IGNORECASE,
)


def _about(words: str) -> Callable[[str], bool]:
    pattern = re.compile(words, re.IGNORECASE)
    return lambda text: pattern.search(text) is not None


says_code = _about(
    r"(?<!qr )(?<!qr-)(?<!zip )(?<!post )(?<!postal )(?<!area )(?<!promo )(?<!error )(?:pass)?codes?\b"
    r"|\botp|one.?time|\bpin\b|digit number|(?:驗證|验证|認證|认证|授權|授权|確認|确认)[碼码]"
    r"|密[碼码]|一次性|\bkode|\bsandi|verifi[ck]a|password"
)
says_passport = _about(r"passport|護照|护照|paspor|pasaporte|通行[證证]|回[鄉乡][證证卡]|travel doc|permit|旅[遊游][證证]件")
says_id = _about(r"hkid|身[份分][證证]|identity|id ?card|\bid\b|\bktp\b|\bnik\b")
says_phone = _about(
    r"phone|\btel\b|mobile|\bcall|whatsapp|\bwa\b|\bhp\b|\bring\b"
    r"|電話|电话|手[機机]|致電|致电|nomor|numero"
    r"|contact|聯絡|联络"
)
says_account = _about(
    r"account|acct|\ba/c|[戶户]口|[帳賬账][戶户號号]|rekening"
    r"|iban|\bfps\b|[轉转][數数]快|payme"
    r"|gcash|alipay|支付[寶宝]|octopus|八[達达]通"
)
