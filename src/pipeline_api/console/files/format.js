/** Numbers, money and dates as the browser's language writes them. Money stays decimal text: no value becomes a float. */

const COUNT = new Intl.NumberFormat();
const SHORT = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const SHARE = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const TENTH = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const POINT = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1 })
  .formatToParts(0.5)
  .find((part) => part.type === "decimal").value;
const MINUS = COUNT.formatToParts(-1).find((part) => part.type === "minusSign").value;

// What an invoice says has no time zone. It is read and written as UTC, so the clock on the invoice stays.
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const MINUTE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
const MONTH = new Intl.DateTimeFormat(undefined, { month: "short", year: "numeric", timeZone: "UTC" });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** @param {number} value */
export const count = (value) => COUNT.format(value);

/** 1.2M. For axes only. @param {number} value */
export const short = (value) => SHORT.format(value);

/** @param {number} value from 0 to 1 */
export const share = (value) => SHARE.format(value);

/**
 * Every digit of a decimal text, such as 2,062,388.589 of "2062388.589".
 * @param {string} text
 */
export function money(text) {
  const [, sign, whole, fraction] = parts(text);
  const shown = COUNT.format(BigInt(whole)) + (fraction ? POINT + localDigits(fraction) : "");
  return sign ? MINUS + shown : shown;
}

const localDigits = (digits) => [...digits].map((digit) => COUNT.format(BigInt(digit))).join("");

/**
 * The exact sum of decimal texts.
 * @param {string[]} texts
 */
export function sum(texts) {
  const places = Math.max(2, ...texts.map((text) => (parts(text)[3] ?? "").length));
  const total = texts.reduce((total, text) => total + scale(text, places), 0n);
  const digits = String(total < 0n ? -total : total).padStart(places + 1, "0");
  return `${total < 0n ? "-" : ""}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

function scale(text, places) {
  const [, sign, whole, fraction = ""] = parts(text);
  return BigInt(sign + whole + fraction.padEnd(places, "0"));
}

function parts(text) {
  const found = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!found) throw new TypeError("not a decimal text");
  return found;
}

/** @param {string} key such as 2010-12-01 */
export const day = (key) => DAY.format(new Date(`${key}T00:00:00Z`));

/** @param {string} key such as 2010-12 */
export const month = (key) => MONTH.format(new Date(`${key}-01T00:00:00Z`));

/** @param {string} text an invoice's date, such as 2010-12-01T08:26:00, or with a zone at its end */
export const invoiceDate = (text) => MINUTE.format(new Date(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`));

/** One date where both are written alike. @param {string} first @param {string} last */
export function dateSpan(first, last) {
  const [from, to] = [invoiceDate(first), invoiceDate(last)];
  return from === to ? from : `${from} – ${to}`;
}

/** @param {string | Date} text an instant with its zone */
export const clock = (text) => CLOCK.format(new Date(text));

/** @param {string} text an instant with its zone */
export const moment = (text) => MOMENT.format(new Date(text));

/** 84 ms, 1.3 s: the symbols are the same in all languages. @param {number} value in milliseconds */
export const duration = (value) => (value < 1000 ? `${COUNT.format(Math.round(value))} ms` : `${TENTH.format(value / 1000)} s`);
