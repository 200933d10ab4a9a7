/** One invoice: its totals, and its lines in pages. */

import { get } from "./api.js";
import { el, figures, once, table } from "./dom.js";
import { count, dateSpan, moment, money } from "./format.js";
import { absent, lookUp } from "./lookup.js";

const PAGE = 200;

/** @param {HTMLElement} main @param {string} number @param {AbortSignal} signal */
export async function invoice(main, number, signal) {
  lookUp(main, "invoice", number);
  if (!number) return;
  const path = `invoices/${encodeURIComponent(number)}?limit=${PAGE}`;
  const found = await get(path, signal).catch((error) => absent(main, error));
  if (!found) return;
  main.append(summary(found), lines(found, path, signal));
  if (found.withdrawn_count) main.append(withdrawals(found));
}

function summary(found) {
  const when = dateSpan(found.dates[0], found.dates.at(-1));
  const customers = found.customers.map((id) => el("a", { href: `#customer/${encodeURIComponent(id)}` }, id));
  return el("section", {},
    el("h2", {}, found.InvoiceNo),
    el("p", { class: "soft" }, when, " · ", found.countries.join(", "), " · ", customerList(customers)),
    figures(["Total", money(found.total)], ["Lines", count(found.line_count)], ["Pieces", count(found.quantity)]));
}

const customerList = (links) => (links.length ? ["customer ", ...links.flatMap((link, index) => (index ? [", ", link] : [link]))] : "no customer");

function lines(found, path, signal) {
  const made = table(`Lines of invoice ${found.InvoiceNo}`, HEADS, found.lines.map(cells));
  const more = el("button", { class: "quiet", onclick: add }, "More lines");
  let token = found.next_token;
  more.hidden = !token;
  async function add() {
    const next = await once(more, get(`${path}&next_token=${encodeURIComponent(token)}`, signal));
    const rows = table("", HEADS, next.lines.map(cells)).tBodies[0].rows;
    made.tBodies[0].append(...rows);
    token = next.next_token;
    more.hidden = !token;
  }
  return el("section", {}, el("h3", {}, "Lines"), made, more);
}

/** The API lists the first hundred of them. */
function withdrawals(found) {
  const rows = found.withdrawn.map((line) => [...cells(line), line.AsOf ? moment(line.AsOf) : "no time given"]);
  const shown = rows.length < found.withdrawn_count ? ` The first ${count(rows.length)} are shown.` : "";
  return el("section", {},
    el("h3", {}, "Taken back"),
    el("p", { class: "soft" }, `${count(found.withdrawn_count)} of the lines that were sent count nowhere.${shown}`),
    table(`Lines of invoice ${found.InvoiceNo} that were taken back`, [...HEADS, { title: "Taken back as of" }], rows));
}

const HEADS = [{ title: "Article" }, { title: "Pieces", number: true }, { title: "Price", number: true }, { title: "Amount", number: true }];

const cells = (line) => [
  el("span", { class: "article" }, line.Description ?? "no description", " ", el("span", { class: "code" }, line.StockCode)),
  count(line.Quantity), money(line.UnitPrice), money(line.amount),
];
