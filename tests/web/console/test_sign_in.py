"""The ways in, strangers first."""

from __future__ import annotations

from collections.abc import Callable

from tests.web.console.conftest import Colleague


def test_a_colleague_signs_in_and_sees_the_queue(colleague: Callable[..., Colleague]) -> None:
    ann = colleague(signed_in=False)
    answer = ann.sign_in()
    assert answer.url.path == "/desk"
    assert "<h1>Queue</h1>" in answer.text


def test_a_wrong_password_is_refused_in_the_same_words_as_an_unknown_name(colleague: Callable[..., Colleague]) -> None:
    ann = colleague(signed_in=False)
    wrong, unknown = ann.sign_in(password="seven purple parasols"), ann.sign_in(login="nobody@clinic.example")
    assert wrong.status_code == unknown.status_code == 401
    assert "Name, password or code is not right." in wrong.text
    assert wrong.text.replace(ann.login, "") == unknown.text.replace("nobody@clinic.example", "")
