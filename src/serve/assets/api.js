// The service's JSON API.

const BASE = "/api/v1/";
let token = document.querySelector('meta[name="retune-token"]').content;
const listeners = new Map();

/// An answer that says what is wrong.
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/// An id of this page's sitting: the queries of one sitting belong together.
export const session = [...crypto.getRandomValues(new Uint8Array(12))]
  .map((byte) => byte.toString(16).padStart(2, "0"))
  .join("");

/// The address of a request. Parameters that are null, undefined or empty are left out.
export function address(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(given).toString();
  return BASE + path + (query ? `?${query}` : "");
}

export async function get(path, parameters, signal) {
  return answered(await reach(address(path, parameters), { signal }));
}

/// Sends a change. A restarted service has a new token, which its page tells.
export async function post(path, body = {}) {
  let response = await send(path, body);
  if (response.status === 403) {
    const page = await (await reach("/", { cache: "no-store" })).text();
    const found = /name="retune-token" content="([^"]*)"/.exec(page);
    if (found && found[1] !== token) {
      token = found[1];
      response = await send(path, body);
    }
  }
  return answered(response);
}

function send(path, body) {
  const headers = { "Content-Type": "application/json", "X-Retune": token };
  return reach(BASE + path, { method: "POST", headers, body: JSON.stringify(body), keepalive: true });
}

async function reach(url, options) {
  try {
    const response = await fetch(url, options);
    tell("reached", true);
    return response;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    tell("reached", false);
    throw new ApiError(0, "The service does not answer.");
  }
}

async function answered(response) {
  const text = await response.text();
  let body = {};
  try {
    body = text ? JSON.parse(text) : {};
  } catch {
    throw new ApiError(response.status, "The service gave an answer that this page does not understand.");
  }
  if (!response.ok) throw new ApiError(response.status, sentence(body.error ?? response.statusText));
  return body;
}

/// An error of the engine as a sentence.
function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/// Calls `listener` on each event of this name: `status`, `changed` and `round` of the service, and `reached` with
/// whether it could be reached.
export function listen(name, listener) {
  if (!listeners.has(name)) listeners.set(name, new Set());
  listeners.get(name).add(listener);
}

function tell(name, data) {
  for (const listener of listeners.get(name) ?? []) listener(data);
}

/// Follows the events while the page can be seen: a browser has few connections to a service, for all its tabs.
export function follow() {
  let stream = null;
  const change = () => {
    stream?.close();
    stream = document.visibilityState === "visible" ? open() : null;
    stream?.addEventListener("error", broken);
  };
  const broken = () => {
    // Whether the service is gone is asked: a stream may break off for other reasons.
    get("status").catch(() => {});
    // One that the browser gives up is opened by hand.
    if (stream?.readyState === EventSource.CLOSED) setTimeout(change, 3000);
  };
  document.addEventListener("visibilitychange", change);
  addEventListener("pagehide", () => stream?.close());
  addEventListener("pageshow", (event) => event.persisted && change());
  change();
}

/// A stream of events. The browser opens it again by itself when it breaks off.
function open() {
  const stream = new EventSource(`${BASE}events`);
  stream.addEventListener("open", () => tell("reached", true));
  for (const name of ["status", "changed", "round"]) {
    stream.addEventListener(name, (event) => {
      let data = null;
      try {
        data = JSON.parse(event.data);
      } catch {
        // An event without data says that something happened.
      }
      tell(name, data);
    });
  }
  return stream;
}
