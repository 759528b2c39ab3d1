"use strict";
// The page: lists the threads, shows one like a phone or a mailbox, and types back. No markup is ever made out of text.
const $ = (id) => document.getElementById(id);
const NAMES = { sms: "SMS", whatsapp: "WhatsApp", email: "E-mail" };
let open = null;
let clockBase = null;
let shownLines = "";
let shownThreads = "";

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") element.className = value;
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, options);
  const content = await response.json();
  if (!response.ok) throw new Error(content.error || response.status);
  return content;
}

let saidTimer = 0;
function say(text) {
  $("said").textContent = text;
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => { $("said").textContent = ""; }, 5000);
}

async function attempt(work, done) {
  try {
    await work();
    if (done) say(done);
    await refresh();
  } catch (error) {
    say(`Not done: ${error.message}`);
  }
}

const time = (iso) => new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
const moment = (iso) => new Date(iso).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });

function setClock(clock) {
  clockBase = { at: Date.parse(clock.now), real: performance.now(), speed: clock.speed };
  $("speed").textContent = clock.speed === 1 ? "" : `${clock.speed} × as fast`;
  $("hold").setAttribute("aria-pressed", String(clock.held));
  $("hold").textContent = clock.held ? "Webhooks are held" : "Hold webhooks";
}
setInterval(() => {
  if (!clockBase) return;
  const now = clockBase.at + (performance.now() - clockBase.real) * clockBase.speed;
  $("now").textContent = moment(new Date(now).toISOString());
}, 500);

// ---------------------------------------------------------------- threads

const keyOf = (thread) => JSON.stringify([thread.channel, thread.patient, thread.own]);

async function refreshThreads() {
  const channel = document.querySelector("#search input[name=channel]:checked").value;
  const query = new URLSearchParams({ find: $("find").value, channel });
  const content = await ask(`/simulator/threads?${query}`);
  setClock(content.clock);
  const text = JSON.stringify([content.threads, open && keyOf(open)]);
  if (text === shownThreads) return;
  shownThreads = text;
  $("none").hidden = content.threads.length > 0;
  const focused = document.activeElement && document.activeElement.dataset.key;
  $("threads").replaceChildren(...content.threads.map(threadItem));
  if (focused) for (const button of $("threads").querySelectorAll("button")) if (button.dataset.key === focused) button.focus();
}

function threadItem(thread) {
  const words = make("span", { class: "words" }, make("strong", {}, thread.patient),
    make("span", { class: "last" }, thread.last || "(no text)"));
  const button = make("button", { type: "button", "aria-current": open && keyOf(open) === keyOf(thread) ? "true" : null },
    make("span", { class: `mark ${thread.channel}`, "aria-hidden": "true" }, mark(thread.channel)),
    words, make("time", { datetime: thread.at }, time(thread.at)));
  button.setAttribute("aria-label", `${NAMES[thread.channel]} ${thread.patient}: ${thread.last}`);
  button.dataset.key = keyOf(thread);
  button.addEventListener("click", () => { open = thread; shownLines = ""; attempt(async () => { await refreshLines(); $("thread").focus(); }); });
  return make("li", {}, button);
}

const mark = (channel) => ({ sms: "SMS", whatsapp: "WA", email: "@" }[channel]);

// ---------------------------------------------------------------- one thread

async function refreshLines() {
  if (!open) return;
  const content = await ask(`/simulator/thread?${new URLSearchParams({ channel: open.channel, patient: open.patient, own: open.own })}`);
  const text = JSON.stringify([keyOf(open), content.lines]);
  if (text === shownLines) return;
  const isNew = !shownLines;
  shownLines = text;
  $("empty").hidden = true;
  $("open").hidden = false;
  $("open").className = open.channel;
  $("mark").className = `mark ${open.channel}`;
  $("mark").textContent = mark(open.channel);
  $("title").textContent = open.channel === "email" ? `Mailbox of ${open.patient}` : `Phone of ${open.patient}`;
  $("subtitle").textContent = open.channel === "email" ? "E-mail" : `${NAMES[open.channel]} with ${open.own.replace("whatsapp:", "")}`;
  if (open.channel === "email") showMails(content.lines);
  else $("lines").replaceChildren(...content.lines.map(textLine));
  $("lines").scrollTop = open.channel === "email" ? 0 : $("lines").scrollHeight;
  setQuick(content.lines);
  if (isNew) $("text").value = "";
}

