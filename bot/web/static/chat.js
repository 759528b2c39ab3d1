/* The patient's chat, on the patient's page and in the widget's frame (frame.js tells this script whether the frame is
   open). Everything a patient or a reply says is inserted as text, never as markup.
   A turn is kept in this tab until the server has confirmed it, and is sent again with the same id. */

const body = document.body;
const el = (id) => document.getElementById(id);
const words = JSON.parse(el("words")?.textContent ?? "{}");
const language = body.dataset.language;
const log = el("log"), state = el("state"), alertBox = el("alert"), connection = el("connection");
const composer = el("composer"), question = el("question"), welcome = el("welcome");

const isFramed = body.dataset.framed === "yes";
const OUTBOX = "candour.outbox";
const LONG_WAIT_MS = 12000;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
const title = document.title;

const lines = new Map(); // number -> element
const pending = new Map(); // client id -> { entry, element }
let last = 0; // number of the newest line shown
let historyEnds = Number(body.dataset.last);
let known = body.dataset.known === "yes";
let owner = "bot";
let source = null, opening = null, flushing = false;
let retryTimer = 0, retries = 0, waitTimer = 0, streamTimer = 0, streamTries = 0;
let lastSent = 0; // number of the newest turn sent from here
let expects = false; // somebody has written here and looks for the answer
let unread = 0;
let seen = historyEnds; // number of the newest line that was on the screen

/* ---------- what is kept in this tab ---------- */

function loadOutbox() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(OUTBOX) ?? "[]");
    return Array.isArray(kept) ? kept.filter((entry) => typeof entry?.id === "string") : [];
  } catch {
    return [];
  }
}

function saveOutbox() {
  try {
    sessionStorage.setItem(OUTBOX, JSON.stringify([...pending.values()].map(({ entry }) => entry)));
    window.removeEventListener("beforeunload", warn);
  } catch {
    /* Storage is full or forbidden (browsers may forbid it in a frame): the turn is kept as long as the page is. */
    if (pending.size) window.addEventListener("beforeunload", warn);
    else window.removeEventListener("beforeunload", warn);
  }
}

const warn = (event) => event.preventDefault();

/* ---------- asking the server ---------- */

class Refused extends Error {
  constructor(status, code, text, wait) {
    super(code);
    Object.assign(this, { status, code, text, wait });
  }
}

