// The one script of our own. Pages work without it; it only keeps what a person opened open, and makes the keyboard quicker.
(() => {
  "use strict";
  document.documentElement.classList.add("js");

  // Parts replace themselves whole. What a person opened, typed and ticked in one is carried into the answer before that is put
  // in: an open fold with its text is there at once, so that focus and cursor find their field again.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, serverResponse } = event.detail;
    const answer = document.createElement("template");
    answer.innerHTML = serverResponse;
    let carried = 0;
    for (const old of target.querySelectorAll("details[id], input[id], textarea[id], select[id]")) {
      const next = answer.content.getElementById(old.id);
      if (next && carry(old, next)) carried += 1;
    }
    if (carried) event.detail.serverResponse = answer.innerHTML;
  });
  const carry = (old, next) => {
    if (old instanceof HTMLDetailsElement) {
      old.removeAttribute("name"); // both are in the page for a moment, and of one name only one may be open
      next.toggleAttribute("open", old.open);
      return true;
    }
    if (["password", "file", "hidden"].includes(old.type)) return false;
    if (old instanceof HTMLSelectElement) {
      for (const option of next.options ?? []) option.toggleAttribute("selected", option.value === old.value);
      return true;
    }
    if (old.type === "checkbox" || old.type === "radio") next.toggleAttribute("checked", old.checked);
    else if (old.value === old.defaultValue && !("typed" in old.dataset)) return false;
    else if (old instanceof HTMLTextAreaElement) next.textContent = old.value;
    else next.setAttribute("value", old.value);
    next.dataset.typed = "";
    return true;
  };

  // Parts that the stream itself replaces have folds, too.
  const open = new Set();
  document.addEventListener("toggle", (event) => {
    const fold = event.target;
    if (!(fold instanceof HTMLDetailsElement) || !fold.id) return;
    if (fold.open) open.add(fold.id); else if (fold.isConnected) open.delete(fold.id);
  }, true);
  document.addEventListener("htmx:afterSwap", () => {
    for (const id of open) {
      const fold = document.getElementById(id);
      if (fold instanceof HTMLDetailsElement) fold.open = true;
    }
  });

  // Relative times stay true while the page is open; the words are those of the server (app/web/formats.py).
  const units = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
  const relative = (at, bare) => {
    const seconds = (Date.now() - at) / 1000, distance = Math.abs(seconds);
    if (distance < 10) return bare ? "a moment" : "just now";
    const [unit, name] = units.find(([length]) => distance >= length), number = Math.floor(distance / unit);
    const text = `${number} ${name}${number === 1 ? "" : "s"}`;
    return bare ? text : seconds > 0 ? `${text} ago` : `in ${text}`;
  };
  setInterval(() => {
    if (document.hidden) return;
    for (const time of document.querySelectorAll("time[data-relative]")) {
      const word = relative(Date.parse(time.dateTime), time.dataset.relative === "bare");
      if (time.textContent !== word) time.textContent = word;
    }
  }, 10_000);

  // Ctrl/Cmd K goes to the search; Escape closes what was folded out, and so does a click elsewhere for the menu.
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      const search = document.getElementById("search-link");
      const field = document.getElementById("search-field");
      if (field) { event.preventDefault(); field.focus(); } else if (search) { event.preventDefault(); search.click(); }
    }
    if (event.key === "Escape") for (const menu of document.querySelectorAll("details.menu[open], details.act-fold[open]")) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  // A form is sent once: a second click while the first is under way does nothing (the server would refuse it anyway).
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) event.preventDefault(); else if (form.method === "post" && !form.hasAttribute("hx-post")) form.dataset.sent = "1";
  });
  addEventListener("pageshow", () => { for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent; });

  // Copy buttons: the text of the element they name.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    if (!source) return;
    const lines = [...source.children].filter((line) => line.matches("li") && line.checkVisibility());
    const text = lines.map((line) => [line.querySelector("time")?.title, ...[...line.children].slice(2).map((part) => part.textContent.trim())].join("\t"));
    await navigator.clipboard.writeText(lines.length ? text.join("\n") : source.dataset.text ?? source.textContent);
    button.querySelector(".copied")?.removeAttribute("hidden");
  });
})();

// The live page: a stream that was closed (a rolling deploy behind a proxy answers 503) is opened again after the last line that
// was seen; a hidden tab closes its stream, since a browser opens only six to one server; the badge says which it is.
(() => {
  "use strict";
  const root = document.getElementById("run");
  if (!root || !window.htmx) return;
  const LONGEST_LOG = 300, SILENT_MS = 35_000, STALE_MS = 8_000;
  const badge = document.getElementById("live");
  let last = Number(root.dataset.number || 0), heard = Date.now(), source = null, over = false;

  const clock = (ms) => new Date(ms).toISOString().slice(11, 19) + " UTC";
  const show = () => {
    if (!badge) return;
    const open = source?.readyState === EventSource.OPEN, away = !open && Date.now() - heard > STALE_MS;
    badge.classList.toggle("is-over", over);
    badge.classList.toggle("is-stale", !over && !open && !away);
    badge.classList.toggle("is-away", !over && away);
    const word = over ? badge.dataset.over : open ? badge.dataset.live : away ? badge.dataset.stale + clock(heard) : badge.dataset.again;
    if (badge.lastElementChild.textContent !== word) badge.lastElementChild.textContent = word;
  };
  const reopen = () => source?.dispatchEvent(new Event("error")); // the extension opens a closed source again on its error
  htmx.createEventSource = (url) => {
    const address = new URL(url, location.href);
    address.searchParams.set("after", last);
    const mine = source = new EventSource(address, { withCredentials: true });
    const listen = (names, act) => names.forEach((name) => mine.addEventListener(name, act));
    listen(["open", "ping", "log", "header", "timeline", "now", "signals"], () => { heard = Date.now(); show(); });
    listen(["error"], show);
    listen(["over"], () => { over = true; show(); });
    return mine;
  };
  // The extension writes a line into the page only after this: a line that stands there already is not written twice.
  root.addEventListener("htmx:sseBeforeMessage", (event) => {
    const message = event.detail;
    if (message.type !== "log") return;
    const number = Number(message.lastEventId) || 0;
    if (document.getElementById(`event-${number}`)) event.preventDefault();
    last = Math.max(last, number);
  });
  setInterval(() => {
    if (!over && !document.hidden && source?.readyState === EventSource.OPEN && Date.now() - heard > SILENT_MS) { source.close(); reopen(); }
    show();
  }, 1000);
  document.addEventListener("htmx:afterSwap", () => {
    const log = document.getElementById("run-log");
    while (log && log.children.length > LONGEST_LOG) log.lastElementChild.remove();
  });
  document.addEventListener("visibilitychange", () => {
    if (over || !source || !root.hasAttribute("sse-connect")) return;
    if (document.hidden) source.close(); else if (source.readyState === EventSource.CLOSED) reopen();
    show();
  });
})();
