/**
 * What is asked of codeloupe and what it answers. Names are those of the server's tools, so that what one reads in its
 * documentation is what one types; the requests are grouped for the reader of a program.
 */

/** Who keeps a running call from going on: `AbortSignal.timeout(5_000)`, or a controller's. */
export interface CallOptions {
  signal?: AbortSignal;
}

/** A text to embed. */
export interface EmbeddingRequest {
  text: string;
  options?: EmbeddingOptions;
}

export interface EmbeddingOptions {
  /** Take the vector from the user's cache of vectors, and keep it there; true unless said otherwise. */
  cache?: boolean;
  /** Seconds the model may take, more than 0 and at most 600; 30 unless said otherwise. */
  timeout?: number;
  /** Some models embed the two differently; "document" unless said otherwise. */
  kind?: "query" | "document";
}

/** A vector of norm 1: the cosine of two is the sum of their products. */
export interface Embedding {
  vector: readonly number[];
  dimension: number;
  /** The model that made it, by its fingerprint: vectors of two models cannot be compared. */
  model: string;
}

/** What to find: a question, a name, a path or path:line, an error message, a piece of code. */
export interface SearchRequest {
  query: string;
  /** Hits to return, 1 to 100; as many as `max_tokens` has room for, at least ten, unless said otherwise. */
  limit?: number;
  filters?: SearchFilters;
  /** Hits to skip: the `next_offset` of the page before. */
  offset?: number;
  /** Words and meaning together unless said otherwise. "exact" and "regex" find every literal occurrence. */
  mode?: "auto" | "semantic" | "text" | "exact" | "regex";
  /** How much of each hit: telling lines unless said otherwise, whole chunks, or places alone. */
  detail?: "snippets" | "full" | "locations";
  /** Most tokens in the answer, 100 to 12,000; what they do not hold is counted in `omitted`. */
  max_tokens?: number;
  /** "path:line" of code whose like is wanted; `query` may then be empty, or narrows it. */
  like?: string;
  /** Say of each hit which signals made its score. */
  explain?: boolean;
}

/** Applied before the limit. */
export interface SearchFilters {
  /** A glob of paths, or several: "src/**"; a leading "!" excludes. */
  file_path?: string | readonly string[];
  /** Least cosine of hits by meaning, -1 to 1. */
  min_similarity?: number;
  languages?: readonly string[];
  /** "function", "class", "method", ... */
  kinds?: readonly string[];
}

/** A page of hits, best first. */
export interface SearchResult {
  hits: readonly Hit[];
  /** Hits that `max_tokens` did not hold. */
  omitted: number;
  freshness: Freshness;
  /** Where the next page begins; absent where this was the last one. */
  next_offset?: number;
}

/** A place in the code: lines are 1-based and inclusive. */
export interface Hit {
  file_path: string;
  start_line: number;
  end_line: number;
  language: string;
  kind: string;
  /** "Class/method"; "" where nothing is named. */
  name_path: string;
  /** Higher is better; comparable within one answer. */
  score: number;
  found_by: readonly ("text" | "sketch" | "vector" | "exact" | "regex")[];
  content: string;
  /** What made the score, by name; absent where `detail` is "locations" and `explain` was not asked for. */
  signals?: Readonly<Record<string, number>>;
  /** Which root the file is in; absent where there is only one. */
  root?: string;
}

/** Lines to read, 1-based and inclusive; a hit is one. */
export interface Place {
  file_path: string;
  /** The first line of the file unless said otherwise. */
  start_line?: number;
  /** The last line of the file unless said otherwise. */
  end_line?: number;
  root?: string;
}

/** How current and how complete an answer is; shares are 0 to 1. */
export interface Freshness {
  state: "current" | "indexing" | "stale" | "empty";
  text: number;
  sketch: number;
  vectors: number;
  files: number;
  changed_files: number;
  /** What git has checked out; "" without git. */
  branch: string;
  /** What else a reader must know: no model, a time limit, a rebuild. */
  notes: readonly string[];
}

export interface IndexRequest extends CallOptions {
  /** A directory under an allowed root; the first root unless said otherwise. */
  path?: string;
  /** Read every file again. */
  force?: boolean;
  /** Answer when the index is complete, rather than at once. */
  wait?: boolean;
  /** Called with ever larger shares while waiting. */
  onProgress?: (progress: IndexProgress) => void;
}

export interface IndexProgress {
  done: number;
  total: number;
  message: string;
}

/** What is indexed and what runs. The server says more than is named here; these fields stay. */
export interface Status {
  roots: readonly RootStatus[];
  model: ModelStatus;
  /** What runs the model for all servers of the user; null where it does not run. */
  service: ServiceStatus | null;
  memory: { server_bytes: number; children_bytes: number };
}

export interface RootStatus {
  root: string;
  state: Freshness["state"];
  files: number;
  chunks: number;
  coverage: { text: number; vectors: number };
  changed_files: number;
  /** Files that were left out, counted by reason. */
  skipped: Readonly<Record<string, number>>;
  disk_bytes: number;
  branch: string;
  /** What runs now; "" for nothing. */
  running: string;
  last_error: string;
  notes: readonly string[];
}

export interface ModelStatus {
  name: string;
  /** "ready", "loading", "not loaded", "paused", "left alone", "not answering", "off". */
  state: string;
  /** Why it is so, and what to do; "" where there is nothing to say. */
  reason: string;
  dimension: number;
}

export interface ServiceStatus {
  pid: number;
  clients: number;
  children: number;
  waiting: number;
  /** How scarce memory is: "low", "medium", "high", "critical". */
  level: string;
  private_bytes: number;
  shared_bytes: number;
  budget_bytes: number;
}
