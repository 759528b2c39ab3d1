// The console's one script: keeps a page live, says when the line is lost, rings for urgent cases, and listens to keys.
// A page works without it. It never makes markup of text: what changed is fetched as a document and moved over.
const body = document.body;
const STILL_MS = 12_000; // the server speaks at least every five seconds
const LOOK_AGAIN_MS = 30_000; // waits and deadlines move without any event
const RING_AGAIN_MS = 20_000;

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const say = (text) => { const place = one("#said"); if (place) place.textContent = text; };
const kept = (name) => { try { return localStorage.getItem(`candour-desk-${name}`) === "1"; } catch { return false; } };
const keep = (name, on) => { try { localStorage.setItem(`candour-desk-${name}`, on ? "1" : "0"); } catch { /* a private window */ } };

// ---------------------------------------------------------------- fetching anew

let fetching = false;
let again = null;

function refresh() {
  if (fetching) { again ??= true; return; }
  fetching = true;
  const ask = new XMLHttpRequest();
  ask.open("GET", location.href);
  ask.responseType = "document"; // parsed by the browser, scripts in it never run
  ask.timeout = 15_000;
  ask.setRequestHeader("X-By-Itself", "1");
  ask.onloadend = () => {
    fetching = false;
    if (ask.status === 401 || ask.status === 423) { location.reload(); return; }
    if (ask.status === 200 && ask.response) take(ask.response);
    if (again) { again = null; refresh(); }
  };
  ask.send();
}

// Replaces each live part by its new self; focus, caret and ticks stay where they were.
function take(fresh) {
  for (const old of all("[data-live]")) {
    const next = old.id && fresh.getElementById(old.id);
    if (!next || old.contains(document.activeElement?.closest?.("[data-typing]"))) continue;
    const focus = old.contains(document.activeElement) ? document.activeElement.id : "";
    const ticked = all("input[type=checkbox]:checked", old).map((box) => box.id).filter(Boolean);
    const known = new Set(all("[data-row]", old).map((row) => row.dataset.row));
    const chosen = one("[data-row][aria-current=true]", old)?.dataset.row;
    const moved = document.importNode(next, true);
    old.replaceWith(moved);
    for (const id of ticked) { const box = document.getElementById(id); if (box) box.checked = true; }
    for (const row of all("[data-row]", moved)) {
      if (known.size && !known.has(row.dataset.row)) row.classList.add("fresh");
      if (row.dataset.row === chosen) choose(row, false);
    }
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
    moved.dispatchEvent(new CustomEvent("candour:fresh", { bubbles: true }));
  }
}

// ---------------------------------------------------------------- the stream

// One page of this browser holds the line and passes on what it hears: a browser opens six connections to a site at most.
const topics = () => [...new Set(all("[data-live]").map((part) => part.dataset.live).concat(body.dataset.watch?.split(" ") ?? []))].filter(Boolean);
const MOST_TOPICS = 24;
const me = Math.random().toString(36).slice(2);
const air = body.dataset.liveUrl && navigator.locks && globalThis.BroadcastChannel ? new BroadcastChannel("candour-desk") : null;
const others = new Map(); // what other pages of this browser show
const latest = new Map(); // what the line said last
const states = new Map(); // what this page shows
let leads = !air;
let leaderHeard = Date.now();
let followed = [];
let stream = null;
let heard = Date.now();
let lostSince = null;
let first = true;
let restarting = 0;
let tried = 0; // when this page last opened the line
let retry = 0;

const tell = (kind, more = {}) => { air?.postMessage({ kind, from: me, ...more }); };

function listen() {
  clearTimeout(retry);
  retry = 0;
  if (!body.dataset.liveUrl || stream || !(leads || Date.now() - leaderHeard > STILL_MS)) return;
  followed = [...new Set([...topics(), ...[...others.values()].flat()])].slice(0, MOST_TOPICS);
  const query = new URLSearchParams();
  for (const topic of followed) { query.append("watch", topic); query.append("known", latest.get(topic) ?? states.get(topic) ?? ""); }
  const line = new EventSource(`${body.dataset.liveUrl}?${query}`);
  [stream, tried] = [line, Date.now()];
  for (const kind of ["hello", "pulse"]) stream.addEventListener(kind, () => { alive(); tell("pulse"); });
  stream.addEventListener("change", (event) => {
    const { topic, state } = JSON.parse(event.data);
    latest.set(topic, state);
    tell("change", { topic, state });
    alive();
    news(topic, state);
  });
  stream.addEventListener("over", () => { tell("over"); location.reload(); });
  stream.onerror = () => {
    const isRefused = line.readyState === EventSource.CLOSED; // the server answered, with something else than the line
    if (stream === line) hush();
    if (isRefused) refresh(); // when the session is locked or over, the page must go
    retry ||= setTimeout(listen, 1500 + Math.random() * 1500);
  };
}

