/** How the page makes elements. Text becomes text nodes only, so nothing that a user or the API sends is read as HTML. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element. Attributes that are null, undefined or false are left out; `on…` functions become listeners.
 * @param {string} tag
 * @param {Object<string, any>} [attributes]
 * @param {...(Node | string | number | null | undefined | Array<Node | string>)} children
 * @returns {any}
 */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined).map(asNode));
  return element;
}

const asNode = (child) => (child instanceof Node ? child : document.createTextNode(String(child)));

/**
 * Figures with their names, the most important first.
 * @param {Array<[string, string | Node]>} figures
 */
export function figures(...figures) {
  return el("dl", { class: "figures" }, figures.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

/**
 * A table. A column is its title, and `number: true` where its cells stand right.
 * @param {string} caption
 * @param {Array<{title: string, number?: boolean}>} columns
 * @param {Array<Array<Node | string>>} rows the first cell is the row's heading
 */
export function table(caption, columns, rows) {
  const place = (index) => (columns[index].number ? { class: "number" } : {});
  const head = columns.map((column, index) => el("th", { scope: "col", ...place(index) }, column.title));
  const cell = (value, index) =>
    index === 0 ? el("th", { scope: "row", ...place(0) }, value) : el("td", place(index), value);
  const body = el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell))));
  return el("table", {}, el("caption", { class: "unseen" }, caption), el("thead", {}, el("tr", {}, head)), body);
}

/**
 * The same promise; until it is settled, the button cannot be pressed again.
 * @template T @param {any} button @param {Promise<T>} promise @returns {Promise<T>}
 */
export function once(button, promise) {
  button.disabled = true;
  return promise.finally(() => { button.disabled = false; });
}

/**
 * A form with one field and a button. `submit` gets the text without spaces around it, and never an empty one.
 * @param {{label: string, button: string, value?: string, type?: string, hint?: string}} field
 * @param {(text: string) => void} submit
 */
export function ask(field, submit) {
  const hint = field.hint ? el("p", { class: "hint", id: "hint" }, field.hint) : null;
  const input = el("input", {
    id: "asked", type: field.type ?? "text", value: field.value, required: true,
    autocomplete: "off", autocapitalize: "off", spellcheck: "false", "aria-describedby": hint && "hint",
  });
  const onsubmit = (event) => {
    event.preventDefault();
    if (input.value.trim()) submit(input.value.trim());
  };
  const row = el("div", { class: "ask" }, input, el("button", {}, field.button));
  return el("form", { onsubmit }, el("label", { for: "asked" }, field.label), row, hint);
}
