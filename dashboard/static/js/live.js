// What is new, as it happens: server-sent events, and every two seconds where those do not come through.
import { address } from "./api.js";

const POLL_MS = 2000;
const SETTLE_MS = 250;
/** Even a busy search redraws no more often than this; a great one rests for as long as it took to read. */

const say = (state, text) => {
  const sign = document.querySelector("#live");
  if (!sign) return;
  sign.hidden = false;
  if (sign.dataset.state === state) return;
  sign.dataset.state = state;
  sign.textContent = text;
};

/**
 * Calls `refresh` now, and again soon after anything happened; never twice at a time.
 * onevent: is given each event, where a page shows them.
 */
export function live(refresh, { search, onevent } = {}) {
  let running = false;
  let again = false;
  let timer = null;
  let poll = null;
  let rest = SETTLE_MS;

  const run = async () => {
    timer = null;
    if (running || document.hidden) {
      again = true;
      return;
    }
    running = true;
    again = false;
    const began = performance.now();
    try {
      await refresh();
      if (!poll) say("live", "live");
      else say("polling", "every 2 s");
    } catch (error) {
      if (error.name !== "AbortError") say("lost", "no answer");
    } finally {
      running = false;
      rest = Math.max(SETTLE_MS, performance.now() - began);
      if (again && !document.hidden) soon();
    }
  };
  const soon = () => {
    timer ??= setTimeout(run, rest);
  };
  const startPolling = () => {
    poll ??= setInterval(soon, POLL_MS);
  };
  const stopPolling = () => {
    clearInterval(poll);
    poll = null;
  };

  const heard = (message) => {
    if (onevent && message.data) onevent(JSON.parse(message.data));
    soon();
  };
  let source = null;
  const listen = () => {
    source = new EventSource(address("/events/stream", { search }));
    source.onopen = () => {
      stopPolling();
      soon();
    };
    source.onerror = startPolling;
    for (const kind of document.body.dataset.kinds.split(" ")) source.addEventListener(kind, heard);
  };
  // A browser has six connections to a host, for all its tabs together: those that nobody looks at hold none.
  const hush = () => {
    source?.close();
    source = null;
    stopPolling();
  };
  addEventListener("pagehide", hush);
  addEventListener("pageshow", (event) => event.persisted && listen());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hush();
    else if (!source) listen();
  });
  if (!document.hidden) listen();
  // Rates, ages and times left change without any event.
  setInterval(soon, 10_000);
  return run();
}