function hush() { stream?.close(); stream = null; }

function news(topic, state) {
  const isNews = states.has(topic) && states.get(topic) !== state;
  if (!states.has(topic) && !topics().includes(topic)) return;
  states.set(topic, state);
  if (topic === "queue") ring(state);
  if (isNews) refresh();
  document.dispatchEvent(new CustomEvent("candour:change", { detail: { topic, state } }));
}

function alive() {
  heard = Date.now();
  if (lostSince === null) return;
  lostSince = null;
  one("#lost").hidden = true;
  one("#lost").textContent = "";
  say(body.dataset.saidBack);
  refresh();
}

function watchTheLine() {
  if (!body.dataset.liveUrl) return;
  if (leads && stream === null) tell("trying");
  if (Date.now() - heard > STILL_MS) {
    if (lostSince === null) {
      lostSince = new Date(heard);
      const bar = one("#lost");
      const time = lostSince.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Asia/Hong_Kong" });
      bar.textContent = body.dataset.saidLost.replace("{time}", time);
      bar.hidden = false;
    }
    if (leads) tell("trying");
    if (Date.now() - tried > STILL_MS) hush(); // a line that was just opened may take its time
    if (!retry) listen();
  }
}

// What another page of this browser shows that the line does not follow yet is asked for at once.
function shown(from, wanted) {
  others.set(from, wanted);
  if (wanted.some((topic) => !followed.includes(topic))) {
    clearTimeout(restarting);
    restarting = setTimeout(() => { hush(); listen(); }, 50);
  } else if (lostSince === null) tell("pulse");
  for (const topic of wanted) if (latest.has(topic)) tell("change", { topic, state: latest.get(topic) });
}

function heardOf({ kind, from, wanted, topic, state }) {
  if (kind === "want" && leads) shown(from, wanted);
  if (kind === "bye") others.delete(from);
  if (kind === "who") tell("want", { wanted: topics() });
  if (kind === "over") location.reload();
  if (["who", "pulse", "trying", "change"].includes(kind)) {
    leaderHeard = Date.now();
    if (!leads) hush();
  }
  if (kind === "pulse" || kind === "change") alive();
  if (kind === "change") news(topic, state);
}

function share() {
  if (!air) return;
  air.onmessage = (event) => heardOf(event.data);
  tell("want", { wanted: topics() });
  navigator.locks.request("candour-desk-line", () => new Promise(() => { leads = true; tell("who"); hush(); listen(); }));
}

// ---------------------------------------------------------------- ringing

let rung = new Set();
let ringing = 0;
let sound = null;

const urgent = (state) => new Set((state.split("/")[1] ?? "").split(".").filter(Boolean));

function ring(state) {
  const now = urgent(state);
  const fresh = [...now].some((each) => !rung.has(each));
  rung = now;
  clearInterval(ringing);
  if (!now.size) return;
  if (fresh && !first) { tone(); notify(); }
  ringing = setInterval(tone, RING_AGAIN_MS);
}

function tone() {
  if (!kept("sound") || !rung.size) return;
  sound ??= new AudioContext();
  sound.resume().then(() => {
    for (const [at, pitch] of [[0, 660], [0.22, 880]]) {
      const voice = sound.createOscillator();
      const level = sound.createGain();
      voice.frequency.value = pitch;
      level.gain.setValueAtTime(0.18, sound.currentTime + at);
      level.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + at + 0.2);
      voice.connect(level).connect(sound.destination);
      voice.start(sound.currentTime + at);
      voice.stop(sound.currentTime + at + 0.21);
    }
    body.dataset.rang = String(Number(body.dataset.rang ?? 0) + 1);
  }, () => { /* the browser wants a click first */ });
}

