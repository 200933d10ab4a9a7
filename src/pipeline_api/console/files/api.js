/** The API as the page calls it: with the key, and with two kinds of errors. */

const ROOT = new URL(".", document.baseURI); // the folder of /console, also behind a stage prefix
const KEY = "invoice-stream-key";
const SECONDS = 30;

/** The API answered with a problem. `detail` is its own sentence. */
export class Problem extends Error {
  /** @param {number} status @param {string} detail */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** No answer came. Trying again may help. */
export class Unreachable extends Error {}

/** The key stays in this tab, and goes when the tab is closed. */
export const key = {
  get: () => sessionStorage.getItem(KEY),
  /** @param {string} text */
  set: (text) => sessionStorage.setItem(KEY, text),
  forget: () => sessionStorage.removeItem(KEY),
};

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

async function call(path, request, headers = {}) {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(SECONDS * 1000)]);
  const withKey = { ...headers, "X-Api-Key": key.get() ?? "" };
  try {
    const body = await read(await fetch(new URL(path, ROOT), { ...request, signal, headers: withKey }));
    announce(true);
    return body;
  } catch (error) {
    request.signal.throwIfAborted();
    announce(error instanceof Problem);
    throw error instanceof Problem ? error : new Unreachable("The API does not answer.");
  }
}

async function read(response) {
  const body = await response.json(); // what is no JSON is not the API's answer, but a gateway's
  if (!response.ok) throw new Problem(response.status, body.detail ?? body.message ?? `Status ${response.status}.`);
  return body;
}

const announce = (reached) => document.dispatchEvent(new CustomEvent("reached", { detail: reached }));

/**
 * Every `seconds`, while the page can be seen. The first wait is for the page to be seen.
 * @param {number} seconds @param {AbortSignal} signal
 */
export async function* ticks(seconds, signal) {
  while (!signal.aborted) {
    await seen(signal);
    if (signal.aborted) return;
    yield;
    await pause(seconds, signal);
  }
}

/** @param {number} seconds @param {AbortSignal} signal ends the pause early */
export const pause = (seconds, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(undefined); }, { once: true });
  });

const seen = (signal) =>
  document.visibilityState === "visible"
    ? Promise.resolve()
    : new Promise((resolve) => {
        document.addEventListener("visibilitychange", resolve, { once: true, signal });
        signal.addEventListener("abort", resolve, { once: true });
      });
