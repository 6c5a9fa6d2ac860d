// A headless browser on one page, and everything it says: errors, requests, addresses that were opened, texts copied.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";
import { existsSync } from "node:fs";

const load = createRequire(join(process.env.HARNESS_MODULES, "package.json"));
const puppeteer = load("puppeteer-core");
const NO_BROWSER = 3; // as tests/map/browser.py knows it
export const WAIT_MS = 20_000;
const FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars", "--font-render-hinting=none"];

/** The browser named, else the one that the pinned list brings. */
async function executable(named) {
  if (named && existsSync(named)) return named;
  const { default: chromium } = await import(load.resolve("@sparticuz/chromium"));
  chromium.setGraphicsMode = false;
  return chromium.executablePath();
}

export async function launched(named, profile) {
  const executablePath = await executable(named);
  try {
    return await puppeteer.launch({ executablePath, headless: "shell", args: FLAGS, userDataDir: profile, timeout: 60_000 });
  } catch (error) {
    process.stderr.write(String(error));
    process.exit(NO_BROWSER);
  }
}

/** A page of its own, and what it did. */
export async function opened(browser, url, { width = 1280, height = 800, dark = false, touch = false, scale = 1 } = {}) {
  const page = await browser.newPage();
  const said = { errors: [], requests: [] };
  page.on("console", (message) => message.type() !== "log" && said.errors.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => said.errors.push(String(error)));
  page.on("request", (request) => said.requests.push(request.url()));
  await page.setViewport({ width, height, deviceScaleFactor: scale, hasTouch: touch });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
  await page.evaluateOnNewDocument(noteWhatIsOpened);
  await page.goto(url, { waitUntil: "load", timeout: WAIT_MS });
  await page.waitForSelector("html[data-ready]", { timeout: WAIT_MS });
  return { page, said };
}

/** Runs in the page, before its script: an editor's address is noted and not followed. */
function noteWhatIsOpened() {
  globalThis.noted = { opened: [], copied: [], alerts: [] };
  HTMLAnchorElement.prototype.click = function click() {
    globalThis.noted.opened.push(this.href);
  };
  globalThis.alert = (text) => globalThis.noted.alerts.push(text);
  const clipboard = { writeText: async (text) => void globalThis.noted.copied.push(text) };
  Object.defineProperty(navigator, "clipboard", { value: clipboard });
}

export const noted = (page) => page.evaluate(() => globalThis.noted);
export const text = (page, selector) => page.$eval(selector, (node) => node.textContent);
export const frame = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

/** What the canvas shows, as one word. */
export async function drawn(page) {
  await frame(page);
  const picture = await page.$eval("canvas", (canvas) => canvas.toDataURL());
  return createHash("sha256").update(picture).digest("hex");
}

/** A place of the screen where a chunk is, found as a reader finds it: by moving about. */
export async function somePoint(page) {
  const { left, top, width, height } = await page.$eval("canvas", (canvas) => canvas.getBoundingClientRect().toJSON());
  for (let y = 0.1; y < 0.95; y += 0.03) {
    for (let x = 0.1; x < 0.95; x += 0.03) {
      const at = [left + x * width, top + y * height];
      await page.mouse.move(...at);
      if (await page.$eval("#card", (card) => !card.hidden)) return at;
    }
  }
  throw new Error("no chunk was found by moving about");
}

/** The arguments of a script: one JSON object. */
export const asked = () => JSON.parse(process.argv[2]);
export const report = (outcome) => process.stdout.write(JSON.stringify(outcome) + "\n");