const FAILED = new Set(["failed", "undelivered", "bounce", "dropped", "canceled"]);
const kindOf = (line) => (FAILED.has(line.status) ? " failed" : line.arrived ? "" : " waiting");

function textLine(line) {
  const parts = [moment(line.at), line.status];
  if (line.error) parts.push(`error ${line.error}`);
  if (!line.mine && open.channel === "sms") parts.push(line.segments === 1 ? "1 segment" : `${line.segments} segments`);
  if (line.media) parts.push(`${line.media} attached`);
  return make("article", { class: `line${line.mine ? " mine" : ""}${kindOf(line)}` },
    make("p", { class: "body" }, line.text || "(no text)"), make("p", { class: "meta" }, parts.join(" · ")));
}

function showMails(lines) {
  const shown = [...$("lines").querySelectorAll("details[data-n]")];
  const opened = new Set(shown.filter((one) => one.open).map((one) => one.dataset.n));
  const known = new Set(shown.map((one) => one.dataset.n));
  const before = new Map([...$("lines").children].map((one) => [one.dataset.text, one]));
  const newest = [...lines].reverse();
  $("lines").replaceChildren(...newest.map((line, place) => {
    const text = JSON.stringify(line);
    const kept = before.get(text);
    if (kept) return kept;
    const details = mailLine(line);
    details.dataset.text = text;
    // What has just come is read first; what was closed stays closed.
    details.open = opened.has(String(line.n)) || (place === 0 && !known.has(String(line.n)));
    return details;
  }));
}

function mailLine(line) {
  const from = line.mine ? `${open.patient} wrote to ${line.to}` : `${line.from_name ? `${line.from_name} · ` : ""}${line.from}`;
  const meta = [from, moment(line.at), line.status, ...line.attachments.map((name) => `attached: ${name}`)];
  const summary = make("summary", {}, make("span", {}, line.subject || "(no subject)"), make("span", { class: "meta" }, meta.join(" · ")));
  const inside = make("div", { class: "inside" });
  const details = make("details", { class: `mail${line.mine ? " mine" : ""}${kindOf(line)}` }, summary, inside);
  details.dataset.n = line.n;
  details.addEventListener("toggle", () => {
    if (!details.open || inside.childElementCount) return;
    if (!line.mine && line.arrived) inside.append(mailButtons(line));
    if (line.has_html) {
      inside.append(make("iframe", { sandbox: "", src: `/simulator/mails/${line.n}/html`, title: `E-mail: ${line.subject}`, referrerpolicy: "no-referrer" }));
    }
    if (line.text) {
      const plain = make("p", { class: "body" }, line.text);
      inside.append(line.has_html ? make("details", {}, make("summary", {}, "Plain text part"), plain) : plain);
    }
  });
  return details;
}

function mailButtons(line) {
  const event = (label, name) => quick(label, () => ask(`/simulator/mails/${line.n}/events`, { event: name }), `${label}: told to the webhook`);
  return make("div", { class: "quick", role: "group", "aria-label": "Do as the recipient" },
    event("Mark as spam", "spamreport"), event("Unsubscribe", "unsubscribe"), line.group ? event("Leave the group", "group_unsubscribe") : null,
    event("Bounce late", "bounce"), line.open ? event("Open", "open") : null);
}

function quick(label, work, done) {
  const button = make("button", { type: "button" }, label);
  button.addEventListener("click", () => attempt(work, done));
  return button;
}

