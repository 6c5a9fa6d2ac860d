// An editor at work for as long as its input is open: several lanes search, read, ask and embed, one pings, and a server
// that dies is started again. Once a second it says what came of it. Every request ends in one of four ways:
// answered, refused (the server says no), failed (the connection broke), lost (no word within the deadline).
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { asked, call, connect, report } from "./clients.mjs";

const { flavour, server, echo, lanes, pause_ms, deadline_ms, seed, files } = asked();
const PING_EVERY_MS = 20;
const COLLECT_EVERY = 5; // seconds between two measures of the heap; collecting it stops this process for some ms
const MOST_SENTENCES = 40; // kept of what was refused or failed, digits aside

const WORDS = "load store merge split parse render check sort order invoice vessel token packet disk queue socket".split(" ");
const MODES = ["auto", "auto", "semantic", "text", "exact", "regex"];
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Numbers from 0 to 1, the same for the same seed. */
let state = seed;
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}
const one = (list) => list[Math.floor(random() * list.length)];
const words = (count) => Array.from({ length: count }, () => one(WORDS)).join(" ");

const DEEDS = {
  search: () => ["search", { query: words(3), mode: one(MODES), limit: 5 }],
  read: () => ["search", { query: `${one(files)}:${1 + Math.floor(random() * 40)}`, limit: 1, detail: "full" }],
  status: () => ["status", { format: "json" }],
  embed: () => ["embed", { texts: Array.from({ length: 4 }, () => words(30)), cache: false, timeout: 60 }],
  query: () => ["embed", { texts: [words(8)], kind: "query", cache: false, timeout: 60 }],
};
const LOT = ["search", "search", "search", "read", "read", "status", "embed", "query"];

const totals = { sent: 0, sessions: 0, unconnected: 0, outcomes: {}, sentences: {} };
let session = null; // the connection at hand; null while there is none
let share = 0; // of chunks with a vector, as the last status said
let over = false;
let second = fresh();

function fresh() {
  return { gap_ms: 0, echo_ms: 0, pings: 0, took_ms: {} };
}

function note(deed, outcome, took_ms, sentence) {
  const counts = (totals.outcomes[deed] ??= { answered: 0, refused: 0, failed: 0, lost: 0 });
  counts[outcome] += 1;
  if (outcome === "answered") second.took_ms[deed] = Math.max(second.took_ms[deed] ?? 0, took_ms);
  if (!sentence) return;
  const known = `${deed} ${outcome}: ${sentence.replace(/\d+(\.\d+)?/g, "0").slice(0, 400)}`;
  if (known in totals.sentences || Object.keys(totals.sentences).length < MOST_SENTENCES)
    totals.sentences[known] = (totals.sentences[known] ?? 0) + 1;
}

/** What a promise comes to within the deadline, and how long that took. */
async function awaited(promise) {
  const began = performance.now();
  let timer;
  const late = new Promise((done) => (timer = setTimeout(() => done({ outcome: "lost", sentence: "no answer" }), deadline_ms)));
  const settled = promise.then(
    (result) => (result.isError ? { outcome: "refused", sentence: result.content[0].text } : { outcome: "answered", result }),
    (error) => ({ outcome: "failed", sentence: String(error?.message ?? error) }),
  );
  const end = await Promise.race([settled, late]);
  clearTimeout(timer);
  return { ...end, took_ms: performance.now() - began };
}

async function lane() {
  while (!over) {
    if (session === null) {
      await pause(20);
      continue;
    }
    const deed = one(LOT);
    totals.sent += 1;
    const end = await awaited(call(flavour, session.client, ...DEEDS[deed](), { timeout: 2 * deadline_ms }));
    note(deed, end.outcome, end.took_ms, end.sentence);
    if (deed === "status" && end.outcome === "answered") share = end.result.structuredContent.roots[0].coverage.vectors;
    await pause(pause_ms * (0.5 + random()));
  }
}

/** The cheapest request of the protocol's era. */
const cheap = (client, options) => (client.getProtocolEra?.() === "modern" ? client.discover(options) : client.ping(options));

async function pinging(of, figure) {
  let known = null; // the session whose first ping was answered: SDK 2 calls itself connected before the server has started
  while (!over) {
    await pause(PING_EVERY_MS);
    const open = of();
    if (open === null) continue;
    const end = await awaited(cheap(open.client, { timeout: 2 * deadline_ms }));
    if (known === open && end.outcome !== "failed") second[figure] = Math.max(second[figure], end.took_ms); // it fails with its server
    known = open;
    if (end.outcome === "lost") note("ping", "lost", end.took_ms, end.sentence);
    second.pings += 1;
  }
}

async function sessions() {
  while (!over) {
    try {
      session = await connect(flavour, server);
    } catch (error) {
      totals.unconnected += 1;
      note("connect", "failed", 0, String(error?.message ?? error));
      await pause(100);
      continue;
    }
    totals.sessions += 1;
    const { client, closed } = session;
    if (over) await client.close();
    await closed;
    session = null;
  }
}

function say(echoed, delay, number) {
  const collected = number % COLLECT_EVERY === 0 && globalThis.gc;
  if (collected) globalThis.gc();
  const heap = collected ? process.memoryUsage().heapUsed : null;
  const own_ms = delay.max / 1e6;
  report({ ...totals, ...second, own_ms, heap, share, pid: session?.transport.pid ?? 0, trouble: session?.trouble ?? [] });
  delay.reset();
  second = fresh();
}

const echoed = await connect(flavour, echo);
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
const connecting = sessions();
while (session === null) await pause(10);
const work = [pinging(() => session, "gap_ms"), pinging(() => echoed, "echo_ms"), ...Array.from({ length: lanes }, lane)];
let number = 0;
const telling = setInterval(() => say(echoed, delay, (number += 1)), 1000);

await new Promise((done) => process.stdin.on("end", done).resume());
over = true;
await Promise.all(work);
clearInterval(telling);
say(echoed, delay, 0);
await session?.client.close();
await connecting;
await echoed.client.close();
