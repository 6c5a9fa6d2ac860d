/** A typed client of codeloupe: `connect` starts a server of its own, `close` ends it. */

import { resolve } from "node:path";

import { Client, type CallToolResult, type RequestOptions } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

import { findCommand } from "./command.ts";
import { CodeloupeError, failure, logged } from "./errors.ts";
import type {
  CallOptions,
  Embedding,
  EmbeddingOptions,
  EmbeddingRequest,
  IndexRequest,
  Place,
  SearchRequest,
  SearchResult,
  Status,
} from "./types.ts";

export { CodeloupeError, type FailureKind } from "./errors.ts";
export type * from "./types.ts";

const ABOUT = { name: "codeloupe-typescript", version: "0.1.0" };
const CONNECT_MS = 30_000; // it takes half a second; much more on a machine that has just been switched on
const QUIET_MS = 30 * 60_000; // an index that is being closed up has no progress to tell
const EMBED_S = 30; // the server's own limit where none is given
const AFTER_MS = 5_000; // the server's sentence about a deadline is better than ours, so it is waited for
const LOG_END = 8_192; // characters kept of what the server logs
const ERAS = { auto: "auto", legacy: "legacy", modern: { pin: "2026-07-28" } } as const;

export interface ConnectOptions extends CallOptions {
  /** The program's name or path; "codeloupe" unless said otherwise. */
  command?: string;
  /** Its arguments before `--root`; ["serve"] unless said otherwise. */
  args?: readonly string[];
  /** The directory to search, or several; the working directory unless said otherwise. Nothing outside is read. */
  root?: string | readonly string[];
  /** Environment variables, on top of this process's own. */
  env?: Readonly<Record<string, string>>;
  /** Which way of MCP to speak: that of 2026-07-28, the older one, or the newest that the server knows. */
  era?: keyof typeof ERAS;
}

/** Asks for the server's version on the pipe it will use; the SDK's own class starts a second server only to ask. */
class OnePipe extends StdioClientTransport {}

export class Codeloupe {
  /** Resolves when the server has gone, whoever ended it: the moment to connect again, or to be done. */
  readonly closed: Promise<void>;
  readonly #client: Client;
  readonly #transport: StdioClientTransport;
  #gone = false;
  #log = "";

