/** What the views of an invoice and of a customer share: the field for a number, and the answer that there is none. */

import { Problem } from "./api.js";
import { ask, el } from "./dom.js";

/**
 * The heading and the field, which leads to the address of the number.
 * @param {HTMLElement} main @param {"invoice" | "customer"} view @param {string} number
 */
export function lookUp(main, view, number) {
  const form = ask({ label: `Number of the ${view}`, button: "Look up", value: number }, (text) => {
    const address = `#${view}/${encodeURIComponent(text)}`;
    if (location.hash === address) dispatchEvent(new Event("hashchange")); // the same number again
    else location.hash = address;
  });
  main.replaceChildren(el("h1", {}, view === "invoice" ? "Invoice" : "Customer"), form);
  if (!number) form.querySelector("input").focus();
}

/** Shows that there is no such number, or that it can be none. Other errors are raised again. */
export function absent(main, error) {
  if (!(error instanceof Problem && [404, 422].includes(error.status))) throw error;
  const advice = error.status === 404 ? " A row can be found a moment after it was accepted." : "";
  main.append(el("p", { class: "problem", role: "alert" }, error.message + advice));
}
