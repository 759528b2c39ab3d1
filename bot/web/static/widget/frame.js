/* The frame's side of the widget: tells the page around it how many answers are unread and when to close, and hears
   whether it is open. Nothing of the conversation passes, and only named origins are spoken to. */

const body = document.body;
/* Our own pages may show the frame too. */
const hosts = [location.origin, ...(body.dataset.hosts ?? "").split(" ").filter(Boolean)];
const isInside = window.parent !== window;
const close = document.getElementById("close");
const heading = document.getElementById("heading");
let host = ""; // the origin of the page around us, once it has said hello
let unread = 0;

function tell(kind, more) {
  if (host) window.parent.postMessage({ candour: 1, kind, ...more }, host);
}

/* What was seen before is kept by the page around us: browsers may forbid a frame to keep anything. */
function setPanel(isOpen, seen) {
  body.dataset.panel = isOpen ? "open" : "closed";
  document.dispatchEvent(new CustomEvent("candour:panel", { detail: Number.isInteger(seen) ? { seen } : {} }));
}

/* Who has written before goes on writing; who is new hears first what this is. On a telephone the keyboard would hide it. */
function takeFocus() {
  const isTyping = body.dataset.known === "yes" && matchMedia("(hover: hover) and (pointer: fine)").matches;
  ((isTyping && document.getElementById("question")) || heading).focus();
}

if (isInside) {
  body.dataset.panel = "closed";
  document.addEventListener("candour:seen", ({ detail }) => tell("seen", { number: detail }));
  document.addEventListener("candour:unread", ({ detail }) => tell("unread", { count: (unread = detail) }));
  document.addEventListener("keydown", (event) => {
    /* While an input method is composing (Chinese), Escape takes back characters. */
    if (event.key === "Escape" && !event.isComposing && event.keyCode !== 229) tell("close");
  });
  close.addEventListener("click", () => tell("close"));
  window.addEventListener("message", ({ origin, source, data }) => {
    if (source !== window.parent || !hosts.includes(origin) || data?.candour !== 1) return;
    host = origin;
    if (data.kind === "hello") {
      close.hidden = false;
      tell("ready", { lang: body.dataset.language });
      tell("unread", { count: unread });
    }
    setPanel(data.open === true, data.seen);
    if (data.focus === true) takeFocus();
  });
}