function notify() {
  say(body.dataset.saidUrgent);
  if (kept("notify") && globalThis.Notification?.permission === "granted") {
    const shown = new Notification("Candour", { body: body.dataset.saidUrgent, tag: "candour-urgent", renotify: true });
    shown.onclick = () => { window.focus(); shown.close(); };
  }
}

for (const box of all("[data-keep]")) {
  box.checked = kept(box.dataset.keep);
  box.addEventListener("change", async () => {
    keep(box.dataset.keep, box.checked);
    if (box.dataset.keep === "sound" && box.checked) { sound ??= new AudioContext(); await sound.resume(); }
    if (box.dataset.keep === "notify" && box.checked && globalThis.Notification?.permission !== "granted") {
      const given = await globalThis.Notification?.requestPermission();
      if (given !== "granted") { box.checked = false; keep("notify", false); }
    }
  });
}

// ---------------------------------------------------------------- keys

let went = 0;

function choose(row, scroll = true) {
  for (const other of all("[data-row][aria-current=true]")) other.setAttribute("aria-current", "false");
  row.setAttribute("aria-current", "true");
  if (scroll) { one("a", row)?.focus({ preventScroll: true }); row.scrollIntoView({ block: "nearest" }); }
}

function step(by) {
  const rows = all("[data-row]");
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.getAttribute("aria-current") === "true");
  choose(rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))]);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, dialog[open]")) return;
  if (Date.now() - went < 1500) {
    const place = one(`[data-go="${CSS.escape(event.key)}"]`);
    went = 0;
    if (place) { event.preventDefault(); place.click(); return; }
  }
  if (event.key === "?") { event.preventDefault(); open("help"); return; }
  if (event.key === "g") { went = Date.now(); return; }
  if (event.key === "j" || event.key === "k") { event.preventDefault(); step(event.key === "j" ? 1 : -1); return; }
  const row = one("[data-row][aria-current=true]");
  const target = (row && one(`[data-key="${CSS.escape(event.key)}"]`, row)) ?? all(`[data-key="${CSS.escape(event.key)}"]`).find((each) => !each.closest("[data-row]"));
  if (target) { event.preventDefault(); target.matches("input, textarea, select") ? target.focus() : target.click(); }
});

function open(id) { const shown = document.getElementById(id); if (shown && !shown.open) shown.showModal(); }

document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-open]");
  if (opener) open(opener.dataset.open);
  const row = event.target.closest?.("[data-row]");
  if (row) choose(row, false);
  for (const menu of all(".top details[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && (event.target.closest?.(".top details[open]") ?? one(".top details[open]"));
  if (menu) { menu.open = false; one("summary", menu).focus(); }
});

// A press that cannot be taken back asks first; a form is sent once however often it is pressed.
document.addEventListener("submit", (event) => {
  const asked = event.submitter?.dataset.confirm;
  if (asked && !confirm(asked)) { event.preventDefault(); return; }
  const form = event.target;
  if (form.method === "dialog") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => { delete form.dataset.sent; }, 4000);
});
document.addEventListener("change", (event) => { if (event.target.matches?.("[data-submit]")) event.target.form.requestSubmit(); });

// ---------------------------------------------------------------- beginning

for (const each of all("[data-without-script]")) each.hidden = true;
for (const part of all("[data-live][data-state]")) {
  const { live, state } = part.dataset;
  // Two parts made at different moments: whichever is older, the first event brings both up to date.
  states.set(live, states.has(live) && states.get(live) !== state ? "?" : state);
}
if (states.has("queue")) ring(states.get("queue"));
first = false;

if (body.dataset.liveUrl) {
  share();
  listen();
  setInterval(watchTheLine, 2000);
  setInterval(() => { if (!document.hidden && lostSince === null && topics().length) refresh(); }, LOOK_AGAIN_MS);
  addEventListener("online", () => { hush(); listen(); });
  addEventListener("pageshow", (event) => { if (event.persisted) { tell("want", { wanted: topics() }); hush(); listen(); refresh(); } });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { watchTheLine(); refresh(); } });
  addEventListener("pagehide", () => { tell("bye"); hush(); });
}
