// Uses the docs page as a person would. pages.cjs starts it; it returns what it saw.

async function authorize(page, key) {
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

async function openDocs(browser, url, complaints) {
  const page = await browser.newPage();
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => complaints.push(`${request.url()} failed`));
  await page.goto(`${url}/docs`);
  await page.waitForSelector("#operations-ingest-ingest");
  return page;
}

module.exports = async (browser, url, key) => {
  const withoutKey = await postExample(await openDocs(browser, url, [])); // the browser itself complains of the 401
  const complaints = [];
  const page = await openDocs(browser, url, complaints);
  const operations = await page.locator(".opblock").count();
  const authorized = await authorize(page, key);
  const withKey = await postExample(page);
  return { operations, withoutKey, authorized, withKey, complaints };
};
