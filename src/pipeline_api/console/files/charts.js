/** Charts as SVG, drawn for the width that they have. Heights are proportions, so here a float does no harm. */

import { el, svg, table } from "./dom.js";
import { short } from "./format.js";

const HEIGHT = 220;
const MARGIN = { top: 12, right: 4, bottom: 28, left: 48 };
const LABEL_WIDTH = 84;
const STEPS = [1, 2, 2.5, 5, 10];

/**
 * @typedef {Object} Point one column
 * @property {string} name its place on the axis, such as a day
 * @property {number} value its height
 * @property {string} text its value for people
 */

/**
 * Columns with an axis. The value under the pointer stands above the chart, and all values in a table below it.
 * @param {string} title @param {string} unit the title of the values @param {Point[]} points
 * @returns {HTMLElement}
 */
export function columns(title, unit, points) {
  const { element, update } = chart(title, unit, drawColumns);
  update(points);
  return element;
}

/**
 * An area and a line before it over time, which `update` draws anew. A point has a value and a text for each.
 * @param {string} title @param {string} unit @param {string[]} names of the area and of the line
 * @returns {{element: HTMLElement, update: (points: Array<{name: string, values: number[], texts: string[]}>) => void}}
 */
export function lines(title, unit, names) {
  const { element, update } = chart(title, unit, drawLines);
  const text = (point) => names.map((name, index) => `${point.texts[index]} ${name}`).join(", ");
  element.querySelector("figcaption").after(el("p", { class: "legend" }, names.map((name, index) => el("span", { class: `name-${index}` }, name))));
  return { element, update: (points) => update(points.map((point) => ({ ...point, text: text(point) }))) };
}

/**
 * A table whose bars compare its rows.
 * @param {string} caption @param {[string, string]} titles @param {Array<{name: Node | string, value: number, text: string}>} rows
 */
export function bars(caption, [name, value], rows) {
  const most = Math.max(...rows.map((row) => Math.abs(row.value)), 1e-9);
  const bar = (row) => {
    const width = `${((Math.abs(row.value) / most) * 100).toFixed(2)}%`;
    return svg("svg", { class: "bar", "aria-hidden": "true" }, svg("rect", { class: row.value < 0 ? "negative" : null, width, height: "100%", rx: 2 }));
  };
  const cells = rows.map((row) => [row.name, el("span", {}, bar(row)), row.text]);
  const made = table(caption, [{ title: name }, { title: "Share" }, { title: value, number: true }], cells);
  made.classList.add("bars");
  return made;
}

/** A chart that `draw` draws: at each update, and whenever its width changes. */
function chart(title, unit, draw) {
  const readout = el("output", {});
  const place = el("div", { class: "plot" });
  const values = el("details", {}, el("summary", {}, "As a table"));
  const heads = [{ title: "When" }, { title: unit, number: true }];
  let [points, width, chosen] = [[], 0, -1];
  const choose = (index) => {
    chosen = points[index] ? index : -1;
    readout.textContent = points[index] ? `${points[index].name}: ${points[index].text}` : "";
    for (const [each, shape] of place.querySelectorAll(".point").entries()) shape.classList.toggle("chosen", each === chosen);
  };
  const redraw = () => {
    if (width <= 0 || !points.length) return;
    const step = (width - MARGIN.left - MARGIN.right) / points.length;
    const onpointermove = (event) => choose(Math.floor((event.offsetX - MARGIN.left) / step));
    const size = { width, height: HEIGHT };
    const scale = axis(points.flatMap((point) => point.values ?? point.value), size);
    const shapes = [...scale.lines, ...draw(points, step, scale.y, size), ...labels(points, step, size)];
    place.replaceChildren(svg("svg", { ...size, role: "img", "aria-label": title, onpointermove, onpointerleave: () => choose(-1) }, shapes));
    choose(chosen);
  };
  const fill = () => {
    values.querySelector("table")?.remove();
    if (values.open) values.append(table(title, heads, points.map((point) => [point.name, point.text])));
  };
  values.addEventListener("toggle", fill);
  // The observer reports at once when the chart comes into the page. It goes when the chart goes.
  new ResizeObserver(([entry]) => {
    width = Math.floor(entry.contentRect.width);
    redraw();
  }).observe(place);
  const update = (next) => {
    points = next;
    redraw();
    fill();
  };
  return { element: el("figure", {}, el("figcaption", {}, el("span", {}, title), readout), place, values), update };
}

function drawColumns(points, step, y) {
  const width = Math.max(1, Math.min(step * 0.72, 44));
  return points.map((point, index) => {
    const [zero, end] = [y(0), y(point.value)];
    const x = MARGIN.left + step * (index + 0.5) - width / 2;
    const height = Math.max(Math.abs(end - zero), 0.5);
    return svg("rect", { class: point.value < 0 ? "point column negative" : "point column", x, y: Math.min(zero, end), width, height, rx: Math.min(2, width / 4) });
  });
}

function drawLines(points, step, y, size) {
  const x = (index) => MARGIN.left + step * (index + 0.5);
  const zero = y(0).toFixed(1);
  const path = (line) => points.map((point, index) => `${index ? "L" : "M"}${x(index).toFixed(1)} ${y(point.values[line]).toFixed(1)}`).join("");
  const [y1, y2] = [MARGIN.top, size.height - MARGIN.bottom];
  const marks = points.map((_, index) => svg("line", { class: "point mark", x1: x(index), x2: x(index), y1, y2 }));
  return [svg("path", { class: "area", d: `${path(0)}V${zero}H${x(0).toFixed(1)}Z` }), svg("path", { class: "line", d: path(1) }), ...marks];
}

/** Round values from below the least to above the greatest, their lines, and where a value stands. */
function axis(values, size) {
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const rough = (most - least || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(STEPS.find((each) => each * power >= rough) * power, 1e-9);
  const [bottom, top] = [Math.floor(least / step) * step, Math.max(Math.ceil(most / step), 1) * step];
  const height = size.height - MARGIN.top - MARGIN.bottom;
  const y = (value) => MARGIN.top + ((top - value) / (top - bottom)) * height;
  const ticks = Array.from({ length: Math.round((top - bottom) / step) + 1 }, (_, index) => bottom + index * step);
  const lines = ticks.map((value) => svg("g", { class: Math.abs(value) < step / 2 ? "axis zero" : "axis" },
    svg("line", { x1: MARGIN.left, x2: size.width - MARGIN.right, y1: y(value), y2: y(value) }),
    svg("text", { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, short(value))));
  return { y, lines };
}

/** As many names below the axis as the width has room for. */
function labels(points, step, size) {
  const every = Math.max(1, Math.ceil(LABEL_WIDTH / step));
  return points.flatMap((point, index) => {
    if (index % every) return [];
    const x = MARGIN.left + step * (index + 0.5);
    const anchor = x + LABEL_WIDTH / 2 > size.width ? "end" : "middle";
    return svg("text", { class: "name", x: anchor === "end" ? size.width : x, y: size.height - 8, "text-anchor": anchor }, point.name);
  });
}
