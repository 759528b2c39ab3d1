"""The queue's page: what it shows, who gets a case, and what two people do."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bot.base.audit import AuditEntry
from bot.desk.models import Case, CaseStatus
from bot.desk.records import Known
from bot.desk.staff.names import colleagues
from bot.desk.staff.roles import Role
from bot.desk.work import claims
from bot.desk.work.persons import link
from tests.desk.conftest import Desk
from tests.desk.onfile import person_on_file
from tests.web.console.conftest import Colleague

Colleagues = Callable[..., Colleague]


def order(page: str) -> list[int]:
    """The cases of a page, from the top."""
    return [int(found) for found in re.findall(r'data-row="(\d+)"', page)]


def row(page: str, case_id: int) -> str:
    """What a page says of one case, as text."""
    html = page.split(f'data-row="{case_id}"')[1].split("</tr>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_most_urgent_stands_first_and_then_who_waited_longest(desk: Desk, colleague: Colleagues) -> None:
    calm = desk.case("patient_wish")
    desk.clock.advance(minutes=5)
    later, urgent = desk.case("patient_wish"), desk.case("self_harm")
    assert order(colleague().get("/desk").text) == [urgent, calm, later]


def test_whose_patient_has_the_answer_stands_below_those_who_wait(desk: Desk, colleague: Colleagues) -> None:
    answered, waiting, calm = desk.case("self_harm"), desk.case("self_harm"), desk.case("patient_wish")
    ann = colleague()
    with desk.database.writing() as session:
        case = session.get_one(Case, answered)
        case.status, case.first_responded_at, case.next_response_due_at = CaseStatus.WAITING.value, desk.clock(), None
    assert order(ann.get("/desk").text) == [waiting, answered, calm], "still above what is less urgent"


def test_a_row_says_what_one_needs_to_know_to_take_it(desk: Desk, colleague: Colleagues) -> None:
    case_id = desk.case("data_access_request", channel="whatsapp", language="zh-Hant")
    desk.clock.advance(minutes=90)
    ann = colleague()
    said = row(ann.get("/desk").text, case_id)
    for words in ("P2", desk.look(case_id).number, "Data access request", "1 h 30 min", "繁體中文", "WhatsApp", "Claim"):
        assert words in said
    assert "verified" not in said


def test_a_deadline_warns_at_three_quarters_and_says_when_it_is_over(desk: Desk, colleague: Colleagues) -> None:
    case_id, ann = desk.case("self_harm"), colleague()
    assert "soon" not in row(ann.get("/desk").text, case_id)
    desk.clock.advance(minutes=12)
    assert "soon: 09:15" in row(ann.get("/desk").text, case_id)
    desk.clock.advance(minutes=5)
    assert re.search(r"overdue \d min", row(ann.get("/desk").text, case_id))


def test_a_verified_patient_has_a_sign(desk: Desk, colleague: Colleagues) -> None:
    case_id, person_id = desk.case(), person_on_file(desk)
    with desk.database.writing() as session:
        link(session, desk.vault, case_id, person_id, Known.MENTIONED, staff_id=None, at=desk.clock())
    ann = colleague()
    assert "verified" not in row(ann.get("/desk").text, case_id)
    with desk.database.writing() as session:
        link(session, desk.vault, case_id, person_id, Known.VERIFIED, staff_id=None, at=desk.clock())
    assert "✓ verified" in row(ann.get("/desk").text, case_id)


def test_filters_show_what_they_say(desk: Desk, colleague: Colleagues) -> None:
    ann, ben = colleague(), colleague()
    mine, theirs = desk.case("patient_wish"), desk.case("complaint_clinic", channel="sms", language="tl")
    free = desk.case("self_harm", language="zh-Hant")
    with desk.database.writing() as session:
        claims.claim(session, desk.vault, mine, ann.id, desk.clock())
        claims.claim(session, desk.vault, theirs, ben.id, desk.clock())
    for query, expected in {
        "view=mine": {mine},
        "view=unclaimed": {free},
        "priority=0": {free},
        "team=privacy": {theirs},
        "language=tl": {theirs},
        "channel=sms": {theirs},
        "view=overdue": set(),
        "view=mine&priority=0": set(),
    }.items():
        assert set(order(ann.get(f"/desk?{query}").text)) == expected, query
    assert ann.get("/desk?priority=x").status_code == 422
    desk.clock.advance(hours=2)
    assert ann.sign_in().status_code == 200
    assert set(order(ann.get("/desk?view=overdue").text)) == {free}


def test_a_long_queue_has_pages(desk: Desk, colleague: Colleagues) -> None:
    ids = []
    for _ in range(101):
        desk.clock.advance(seconds=1)
        ids.append(desk.case())
    ann = colleague()
    first, second = ann.get("/desk").text, ann.get("/desk?from=100").text
    assert order(first) == ids[:100]
    assert order(second) == ids[100:]
    assert "from=100" in first
    assert "Earlier in the queue" in second


def test_of_two_who_claim_one_wins_and_the_other_sees_who(desk: Desk, colleague: Colleagues) -> None:
    case_id, ann, ben = desk.case(), colleague(), colleague()
    tokens = {one.id: one.token("/desk") for one in (ann, ben)}

    def press(one: Colleague) -> str:
        form = {"csrf": tokens[one.id], "back": "/desk"}
        return one.client.post(f"/desk/queue/{case_id}/claim", data=form).headers["location"]

    with ThreadPoolExecutor(2) as pool:
        went = list(pool.map(press, (ann, ben)))
    assert sorted(went) == ["/desk", f"/desk/cases/{case_id}"]
    winner, loser = (ann, ben) if went[0] != "/desk" else (ben, ann)
    assert desk.look(case_id).claimed_by == winner.id
    with desk.database.reading() as session:
        name = colleagues(session, desk.vault)[winner.id].name
    assert f"{name} has this case already." in loser.get("/desk").text
    assert "has this case already" not in loser.get("/desk").text, "said once"


def test_release_all_puts_back_what_is_owed(desk: Desk, colleague: Colleagues) -> None:
    case_id, ann = desk.case(), colleague()
    ann.post(f"/desk/queue/{case_id}/claim", via="/desk")
    assert "put back into the queue: 1." in ann.post("/desk/queue/release-all", via="/desk").text
    assert desk.look(case_id).status == CaseStatus.OPEN


def test_closing_many_takes_two_and_says_who_could_decide(desk: Desk, colleague: Colleagues) -> None:
    ids, lead = [desk.case(), desk.case()], colleague(Role.LEAD)
    alone = lead.post("/desk/queue/close", via="/desk", case=[str(each) for each in ids], outcome="answered")
    assert "Nothing is closed before another person agrees." in alone.text
    assert "There is no second person who could decide this." in alone.text
    assert "Nobody else who can decide is on duty now." in lead.get("/desk/approvals").text
    own = lead.post("/desk/approvals/1/agree", via="/desk/approvals")
    assert "You asked for this: another person has to decide." in own.text
    assert {desk.look(each).status for each in ids} == {"open"}

    officer = colleague(Role.PRIVACY_OFFICER, on_duty=False)
    assert "(off duty: 1)" in lead.get("/desk/approvals").text
    listed = officer.get("/desk/approvals").text
    assert all(desk.look(each).number in listed for each in ids)
    done = officer.post("/desk/approvals/1/agree", via="/desk/approvals")
    assert "Cases closed: 2." in done.text
    assert {desk.look(each).status for each in ids} == {"resolved"}
    again = officer.post("/desk/approvals/1/agree", via="/desk/approvals")
    assert "decided already" in again.text


def test_a_request_can_be_refused_and_nothing_happens(desk: Desk, colleague: Colleagues) -> None:
    case_id, lead, officer = desk.case(), colleague(Role.LEAD), colleague(Role.PRIVACY_OFFICER)
    lead.post("/desk/queue/close", via="/desk", case=str(case_id), outcome="duplicate")
    assert "Refused. Nothing was done." in officer.post("/desk/approvals/1/refuse", via="/desk/approvals").text
    assert desk.look(case_id).status == "open"


def test_urgent_cases_and_foolish_choices_are_not_closed_in_bulk(desk: Desk, colleague: Colleagues) -> None:
    urgent, lead = desk.case("self_harm"), colleague(Role.LEAD)
    assert f'value="{urgent}" id="tick-' not in lead.get("/desk").text
    for form, said in (
        ({"case": str(urgent), "outcome": "answered"}, "Urgent cases are closed one by one."),
        ({"case": "9999", "outcome": "answered"}, "One of these cases does not exist."),
        ({"outcome": "answered"}, "Between 1 and 200 cases at once."),
        ({"case": str(urgent), "outcome": "won"}, "Choose what became of these cases."),
        ({"case": "all", "outcome": "answered"}, "A number has only digits."),
    ):
        assert said in lead.post("/desk/queue/close", via="/desk", **form).text
    assert desk.look(urgent).status == "open"


def test_a_typhoon_moves_the_deadlines_and_everybody_sees_it(desk: Desk, colleague: Colleagues) -> None:
    case_id, lead, agent = desk.case(), colleague(Role.LEAD), colleague()
    before = desk.look(case_id).first_response_due_at
    assert "Typhoon closure is on." in lead.post("/desk/queue/switch", via="/desk", switch="typhoon", on="1").text
    assert "It was so already." in lead.post("/desk/queue/switch", via="/desk", switch="typhoon", on="1").text
    page = agent.get("/desk").text
    assert "Typhoon signal 8 or above" in page
    assert "/desk/queue/switch" not in page, "an agent sees it and cannot switch"
    desk.clock.advance(minutes=10)
    lead.post("/desk/queue/switch", via="/desk", switch="typhoon", on="")
    assert desk.look(case_id).first_response_due_at > before
    assert "Typhoon signal 8 or above</p>" not in agent.get("/desk").text


def test_surge_is_switched_and_recorded(desk: Desk, colleague: Colleagues) -> None:
    lead = colleague(Role.LEAD)
    assert "Surge mode is on." in lead.post("/desk/queue/switch", via="/desk", switch="surge", on="1").text
    assert "There is no such switch." in lead.post("/desk/queue/switch", via="/desk", switch="coffee", on="1").text
    with desk.database.reading() as session:
        kinds = [entry.kind for entry in session.query(AuditEntry)]
    assert kinds.count("desk.switched_on") == 1


def test_an_auditor_sees_the_queue_and_changes_nothing(desk: Desk, colleague: Colleagues) -> None:
    case_id, eve = desk.case(), colleague(Role.AUDITOR)
    assert order(eve.get("/desk").text) == [case_id]
    assert "/claim" not in eve.get("/desk").text
    assert eve.post(f"/desk/queue/{case_id}/claim").status_code == 403
    assert desk.look(case_id).status == "open"


def test_a_case_that_was_handed_to_somebody_is_shown_to_them_above_all(desk: Desk, colleague: Colleagues) -> None:
    case_id, ann, ben = desk.case(), colleague(), colleague()
    with desk.database.writing() as session:
        claims.claim(session, desk.vault, case_id, ann.id, desk.clock())
        claims.transfer(session, desk.vault, case_id, ann.id, desk.clock(), to=ben.id)
    assert "Handed to you and not taken yet: 1." in ben.get("/desk").text
    assert "Handed to you" not in ann.get("/desk").text


def test_nothing_of_a_patient_stands_in_an_address_or_a_cookie(desk: Desk, colleague: Colleagues) -> None:
    desk.case()
    ann = colleague()
    page = ann.get("/desk").text
    links = re.findall(r'(?:href|action)="([^"]+)"', page)
    assert links
    assert not any(desk.look(1).number in each for each in links)
