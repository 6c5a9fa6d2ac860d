// A whole session as an editor would have it: list, index with progress, search, error, cancel, many at once, close.
import { asked, call, connect, report } from "./clients.mjs";

const { flavour, server } = asked();
const { client, transport, trouble, log } = await connect(flavour, server);
const tool = (name, args, options) => call(flavour, client, name, args, options);

const { tools } = await client.listTools();

const progress = [];
const indexed = await tool(
  "index",
  { wait: true },
  { onprogress: (seen) => progress.push(seen), resetTimeoutOnProgress: true },
);
const found = await tool("search", { query: "ocean height from astronomy" });
const parsed = await tool("search", { query: "passage_window", format: "json", limit: 3 });
const refused = await tool("search", { query: "ship", limit: 101 });

const changed = new AbortController();
const cancelled = tool("index", { wait: true, force: true }, { signal: changed.signal, onprogress: () => changed.abort() }).then(
  () => "answered",
  (error) => error.name,
);
const outcome = await cancelled;
const after = await tool("search", { query: "crane" });

const many = await Promise.all(
  Array.from({ length: 45 }, (_, number) => tool("search", { query: `mooring fee ${number}`, limit: 1, format: "json" })),
);
const pid = transport.pid;
await client.close();

report({
  tools: tools.map((one) => one.name),
  progress,
  indexed,
  found,
  parsed,
  refused,
  outcome,
  after,
  many: many.map((one) => one.structuredContent.hits[0].file_path),
  pid,
  trouble,
  log: log(),
});
