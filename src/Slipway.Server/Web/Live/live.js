"use strict";
// Keeps a page as it is on the server: when something changed, it fetches the page again and puts its <main> in place of the old one.
// What a person is doing stays: focus, what is typed, what is open, where they have scrolled to.
(() => {
  const SHORTEST_PAUSE = 2_000;       // ms between two fetches, however much changes
  const LONGEST_BACKOFF = 60_000;     // ms between two tries to connect
  const bar = document.getElementById("live");
  let failures = 0, fetching = false, again = false, fetchedAt = 0, source = null;

  const say = text => {
    bar.hidden = text === "";
    if (bar.textContent !== text) bar.textContent = text;
  };

  // Fields are known by name within their form; all else that can have focus by id, or by its place among those like it.
  const mark = element => {
    if (!element || element === document.body || !document.getElementById("main").contains(element)) return null;
    if (element.id) return "#" + CSS.escape(element.id);
    const like = element.tagName.toLowerCase() + (element.name ? `[name="${CSS.escape(element.name)}"]` : element.getAttribute("href") ? `[href="${CSS.escape(element.getAttribute("href"))}"]` : "");
    return [like, [...document.querySelectorAll("#main " + like)].indexOf(element)];
  };
  const find = where => where === null ? null : typeof where === "string" ? document.querySelector(where) : document.querySelectorAll("#main " + where[0])[where[1]];

  const isTyping = main => [...main.querySelectorAll("input, textarea, select")].some(field =>
    field.type !== "hidden" && (field.tagName === "SELECT" ? [...field.options].some(option => option.selected !== option.defaultSelected) : field.value !== field.defaultValue));

  const swap = text => {
    const next = new DOMParser().parseFromString(text, "text/html").getElementById("main");
    const main = document.getElementById("main");
    // Who is typing keeps the page as they read it; it is swapped once the form is sent or emptied.
    if (!next || !next.querySelector("h1") || isTyping(main)) return;
    const focus = mark(document.activeElement), selection = document.activeElement?.selectionStart;
    const open = new Map([...main.querySelectorAll("details[id]")].map(details => [details.id, details.open]));
    const scrolled = new Map([...main.querySelectorAll(".scroll")].map((box, i) => [i, box.scrollLeft]));
    const [x, y] = [scrollX, scrollY];
    for (const details of next.querySelectorAll("details[id]")) if (open.has(details.id)) details.open = open.get(details.id);
    main.replaceWith(document.adoptNode(next));
    [...next.querySelectorAll(".scroll")].forEach((box, i) => { if (scrolled.get(i)) box.scrollLeft = scrolled.get(i); });
    scrollTo(x, y);
    const focused = find(focus);
    if (focused) {
      focused.focus({ preventScroll: true });
      if (typeof selection === "number" && focused.setSelectionRange) try { focused.setSelectionRange(selection, selection); } catch { /* Not a field of text. */ }
    }
    document.dispatchEvent(new CustomEvent("slipway:swapped"));
  };

  const refresh = async () => {
    if (fetching || document.hidden) { again = true; return; }
    [fetching, again] = [true, false];
    try {
      const pause = fetchedAt + SHORTEST_PAUSE - Date.now();
      if (pause > 0) await new Promise(resolve => setTimeout(resolve, pause));
      fetchedAt = Date.now();
      const answer = await fetch(location.href, { headers: { Accept: "text/html", "Slipway-Live": "1" }, cache: "no-store" });
      if (answer.status === 401) { location.reload(); return; }
      if (answer.ok) swap(await answer.text());
    } catch { /* The stream tells that the server is gone. */ }
    finally { fetching = false; }
    if (again && !document.hidden) refresh();
  };

  const connect = () => {
    source = new EventSource("/events");
    source.addEventListener("open", () => { if (failures > 0) refresh(); failures = 0; say(""); });
    source.addEventListener("changed", refresh);
    source.addEventListener("over", () => { source.close(); location.reload(); });
    source.addEventListener("error", () => {
      // The browser would try again at once and for ever: the server may be gone because it has too much to do.
      source.close();
      failures++;
      say("Not live: reconnecting. What you see may be old.");
      setTimeout(connect, Math.min(LONGEST_BACKOFF, 1_000 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2));
    });
  };

  document.addEventListener("visibilitychange", () => { if (!document.hidden && again) refresh(); });
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", event => { if (event.persisted) connect(); });
  // A page that came back with a failed form is an answer to it: fetching it again would be another page.
  if (bar && !document.querySelector(".problem")) connect();
})();