async function post(path, data) {
  const answer = await fetch(`/api/chat/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept-Language": language },
    body: JSON.stringify(data),
    signal: AbortSignal.timeout?.(20000),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const wait = Number(answer.headers.get("Retry-After")) * 1000 || 0;
    throw new Refused(answer.status, said.error?.code ?? "", said.error?.text ?? words.refusal_failed, wait);
  }
  return said;
}

function openSession() {
  opening ??= post("session", { lang: language, apart: body.dataset.apart === "yes" })
    .then((session) => {
      known = true;
      owner = session.owner;
      follow();
      return session;
    })
    .finally(() => (opening = null));
  return opening;
}

/* ---------- showing lines ---------- */

function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function bubble(from, at) {
  const line = make("div", `line from-${from}`);
  const sender = make("p", "sender");
  sender.append(make("span", "", words[`from_${from}`] ?? words.from_bot));
  if (at) {
    const time = make("time", "", at.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }));
    time.dateTime = at.toISOString();
    sender.append(time);
  }
  line.append(sender);
  return line;
}

/* Addresses become links only in what the assistant says, which is approved wording, and only https. */
const ADDRESS = /(https:\/\/[^\s<>"'）)，。、]+[^\s<>"'）)，。、.,;:!?])/u;

function say(target, text, link) {
  for (const part of text.split("\n\n")) {
    const block = make("div", "part");
    for (const line of part.split("\n")) {
      const shown = make("p", /^\d+[.、]/u.test(line) ? "step" : "");
      if (link) shown.append(...withLinks(line));
      else shown.textContent = line;
      block.append(shown);
    }
    target.append(block);
  }
}

function withLinks(line) {
  return line.split(ADDRESS).map((piece, position) => {
    if (position % 2 === 0) return piece;
    const anchor = make("a", "", piece);
    anchor.href = piece;
    anchor.rel = "noopener noreferrer";
    if (isFramed) anchor.target = "_blank";
    return anchor;
  });
}

function place(number, element) {
  element.dataset.number = String(number);
  lines.set(number, element);
  const next = [...log.children].find((other) => {
    const its = other.dataset.number;
    return other !== element && (its === undefined || Number(its) > number);
  });
  const stands = element.parentNode === log && element.nextElementSibling === (next ?? null);
  if (!stands) log.insertBefore(element, next ?? null);
}

function nearEnd() {
  const page = document.documentElement;
  return page.scrollHeight - page.scrollTop - page.clientHeight < 240;
}

function toEnd() {
  (state.textContent ? state : log.lastElementChild ?? log).scrollIntoView({ block: "nearest" });
}

function showTurn(turn) {
  const mine = pending.get(turn.client_id);
  if (mine) {
    pending.delete(turn.client_id);
    lastSent = Math.max(lastSent, turn.number);
    saveOutbox();
  }
  if (lines.has(turn.number)) return;
  const line = mine?.element ?? bubble("you", new Date(turn.at));
  if (mine) settle(line);
  else line.append(make("div", "words", turn.text || words.pressed));
  place(turn.number, line);
}

function showReply(reply) {
  if (lines.has(reply.number)) return;
  const from = reply.author === "staff" ? "staff" : "bot";
  const line = bubble(from, new Date(reply.at));
  const text = make("div", "words");
  if (reply.language) text.lang = reply.language;
  say(text, reply.text, from === "bot");
  line.append(text);
  if (reply.choices.length) line.append(buttons(reply.choices));
  const follows = expects || nearEnd();
  place(reply.number, line);
  retireButtons();
  if (follows) line.scrollIntoView({ block: "nearest" });
  if (!pending.size && reply.number > lastSent) expects = false;
}

/* Choices belong to the newest reply: older ones could answer another question. */
function buttons(choices) {
  const list = make("ul", "choices");
  list.setAttribute("aria-label", words.choices);
  for (const choice of choices) {
    const button = make("button", "choice", choice.label);
    button.type = "button";
    button.addEventListener("click", () => send({ choice: choice.id, shown: choice.label }));
    const item = make("li");
    item.append(button);
    list.append(item);
  }
  return list;
}

function retireButtons() {
  const newest = Math.max(0, ...[...lines.keys()]);
  for (const [number, line] of lines) {
    if (number < newest) line.querySelector(".choices")?.remove();
  }
}

function settle(line) {
  line.classList.remove("unsent");
  line.querySelector(".delivery")?.remove();
}

function delivery(line, text, retry) {
  let note = line.querySelector(".delivery");
  if (!note) line.append((note = make("p", "delivery")));
  note.replaceChildren(text);
  line.classList.toggle("unsent", Boolean(retry));
  if (retry) {
    const again = make("button", "", words.try_again);
    again.type = "button";
    again.addEventListener("click", retry);
    note.append(" ", again);
  }
}

/* ---------- waiting, owner, connection, unread ---------- */

/* After the history has been shown, new lines are announced; the history itself is not read out again. */
const reading = () => log.getAttribute("aria-live") === "polite";

function historyIsShown() {
  if (!reading() && last >= historyEnds) setTimeout(() => log.setAttribute("aria-live", "polite"), 50);
}

function showState() {
  clearTimeout(waitTimer);
  const newest = lines.get(Math.max(0, ...lines.keys()));
  const waits = owner !== "staff" && (newest?.classList.contains("from-you") ?? false);
  state.classList.toggle("busy", waits);
  state.textContent = owner === "staff" ? words.with_staff : waits ? words.waiting : "";
  if (!waits) return;
  if (nearEnd()) toEnd();
  waitTimer = setTimeout(() => (state.textContent = words.waiting_long), LONG_WAIT_MS);
}

function complain(text) {
  alertBox.textContent = text;
  if (el("own")) el("own").hidden = text !== words.kept_out;
}

function showConnection(isBack) {
  connection.textContent = isBack ? "" : words.offline;
}

const away = () => document.hidden || body.dataset.panel === "closed";

/* What is on the screen of somebody is read; the replies after it are counted while nobody looks. */
function look() {
  if (!away() && last !== seen) {
    seen = last;
    document.dispatchEvent(new CustomEvent("candour:seen", { detail: seen }));
  }
  const fresh = [...lines].filter(([number, line]) => number > seen && !line.classList.contains("from-you"));
  if (fresh.length === unread) return;
  unread = fresh.length;
  document.title = unread ? `${words.unread.replace("{count}", String(unread))} ${title}` : title;
  document.dispatchEvent(new CustomEvent("candour:unread", { detail: unread }));
}

/* ---------- following the transcript ---------- */

function follow() {
  if (source && source.readyState !== EventSource.CLOSED) return;
  clearTimeout(streamTimer);
  source = new EventSource(`/api/chat/events?after=${last}`);
  source.onopen = () => {
    streamTries = 0;
    showConnection(true);
    flush();
  };
  source.onerror = () => {
    if (!navigator.onLine || streamTries++ > 0) showConnection(false);
    /* The browser reconnects by itself, with Last-Event-ID, unless it was refused. */
    if (source.readyState !== EventSource.CLOSED || !known) return;
    clearTimeout(streamTimer);
    streamTimer = setTimeout(follow, RETRY_MS[Math.min(streamTries, RETRY_MS.length - 1)]);
  };
  const on = (name, show) =>
    source.addEventListener(name, (event) => {
      show(JSON.parse(event.data));
      if (event.lastEventId) last = Math.max(last, Number(event.lastEventId));
      look();
      showState();
      historyIsShown();
    });
  on("turn", showTurn);
  on("reply", showReply);
  on("owner", (news) => (owner = news.owner));
}

/* ---------- sending ---------- */

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

function send(what) {
  complain("");
  const entry = { id: newId(), ...what };
  keep(entry);
  saveOutbox();
  expects = true;
  toEnd();
  flush();
}

function keep(entry) {
  const line = bubble("you", new Date());
  line.append(make("div", "words", entry.shown ?? entry.text));
  log.append(line);
  pending.set(entry.id, { entry, element: line });
  delivery(line, words.sending);
}

async function flush() {
  clearTimeout(retryTimer);
  if (flushing) return;
  flushing = true;
  try {
    for (const [id, { entry, element }] of [...pending]) {
      if (!pending.has(id) || element.dataset.number || entry.refused) continue;
      delivery(element, words.sending);
      if (!(await deliver(entry, element))) break;
    }
  } finally {
    flushing = false;
  }
}

async function deliver(entry, element) {
  const isNew = !known;
  try {
    if (isNew) await welcomeIn(entry);
    const { id, text, choice } = entry;
    const taken = await post("turns", choice ? { client_id: id, choice } : { client_id: id, text });
    retries = 0;
    lastSent = Math.max(lastSent, taken.number);
    if (alertBox.textContent === words.kept_out) complain("");
    if (!lines.has(taken.number)) place(taken.number, element);
    settle(element);
    pending.delete(id);
    saveOutbox();
    showState();
    follow();
    return true;
  } catch (problem) {
    return undelivered(problem, entry, element, isNew);
  }
}

/* The first turn opens the session. A topic pressed on the page becomes the choice the server made of it. */
async function welcomeIn(entry) {
  const session = await openSession();
  welcome?.remove();
  historyEnds = seen = 0;
  log.setAttribute("aria-live", "polite");
  if (entry.topic) {
    entry.choice = session.topics.find((topic) => topic.label === entry.topic)?.id;
    entry.text = entry.topic;
    saveOutbox();
  }
}

function undelivered(problem, entry, element, isNew) {
  /* The stream has shown it meanwhile: only the confirmation got lost. */
  if (!pending.has(entry.id)) return true;
  const status = problem instanceof Refused ? problem.status : 0;
  if (status === 401) known = false;
  const hopeless = status >= 400 && status < 500 && ![401, 408, 429].includes(status);
  if (hopeless) {
    entry.refused = true;
    delivery(element, `${words.refused} ${problem.text}`, () => takeBack(entry, element));
    element.querySelector(".delivery button").textContent = "×";
    complain(problem.text);
    return true;
  }
  delivery(element, words.not_sent, () => flush());
  if (status === 401 && isNew) {
    /* The cookie of the session just opened did not come back: asking again by itself would only open more. */
    clearTimeout(streamTimer);
    delivery(element, words.refused, () => flush());
    complain(words.kept_out);
    return false;
  }
  if (problem instanceof Refused && status !== 401) complain(problem.text);
  const wait = problem.wait || RETRY_MS[Math.min(retries++, RETRY_MS.length - 1)];
  retryTimer = setTimeout(flush, wait);
  return false;
}

/* A refused text goes back into the box, so that it can be changed. */
function takeBack(entry, element) {
  pending.delete(entry.id);
  saveOutbox();
  element.remove();
  complain("");
  if (entry.text && !question.value) question.value = entry.text;
  question.focus();
}

/* ---------- the page ---------- */

function submit() {
  const text = question.value.replaceAll("\0", "");
  if (!text.trim()) return question.focus();
  question.value = "";
  send({ text });
}

function begin() {
  composer.hidden = false;
  composer.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  question.addEventListener("keydown", (event) => {
    /* While an input method is composing (Chinese), Enter chooses a character. */
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  });
  const topics = el("topics");
  if (topics) topics.hidden = false;
  topics?.addEventListener("click", (event) => {
    const label = event.target.closest("button")?.dataset.topic;
    if (!label) return;
    topics.hidden = true;
    send({ topic: label, shown: label });
    question.focus();
  });
  for (const link of document.querySelectorAll("[data-lang]")) {
    link.addEventListener("click", (event) => {
      if (!known) return;
      event.preventDefault();
      const go = () => location.assign(link.href);
      post("language", { lang: link.dataset.lang }).then(go, go);
    });
  }
  window.addEventListener("online", () => { retries = 0; if (known) follow(); flush(); showConnection(true); });
  window.addEventListener("offline", () => showConnection(false));
  window.addEventListener("pagehide", () => source?.close());
  window.addEventListener("pageshow", (event) => { if (event.persisted && known) follow(); });
  document.addEventListener("visibilitychange", look);
  document.addEventListener("candour:forgotten", () => {
    known = false;
    source?.close();
    pending.clear();
    saveOutbox();
    clearTimeout(retryTimer);
    clearTimeout(streamTimer);
  });
  document.addEventListener("candour:panel", ({ detail }) => {
    if (detail.seen !== undefined) seen = detail.seen;
    look();
  });
  for (const entry of loadOutbox()) keep(entry);
  if (known) follow();
  else log.setAttribute("aria-live", "polite");
  flush();
}

if (log) begin();
