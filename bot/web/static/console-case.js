// The page of a case: keeps the draft while it is typed, tells colleagues who is here, counts down, and says when the patient writes.
// Without it every button still works as a form. It never makes markup of text: answers are parsed as documents and moved over.
const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const page = one("#case");
const composer = one("#composer");
const at = page.dataset.at;
const SETTLE_MS = 500; // after the last key, until the draft is kept
const HERE_MS = 10_000;
const TYPED_MS = 3_000;

const body = (fields) => { const sent = new URLSearchParams(fields); sent.set("csrf", page.dataset.csrf); return sent; };

async function post(where, fields, headers = {}) {
  const sent = fields instanceof URLSearchParams ? fields : body(fields);
  return fetch(`${at}${where}`, { method: "POST", body: sent, headers, redirect: "manual", credentials: "same-origin" });
}

// The answer as a document: parsed by the browser, and no script in it ever runs. Fails when it is not the answer asked for.
function asked(where, sent, headers) {
  return new Promise((resolve, reject) => {
    const ask = new XMLHttpRequest();
    ask.open("POST", where);
    ask.responseType = "document";
    ask.timeout = 15_000;
    ask.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
    for (const [name, value] of Object.entries(headers)) ask.setRequestHeader(name, value);
    ask.onloadend = () => {
      const isIt = ask.status === 200 && ask.response && new URL(ask.responseURL).pathname === new URL(where, location.href).pathname;
      if (isIt) resolve(ask.response); else reject(new Error(String(ask.status)));
    };
    ask.send(sent.toString());
  });
}

function put(made, place) {
  place.replaceChildren(...[...made.body.childNodes].map((node) => document.importNode(node, true)));
}

// ---------------------------------------------------------------- the draft

let waiting = 0;
let edits = 0; // grows with every change; what was kept is known by it
let keptEdits = 0;
let keeping = Promise.resolve(true);
const isDirty = () => edits !== keptEdits;

const fields = (more = {}) => {
  const sent = new URLSearchParams();
  for (const [name, value] of new FormData(composer)) if (name !== "q") sent.append(name, value);
  for (const [name, value] of Object.entries(more)) sent.append(name, value);
  return sent;
};

// One at a time and in order: an older answer must not overwrite what a newer one shows.
function keep(more = {}) {
  clearTimeout(waiting);
  keeping = keeping.then(async () => {
    const now = edits;
    try {
      const made = await asked(`${at}/draft`, fields(more), { "X-Fragment": "1" });
      const focus = one("#composed").contains(document.activeElement) ? document.activeElement.id : "";
      put(made, one("#composed"));
      if (focus) document.getElementById(focus)?.focus();
      keptEdits = now;
      kept(isDirty() ? page.dataset.saidKeeping : page.dataset.saidKept);
      return true;
    } catch {
      kept(page.dataset.saidNotKept);
      clearTimeout(waiting);
      waiting = setTimeout(() => keep(), 3000);
      return false;
    }
  });
  return keeping;
}

const kept = (text) => { const place = one("#kept"); if (place && place.textContent !== text) place.textContent = text; };

// What is on the page when somebody writes has been seen: what comes later has not.
function seen() {
  const lines = one("#lines").dataset.last.trim().split(/\s+/);
  const places = all('input[name="seen"]', composer);
  for (const place of places) {
    const now = lines.find((each) => each.split(":")[0] === place.value.split(":")[0]);
    if (now) place.value = now;
  }
}

function changed() {
  edits += 1;
  if (!document.hidden) seen();
  kept(page.dataset.saidKeeping);
  clearTimeout(waiting);
  waiting = setTimeout(() => keep(), SETTLE_MS);
}

if (composer) {
  one("#free").addEventListener("input", () => { changed(); typed(); });
  one("#write-to")?.addEventListener("change", changed);
  composer.addEventListener("change", (event) => { if (event.target.id === "in-english") changed(); });
  composer.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button || !["add", "drop"].includes(button.name)) return;
    event.preventDefault();
    seen();
    typed();
    const done = await keep({ [button.name]: button.value });
    if (done && button.name === "drop") one("#free").focus();
  });
  one("#keep-draft").addEventListener("click", async (event) => {
    event.preventDefault();
    seen();
    if (await keep()) one("#composed").scrollIntoView({ block: "nearest" });
  });
  one("#free").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) { event.preventDefault(); one("#send")?.click(); }
  });
}

// Whatever is sent from this page, the draft is safe first; without a connection nothing is sent and nothing is lost.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog" || form.matches(".reveal-form")) return;
  if (!composer || !(isDirty() || form === composer)) return;
  event.preventDefault();
  const submitter = event.submitter;
  if (!(await keep())) { delete form.dataset.sent; one("#kept")?.scrollIntoView({ block: "nearest" }); return; }
  if (submitter?.name) {
    const extra = document.createElement("input");
    Object.assign(extra, { type: "hidden", name: submitter.name, value: submitter.value });
    form.append(extra);
  }
  HTMLFormElement.prototype.submit.call(form);
});

