// The roster's file stays here: it is sent once to be judged, and once more to be applied with the code of what was shown.
const form = document.querySelector("#roster-form");
const busy = document.querySelector("#roster-busy");
let file = null;
let sending = false;

// Sends the file as it is; what comes back is a page, of which one part is taken over.
function send(query, type, done) {
  if (sending || !file) return;
  sending = true;
  busy.textContent = form.dataset.busy;
  const ask = new XMLHttpRequest();
  ask.open("POST", `${form.dataset.judge}?${query}`);
  ask.responseType = type;
  ask.setRequestHeader("X-Csrf", form.dataset.csrf);
  ask.setRequestHeader("Content-Type", "text/csv");
  ask.onloadend = () => {
    sending = false;
    busy.textContent = "";
    if (ask.response && (ask.status === 200 || ask.status === 422)) done(ask.response);
    else busy.textContent = form.dataset.failed;
  };
  ask.send(file);
}

function show(page) {
  const next = page.querySelector("#roster");
  if (!next) { location.reload(); return; }
  document.querySelector("#roster").replaceWith(document.importNode(next, true));
  document.querySelector("#judged-title")?.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopImmediatePropagation();
  file = document.querySelector("#roster-file").files[0] ?? null;
  send("", "document", show);
});

document.addEventListener("submit", (event) => {
  if (event.target.id !== "roster-apply") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  send(new URLSearchParams({ code: event.target.dataset.code }), "document", show);
}, true);

document.addEventListener("click", (event) => {
  if (event.target.id !== "roster-report") return;
  send("report=1", "blob", (blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = "roster-report.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
});
