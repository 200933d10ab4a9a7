/** The page: which view the address names, the key, and whether the API can be reached. */

import { get, key, pause, Problem, ticks, Unreachable } from "./api.js";
import { customer } from "./customer.js";
import { ask, el } from "./dom.js";
import { invoice } from "./invoice.js";
import { now } from "./now.js";
import { rejected } from "./rejected.js";
import { revenue } from "./revenue.js";

/**
 * Each view fills `main` and ends, or goes on until `signal` aborts. It may raise Problem and Unreachable.
 * @type {Object<string, (main: HTMLElement, argument: string, signal: AbortSignal) => Promise<void>>}
 */
const VIEWS = { now, rejected, revenue, invoice, customer };
const FIRST = "now";
const RETRY_SECONDS = 2;

const main = document.getElementById("view");
const connection = document.getElementById("connection");
const forget = document.getElementById("forget");
let leave = new AbortController();

/** Show what the address names, and leave the view that was there. */
async function open() {
  leave.abort();
  leave = new AbortController();
  const [view, argument] = address();
  document.title = `${view[0].toUpperCase()}${view.slice(1)}${argument && ` ${argument}`} · Invoice stream`;
  for (const link of document.querySelectorAll("#views a"))
    link.setAttribute("aria-current", link.getAttribute("href") === `#${view}` ? "page" : "false");
  forget.hidden = !key.get();
  if (!key.get()) return askForKey("The API lets in only callers with a key.");
  await show(VIEWS[view], argument, leave.signal);
}

function address() {
  const [view, argument = ""] = location.hash.slice(1).split("/", 2);
  return Object.hasOwn(VIEWS, view) ? [view, decode(argument)] : [FIRST, ""];
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function show(view, argument, signal) {
  try {
    main.replaceChildren();
    main.setAttribute("aria-busy", "true");
    await view(main, argument, signal);
    if (!signal.aborted) main.removeAttribute("aria-busy");
  } catch (error) {
    if (signal.aborted) return;
    main.removeAttribute("aria-busy");
    if (error instanceof Unreachable) return waitForApi(signal);
    if (error instanceof Problem && error.status === 401) return refuseKey();
    if (!(error instanceof Problem)) throw error;
    main.append(el("p", { class: "problem", role: "alert" }, error.message, " ", el("button", { class: "quiet", onclick: open }, "Try again")));
  }
}

/** The view opens again by itself once the API is back. */
async function waitForApi(signal) {
  main.append(el("p", { class: "problem" }, "This view opens as soon as the API answers."));
  await pause(RETRY_SECONDS, signal);
  for await (const _ of ticks(() => RETRY_SECONDS, signal)) {
    const answer = await get("healthz", signal).catch(() => null);
    if (answer && !signal.aborted) return open();
  }
}

function refuseKey() {
  key.forget();
  forget.hidden = true;
  askForKey("The API does not know this key, or it was revoked.");
}

const KEY = /^[\x21-\x7e]+$/; // a browser sends no other text in a header

function askForKey(reason) {
  const hint = "make run prints one, and invoice-stream ops keys create makes one. It stays in this tab and is gone when you close it.";
  const form = ask({ label: "API key", button: "Open", type: "password", hint }, (text) => {
    if (!KEY.test(text)) return askForKey("This is no API key: it has a character that no key has. Copy it once more.");
    key.set(text);
    open();
  });
  main.removeAttribute("aria-busy");
  main.replaceChildren(el("section", { class: "narrow" }, el("h1", {}, "Your API key"), el("p", { role: "alert" }, reason), form));
  form.querySelector("input").focus();
}

addEventListener("hashchange", () => {
  scrollTo(0, 0);
  main.focus(); // as after the load of a page: the next Tab goes into the view
  open();
});
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
forget.addEventListener("click", () => {
  key.forget();
  open();
});
document.addEventListener("reached", (/** @type {CustomEvent} */ event) => {
  connection.textContent = event.detail;
});
addEventListener("unhandledrejection", (event) => {
  if (event.reason?.name === "AbortError") event.preventDefault(); // a button's request, after its view was left
  if (event.reason instanceof Problem) connection.textContent = event.reason.message; // of a button such as "More lines"
});
open();
