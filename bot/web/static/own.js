/* What patients may do with their conversation: take a copy, have this device forget it, leave the page at once. */

const log = document.getElementById("log");
const keep = document.getElementById("keep");
const forget = document.getElementById("forget");
const leave = document.getElementById("leave");
const said = document.getElementById("own-said");

/* Without a trace in the history: "back" must not lead here. In a frame this is the page around it. */
leave.addEventListener("click", (event) => {
  event.preventDefault();
  document.body.replaceChildren();
  window.top.location.replace(leave.href);
});

const part = (line, selector) => line.querySelector(selector);

/* A text file, made here: nothing is asked of the server. */
function copy() {
  const lines = [...log.querySelectorAll(".line")].map((line) => {
    const at = part(line, "time")?.dateTime ?? "";
    const text = part(line, ".words").innerText;
    return `${part(line, ".sender span").textContent} ${at}\n${text}\n`;
  });
  const file = new Blob([`${document.title}\n\n`, lines.join("\n")], { type: "text/plain" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `candour-${new Date().toISOString().slice(0, 10)}.txt`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function forgetAll() {
  /* Asked twice in place: a frame of another site may show no dialog. */
  if (!forget.dataset.asked) {
    forget.dataset.asked = "yes";
    said.textContent = forget.dataset.sure;
    return;
  }
  const answer = await fetch("/api/chat/forget", { method: "POST", signal: AbortSignal.timeout?.(20000) }).catch(() => null);
  delete forget.dataset.asked;
  if (!answer || !(answer.ok || answer.status === 401)) {
    said.textContent = forget.dataset.failed;
    return;
  }
  try {
    sessionStorage.clear();
  } catch {
    /* nothing was kept there */
  }
  log.replaceChildren();
  said.textContent = forget.dataset.done;
  document.dispatchEvent(new CustomEvent("candour:forgotten"));
  setTimeout(() => location.reload(), 1500);
}

function show() {
  keep.hidden = forget.hidden = !log?.children.length;
}

if (log) {
  keep.addEventListener("click", copy);
  forget.addEventListener("click", forgetAll);
  new MutationObserver(show).observe(log, { childList: true });
  show();
}
