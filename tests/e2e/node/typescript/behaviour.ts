// What the typed client makes of a real server: answers, refusals, cancelling, deadlines, a kill. One JSON object out.
import { setTimeout as pause } from "node:timers/promises";

import { Codeloupe, CodeloupeError, type ConnectOptions } from "./codeloupe.ts";

const asked: ConnectOptions & { command: string } = JSON.parse(process.argv[2] ?? "");

/** The kind and the sentence of a failure; "" where there was none. */
async function outcome(promise: Promise<unknown>): Promise<{ kind: string; message: string; caused: boolean }> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof CodeloupeError)) throw error;
    return { kind: error.kind, message: error.message, caused: error.cause !== undefined };
  }
  return { kind: "", message: "", caused: false };
}

const codeloupe = await Codeloupe.connect(asked);
const { version, pid } = codeloupe;

const pinned = await Codeloupe.connect({ ...asked, era: "modern" });
const { protocol } = pinned.version;
await pinned.close();

const progress: number[] = [];
const indexed = await codeloupe.index({ wait: true, onProgress: ({ done, total }) => progress.push(done / total) });
const result = await codeloupe.search({ query: "passage_window", explain: true });
const first = await codeloupe.search({ query: "mooring fee", limit: 2 });
const second = await codeloupe.search({ query: "mooring fee", limit: 2, offset: first.next_offset ?? 0 });
const narrow = await codeloupe.search({
  query: "which ships arrive next",
  filters: { file_path: ["**/*.ts", "!web/retry.ts"], min_similarity: 0.1, languages: ["typescript"], kinds: ["class"] },
});
const one = await codeloupe.search({ query: "which ships arrive next", filters: { file_path: "web/*.ts" } });

const lines = await codeloupe.read({ file_path: "tides/forecast.py", start_line: 28, end_line: 30 });
const [hit] = result.hits;
const whole = await codeloupe.read({ file_path: "tides/forecast.py" });
const same = hit === undefined ? "" : await codeloupe.read(hit);

const embedding = await codeloupe.embed({ text: "fog horn", options: { cache: false, timeout: 60 } });
const [kept, asQuery] = await Promise.all([
  codeloupe.embed({ text: "fog horn", options: { cache: true } }),
  codeloupe.embed({ text: "fog horn", options: { kind: "query" } }),
]);
const cut = await codeloupe.embed({ text: `a ship ${"\u{1f6a2}".slice(0, 1)}` });
const several = await codeloupe.embedAll(["fog horn", "crane"]);
const status = await codeloupe.status();

const early = AbortSignal.abort();
const controller = new AbortController();
const failures = {
  limit: await outcome(codeloupe.search({ query: "ship", limit: 101 })),
  deadline: await outcome(codeloupe.embed({ text: "ship", options: { timeout: 0 } })),
  misspelt: await outcome(codeloupe.read({ file_path: "tides/forcast.py" })),
  unread: await outcome(codeloupe.read({ file_path: "tides/forecast.py" }, { signal: early })),
  never: await outcome(codeloupe.search({ query: "ship" }, { signal: early })),
  cancelled: await outcome(
    codeloupe.index({ wait: true, force: true, signal: controller.signal, onProgress: () => controller.abort() }),
  ),
  late: await outcome(codeloupe.index({ wait: true, force: true, signal: AbortSignal.timeout(1) })),
  missing: await outcome(Codeloupe.connect({ ...asked, command: "no-such-codeloupe" })),
  rootless: await outcome(Codeloupe.connect({ ...asked, root: `${process.cwd()}/nowhere` })),
  unwanted: await outcome(Codeloupe.connect({ ...asked, signal: early })),
  hasty: await outcome(Codeloupe.connect({ ...asked, signal: AbortSignal.timeout(50) })),
};
const after = await codeloupe.search({ query: "crane", limit: 1 });

let alive = true;
function kill(): void {
  if (alive && pid !== null) process.kill(pid, "SIGKILL");
  alive = false;
}
const killed = await outcome(codeloupe.index({ wait: true, force: true, onProgress: kill }));
await codeloupe.closed;
const dead = await outcome(codeloupe.search({ query: "crane" }));
await codeloupe.close();

const again = await Codeloupe.connect(asked);
const resumed = await again.search({ query: "passage_window", limit: 1 });
const leaving = outcome(again.index({ wait: true, force: true }));
await pause(0);
await again.close();
await again.close();

process.stdout.write(
  JSON.stringify({
    ...{ version, pid, protocol, indexed, progress, result, first, second, narrow, one, lines, whole, same, embedding, kept, asQuery, several, cut, status },
    ...{ failures, after, killed, dead, resumed, leaving: await leaving, gone: again.pid },
  }),
);
