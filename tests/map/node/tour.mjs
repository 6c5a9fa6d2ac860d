// A reader's visit to a map: looks, searches, moves by keys, mouse and fingers, opens, changes views and themes.
import { asked, drawn, frame, launched, noted, opened, report, somePoint, text } from "./browser.mjs";

const { url, browser: named, profile, only } = asked();
const browser = await launched(named, profile);
const seen = { browser: await browser.version() };

async function scene(name, options, act) {
  if (only && only !== name) return;
  const { page, said } = await opened(browser, url, options);
  try {
    seen[name] = { ...(await act(page)), ...said };
  } catch (error) {
    seen[name] = { ...said, failed: String(error) };
  }
  await page.close();
}

const looks = (page) =>
  page.evaluate(() => ({
    title: document.title,
    ground: getComputedStyle(document.documentElement).backgroundColor,
    ink: getComputedStyle(document.documentElement).color,
    overflow: document.scrollingElement.scrollWidth - innerWidth,
    groups: [...document.querySelectorAll("#groups li:not([hidden]) .name")].map((node) => node.textContent),
    swatches: [...document.querySelectorAll("#groups .swatch")].map((node) => getComputedStyle(node).backgroundColor),
  }));

await scene("light", {}, async (page) => ({ ...(await looks(page)), drawn: await drawn(page) }));
await scene("dark", { dark: true }, async (page) => ({ ...(await looks(page)), drawn: await drawn(page) }));
await scene("narrow", { width: 390, height: 780 }, looks);

await scene("theme", {}, async (page) => {
  const grounds = [];
  for (let turn = 0; turn < 3; turn++) {
    grounds.push([await text(page, "#theme"), (await looks(page)).ground]);
    await page.click("#theme");
  }
  return { grounds };
});

await scene("search", {}, async (page) => {
  const before = await drawn(page);
  await page.focus("canvas");
  await page.keyboard.press("/");
  await page.keyboard.type("LOAD src");
  const count = await text(page, "#count");
  const rows = await page.$$eval("#matches li", (items) => items.map((item) => item.querySelector(".place").textContent));
  const during = await drawn(page);
  await page.keyboard.press("ArrowDown");
  const focused = await page.evaluate(() => document.activeElement.querySelector(".place").textContent);
  const heard = await text(page, "#live");
  await page.keyboard.press("Enter");
  await frame(page);
  await page.focus("#query");
  await page.keyboard.press("Escape");
  const after = await text(page, "#count");
  return { count, rows, focused, heard, after, changed: before !== during, ...(await noted(page)) };
});

await scene("dotted", {}, async (page) => {
  await page.type("#query", ".github");
  const place = await page.$eval("#matches .place", (node) => node.textContent);
  const edges = await page.$eval("#matches .place", (node) => {
    const text = document.createTreeWalker(node, NodeFilter.SHOW_TEXT).nextNode();
    const range = document.createRange();
    return [0, 1, 2].map((at) => (range.setStart(text, at), range.setEnd(text, at + 1), range.getBoundingClientRect().left));
  });
  return { place, edges };
});

await scene("nothing", {}, async (page) => {
  await page.type("#query", "no such name");
  await page.focus("canvas");
  await page.keyboard.press("ArrowRight");
  return { count: await text(page, "#count"), listed: (await page.$$("#matches li")).length, heard: await text(page, "#live") };
});

await scene("keys", {}, async (page) => {
  await page.focus("canvas");
  const heard = [];
  for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"]) {
    await page.keyboard.press(key);
    heard.push(await text(page, "#live"));
  }
  const outline = await page.$eval("canvas", (canvas) => getComputedStyle(canvas).outlineStyle);
  const far = await drawn(page);
  await page.keyboard.press("+");
  const near = await drawn(page);
  await page.keyboard.press("0");
  const whole = await drawn(page);
  await page.keyboard.press("Enter");
  await frame(page);
  const card = await text(page, "#card");
  await page.keyboard.press("Escape");
  const cleared = await page.$eval("#card", (node) => node.hidden);
  return { heard, outline, zoomed: far !== near, back: near !== whole, card, cleared, ...(await noted(page)) };
});

await scene("mouse", {}, async (page) => {
  await somePoint(page);
  const card = await text(page, "#card");
  const before = await drawn(page);
  await page.mouse.wheel({ deltaY: -200 });
  const zoomed = before !== (await drawn(page));
  const at = await somePoint(page);
  await page.mouse.click(...at);
  await frame(page);
  const link = await page.$eval("#card a", (node) => node.href);
  const afterClick = await noted(page);
  const still = await drawn(page);
  await page.mouse.move(at[0], at[1]);
  await page.mouse.down();
  await page.mouse.move(at[0] + 60, at[1] + 40, { steps: 4 });
  await page.mouse.up();
  return { card, link, zoomed, ...afterClick, dragged: still !== (await drawn(page)), openedByDrag: (await noted(page)).opened.length };
});

await scene("fingers", { touch: true }, async (page) => {
  const before = await drawn(page);
  const client = await page.createCDPSession();
  const touch = (type, ...points) =>
    client.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  await touch("touchStart", [700, 400], [800, 400]);
  for (let more = 10; more <= 80; more += 10) await touch("touchMove", [700 - more, 400], [800 + more, 400]);
  await touch("touchEnd");
  return { pinched: before !== (await drawn(page)), ...(await noted(page)) };
});

await scene("legend", {}, async (page) => {
  const before = await drawn(page);
  await page.click("#groups li:last-child .toggle");
  const pressed = await page.$$eval("#groups .toggle", (nodes) => nodes.map((node) => node.getAttribute("aria-pressed")));
  const hidden = await drawn(page);
  await page.click("#all");
  return { pressed, changed: before !== hidden, back: before === (await drawn(page)) };
});

await scene("list", {}, async (page) => {
  await page.click("#tab-list");
  const files = await page.$$eval("#list summary bdi", (nodes) => nodes.map((node) => node.textContent));
  await page.click("#list summary");
  await page.waitForSelector("#list li button");
  const row = await text(page, "#list li button");
  await page.click("#list li button");
  await frame(page);
  return { files, row, ...(await noted(page)) };
});

await scene("figures", {}, async (page) => {
  await page.focus("#tab-map");
  await page.keyboard.press("ArrowLeft");
  const selected = await page.evaluate(() => document.activeElement.id);
  const titles = await page.$$eval("#figures h3", (nodes) => nodes.map((node) => node.textContent));
  const charts = await page.$$eval("#figures svg[role=img]", (nodes) => nodes.map((node) => node.getAttribute("aria-label")));
  const tables = (await page.$$("#figures table")).length;
  return { selected, titles, charts, tables, text: await text(page, "#figures"), ...(await looks(page)) };
});

await scene("editor", {}, async (page) => {
  await page.select("#editor", "cursor");
  await page.reload({ waitUntil: "load" });
  await page.waitForSelector("html[data-ready]");
  const kept = await page.$eval("#editor", (node) => node.value);
  await page.focus("canvas");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await frame(page);
  const { opened: [address] } = await noted(page);
  await page.select("#editor", "vscode");
  return { kept, address };
});

await scene("stops", {}, async (page) => {
  const stops = [];
  for (let turn = 0; turn < 30; turn++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => document.activeElement.id || document.activeElement.className);
    if (stops.includes(stop) && !["toggle", "only link"].includes(stop)) break;
    stops.push(stop);
  }
  return { stops };
});

await browser.close();
report(seen);
