// The two TypeScript clients behind one shape. They are installed outside the repository: HARNESS_MODULES says where.
import { createRequire } from "node:module";
import { join } from "node:path";

const load = createRequire(join(process.env.HARNESS_MODULES, "package.json"));
const LOG_END = 65536; // characters kept of what a server logs: some of these sessions are long
const MOST_TROUBLE = 20;
const ABOUT = { name: "codeloupe-tests", version: "1" };

/** How each flavour makes a client; v2 negotiates the protocol's era in three ways. */
const FLAVOURS = {
  v1: () => {
    const { Client } = load("@modelcontextprotocol/sdk/client/index.js");
    return [new Client(ABOUT), load("@modelcontextprotocol/sdk/client/stdio.js")];
  },
  "v2-legacy": () => second("legacy"),
  "v2-auto": () => second("auto"),
  "v2-modern": () => second({ pin: "2026-07-28" }),
};

function second(mode) {
  const { Client } = load("@modelcontextprotocol/client");
  return [new Client(ABOUT, { versionNegotiation: { mode } }), load("@modelcontextprotocol/client/stdio")];
}

/** A connected client and its transport; `server` is {command, args, env, cwd}. */
export async function connect(flavour, server) {
  const [client, { StdioClientTransport }] = FLAVOURS[flavour]();
  const transport = new StdioClientTransport({ ...server, stderr: "pipe" });
  const trouble = [];
  client.onerror = (error) => trouble.length < MOST_TROUBLE && trouble.push(String(error));
  const closed = new Promise((done) => (client.onclose = done));
  let log = "";
  transport.stderr?.on("data", (data) => (log = (log + data).slice(-LOG_END)));
  await client.connect(transport);
  return { client, transport, trouble, closed, log: () => log };
}

/** Call a tool; what differs between the two clients' signatures is settled here. */
export function call(flavour, client, name, args, options) {
  const params = { name, arguments: args };
  return flavour === "v1" ? client.callTool(params, undefined, options) : client.callTool(params, options);
}

/** The arguments of a script: one JSON object. */
export const asked = () => JSON.parse(process.argv[2]);

/** The outcome of a script: one JSON object. */
export const report = (outcome) => process.stdout.write(JSON.stringify(outcome) + "\n");
