/** What all rows add up to: by day or month, and by country. From the lake, so as of its last refresh. */

import { get, Problem } from "./api.js";
import { bars, columns } from "./charts.js";
import { el, figures } from "./dom.js";
import { count, day, moment, money, month, share } from "./format.js";

const MOST_MONTHS_BY_DAY = 4;

/** @param {HTMLElement} main @param {string} _ @param {AbortSignal} signal */
export async function revenue(main, _, signal) {
  main.replaceChildren(el("h1", {}, "Revenue"));
  const months = await get("totals?by=month", signal).catch((error) => main.append(empty(error)));
  if (!months) return;
  const byDay = months.groups.length <= MOST_MONTHS_BY_DAY;
  const [times, countries] = await Promise.all([byDay ? get("totals?by=day", signal) : months, get("totals?by=country", signal)]);
  main.append(
    el("p", { class: "soft" }, `Every row counts once. The lake was refreshed on ${moment(months.as_of)}.`),
    figures(["Total", money(months.total)], ["Lines", count(months.line_count)], ["Pieces", count(months.quantity)]),
    el("section", {}, columns(byDay ? "Amount by day" : "Amount by month", "Amount", times.groups.map((group) => point(group, byDay ? day : month)))),
    el("section", {}, el("h2", {}, "By country"), byCountry(countries)));
}

function empty(error) {
  if (!(error instanceof Problem && error.status === 404)) throw error;
  return el("p", {}, "Nothing is in the lake yet. New rows go into it at its next refresh.");
}

const point = (group, name) => ({ name: name(group.key), value: Number(group.total), text: money(group.total) });

function byCountry(answer) {
  const total = Number(answer.total);
  const rows = answer.groups
    .map((group) => point(group, (key) => key))
    .sort((a, b) => b.value - a.value)
    .map((row) => ({ ...row, name: el("span", {}, row.name, " ", el("span", { class: "code" }, total > 0 ? share(row.value / total) : "")) }));
  return bars("Amount by country, the greatest first", ["Country", "Amount"], rows);
}
