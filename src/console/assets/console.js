// Lets the parts of a page that say so (data-live) follow what happens. Without it every page works, too.
"use strict";
(() => {
  const state = document.getElementById("live");
  if (!state || !document.querySelector("[data-live]")) return;
  const address = "/console/live?page=" + encodeURIComponent(location.pathname + location.search);
  let source = null;

  const say = (text) => { state.textContent = text; };

  // What somebody is at work in stays as it is.
  const isInUse = (part) =>
    part.contains(document.activeElement) || part.querySelector("details[open]") !== null ||
    (!getSelection().isCollapsed && part.contains(getSelection().anchorNode));

  const show = (event) => {
    const news = new DOMParser().parseFromString(JSON.parse(event.data), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = news.querySelector('[data-live="' + CSS.escape(part.dataset.live) + '"]');
      if (!next || isInUse(part) || part.innerHTML === next.innerHTML) continue;
      part.replaceChildren(...document.importNode(next, true).childNodes);
    }
    say("Live");
  };

  const stop = () => {
    if (source) source.close();
    source = null;
  };
  const start = () => {
    if (source) return;
    source = new EventSource(address);
    source.addEventListener("page", show);
    source.onopen = () => say("Live");
    source.onerror = () => {
      if (source && source.readyState === EventSource.CLOSED) {
        say("Not live: reload the page");
        stop();
      }
    };
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      stop();
      say("Paused while hidden");
    } else {
      start();
    }
  });
  if (!document.hidden) start();
})();
