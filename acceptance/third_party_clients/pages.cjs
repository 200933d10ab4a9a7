// Opens the docs page and the console in one browser: node pages.cjs URL KEY CHROMIUM. Prints what they saw as JSON.
const { chromium } = require("playwright-core");
const useConsole = require("./console_page.cjs");
const useDocs = require("./docs_page.cjs");

const [url, key, executablePath] = process.argv.slice(2);
const NO_INTERNET = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1";

async function main() {
  // Chromium's own sandbox needs rights that a container seldom gives; the only pages it sees are ours.
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", NO_INTERNET] });
  const docs = await useDocs(browser, url, key);
  const console = await useConsole(browser, url, key);
  await browser.close();
  process.stdout.write(JSON.stringify({ docs, console }));
}

main();
