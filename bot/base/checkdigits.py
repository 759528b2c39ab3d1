"""Check digits of the numbers people mistype and thieves collect: cards, Hong Kong and mainland identity numbers."""


def luhn(digits: str) -> bool:
    """Whether a card number's check digit is right."""
    doubled = (int(d) * 2 for d in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0


def hkid_is_valid(letters: str, digits: str, check: str) -> bool:
    """Whether the check digit of a Hong Kong identity card number is right (weights 9 to 2, modulo 11, 10 is written A)."""
    values = [36] * (2 - len(letters)) + [ord(letter) - 55 for letter in letters.upper()] + [int(d) for d in digits]
    total = sum(value * weight for value, weight in zip(values, range(9, 1, -1), strict=True))
    return "0123456789A"[-total % 11] == check.upper()


def chinese_id_is_valid(digits: str, check: str) -> bool:
    """Whether 17 digits and a check character form a mainland identity number (ISO 7064 MOD 11-2)."""
    return "10X98765432"[sum(int(d) * 2 ** (17 - i) for i, d in enumerate(digits)) % 11] == check.upper()
