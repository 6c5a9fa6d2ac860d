/** A session: `node dist/example.js [DIRECTORY] [QUESTION]`. Progress goes to stderr, the rest to stdout. */

import { Codeloupe, CodeloupeError, type Embedding, type Hit, type SearchResult } from "./codeloupe.ts";

const [directory = ".", ...words] = process.argv.slice(2);
const question = words.join(" ") || "where is an error turned into a message";

const codeloupe = await Codeloupe.connect({ root: directory });
try {
  const { server, protocol } = codeloupe.version;
  console.log(`codeloupe ${server}, MCP ${protocol}\n`);

  const indexed = await codeloupe.index({
    wait: true,
    onProgress: ({ done, total, message }) => console.error(`${Math.round((100 * done) / total)} % ${message}`),
  });
  console.log(`${indexed}\n`);

  const found = await codeloupe.search({ query: question, limit: 3 });
  console.log(`? ${question}`);
  found.hits.forEach((hit) => console.log(shown(hit)));
  console.log(fresh(found));

  const best = found.hits[0];
  if (best !== undefined) {
    const narrow = await codeloupe.search({
      query: question,
      limit: 5,
      detail: "locations",
      filters: { file_path: `**/*.${best.file_path.split(".").at(-1)}`, min_similarity: 0.2 },
    });
    console.log(`\nIn ${best.language} alone: ${narrow.hits.map(place).join(", ")}`);
    const alike = await codeloupe.search({ query: "", like: `${best.file_path}:${best.start_line}`, limit: 2 });
    console.log(`Like the first: ${alike.hits.map(place).join(", ")}`);
  }

  const texts = [question, best?.content ?? question, "a recipe for pancakes"];
  const options = { cache: true, timeout: 60 };
  const [asked, answer, other] = await Promise.all(texts.map((text) => codeloupe.embed({ text, options })));
  if (asked && answer && other)
    console.log(`Of the question, cosine with the first: ${cosine(asked, answer)}, with a recipe: ${cosine(asked, other)}\n`);

  await codeloupe.search({ query: question, limit: 101 }).catch(report);
  const impatient = new AbortController();
  const search = codeloupe.search({ query: question }, { signal: impatient.signal });
  impatient.abort();
  await search.catch(report);

  const { roots, model } = await codeloupe.status();
  console.log(`\n${roots[0]?.files} files, ${roots[0]?.chunks} chunks; model ${model.name} (${model.state})`);
} finally {
  await codeloupe.close();
}

function place({ file_path, start_line, end_line }: Hit): string {
  return `${file_path}:${start_line}-${end_line}`;
}

function shown(hit: Hit): string {
  const first = hit.content.split("\n").find((line) => line.trim()) ?? "";
  return `  ${place(hit)} ${hit.name_path} (${hit.found_by.join(", ")})\n      ${first.trim()}`;
}

function fresh({ freshness: { state, text, vectors }, next_offset }: SearchResult): string {
  const percent = (share: number): string => `${Math.floor(100 * share)} %`;
  const more = next_offset === undefined ? "" : `; more from offset ${next_offset}`;
  return `  [${state}: text ${percent(text)}, vectors ${percent(vectors)}${more}]`;
}

/** Of two vectors of norm 1. */
function cosine(one: Embedding, other: Embedding): string {
  return one.vector.reduce((sum, value, axis) => sum + value * (other.vector[axis] ?? 0), 0).toFixed(2);
}

function report(error: unknown): void {
  if (!(error instanceof CodeloupeError)) throw error;
  console.log(`${error.kind}: ${error.message}`);
}
