/* Candour's chat on another site: a button, and a frame from the address this script came from.
   The conversation stays in the frame; this page learns only how many answers are unread.
   Released under this name: sites hold its digest. A change gets a new number (docs/howto/embed-the-widget.md). */
(() => {
  "use strict";
  const NAME = "candour-widget";
  const script = document.currentScript;
  if (!script || customElements.get(NAME)) return;
  const ORIGIN = new URL(script.src).origin;
  const KEPT = "candour.widget";
  const EMERGENCY = "999";
  const PATIENCE_MS = 12000;

  const WORDS = {
    en: {
      launch: "Data incident: ask us", fresh: "New answers: {count}", opening: "Opening the chat …", close: "Close",
      failed: "The chat did not open here.", own: "Open it in a page of its own", danger: "In danger right now? Call 999, day or night.",
    },
    "zh-Hant": {
      launch: "資料事故查詢", fresh: "新回覆：{count}", opening: "正在開啟對話……", close: "關閉",
      failed: "未能在此開啟對話。", own: "在獨立頁面開啟", danger: "現時有危險？請致電 999，日夜有人接聽。",
    },
    "zh-Hans": {
      launch: "数据事故查询", fresh: "新回复：{count}", opening: "正在打开对话……", close: "关闭",
      failed: "无法在此打开对话。", own: "在独立页面打开", danger: "现在有危险？请致电 999，日夜有人接听。",
    },
    tl: {
      launch: "Insidente sa data: magtanong", fresh: "Mga bagong sagot: {count}", opening: "Binubuksan ang chat …", close: "Isara",
      failed: "Hindi nabuksan ang chat dito.", own: "Buksan sa sarili nitong pahina", danger: "Nasa panganib ngayon? Tumawag sa 999, araw o gabi.",
    },
    id: {
      launch: "Insiden data: tanya kami", fresh: "Jawaban baru: {count}", opening: "Membuka obrolan …", close: "Tutup",
      failed: "Obrolan tidak terbuka di sini.", own: "Buka di halamannya sendiri", danger: "Dalam bahaya sekarang? Hubungi 999, siang atau malam.",
    },
  };

  /* Every rule about the element itself is important: then it wins over whatever the page says of it. */
  const STYLE = `
    :host {
      all: initial !important; direction: ltr !important; unicode-bidi: isolate !important;
      display: block !important; position: fixed !important; inset: auto !important; z-index: 2147483647 !important;
      width: 0 !important; height: 0 !important; margin: 0 !important; padding: 0 !important; border: 0 !important;
      overflow: visible !important; background: none !important; visibility: visible !important; color-scheme: light dark !important;
      font: medium/1.4 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang HK", "Microsoft JhengHei", "Noto Sans CJK HK", sans-serif !important;
      --paper: #fff; --ink: #16262b; --edge: #c9d3d6; --main: #0b5563; --main-ink: #fff; --alarm: #a81c1c;
    }
    @media (prefers-color-scheme: dark) {
      :host { --paper: #18252a; --ink: #e8eff1; --edge: #4a5f66; --main: #7fd0dc; --main-ink: #0a2127; --alarm: #ffb4ab; }
    }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    .launcher {
      position: fixed; bottom: 1em; right: 1em; display: flex; align-items: center; gap: .6em; min-height: 3.25em; max-width: calc(100vw - 2em);
      padding: .5em 1.15em .5em .95em; font: inherit; font-weight: 650; text-align: start; color: var(--main-ink); background: var(--main);
      border: 2px solid var(--paper); border-radius: 1.7em; box-shadow: 0 2px 12px rgb(0 0 0 / 28%); cursor: pointer;
    }
    .launcher:hover { filter: brightness(1.12); }
    .left .launcher { right: auto; left: 1em; }
    :focus-visible { outline: 3px solid var(--main); outline-offset: 3px; box-shadow: 0 0 0 3px var(--paper); }
    svg { flex: none; width: 1.5em; height: 1.5em; }
    .badge {
      min-width: 1.6em; padding: 0 .4em; line-height: 1.6; text-align: center; font-size: .9em; font-weight: 700;
      color: var(--main); background: var(--main-ink); border-radius: .8em;
    }
    .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    .panel {
      position: fixed; bottom: 5.25em; right: 1em; width: 26em; height: min(44em, calc(100vh - 6.5em)); overflow: hidden; visibility: hidden;
      color: var(--ink); background: var(--paper); border: 1px solid var(--edge); border-radius: .9em; box-shadow: 0 8px 32px rgb(0 0 0 / 30%);
    }
    .left .panel { right: auto; left: 1em; }
    .open .panel { visibility: visible; }
    iframe { display: block; width: 100%; height: 100%; border: 0; color-scheme: light dark; }
    .notice { position: absolute; inset: 0; padding: 1.5em; overflow: auto; background: var(--paper); }
    p { margin: 0 0 1em; }
    a { color: var(--main); display: inline-block; min-height: 1.7em; font-weight: 650; }
    .shut { font: inherit; font-weight: 650; color: var(--main); background: none; border: 2px solid var(--main); border-radius: .6em; min-height: 2.75em; padding: 0 1.2em; cursor: pointer; }
    @media (max-width: 34em), (max-height: 30em) {
      .panel, .left .panel { inset: 0; width: 100%; height: 100%; border: 0; border-radius: 0; }
      .open .launcher { visibility: hidden; }
    }
    @media (forced-colors: active) {
      .launcher, .panel, .badge { border: 2px solid CanvasText; }
      :focus-visible { outline-color: Highlight; }
    }
    @media print { :host { display: none !important; } }
  `;
  const WHOLE_SCREEN = matchMedia("(max-width: 34em), (max-height: 30em)");

  function make(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function icon() {
    const space = "http://www.w3.org/2000/svg";
    const drawn = document.createElementNS(space, "svg");
    const path = document.createElementNS(space, "path");
    drawn.setAttribute("viewBox", "0 0 24 24");
    drawn.setAttribute("aria-hidden", "true");
    path.setAttribute("fill", "currentColor");
    path.setAttribute("d", "M4 3h16a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-8l-5 4v-4H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2z");
    drawn.append(path);
    return drawn;
  }

  /* One of our five languages for what the page calls its own. */
  function known(tag) {
    const low = tag.toLowerCase().replace("_", "-");
    const [first] = low.split("-");
    if (first === "zh" || first === "yue") return /-(hans|cn|sg)\b/.test(low) ? "zh-Hans" : "zh-Hant";
    return { tl: "tl", fil: "tl", id: "id", in: "id" }[first] ?? "en";
  }

  class Widget extends HTMLElement {
    #isOpen = false;
    #isReady = false;
    #frame = null;
    #unread = 0;
    #seen = 0; // number of the newest line that was on the screen
    #mark = ""; // what we have put before the page's title
    #timer = 0;
    #parts = null;
    #words = null;

    connectedCallback() {
      if (!this.#parts) this.#build();
      window.addEventListener("message", this);
      document.addEventListener("focusin", this);
      this.#float();
      /* After a change of page: still there, but never over the whole of a small screen. */
      const [state, seen] = this.#recall();
      this.#seen = Number(seen) || 0;
      if (state) this.#load();
      if (state === "open" && !WHOLE_SCREEN.matches) this.#toggle(true, false);
    }

    disconnectedCallback() {
      window.removeEventListener("message", this);
      document.removeEventListener("focusin", this);
    }

    handleEvent(event) {
      if (event.type === "message") this.#hear(event);
      /* Over the whole screen, the focus must not wander about behind it. */
      else if (this.#isOpen && WHOLE_SCREEN.matches && event.target !== this) this.#toggle(false, false);
    }

    #build() {
      const root = this.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      const text = make("span");
      const badge = make("span", { class: "badge", "aria-hidden": "true", hidden: "" });
      const fresh = make("span", { class: "unseen" });
      const launcher = make("button", { class: "launcher", type: "button", "aria-expanded": "false", "aria-haspopup": "dialog" });
      launcher.append(icon(), text, badge, fresh);
      const spoken = make("p", { class: "unseen", role: "status" });
      const said = make("p", { role: "status" });
      const own = make("a", { target: "_blank", rel: "noopener", hidden: "" });
      const danger = make("p");
      const shut = make("button", { class: "shut", type: "button" });
      const notice = make("div", { class: "notice" }, said, danger, make("p", {}, own), shut);
      const panel = make("div", { class: "panel", role: "dialog" }, notice);
      const all = make("div", { class: this.#setting("position") === "left" ? "left" : "right" }, launcher, spoken, panel);
      root.append(all);
      this.#parts = { all, launcher, text, badge, fresh, spoken, panel, notice, said, own, danger, shut };
      launcher.addEventListener("click", () => this.#toggle(!this.#isOpen, true));
      shut.addEventListener("click", () => this.#toggle(false, true));
      root.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && this.#isOpen) this.#toggle(false, true);
      });
      this.#speak(known(this.#setting("lang") || document.documentElement.lang || navigator.language || "en"));
    }

    #setting(name) {
      return this.dataset[name] ?? script.dataset[name] ?? "";
    }

    #speak(lang) {
      const { all, text, panel, said, own, danger, shut } = this.#parts;
      const words = (this.#words = WORDS[lang] ?? WORDS.en);
      this.lang = all.lang = lang;
      text.textContent = words.launch;
      panel.setAttribute("aria-label", words.launch);
      said.textContent = words.opening;
      own.textContent = words.own;
      own.href = `${ORIGIN}/chat?lang=${lang}`;
      const [before, after] = words.danger.split(EMERGENCY);
      danger.replaceChildren(before, make("a", { href: `tel:${EMERGENCY}` }, EMERGENCY), after);
      shut.textContent = words.close;
      if (this.#frame) this.#frame.title = words.launch;
      this.#count(this.#unread);
    }

    /* The browser's top layer: no order, clipping or transformation of the page reaches it. */
    #float() {
      if (!this.showPopover) return;
      this.popover = "manual";
      try {
        this.showPopover();
      } catch {
        /* then it stands above by its z-index */
      }
    }

    #load() {
      if (this.#frame) return;
      this.#frame = make("iframe", { title: this.#words.launch, referrerpolicy: "no-referrer", src: `${ORIGIN}/widget?site=${this.lang}` });
      this.#frame.addEventListener("load", () => {
        this.#wait();
        this.#tell("hello", { focus: this.#isOpen && this.#hasFocus(), ...(this.#seen && { seen: this.#seen }) });
      });
      this.#parts.panel.append(this.#frame);
      this.#wait();
    }

    /* A frame that was refused, or that nobody answers in, says nothing. */
    #wait() {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#fail(), PATIENCE_MS);
    }

    #fail() {
      const { notice, said, own } = this.#parts;
      notice.hidden = false;
      said.textContent = this.#words.failed;
      own.hidden = false;
    }

    #hasFocus() {
      return this.shadowRoot.activeElement !== null;
    }

    #toggle(isOpen, takesFocus) {
      const { all, launcher, shut } = this.#parts;
      this.#isOpen = isOpen;
      if (isOpen) this.#load();
      all.classList.toggle("open", isOpen);
      launcher.setAttribute("aria-expanded", String(isOpen));
      this.#remember();
      if (takesFocus && !isOpen) launcher.focus();
      if (takesFocus && isOpen) (this.#isReady ? this.#frame : shut).focus();
      if (this.#isReady) this.#tell("panel", { focus: takesFocus && isOpen });
    }

    #tell(kind, more) {
      this.#frame.contentWindow?.postMessage({ candour: 1, kind, open: this.#isOpen, ...more }, ORIGIN);
    }

    #hear({ origin, source, data }) {
      if (origin !== ORIGIN || !this.#frame || source !== this.#frame.contentWindow || data?.candour !== 1) return;
      if (data.kind === "ready") this.#greet(String(data.lang));
      else if (data.kind === "unread") this.#count(Number(data.count) || 0);
      else if (data.kind === "close") this.#toggle(false, true);
      else if (data.kind === "seen") {
        this.#seen = Number(data.number) || 0;
        this.#remember();
      }
    }

    #greet(lang) {
      const { notice } = this.#parts;
      clearTimeout(this.#timer);
      const waits = notice.contains(this.shadowRoot.activeElement);
      this.#isReady = true;
      notice.hidden = true;
      if (waits) this.#frame.focus();
      if (lang !== this.lang && WORDS[lang]) this.#speak(lang);
    }

    #count(count) {
      const { badge, fresh, spoken } = this.#parts;
      const says = count ? this.#words.fresh.replace("{count}", String(count)) : "";
      if (count > this.#unread && !this.#isOpen) spoken.textContent = says;
      else if (!count) spoken.textContent = "";
      this.#unread = count;
      badge.hidden = !count;
      badge.textContent = count > 99 ? "99+" : String(count || "");
      fresh.textContent = says;
      const bare = document.title.startsWith(this.#mark) ? document.title.slice(this.#mark.length) : document.title;
      const mark = count ? `(${count}) ` : "";
      if (mark !== this.#mark) document.title = mark + bare;
      this.#mark = mark;
    }

    #recall() {
      try {
        return (sessionStorage.getItem(KEPT) ?? "").split(" ");
      } catch {
        return [];
      }
    }

    #remember() {
      try {
        sessionStorage.setItem(KEPT, `${this.#isOpen ? "open" : "closed"} ${this.#seen}`);
      } catch {
        /* a site without storage: the next page begins closed */
      }
    }
  }

  customElements.define(NAME, Widget);
  const place = () => {
    if (!document.querySelector(NAME)) document.body.append(document.createElement(NAME));
  };
  if (document.body) place();
  else document.addEventListener("DOMContentLoaded", place);
})();
