/** What is going on: rows a minute, the lag until they can be queried, the latest batches, and what was rejected. */

import { apiTime, get, post, Problem, ticks, Unreachable } from "./api.js";
import { bars, lines } from "./charts.js";
import { el, figures, table } from "./dom.js";
import { clock, count, duration } from "./format.js";

const WINDOW_SECONDS = 600;
const STEP_SECONDS = 10;
const POLL_SECONDS = 2;
const PENDING_POLL_SECONDS = 0.2; // while a batch of this page is on its way
const PAGE = 100;
const POLL_PAGE = 20; // smaller than the first page, because each receipt that is read costs a little
const MOST_PAGES = 5;
const SHOWN = 12;
const REJECTED_POLL_SECONDS = 15; // each poll reads an object of the bucket for each request
const REJECTED_REQUESTS = 20;

/**
 * A receipt of the API, or a batch that this page sent and that has none yet.
 * @typedef {{batch_id: string, rows: number, set_aside: number, arrived_at: string, queryable_at?: string}} Batch
 */

/** @param {HTMLElement} main @param {string} _ @param {AbortSignal} signal */
export async function now(main, _, signal) {
  const pending = new Map();
  const page = layout(() => sendExample(pending, page, signal));
  main.replaceChildren(...page.parts);
  await Promise.all([watchBatches(main, page, pending, signal), watchRejected(page.rejected, signal)]);
}

async function watchBatches(main, page, pending, signal) {
  /** @type {Map<string, Batch>} */
  const batches = new Map();
  for await (const _ of ticks(() => (pending.size ? PENDING_POLL_SECONDS : POLL_SECONDS), signal)) {
    try {
      await readLatest(batches, signal);
      show(page, batches, pending);
      main.removeAttribute("aria-busy");
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error; // the top of the page says so, and the next poll tries again
    }
  }
}

/** Rejected rows by field. Nothing where they are not kept, or where the key may not read them. */
async function watchRejected(place, signal) {
  for await (const _ of ticks(() => REJECTED_POLL_SECONDS, signal)) {
    try {
      const { rejections } = await get(`rejections?limit=${REJECTED_REQUESTS}`, signal);
      place.replaceChildren(...rejectedByField(rejections));
    } catch (error) {
      if (error instanceof Problem && [403, 404].includes(error.status)) return;
      if (!(error instanceof Unreachable)) throw error;
    }
  }
}

function rejectedByField(rejections) {
  if (!rejections.length) return [];
  const rows = new Map();
  for (const { field, rows: more } of rejections.flatMap((each) => each.reasons)) rows.set(field, (rows.get(field) ?? 0) + more);
  const sorted = [...rows].sort(([, a], [, b]) => b - a).map(([name, value]) => ({ name, value, text: count(value) }));
  const of = rejections.length < REJECTED_REQUESTS ? "" : `Of the latest ${count(REJECTED_REQUESTS)} requests that had some. `;
  return [
    el("h2", {}, "Rejected rows by field"),
    el("p", { class: "soft" }, of, el("a", { href: "#rejected" }, "Look at them")),
    bars("Rejected rows by field, the most first", ["Field", "Rows"], sorted),
  ];
}

function layout(send) {
  const page = {
    figures: el("div", {}),
    chart: lines(`Rows a minute, over the last ${WINDOW_SECONDS / 60} minutes`, "Rows a minute", ["accepted", "queryable"]),
    latest: el("div", {}),
    rejected: el("section", {}),
    said: el("p", { role: "status", class: "soft" }, "It counts once, however often you send it."),
    known: new Set(),
    parts: [],
  };
  const button = el("button", { onclick: send }, "Send the example row");
  page.live = el("section", {}, page.chart.element);
  page.parts = [
    el("h1", {}, "Now"), page.figures, el("div", { class: "send" }, button, page.said), page.live,
    el("section", {}, el("h2", {}, "Latest batches"), page.latest), page.rejected,
  ];
  return page;
}

/** The row stands in the OpenAPI document as the example of one row. */
async function sendExample(pending, page, signal) {
  try {
    const document = await get("openapi.json", signal);
    const row = document.paths["/ingest"].post.requestBody.content["application/json"].examples.one.value;
    const taken = await post("ingest", row, signal);
    const batch = { batch_id: taken.batch_id, rows: taken.accepted, set_aside: 0, arrived_at: new Date(apiTime()).toISOString(), invoice: row.InvoiceNo };
    pending.set(batch.batch_id, batch);
    page.said.replaceChildren("Accepted, and on its way …");
  } catch (error) {
    if (signal.aborted) return;
    page.said.replaceChildren(error instanceof Problem || error instanceof Unreachable ? error.message : "The row could not be sent.");
  }
}

/** A batch has a receipt for each body that was sent under its id. */
const receipt = (batch) => `${batch.batch_id} ${batch.arrived_at}`;

