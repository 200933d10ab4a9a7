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
 */
export function columns(title, unit, points) {
  return figure(title, { name: "", value: unit }, points, (size, readout) => drawColumns(title, points, size, readout));
}

/**
 * Two lines over time: how many came and how many are done.
 * @param {string} title @param {string[]} names @param {Array<{name: string, values: number[], texts: string[]}>} points
 */
export function lines(title, names, points) {
  const all = points.map((point) => ({ name: point.name, text: names.map((name, i) => `${point.texts[i]} ${name}`).join(", ") }));
  return figure(title, { name: "", value: "Rows" }, all, (size, readout) => drawLines(title, names, points, all, size, readout));
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
  const made = table(caption, [{ title: name }, { title: "" }, { title: value, number: true }], cells);
  made.classList.add("bars");
  return made;
}

function figure(title, head, points, draw) {
  const readout = el("output", {});
  const place = el("div", { class: "plot" });
  const rows = points.map((point) => [point.name, point.text]);
  const all = el("details", {}, el("summary", {}, "As a table"),
    table(title, [{ title: head.name || "When" }, { title: head.value, number: true }], rows));
  // The observer draws at first sight and whenever the width changes; it goes when the chart goes.
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (width > 0) place.replaceChildren(draw({ width, height: HEIGHT }, readout));
  }).observe(place);
  return el("figure", {}, el("figcaption", {}, el("span", {}, title), readout), place, all);
}

function drawColumns(title, points, size, readout) {
  const scale = axis(points.map((point) => point.value), size);
  const step = (size.width - MARGIN.left - MARGIN.right) / points.length;
  const width = Math.max(1, Math.min(step * 0.72, 44));
  const rect = (point, index) => {
    const [zero, end] = [scale.y(0), scale.y(point.value)];
    const x = MARGIN.left + step * (index + 0.5) - width / 2;
    return svg("rect", { x, width, rx: Math.min(2, width / 4), y: Math.min(zero, end), height: Math.max(Math.abs(end - zero), 0.5), class: point.value < 0 ? "negative" : null });
  };
  const shapes = points.map(rect);
  const names = labels(points, step, size);
  return plot(title, size, [...scale.lines, svg("g", { class: "columns" }, shapes), ...names], points, step, readout, (index) =>
    shapes.forEach((shape, each) => shape.classList.toggle("chosen", each === index)));
}

function drawLines(title, names, points, texts, size, readout) {
  const scale = axis(points.flatMap((point) => point.values), size);
  const step = (size.width - MARGIN.left - MARGIN.right) / points.length;
  const x = (index) => MARGIN.left + step * (index + 0.5);
  const path = (series) => points.map((point, index) => `${index ? "L" : "M"}${x(index).toFixed(1)} ${scale.y(point.values[series]).toFixed(1)}`).join("");
  const shapes = names.map((_, series) => svg("path", { class: `line series-${series}`, d: path(series) }));
  const mark = svg("line", { class: "mark", y1: MARGIN.top, y2: size.height - MARGIN.bottom, x1: -9, x2: -9 });
  return plot(title, size, [...scale.lines, mark, ...shapes, ...labels(points, step, size)], texts, step, readout, (index) => {
    for (const name of ["x1", "x2"]) mark.setAttribute(name, String(index < 0 ? -9 : x(index)));
  });
}

/** The picture, which tells `readout` and `choose` what the pointer is over. */
function plot(title, size, shapes, points, step, readout, choose) {
  const show = (index) => {
    readout.textContent = points[index] ? `${points[index].name}: ${points[index].text}` : "";
    choose(points[index] ? index : -1);
  };
  const onpointermove = (event) => show(Math.floor((event.offsetX - MARGIN.left) / step));
  return svg("svg", { ...size, role: "img", "aria-label": title, onpointermove, onpointerleave: () => show(-1) }, shapes);
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
