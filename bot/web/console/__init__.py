"""The staff console: pages made on the server, one small script for what is live.

A further page is three files, and none that others edit:

1. `bot/web/console/pages/<name>.py` with `router = console_router()` and, to stand in the navigation, `ENTRY = Entry(...)`
   (several: `ENTRIES`).
   It is found by itself. Every route says who may use it, in its signature:

       @router.get("/things", response_class=HTMLResponse)
       def things(staff: Annotated[Staff, requires(Permission.SEE_QUEUE)]) -> Response:
           with staff.database.reading() as session:
               return page(staff, "console/things.html", things=desk.things(session, staff.now))

       @router.post("/things/{thing_id}/close")
       def close(staff: Annotated[Staff, requires(Permission.WORK_CASES)], thing_id: int) -> Response:
           with staff.database.writing() as session:
               desk.close(session, staff.vault, thing_id, staff.id, staff.now, why=staff.sent.get("why"))
           return go_to(staff, "/desk/things", said("things.closed"))

   A route without `requires(...)`, `signed_in()` or `anybody()` stops the start. The guard has seen to session, lock, role,
   origin and token before the function runs. BadInput, TooMany and IllegalMove raised from a POST become a notice on the
   page the form stood on (its field `back`, put there by `csrf()`); a sentence of theirs needs a translation in
   `data/console/answers.yml`. What a script asks by itself, without a person, takes `requires(..., by_itself=True)` and sends
   the header `X-By-Itself`: it keeps no session awake and is refused by a bare status.
2. `templates/console/<name>.html`, which extends `console/base.html` and puts `{{ csrf() }}` from `console/parts.html` into every
   form. Words come from `t("<section>.<word>", value=…)`, moments from `when(at)`, times from `span(delta)`. An element with
   `id` and `data-live="<topic>"` is fetched anew when that topic changes (`live.py`: a module makes its own known with
   `topic(...)`); inside it, whatever has an `id` keeps the focus, and nothing is replaced while the focus is in
   something marked `data-typing`. `data-key="c"` makes a link, button or field answer to a key; name it in `{% block keys %}`.
3. `data/console/<section>.yml`: its words in English and Traditional Chinese; a test says what is missing.

No query stands here: pages call the functions of `bot.desk`. Nothing of a patient stands in an address.
"""