function setQuick(lines) {
  const type = (text) => quick(text, () => write(text), `Sent: ${text}`);
  if (open.channel !== "email") {
    $("text-label").textContent = "Write back as the recipient";
    $("quick").replaceChildren(...["STOP", "START", "HELP", "1"].map(type));
    return;
  }
  const last = [...lines].reverse().find((line) => !line.mine);
  $("text-label").textContent = last ? `Answer “${last.subject}” as the recipient` : "Write back as the recipient";
  $("quick").replaceChildren(...(last ? [
    quick("Automatic reply", () => answerMail(last, "I am out of the office.", "auto_reply"), "Automatic reply sent"),
    quick("Bounce message", () => answerMail(last, "Your message could not be delivered.", "bounce_message"), "Bounce message sent"),
  ] : []));
  open.lastMail = last;
}

const answerMail = (mail, text, kind = "reply") => ask("/simulator/inbound", {
  channel: "email", patient: open.patient, to: mail.reply_to, subject: `Re: ${mail.subject.replace(/^(re: )+/i, "")}`, text, kind,
  in_reply_to: mail.message_id,
});

function write(text) {
  if (open.channel === "email") {
    if (!open.lastMail) throw new Error("there is no e-mail to answer");
    return answerMail(open.lastMail, text);
  }
  return ask("/simulator/inbound", { channel: open.channel, patient: open.patient, to: open.own, text });
}

// ---------------------------------------------------------------- what one can do

async function refresh() {
  await refreshThreads();
  await refreshLines();
}

$("write").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value;
  if (!text) return;
  attempt(async () => { await write(text); $("text").value = ""; }, "Sent");
});
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("write").requestSubmit();
  }
});
$("search").addEventListener("input", () => attempt(refreshThreads));
$("search").addEventListener("submit", (event) => event.preventDefault());
$("hold").addEventListener("click", () => {
  const held = $("hold").getAttribute("aria-pressed") !== "true";
  attempt(() => ask("/simulator/hold", { held }), held ? "Webhooks are held back" : "Webhooks go out again");
});
for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", () => attempt(() => ask("/simulator/clock", { advance_s: Number(button.dataset.advance) }), "The clock was moved forward"));
}

let senders = [];
let inbox = "";
function fitNewForm() {
  const channel = $("new-channel").value;
  for (const element of document.querySelectorAll(".mail-only")) element.hidden = channel !== "email";
  const fit = senders.filter((one) => (one.kind === "whatsapp") === (channel === "whatsapp"));
  $("senders").replaceChildren(...(channel === "email" ? [] : fit.map((one) => make("option", { value: one.number }))));
  $("new-to").value = channel === "email" ? inbox : (fit[0] || { number: "" }).number;
  $("new-patient").value = channel === "email" ? "patient@example.test" : "+85291234567";
}
$("new-channel").addEventListener("change", fitNewForm);
$("new").addEventListener("submit", (event) => {
  event.preventDefault();
  const body = { channel: $("new-channel").value, patient: $("new-patient").value.trim(), to: $("new-to").value.trim(), text: $("new-text").value };
  if (body.channel === "email") body.subject = $("new-subject").value;
  attempt(async () => {
    await ask("/simulator/inbound", body);
    open = { channel: body.channel, patient: body.channel === "email" ? body.patient.toLowerCase() : body.patient, own: body.channel === "email" ? "" : body.to };
    shownLines = "";
    $("new-text").value = "";
  }, "Sent");
});

let isRefreshing = false;
new EventSource("/simulator/stream").addEventListener("message", async () => {
  if (isRefreshing || document.hidden) return;
  isRefreshing = true;
  try { await refresh(); } catch { /* the next event tries again */ } finally { isRefreshing = false; }
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) attempt(refresh); });
ask("/simulator/senders").then((content) => { ({ senders, inbox } = content); fitNewForm(); });
