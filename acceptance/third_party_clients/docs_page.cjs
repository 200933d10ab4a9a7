// Uses the docs page as a person would: node docs_page.cjs URL KEY CHROMIUM. Prints what it saw as JSON.
const { chromium } = require("playwright-core");

const [url, key, executablePath] = process.argv.slice(2);
const NO_INTERNET = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1";

async function authorize(page) {
  await page.click(".auth-wrapper button.authorize");
  await page.fill(".auth-container input", key);
  await page.click(".auth-container button.authorize");
  const loggedOut = await page.locator(".auth-container button", { hasText: "Logout" }).count();
  await page.click(".auth-container button.btn-done");
  return loggedOut === 1;
}

async function postExample(page) {
  const operation = page.locator("#operations-ingest-ingest");
  await operation.locator(".opblock-summary-control").click();
  await operation.locator("button.execute").click();
  const answered = operation.locator(".live-responses-table tbody .response-col_status").first();
  return parseInt(await answered.innerText(), 10);
}

async function openDocs(browser, complaints) {
  const page = await browser.newPage();
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => complaints.push(`${request.url()} failed`));
  await page.goto(`${url}/docs`);
  await page.waitForSelector("#operations-ingest-ingest");
  return page;
}

async function main() {
  // Chromium's own sandbox needs rights that a container seldom gives; the only page it sees is ours.
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", NO_INTERNET] });
  const withoutKey = await postExample(await openDocs(browser, [])); // the browser itself complains of the 401
  const complaints = [];
  const page = await openDocs(browser, complaints);
  const operations = await page.locator(".opblock").count();
  const authorized = await authorize(page);
  const withKey = await postExample(page);
  await browser.close();
  process.stdout.write(JSON.stringify({ operations, withoutKey, authorized, withKey, complaints }));
}

main();