/** The pages of receipts down to the oldest that the chart shows, or to one that is known. */
async function readLatest(batches, signal) {
  const oldest = apiTime() - WINDOW_SECONDS * 1000;
  let token = "";
  for (let page = 0; page < MOST_PAGES && token !== null; page += 1) {
    const limit = page || !batches.size ? PAGE : POLL_PAGE;
    const answer = await get(`batches?limit=${limit}${token && `&next_token=${encodeURIComponent(token)}`}`, signal);
    const last = answer.batches.at(-1);
    const complete = !last || batches.has(receipt(last)) || Date.parse(last.arrived_at) < oldest;
    for (const batch of answer.batches) batches.set(receipt(batch), batch);
    token = complete ? null : answer.next_token;
  }
}

function show(page, batches, pending) {
  for (const [id, batch] of pending) {
    const stored = [...batches.values()].find((each) => each.batch_id === id);
    if (!stored) continue;
    pending.delete(id);
    const link = el("a", { href: `#invoice/${encodeURIComponent(batch.invoice)}` }, `Invoice ${batch.invoice}`);
    page.said.replaceChildren("Queryable after ", duration(lag(stored)), ". ", link);
  }
  const all = [...pending.values(), ...batches.values()].sort((a, b) => Date.parse(b.arrived_at) - Date.parse(a.arrived_at));
  const since = apiTime() - WINDOW_SECONDS * 1000;
  const recent = [...batches.values()].filter((batch) => Date.parse(batch.arrived_at) > since);
  page.figures.replaceChildren(summary(recent));
  page.live.hidden = !all.length;
  page.chart.update(points(recent));
  showLatest(page, all.slice(0, SHOWN));
  forgetOld(batches, all.slice(0, SHOWN), since);
}

/** Those that the chart and the table do not show any more. `shown` are all that the table may show. */
function forgetOld(batches, shown, since) {
  const kept = new Set(shown.map(receipt));
  for (const [id, batch] of batches) if (Date.parse(batch.arrived_at) < since && !kept.has(id)) batches.delete(id);
}

function summary(recent) {
  const minute = apiTime() - 60_000;
  const rows = (time) => recent.filter((batch) => Date.parse(batch[time]) > minute).reduce((sum, batch) => sum + batch.rows, 0);
  const lags = recent.map(lag).sort((a, b) => a - b);
  const rank = (part) => (lags.length ? duration(lags[Math.ceil(lags.length * part) - 1]) : "–");
  return figures(["Accepted, last minute", count(rows("arrived_at"))], ["Queryable, last minute", count(rows("queryable_at"))],
    ["Lag, median", rank(0.5)], ["Lag, p99", rank(0.99)]);
}

const lag = (batch) => Math.max(0, Date.parse(batch.queryable_at) - Date.parse(batch.arrived_at));

/** A point every ten seconds. The last one is complete: the present ten seconds are not in it. */
function points(recent) {
  const end = Math.floor(apiTime() / 1000 / STEP_SECONDS);
  const first = end - WINDOW_SECONDS / STEP_SECONDS;
  const sums = Array.from({ length: end - first }, () => [0, 0]);
  for (const batch of recent) {
    [batch.arrived_at, batch.queryable_at].forEach((time, line) => {
      const index = Math.floor(Date.parse(time) / 1000 / STEP_SECONDS) - first;
      if (sums[index]) sums[index][line] += batch.rows;
    });
  }
  return sums.map((rows, index) => {
    const values = rows.map((sum) => (sum * 60) / STEP_SECONDS);
    return { name: clock(new Date((first + index) * STEP_SECONDS * 1000)), values, texts: values.map(count) };
  });
}

function showLatest(page, shown) {
  const state = JSON.stringify(shown);
  if (page.state === state) return; // so that a selection in the table stays
  page.state = state;
  if (!shown.length) return page.latest.replaceChildren(...firstSteps());
  const heads = [{ title: "Batch" }, { title: "Arrived" }, { title: "Rows", number: true }, { title: "Queryable", number: true }];
  const made = table("The latest batches, the newest first", heads, shown.map(cells));
  const isFirst = page.known.size === 0;
  shown.forEach((batch, index) => {
    const known = `${batch.batch_id} ${batch.queryable_at}`;
    made.tBodies[0].rows[index].classList.toggle("fresh", !isFirst && !page.known.has(known));
    page.known.add(known);
  });
  page.latest.replaceChildren(made);
}

function cells(batch) {
  const aside = batch.set_aside ? el("span", { class: "bad" }, ` ${count(batch.set_aside)} set aside`) : null;
  const state = batch.queryable_at
    ? el("span", { class: "done" }, "after ", duration(lag(batch)))
    : el("span", { class: "pending" }, "on its way …");
  return [batchId(batch.batch_id), clock(batch.arrived_at), el("span", {}, count(batch.rows), aside), state];
}

/** The end of a UUID tells batches apart. Where there is little room, the style sheet leaves out its beginning. */
function batchId(text) {
  const end = text.length > 20 ? text.length - 12 : 0;
  return el("span", { class: "batch", title: text }, el("span", { class: "beginning" }, text.slice(0, end)), text.slice(end));
}

function firstSteps() {
  return [
    el("p", {}, "No batch has arrived yet. Send the example row with the button above, or a CSV with the command:"),
    el("pre", {}, `invoice-stream send rows.csv --url ${new URL(".", document.baseURI).href.replace(/\/$/, "")}`),
  ];
}
