// Pictures of a map: each {file, width, height, dark, view, query, keys, scale} of those asked for.
import { asked, frame, launched, opened, report } from "./browser.mjs";

const { url, browser: named, profile, pictures } = asked();
const browser = await launched(named, profile);
const said = [];
for (const { file, view = "map", query = "", keys = [], ...look } of pictures) {
  const opening = await opened(browser, url, look);
  const { page } = opening;
  if (view !== "map") await page.click(`#tab-${view}`);
  if (query) await page.type("#query", query);
  if (keys.length) await page.focus("canvas");
  for (const key of keys) await page.keyboard.press(key);
  await frame(page);
  await new Promise((done) => setTimeout(done, 300)); // transitions
  await page.screenshot({ path: file });
  said.push(opening.said);
  await page.close();
}
await browser.close();
report(said);
