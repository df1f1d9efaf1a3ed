"use strict";
// Keeps a page as it is on the server: when something changed, it fetches the page again and puts its <main> in place of the old one.
// What a person is doing stays: focus, what is typed, what is open, where they have scrolled to.
(() => {
  const SHORTEST_PAUSE = 2_000;       // ms between two fetches, however much changes
  const LONGEST_BACKOFF = 60_000;     // ms between two tries to connect
  const LONGEST_SILENCE = 60_000;     // ms: the server says something three times in that, so the connection is dead without anybody having said so
  const LONGEST_FETCH = 30_000;       // ms
  const bar = document.getElementById("live");
  let failures = 0, fetching = false, again = false, fetchedAt = 0, heardAt = 0, source = null, retry = 0;

  const say = text => {
    bar.hidden = text === "";
    if (bar.textContent !== text) bar.textContent = text;
  };

  // What can have focus is known by its id, or by its place among those like it within what has one.
  const mark = element => {
    if (!element || element === document.body || !document.getElementById("main").contains(element)) return null;
    const home = "#" + CSS.escape(element.closest("[id]").id);
    if (element.id) return [home, null, 0];
    const like = element.tagName.toLowerCase() + (element.name ? `[name="${CSS.escape(element.name)}"]` : element.getAttribute("href") ? `[href="${CSS.escape(element.getAttribute("href"))}"]` : "");
    return [home, like, [...document.querySelectorAll(home + " " + like)].indexOf(element)];
  };
  const find = where => where === null ? null : where[1] === null ? document.querySelector(where[0]) : document.querySelectorAll(where[0] + " " + where[1])[where[2]];

  const isTyping = main => [...main.querySelectorAll("input, textarea, select")].some(field =>
    field.type !== "hidden" && (field.tagName === "SELECT" ? [...field.options].some(option => option.selected !== option.defaultSelected) : field.value !== field.defaultValue));

  const swap = text => {
    const next = new DOMParser().parseFromString(text, "text/html").getElementById("main");
    const main = document.getElementById("main");
    if (next?.querySelector("form.sign-in")) { location.reload(); return; }
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
      const answer = await fetch(location.href, { headers: { Accept: "text/html", "Slipway-Live": "1" }, cache: "no-store", signal: AbortSignal.timeout(LONGEST_FETCH) });
      if (answer.status === 401) { location.reload(); return; }
      if (answer.ok) swap(await answer.text());
    } catch { /* The stream tells that the server is gone. */ }
    finally { fetching = false; }
    if (again && !document.hidden) refresh();
  };

  const heard = () => { heardAt = Date.now(); };

  const connect = () => {
    clearTimeout(retry);
    source?.close();
    source = new EventSource("/events");
    heard();
    source.addEventListener("open", () => { heard(); if (failures > 0) refresh(); failures = 0; say(""); });
    source.addEventListener("beat", heard);
    source.addEventListener("changed", () => { heard(); refresh(); });
    source.addEventListener("over", () => { source.close(); location.reload(); });
    source.addEventListener("error", lost);
  };

  const lost = () => {
    // The browser would try again at once and for ever: the server may be gone because it has too much to do.
    source.close();
    failures++;
    say("Not live: reconnecting. What you see may be old.");
    clearTimeout(retry);
    // A session that ended meanwhile gives no stream: the page finds that out, and asks to sign in.
    retry = setTimeout(() => refresh().then(connect), Math.min(LONGEST_BACKOFF, 1_000 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2));
  };

  // A laptop that slept, or a network that went, closes no connection.
  const watch = () => { if (source?.readyState !== EventSource.CLOSED && Date.now() - heardAt > LONGEST_SILENCE) lost(); };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    watch();
    if (again) refresh();
  });
  addEventListener("pagehide", () => { clearTimeout(retry); source?.close(); });
  addEventListener("pageshow", event => { if (event.persisted) connect(); });
  // A page that came back with a failed form is an answer to it: fetching it again would be another page.
  if (bar && !document.querySelector(".problem")) { connect(); setInterval(watch, LONGEST_SILENCE / 4); }
})();
