/** One customer: totals, a column for each month, and all invoices. */

import { get } from "./api.js";
import { columns } from "./charts.js";
import { el, figures, table } from "./dom.js";
import { count, dateSpan, invoiceDate, money, month, sum } from "./format.js";
import { absent, lookUp } from "./lookup.js";

const PAGE = 100;
const MOST_PAGES = 20;

/** @param {HTMLElement} main @param {string} number @param {AbortSignal} signal */
export async function customer(main, number, signal) {
  lookUp(main, "customer", number);
  if (!number) return;
  const path = `customers/${encodeURIComponent(number)}`;
  const found = await get(path, signal).catch((error) => absent(main, error));
  if (!found) return;
  main.append(summary(found));
  const { invoices, all } = await readInvoices(path, signal);
  const months = el("section", {}, columns("Amount by month", "Amount", byMonth(invoices)));
  const note = all ? null : el("p", { class: "soft" }, `Only the first ${count(invoices.length)} invoices are shown.`);
  main.append(months, el("section", {}, el("h3", {}, "Invoices"), note, list(number, invoices)));
}

function summary(found) {
  return el("section", {},
    el("h2", {}, found.CustomerID),
    el("p", { class: "soft" }, found.countries.join(", "), " · ", dateSpan(found.first_date, found.last_date)),
    figures(["Total", money(found.total)], ["Invoices", count(found.invoice_count)], ["Lines", count(found.line_count)], ["Pieces", count(found.quantity)]));
}

async function readInvoices(path, signal) {
  const invoices = [];
  let token = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const next = token ? `&next_token=${encodeURIComponent(token)}` : "";
    const answer = await get(`${path}/invoices?limit=${PAGE}${next}`, signal);
    invoices.push(...answer.invoices);
    token = answer.next_token;
    if (!token) return { invoices, all: true };
  }
  return { invoices, all: false };
}

/** Every month from the first to the last, also those without an invoice. An invoice counts in its first month. */
function byMonth(invoices) {
  const totals = new Map();
  for (const each of invoices) {
    const key = each.dates[0].slice(0, 7);
    totals.set(key, [...(totals.get(key) ?? []), each.total]);
  }
  const keys = [...totals.keys()].sort();
  return monthsBetween(keys[0], keys.at(-1)).map((key) => {
    const total = sum(totals.get(key) ?? []);
    return { name: month(key), value: Number(total), text: money(total) };
  });
}

function monthsBetween(first, last) {
  const months = [];
  for (let key = first; key && key <= last; key = after(key)) months.push(key);
  return months;
}

function after(key) {
  const [year, number] = key.split("-").map(Number);
  return new Date(Date.UTC(year, number, 1)).toISOString().slice(0, 7);
}

function list(number, invoices) {
  const heads = [{ title: "Invoice" }, { title: "Date" }, { title: "Lines", number: true }, { title: "Total", number: true }];
  const rows = [...invoices].sort((a, b) => (a.dates[0] < b.dates[0] ? 1 : -1)).map((each) => [
    el("a", { href: `#invoice/${encodeURIComponent(each.InvoiceNo)}` }, each.InvoiceNo),
    invoiceDate(each.dates[0]), count(each.line_count), money(each.total),
  ]);
  return table(`Invoices of customer ${number}, the latest first`, heads, rows);
}
