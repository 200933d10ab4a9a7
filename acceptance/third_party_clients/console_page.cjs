// Uses the console as a person would, and axe to look for barriers. pages.cjs starts it; it returns what it saw.
const axe = require("axe-core");

const SIZES = [
  { colorScheme: "light", viewport: { width: 1100, height: 800 } },
  { colorScheme: "dark", viewport: { width: 400, height: 800 } },
];
const EVIL = "<img src=x onerror=alert(1)>";

async function openConsole(browser, url, complaints, options = SIZES[0]) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`${url}/`);
  return page;
}

/** By keyboard alone: the field has the focus already. */
async function typeKey(page, key) {
  await page.getByLabel("API key").waitFor();
  await page.keyboard.type(key);
  await page.keyboard.press("Enter");
}

async function refusesWrongKey(browser, url) {
  const page = await openConsole(browser, url, []); // the browser itself complains of the 401
  await typeKey(page, "wrong");
  await page.getByText("does not know this key").waitFor();
  return page.context().close();
}

/** The longest description and code that a row may have, without a blank: no view may become wider than the window. */
async function sendLongWords(page, url, key) {
  const row = { InvoiceNo: "536365", StockCode: "S".repeat(60), Description: "D".repeat(500), Quantity: 1, InvoiceDate: "2010-12-01T08:26:00", UnitPrice: "2.55", CustomerID: "17850", Country: "C".repeat(60), Occurrence: 1 };
  await page.request.post(`${url}/ingest`, { data: row, headers: { "X-Api-Key": key, Prefer: "wait=20" } });
}

async function sendExample(page) {
  await page.getByRole("button", { name: "Send the example row" }).click();
  await page.getByText("Queryable after").waitFor();
  await page.getByRole("link", { name: "Invoice 536365" }).click();
  await page.getByRole("heading", { name: "536365" }).waitFor();
  return figures(page);
}

const figures = (page) =>
  page.locator(".figures").first().evaluate((list) => Object.fromEntries([...list.children].map((each) => [...each.children].map((part) => part.textContent))));

async function lookUp(page, view, number) {
  await page.getByRole("navigation").getByRole("link", { name: view }).click();
  await page.getByLabel(`Number of the ${view.toLowerCase()}`).fill(number);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: number, exact: true }).waitFor();
}

/** The first request of the list is the latest. Its row gets a right quantity and turns up in its invoice. */
async function mendRejectedRow(page, url, key) {
  const row = { InvoiceNo: "MENDED-1", StockCode: "1", Description: EVIL, Quantity: "six", InvoiceDate: "2010-12-01T08:26:00", UnitPrice: "2.55", CustomerID: "17850", Country: "EIRE", Occurrence: 1 };
  const refused = await page.request.post(`${url}/ingest`, { data: row, headers: { "X-Api-Key": key } });
  await page.getByRole("navigation").getByRole("link", { name: "Rejected" }).click();
  await page.getByLabel("Field").selectOption("Quantity");
  await page.getByRole("cell", { name: "Quantity must be" }).first().waitFor();
  await page.locator("tbody a").first().click();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download as CSV" }).click();
  await page.getByLabel("Quantity").fill("6");
  await page.getByRole("button", { name: "Send the row" }).click();
  await page.getByText("Accepted.").waitFor();
  const closed = (await page.getByRole("button", { name: "Send the row" }).count()) === 0;
  await page.reload();
  await page.getByText("Sent since.").waitFor();
  await page.getByRole("link", { name: "All requests" }).click();
  const noted = await page.locator("tbody tr").first().locator("td").last().innerText();
  await untilFound(page, () => lookUp(page, "Invoice", "MENDED-1"));
  const description = await page.getByRole("rowheader").first().innerText();
  return { refused: refused.status(), file: /\.rejects\.csv$/.test((await download).suggestedFilename()), closed, noted, description, ...(await figures(page)) };
}

/** A row can be queried a moment after it was accepted. */
async function untilFound(page, look) {
  page.setDefaultTimeout(2000);
  for (let tries = 15; tries > 0; tries -= 1) if (await look().then(() => true, () => false)) break;
  page.setDefaultTimeout(30000);
}

