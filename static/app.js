// The one script of our own. Pages work without it; it only keeps what a person opened open, and makes the keyboard quicker.
(() => {
  "use strict";
  const open = new Set();

  // Parts replace themselves whole: a <details id> that was open stays open, and focus stays where it was.
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

  // Ctrl/Cmd K goes to the search; Escape and a click elsewhere close the menu.
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      const search = document.getElementById("search-link");
      const field = document.getElementById("search-field");
      if (field) { event.preventDefault(); field.focus(); } else if (search) { event.preventDefault(); search.click(); }
    }
    if (event.key === "Escape") for (const menu of document.querySelectorAll("details.menu[open]")) {
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
    await navigator.clipboard.writeText(source.dataset.text ?? source.textContent);
    button.querySelector(".copied")?.removeAttribute("hidden");
  });
})();

// The live page: a stream that was closed (a rolling deploy behind a proxy answers 503) is opened again after the last line that
// was seen; a hidden tab closes its stream, since a browser opens only six to one server; the badge says which it is.
(() => {
  "use strict";
  const root = document.getElementById("run");
  if (!root || !window.htmx) return;
  const LONGEST_LOG = 300;
  let last = Number(root.dataset.number || 0);
  let source = null;
  const badge = document.getElementById("live");
  const say = (live) => {
    if (!badge) return;
    badge.classList.toggle("is-stale", !live);
    badge.lastElementChild.textContent = live ? badge.dataset.live : badge.dataset.stale;
  };
  htmx.createEventSource = (url) => {
    const address = new URL(url, location.href);
    address.searchParams.set("after", last);
    source = new EventSource(address, { withCredentials: true });
    source.addEventListener("open", () => say(true));
    source.addEventListener("error", () => say(false));
    source.addEventListener("log", (event) => { last = Math.max(last, Number(event.lastEventId) || 0); });
    return source;
  };
  document.addEventListener("htmx:afterSwap", () => {
    const log = document.getElementById("run-log");
    while (log && log.children.length > LONGEST_LOG) log.lastElementChild.remove();
  });
  document.addEventListener("visibilitychange", () => {
    if (!source || !root.hasAttribute("sse-connect")) return;
    if (document.hidden) { source.close(); say(false); } else if (source.readyState === EventSource.CLOSED) {
      source.dispatchEvent(new Event("error"));
    }
  });
})();
