/** What was refused and why: the requests with rejected rows, and the rows of one, to be mended and sent, or downloaded. */

import { download, get, post, Problem, Unreachable } from "./api.js";
import { el, once, table } from "./dom.js";
import { count, moment } from "./format.js";

const FIELDS = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"];
const MORE_FIELDS = ["Occurrence", "AsOf", "Withdrawn", "row", "unknown field"];
const PAGE = 20;
const ROWS = 50;

/** @param {HTMLElement} main @param {string} id of one request, or nothing for the list @param {AbortSignal} signal */
export const rejected = (main, id, signal) => (id ? showRows(main, id, signal) : showList(main, signal));

async function showList(main, signal) {
  const list = el("div", { "aria-live": "polite" });
  const field = el("select", { id: "field" }, el("option", { value: "" }, "any field"), [...FIELDS, ...MORE_FIELDS].map((name) => el("option", {}, name)));
  const reason = el("input", { id: "reason", autocomplete: "off" });
  let filling = new AbortController();
  const start = () => {
    filling.abort(); // an older filter may be slower, and must not answer last
    filling = new AbortController();
    return AbortSignal.any([signal, filling.signal]);
  };
  const onsubmit = async (event) => {
    event.preventDefault();
    const own = start();
    await fill(list, filter(field.value, reason.value), own).catch((error) => own.aborted || list.replaceChildren(problem(error, signal)));
  };
  const form = el("form", { class: "filter", onsubmit },
    el("div", {}, el("label", { for: "field" }, "Field"), field),
    el("div", {}, el("label", { for: "reason" }, "Reason contains"), reason), el("button", {}, "Filter"));
  field.addEventListener("change", () => form.requestSubmit());
  main.replaceChildren(el("h1", {}, "Rejected"), el("p", { class: "soft" }, "Each request that had rejected rows, the latest first."), form, list);
  const first = start();
  await fill(list, "", first).catch((error) => (first.aborted && !signal.aborted) || list.replaceChildren(notKept(error)));
}

/** Where the pipeline keeps no rejected rows, that is no problem. Other errors are raised again. */
function notKept(error) {
  if (!(error instanceof Problem && error.status === 404)) throw error;
  return el("p", {}, error.message);
}

const filter = (field, reason) => {
  const query = new URLSearchParams();
  if (field) query.set("field", field);
  if (reason.trim()) query.set("reason", reason.trim());
  return query.size ? `&${query}` : "";
};

async function fill(list, query, signal) {
  const path = `rejections?limit=${PAGE}${query}`;
  let answer = await get(path, signal);
  signal.throwIfAborted();
  if (!answer.rejections.length && !answer.next_token) {
    return list.replaceChildren(el("p", {}, query ? "No request matches." : "No row was rejected lately."));
  }
  const body = rejectionTable(answer.rejections);
  const more = el("button", { class: "quiet", onclick: add }, "Earlier requests");
  more.hidden = !answer.next_token;
  async function add() {
    answer = await once(more, get(`${path}&next_token=${encodeURIComponent(answer.next_token)}`, signal));
    body.tBodies[0].append(...rejectionTable(answer.rejections).tBodies[0].rows);
    more.hidden = !answer.next_token;
  }
  list.replaceChildren(body, el("p", {}, more));
}

function rejectionTable(rejections) {
  const heads = [{ title: "When" }, { title: "Reasons" }, { title: "Rows", number: true }];
  return table("Requests with rejected rows, the latest first", heads, rejections.map((each) => [
    el("a", { href: `#rejected/${encodeURIComponent(each.id)}` }, moment(each.rejected_at)),
    el("ul", { class: "reasons" }, each.reasons.map((reason) => el("li", {}, el("b", {}, reason.field), " ", reason.message, " ", el("span", { class: "code" }, `× ${count(reason.rows)}`)))),
    el("span", {}, count(each.rejected), resentNote(each)),
  ]));
}

function resentNote(each) {
  if (!each.resent) return null;
  return el("span", { class: "done note" }, each.resent < each.rejected ? `${count(each.resent)} resent` : "all resent");
}

async function showRows(main, id, signal) {
  main.replaceChildren(el("p", {}, el("a", { href: "#rejected" }, "← All requests")), el("h1", {}, "Rejected rows"));
  const path = `rejections/${encodeURIComponent(id)}`;
  const found = await get(`${path}?limit=${ROWS}`, signal);
  const said = el("span", { role: "status", class: "soft" });
  const save = () => download(path, "text/csv", `${id}.rejects.csv`, signal).catch((error) => said.replaceChildren(message(error)));
  const kept = found.kept < found.rejected ? ` The first ${count(found.kept)} are kept.` : "";
  const shown = found.next_token ? ` The first ${count(found.rows.length)} are shown; the CSV has all.` : "";
  main.append(
    el("p", { class: "soft" }, `${count(found.rejected)} of batch `, el("span", { class: "batch" }, found.batch_id), `, ${moment(found.rejected_at)}.${kept}${shown}`),
    el("div", { class: "send" }, el("button", { onclick: save }, "Download as CSV"), el("p", { class: "soft" }, "Correct the file and send it with invoice-stream send, or mend rows here. A row that you send both ways may count twice."), said),
    ...found.rows.map((row) => rowForm(id, row, signal)));
}