/** The page says that the API is away, and goes on by itself when it is back. */
async function survivesOutage(page) {
  await page.getByRole("navigation").getByRole("link", { name: "Now" }).click();
  await page.getByText("Latest batches").waitFor();
  await page.context().setOffline(true);
  await page.getByText("Cannot reach the API").waitFor();
  await page.context().setOffline(false);
  await page.getByText("Cannot reach the API").waitFor({ state: "detached" });
  return true;
}

/** A key that may not read, and the first Tab, which leads past the navigation. */
async function saysWhatIsForbidden(page) {
  const problem = { status: 403, detail: "The API key does not permit this." };
  await page.route("**/totals?*", (route) => route.fulfill({ status: 403, json: problem }));
  await page.getByRole("navigation").getByRole("link", { name: "Revenue" }).click();
  await page.getByRole("alert").getByText(problem.detail).waitFor();
  await page.reload();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  return page.evaluate(() => document.activeElement.id);
}

/** What axe finds on each view, in light and wide and in dark and narrow, and which view is wider than the window. */
async function barriers(browser, url, key, views) {
  const found = [];
  for (const size of SIZES) {
    const page = await openConsole(browser, url, [], size);
    await typeKey(page, key);
    for (const view of views) {
      await page.goto(`${url}/console#${view}`);
      await page.locator("main:not([aria-busy]) h1").waitFor();
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() => window.axe.run());
      found.push(...violations.map((each) => `${view} ${size.colorScheme}: ${each.id} ${each.nodes[0].html}`));
      if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) found.push(`${view}: too wide`);
    }
    await page.context().close();
  }
  return found;
}

/** The address of one of the page's modules. */
async function moduleAddress(page, url, name) {
  const address = await page.locator("script").getAttribute("src");
  return new URL(address.replace("main.js", name), `${url}/`).href;
}

/** How the page writes a date without a zone and in UTC, and the Occurrence of a row that is sent mended, unchanged, or to correct a line. */
async function rowRules(browser, url) {
  const page = await openConsole(browser, url, []);
  const dates = await page.evaluate(async (path) => {
    const { invoiceDate } = await import(path);
    return ["2010-12-01T08:26:00", "2010-12-01T08:26:00Z", "2010-12-01T10:26:00+02:00"].map(invoiceDate);
  }, await moduleAddress(page, url, "format.js"));
  const occurrences = await page.evaluate(async (path) => {
    const { mendedRow } = await import(path);
    const row = { Quantity: "six", Occurrence: "2" };
    const forms = [{ ...row, Quantity: "6" }, row, { Quantity: "6", Occurrence: "3" }, { ...row, Quantity: "6", AsOf: "2026-11-26T09:00:00Z" }];
    return forms.map((texts) => mendedRow(row, texts).Occurrence ?? null);
  }, await moduleAddress(page, url, "rejected.js"));
  await page.context().close();
  return { dates, occurrences };
}

/** How the page writes money and adds it up, in English and in German. */
async function moneyIn(browser, url, locale) {
  const page = await openConsole(browser, url, [], { locale });
  const written = await page.evaluate(async (path) => {
    const { money, sum } = await import(path);
    return [money("-12345678901234567890.1234567"), sum(["0.1", "0.2", "-1000.005"])];
  }, await moduleAddress(page, url, "format.js"));
  await page.context().close();
  return written;
}

module.exports = async (browser, url, key) => {
  const complaints = [];
  await refusesWrongKey(browser, url);
  const page = await openConsole(browser, url, complaints);
  await typeKey(page, key);
  await sendLongWords(page, url, key);
  const invoice = await sendExample(page);
  await lookUp(page, "Customer", "17850");
  const customer = (await figures(page)).Invoices;
  const mended = await mendRejectedRow(page, url, key);
  const expected = complaints.filter((each) => !/404|422/.test(each)); // of look-ups before the row could be queried
  const outage = await survivesOutage(page);
  const skippedTo = await saysWhatIsForbidden(page);
  const views = ["now", "rejected", "revenue", "invoice/536365", "customer/17850"];
  return { invoice, customer, mended, outage, skippedTo, complaints: expected, barriers: await barriers(browser, url, key, views), rules: await rowRules(browser, url), english: await moneyIn(browser, url, "en-GB"), german: await moneyIn(browser, url, "de-DE") };
};
