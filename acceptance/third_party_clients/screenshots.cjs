// Takes the pictures of the README: node screenshots.cjs URL KEY FOLDER. $CHROMIUM names another browser.
const path = require("node:path");
const { chromium } = require("playwright-core");

const [url, key, folder] = process.argv.slice(2);
const SECONDS = 100; // so that the chart of ten minutes has something to show
const PICTURES = {
  "console-light.png": { colorScheme: "light", viewport: { width: 1040, height: 860 } },
  "console-dark.png": { colorScheme: "dark", viewport: { width: 1040, height: 860 } },
  "console-narrow.png": { colorScheme: "light", viewport: { width: 400, height: 860 } },
};

/** Two batches a second, of which each row counts once, however often this runs. */
async function sendRows() {
  const headers = { "X-Api-Key": key, "Content-Type": "application/json" };
  const row = { InvoiceNo: "SCREENSHOT", Description: "A ROW OF THE PICTURE", Quantity: 1, InvoiceDate: "2010-12-01T08:26:00", UnitPrice: "2.55", CustomerID: "17850", Country: "United Kingdom", Occurrence: 1 };
  for (let batch = 0; batch < SECONDS * 2; batch += 1) {
    const rows = Array.from({ length: 150 + Math.round(100 * Math.sin(batch / 16)) }, (_, index) => ({ ...row, StockCode: `${batch}-${index}` }));
    const answer = await fetch(`${url}/ingest`, { method: "POST", headers, body: JSON.stringify(rows) });
    if (!answer.ok) throw new Error(`the API answered ${answer.status}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function main() {
  await sendRows();
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  for (const [name, options] of Object.entries(PICTURES)) {
    const page = await (await browser.newContext({ ...options, locale: "en-GB", deviceScaleFactor: 1.5 })).newPage();
    await page.goto(`${url}/console`);
    await page.getByLabel("API key").fill(key);
    await page.keyboard.press("Enter");
    await page.locator("tbody td").first().waitFor();
    await page.screenshot({ path: path.join(folder, name) });
  }
  await browser.close();
}

main();