/** A row whose fields can be changed and sent. A row that was sent, or that is no clear JSON object, is only shown. */
function rowForm(id, row, signal) {
  const head = el("h2", {}, `Row ${count(row.index + 1)}`);
  if (row.is_resent) return el("section", {}, head, sent("Sent since. ", row.resent));
  const wrong = new Map(row.errors.map((error) => [error.field, error.message]));
  const names = row.row ? [...new Set([...FIELDS, ...Object.keys(row.row)])] : [];
  const reasons = row.errors.filter((error) => !names.includes(error.field))
    .map((error) => el("p", { class: "bad" }, error.field ? `${error.field} ${error.message}` : `The row ${error.message}`));
  if (!row.row) return el("section", {}, head, reasons, el("pre", {}, row.text));
  const values = row.resent ?? row.row; // those that were decided and may not have arrived are to be sent again
  const inputs = names.map((name) => [name, fieldInput(`${row.index}-${name}`, values[name], wrong.get(name))]);
  const said = el("span", { role: "status" });
  const button = el("button", {}, "Send the row");
  const onsubmit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      section.replaceChildren(head, await sendMended(id, row, inputs, signal));
    } catch (error) {
      said.replaceChildren(el("span", { class: "bad" }, message(error)));
    }
    button.disabled = false;
  };
  const fields = inputs.map(([name, input]) => el("div", {}, el("label", { for: input.id }, name), input,
    wrong.has(name) ? el("p", { class: "bad", id: `${input.id}-reason` }, wrong.get(name)) : null));
  const advice = names.some((name) => ![...FIELDS, ...MORE_FIELDS].includes(name)) ? el("p", { class: "hint" }, "Empty a field that the API does not know, and it is left out.") : null;
  const form = el("form", { onsubmit }, el("div", { class: "fields" }, fields), advice, el("div", { class: "send" }, button, said));
  const section = el("section", {}, head, reasons, form);
  return section;
}

const fieldInput = (id, value, reason) =>
  el("input", { id, value: value ?? "", autocomplete: "off", "aria-invalid": reason ? "true" : null, "aria-describedby": reason ? `${id}-reason` : null });

/**
 * Sends the row in place of the rejected one and says so. The API notes it, so it counts once however often it is sent.
 * @returns {Promise<HTMLElement>}
 */
async function sendMended(id, row, inputs, signal) {
  const values = mendedRow(row.row, Object.fromEntries(inputs.map(([name, input]) => [name, input.value])));
  await post(`rejections/${encodeURIComponent(id)}/rows/${row.index}`, values, signal);
  return sent("Accepted. ", values);
}

/** What was sent in place of a row, with the way to its invoice. */
const sent = (word, row) =>
  el("p", { class: "done", role: "status" }, word, el("a", { href: `#invoice/${encodeURIComponent(row.InvoiceNo)}` }, `Invoice ${row.InvoiceNo}`));

/**
 * The row to send. An empty field that the API does not know is left out. A row whose content changed is no longer the
 * n-th with its content, so it loses its Occurrence, unless it states something about the line that has the new content.
 * @param {Object<string, string | null>} row as it was rejected @param {Object<string, string>} texts of the form
 */
export function mendedRow(row, texts) {
  const names = Object.keys(texts).filter((name) => texts[name] || (FIELDS.includes(name) && name in row));
  const values = Object.fromEntries(names.map((name) => [name, valueOf(name, texts[name])]));
  const isChanged = FIELDS.some((name) => (texts[name] ?? "") !== (row[name] ?? ""));
  const isStatement = Boolean(values.AsOf || values.Withdrawn);
  const isSameOccurrence = (texts.Occurrence ?? "") === (row.Occurrence ?? "");
  if (isChanged && !isStatement && isSameOccurrence) delete values.Occurrence;
  return values;
}

/** These fields are no text in JSON. What cannot be read stays text, and the API says what is wrong with it. */
function valueOf(name, text) {
  if (!["Occurrence", "Withdrawn"].includes(name)) return text || null;
  try {
    return JSON.parse(text || "null");
  } catch {
    return text;
  }
}

function message(error) {
  if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
  return [error.message, ...(error instanceof Problem ? error.errors : []).map((each) => `${each.field ?? "The row"} ${each.message}.`)].join(" ");
}

function problem(error, signal) {
  signal.throwIfAborted();
  return el("p", { class: "problem", role: "alert" }, message(error));
}