// The last half second before a page goes away: sent off, and kept in this tab until the page is back, because it may overtake the sending.
const place = `candour-case-${page.dataset.staff}-${at}`;
addEventListener("pagehide", () => {
  if (!composer || !isDirty()) return;
  navigator.sendBeacon(`${at}/draft`, fields());
  try { sessionStorage.setItem(place, one("#free").value); } catch { /* a private window */ }
});
if (composer) {
  let left = null;
  try { left = sessionStorage.getItem(place); sessionStorage.removeItem(place); } catch { /* a private window */ }
  if (left !== null && left !== one("#free").value) { one("#free").value = left; changed(); }
}

// ---------------------------------------------------------------- approved texts

const search = one("#find-text");
let asking = 0;
search?.addEventListener("input", () => {
  clearTimeout(asking);
  asking = setTimeout(async () => {
    const query = search.value.trim();
    if (!query) return;
    const thread = one('[name="thread"]', composer).value;
    try {
      const made = await asked(`${at}/texts`, body({ q: query, thread }), { "X-By-Itself": "1" });
      if (search.value.trim() === query) put(made, one("#found"));
    } catch { /* the line is lost: the bar says so */ }
  }, 250);
});
search?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  one("#found button")?.click();
});

// ---------------------------------------------------------------- who is here

let typedAt = 0;
let toldTyping = 0;
const here = () => {
  if (document.hidden) return;
  const typing = Date.now() - typedAt < TYPED_MS;
  post("/presence", { typing: typing ? "1" : "" }, { "X-By-Itself": "1" }).catch(() => { /* the bar says so */ });
};
function typed() {
  typedAt = Date.now();
  if (typedAt - toldTyping > TYPED_MS) { toldTyping = typedAt; here(); }
}
here();
setInterval(here, HERE_MS);
document.addEventListener("visibilitychange", here);
addEventListener("pagehide", () => { navigator.sendBeacon(`${at}/presence`, body({ left: "1" })); });
addEventListener("pageshow", (event) => { if (event.persisted) here(); });

// ---------------------------------------------------------------- what is live

const scroll = one("#scroll");
const toTheEnd = () => { scroll.scrollTop = scroll.scrollHeight; };
const heard = () => one("#lines").dataset.heard;
let known = heard();
let wasAtEnd = true;
scroll.addEventListener("scroll", () => { wasAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60; });
if (one("#new")) one("#new").scrollIntoView({ block: "center" }); else toTheEnd();

// A refusal stands where one looks: beside the reply it is about, which one goes on writing at once.
if (composer && ["#composer", "#new"].includes(location.hash)) {
  const refusals = all("main > .notice.bad");
  composer.prepend(...refusals);
  if (refusals.length) one("#free").focus({ preventScroll: true });
  if (refusals.length && !one("#new")) composer.scrollIntoView({ block: "start" });
}

document.addEventListener("candour:fresh", (event) => {
  if (event.target.id === "lines") {
    if (heard() !== known) { known = heard(); one("#said").textContent = page.dataset.saidNew; }
    if (wasAtEnd) toTheEnd();
  }
  if (event.target.id === "leaving") count();
});

let counting = 0;
function count() {
  clearInterval(counting);
  const places = all("[data-seconds]");
  if (!places.length) return;
  const began = Date.now();
  counting = setInterval(() => {
    for (const place of places) {
      const left = Math.max(0, Number(place.dataset.seconds) - Math.round((Date.now() - began) / 1000));
      place.textContent = place.textContent.replace(/\d+/, String(left));
    }
  }, 1000);
}
count();

// ---------------------------------------------------------------- what is hidden

document.addEventListener("submit", async (event) => {
  const form = event.target.closest?.(".reveal-form");
  if (!form) return;
  event.preventDefault();
  try {
    const made = await asked(form.action, new URLSearchParams(new FormData(form)), { "X-By-Itself": "1" });
    const words = document.importNode(made.getElementById("revealed"), true);
    words.removeAttribute("id");
    words.classList.add("as-written");
    words.tabIndex = -1;
    form.replaceWith(words);
    words.focus();
  } catch { delete form.dataset.sent; HTMLFormElement.prototype.submit.call(form); }
});

// A pop-up closes with Escape, and its first field has the focus when it opens.
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details.act[open]")) one("select, input:not([type=hidden]), textarea, button", one("form", event.target))?.focus();
}, true);
document.addEventListener("keydown", (event) => {
  const act = event.key === "Escape" && event.target.closest?.("details.act[open], details.reveal[open]");
  if (act) { act.open = false; one("summary", act).focus(); }
});
