/** The API as the page calls it: with the key, and with two kinds of errors. */

const ROOT = new URL(".", document.baseURI); // the folder of /console, also behind a stage prefix
const KEY = "invoice-stream-key";
const SECONDS = 30;

/** The API answered with a problem. `detail` is its own sentence. */
export class Problem extends Error {
  /** @param {number} status @param {string} detail @param {Array<{field: string | null, message: string}>} errors of rows */
  constructor(status, detail, errors = []) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }
}

/** No answer came, or one that says to try again. */
export class Unreachable extends Error {}

const TRY_AGAIN = [429, 502, 503, 504];

/** The key stays in this tab, and goes when the tab is closed. */
export const key = {
  get: () => sessionStorage.getItem(KEY),
  /** @param {string} text */
  set: (text) => sessionStorage.setItem(KEY, text),
  forget: () => sessionStorage.removeItem(KEY),
};

let ahead = 0;

/** The API's clock in milliseconds, to the second: this machine's own clock may be wrong. */
export const apiTime = () => Date.now() + ahead;

/**
 * The JSON of GET `path`. Raises Problem or Unreachable, and what `signal` aborts with.
 * @param {string} path without a slash at its start
 * @param {AbortSignal} signal
 * @returns {Promise<any>}
 */
export const get = (path, signal) => call(path, { signal });

/**
 * The JSON of POST `path`.
 * @param {string} path @param {any} body @param {AbortSignal} signal @param {Object<string, string>} [headers]
 * @returns {Promise<any>}
 */
export const post = (path, body, signal, headers = {}) =>
  call(path, { method: "POST", body: JSON.stringify(body), signal }, { "Content-Type": "application/json", ...headers });

/**
 * Saves the answer to GET `path` as a file.
 * @param {string} path @param {string} type the media type to ask for @param {string} name @param {AbortSignal} signal
 */
export async function download(path, type, name, signal) {
  const address = URL.createObjectURL(await call(path, { signal }, { Accept: type }, (response) => response.blob()));
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  URL.revokeObjectURL(address);
}

async function call(path, request, headers = {}, content = (response) => response.json()) {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(SECONDS * 1000)]);
  const withKey = { ...headers, "X-Api-Key": key.get() ?? "" };
  try {
    const response = await fetch(new URL(path, ROOT), { ...request, signal, headers: withKey });
    ahead = (Date.parse(response.headers.get("Date") ?? "") || Date.now()) - Date.now();
    if (!response.ok) throw problemOf(response, await response.json());
    const answer = await content(response);
    announce("");
    return answer;
  } catch (error) {
    request.signal.throwIfAborted();
    const known = error instanceof Problem || error instanceof Unreachable ? error : new Unreachable("Cannot reach the API.");
    announce(known instanceof Unreachable ? `${known.message} Trying again …` : "");
    throw known;
  }
}

/** An answer that is no JSON comes from a gateway: reading it has failed before. */
function problemOf(response, body) {
  const detail = body.detail ?? body.message ?? `The API answered ${response.status}.`;
  return TRY_AGAIN.includes(response.status) ? new Unreachable(detail) : new Problem(response.status, detail, body.errors);
}

/** The page shows `trouble` at its top; no text where the API answers. */
const announce = (trouble) => document.dispatchEvent(new CustomEvent("reached", { detail: trouble }));

/**
 * Again and again, while the page can be seen.
 * @param {() => number} seconds the next pause @param {AbortSignal} signal
 */
export async function* ticks(seconds, signal) {
  while (!signal.aborted) {
    await visibility(signal);
    if (signal.aborted) return;
    yield;
    await pause(seconds(), signal);
  }
}

/** @param {number} seconds @param {AbortSignal} signal ends the pause early */
export const pause = (seconds, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(undefined); }, { once: true });
  });

const visibility = (signal) =>
  document.visibilityState === "visible"
    ? Promise.resolve()
    : new Promise((resolve) => {
        document.addEventListener("visibilitychange", resolve, { once: true, signal });
        signal.addEventListener("abort", resolve, { once: true });
      });