  private constructor(client: Client, transport: StdioClientTransport) {
    this.#client = client;
    this.#transport = transport;
    this.closed = new Promise((done) => {
      client.onclose = () => {
        this.#gone = true;
        done();
      };
    });
    transport.stderr?.on("data", (data) => (this.#log = (this.#log + String(data)).slice(-LOG_END)));
  }

  /** Start a server. Throws CodeloupeError where the program is missing, ends at once, or `signal` is aborted. */
  static async connect(options: ConnectOptions = {}): Promise<Codeloupe> {
    const env = { ...inherited(), ...options.env };
    const command = findCommand(options.command ?? "codeloupe", env);
    const roots = [options.root ?? []].flat().flatMap((root) => ["--root", resolve(root)]);
    const args = [...(options.args ?? ["serve"]), ...roots];
    const transport = new OnePipe({ command, args, env, stderr: "pipe" });
    const client = new Client(ABOUT, { versionNegotiation: { mode: ERAS[options.era ?? "auto"] } });
    const codeloupe = new Codeloupe(client, transport);
    await codeloupe.#open(options.signal);
    return codeloupe;
  }

  /** The server's process; null when it has gone. */
  get pid(): number | null {
    return this.#transport.pid;
  }

  /** The server's version, and that of the protocol it speaks with this client. */
  get version(): { server: string; protocol: string } {
    const protocol = this.#client.getNegotiatedProtocolVersion();
    return { server: this.#client.getServerVersion()?.version ?? "", protocol: protocol ?? "" };
  }

  /** Find code by meaning, name or text. A directory that is not indexed yet is answered from what is there. */
  async search(request: SearchRequest, options: CallOptions = {}): Promise<SearchResult> {
    const { filters: { file_path, ...filters } = {}, ...rest } = request;
    const paths = file_path === undefined ? [] : [file_path].flat();
    const result = await this.#call("search", { ...rest, ...filters, paths, format: "json" }, said(options));
    return parsed<SearchResult>("search", result, "hits");
  }

  /** The lines of a hit, or of a place of your own, as they are in the file now. */
  async read(place: Place, options: CallOptions = {}): Promise<string> {
    const { contents } = await this.#client
      .readResource({ uri: address(place) }, said(options))
      .catch((cause: unknown) => Promise.reject(this.#failure(cause, "read", options.signal)));
    return contents.map((part) => ("text" in part ? part.text : "")).join("");
  }

  /** The vector of one text, by the local model. */
  async embed({ text, options = {} }: EmbeddingRequest, call: CallOptions = {}): Promise<Embedding> {
    const [embedding] = await this.embedAll([text], options, call);
    if (embedding === undefined) throw strange("embed");
    return embedding;
  }

  /** The vectors of up to 1,000 texts, in their order. */
  async embedAll(texts: readonly string[], options: EmbeddingOptions = {}, call: CallOptions = {}): Promise<Embedding[]> {
    const timeout = (options.timeout ?? EMBED_S) * 1_000 + AFTER_MS;
    const result = await this.#call("embed", { texts, ...options }, { ...said(call), timeout });
    const { vectors, dimension, model } = parsed<Vectors>("embed", result, "vectors");
    return vectors.map((vector) => ({ vector, dimension, model }));
  }

  /** Start or refresh the index; what the server says of it. Cancelling a wait stops the work, what is done is kept. */
  async index({ signal, onProgress, ...request }: IndexRequest = {}): Promise<string> {
    const waiting: RequestOptions = {
      timeout: QUIET_MS,
      resetTimeoutOnProgress: true,
      onprogress: ({ progress, total = 100, message = "" }) => onProgress?.({ done: progress, total, message }),
    };
    return text(await this.#call("index", request, { ...said({ signal }), ...(request.wait ? waiting : {}) }));
  }

  /** What is indexed, how complete and fresh it is, which model runs, memory in use. */
  async status(options: CallOptions = {}): Promise<Status> {
    return parsed<Status>("status", await this.#call("status", { format: "json" }, said(options)), "roots");
  }

  /** End the server and wait for its end. Calls under way are rejected; a second time it does nothing. */
  async close(): Promise<void> {
    this.#gone = true;
    await this.#client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #open(signal: AbortSignal | undefined): Promise<void> {
    const leave = (): void => void this.#transport.close();
    signal?.addEventListener("abort", leave, { once: true });
    try {
      signal?.throwIfAborted();
      await this.#client.connect(this.#transport, { ...said({ signal }), timeout: CONNECT_MS });
      signal?.throwIfAborted(); // a server's answer may have crossed the abort
    } catch (cause) {
      await this.#transport.close();
      if (signal?.aborted) throw this.#failure(cause, "connect", signal);
      const why = logged(this.#log) || ` ${cause instanceof Error ? cause.message : String(cause)}`;
      throw new CodeloupeError("not_started", `The server could not be started.${why}`, { cause });
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  async #call(tool: string, request: Record<string, unknown>, options: RequestOptions): Promise<CallToolResult> {
    const result = await this.#client
      .callTool({ name: tool, arguments: said(request) }, options)
      .catch((cause: unknown) => Promise.reject(this.#failure(cause, tool, options.signal)));
    if (result.isError) throw new CodeloupeError("refused", text(result));
    return result;
  }

  #failure(cause: unknown, doing: string, signal: AbortSignal | undefined): CodeloupeError {
    return failure(cause, { doing, signal, gone: this.#gone, log: this.#log });
  }
}

/** `embed`'s answer on the wire. */
interface Vectors {
  vectors: readonly (readonly number[])[];
  dimension: number;
  model: string;
}

/** The same without what is undefined: what was not said is not sent. */
function said<T extends object>(given: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as ReturnType<typeof said<T>>;
}

/** This process's environment: the SDK would pass on six variables, and the server would look elsewhere than the user's shell does. */
function inherited(): Record<string, string> {
  return said(process.env) as Record<string, string>;
}

function text(result: CallToolResult): string {
  return result.content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
}

/** `code:///src/app.py?start=12&end=40` */
function address({ root, file_path, start_line, end_line }: Place): string {
  const path = [...(root ? [root] : []), ...file_path.split("/")].map(encodeURIComponent).join("/");
  const lines = Object.entries(said({ start: start_line, end: end_line })).map(([name, line]) => `${name}=${line}`);
  return `code:///${path}${lines.length > 0 ? "?" : ""}${lines.join("&")}`;
}

function parsed<T extends object>(tool: string, result: CallToolResult, key: keyof T): T {
  const content = result.structuredContent;
  if (typeof content !== "object" || content === null || !(key in content)) throw strange(tool);
  return content as T;
}

function strange(tool: string): CodeloupeError {
  return new CodeloupeError("protocol", `${tool} answered in a shape that this client does not know; is that a codeloupe?`);
}
