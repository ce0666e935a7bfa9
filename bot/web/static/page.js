// What a browser with scripts adds to pages that work without: news at once, reading aloud, a keypad that does not wait.
(() => {
  "use strict";
  const root = document.documentElement;
  const live = document.getElementById("live");

  // --- news: the server rings, the page reads ---
  let stream = null;
  const listen = () => {
    if (stream || document.hidden) return;
    stream = new EventSource(live.dataset.events);
    stream.addEventListener("open", () => root.classList.add("live"));
    stream.addEventListener("error", () => root.classList.remove("live"));
    stream.addEventListener("news", () => htmx.trigger(live, "news"));
  };
  const hush = () => {
    stream?.close();
    stream = null;
  };
  if (live?.dataset.events && "EventSource" in window) {
    listen();
    document.addEventListener("visibilitychange", () => (document.hidden ? hush() : listen()));
    window.addEventListener("pagehide", hush);
  }

  // --- what is sent later must not wait for what was sent before: 停 overtakes a slow answer. A form that is sent
  // twice is the same event to the server, so nothing has to be held back here.
  let lane = 1;
  document.addEventListener("htmx:before:request", (event) => {
    lane = (lane % 3) + 1;
    for (const form of document.querySelectorAll("form[data-once]")) form.setAttribute("hx-sync", `#lane-${lane}:queue all`);
  });

  // --- what was sent is emptied, and the form gets a new name; what was typed meanwhile stays ---
  const sent = new WeakMap();
  document.addEventListener("htmx:before:request", (event) => {
    const form = event.detail.ctx.sourceElement;
    if (form.matches("form[data-once]")) sent.set(form, form.querySelector("input[type=text]")?.value);
  });
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    const form = ctx.sourceElement;
    const name = ctx.response.headers.get("X-Next-Form");
    if (!name || !form.matches("form[data-once]")) return;
    form.querySelector("input[name=once]").value = name;
    const field = form.querySelector("input[type=text]");
    if (field && field.value === sent.get(form)) field.value = "";
  });

  // --- an answer that was overtaken by a newer one is not shown ---
  let seen = new Set();
  let seenCode = "";
  const code = () => document.querySelector(".phone .code");
  document.addEventListener("htmx:before:swap", (event) => {
    const revision = event.detail.ctx.response?.headers.get("X-Talk-Revision");
    if (revision !== null && revision !== undefined) {
      if (Number(revision) < Number(live.dataset.revision)) {
        event.preventDefault();
        return;
      }
      live.dataset.revision = revision;
    }
    seen = new Set([...document.querySelectorAll("li.turn")].map((turn) => turn.id));
    seenCode = code()?.textContent;
  });

  // --- the eye and the keyboard land on what is new ---
  const calm = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");
  const show = (turn, behavior) => turn?.scrollIntoView({ block: "start", behavior });
  document.addEventListener("htmx:after:swap", () => {
    const fresh = [...document.querySelectorAll("li.turn")].filter((turn) => !seen.has(turn.id));
    const first = fresh.find((turn) => !turn.classList.contains("me")) ?? fresh[0];
    const notice = document.querySelector("#live .notice[role=alert]");
    // A new code on the other phone is what one needs to see now; the question stands right above it.
    if (code() && code().textContent !== seenCode) code().scrollIntoView({ block: "nearest", behavior: calm() });
    else show(notice ?? first, calm());
    if (document.activeElement === document.body) (notice ?? first)?.focus({ preventScroll: true });
  });
  if (!location.hash) show(document.querySelector("body.talking #newest"), "auto");

  // --- reading aloud, where the browser has a voice ---
  const speaker = window.speechSynthesis;
  if (speaker && "SpeechSynthesisUtterance" in window) root.classList.add("speaks");
  let reading = null;
  const silent = () => {
    if (reading) reading.textContent = reading.dataset.speak;
    reading = null;
  };
  const read = (button) => {
    const again = reading === button;
    speaker.cancel();
    silent();
    if (again) return;
    const words = new SpeechSynthesisUtterance(button.closest("li").querySelector(".words").innerText);
    words.lang = root.lang;
    words.rate = 0.85;
    words.onend = words.onerror = silent;
    reading = button;
    button.textContent = button.dataset.stop;
    speaker.speak(words);
  };

  // --- the keypad collects digits here; only the whole number is sent ---
  const press = (form, key) => {
    const field = form.querySelector("input[name=digits]");
    const more = key === "back" ? field.value.slice(0, -1) : field.value + key;
    if (more.length <= Number(form.dataset.most)) field.value = more;
  };

  // With the keypad open, the newest words stand right above it.
  document.getElementById("keypad")?.addEventListener("toggle", (event) => {
    if (event.target.open) window.scrollTo({ top: document.body.scrollHeight, behavior: calm() });
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.matches(".speak")) read(button);
    if (button.name === "key" && button.value !== "send") {
      event.preventDefault();
      press(button.form, button.value);
    }
  });
})();
