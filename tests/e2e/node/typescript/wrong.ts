// What must not compile. TypeScript fails where a line below one of these marks has nothing wrong with it.
import { Codeloupe, type Embedding, type EmbeddingRequest, type SearchRequest, type SearchResult } from "./codeloupe.ts";

export async function wrong(codeloupe: Codeloupe, result: SearchResult, embedding: Embedding): Promise<void> {
  // @ts-expect-error - nothing is asked
  await codeloupe.search({ limit: 3 });
  // @ts-expect-error - a number is not a query
  await codeloupe.search({ query: 42 });
  // @ts-expect-error - a limit is a number
  await codeloupe.search({ query: "ship", limit: "3" });
  // @ts-expect-error - there is no such mode
  await codeloupe.search({ query: "ship", mode: "fuzzy" });
  // @ts-expect-error - there is no such filter
  await codeloupe.search({ query: "ship", filters: { path: "src/**" } });
  // @ts-expect-error - a similarity is a number
  await codeloupe.search({ query: "ship", filters: { min_similarity: "high" } });
  // @ts-expect-error - what is not said is left out, not undefined
  await codeloupe.search({ query: "ship", limit: undefined });
  // @ts-expect-error - one text
  await codeloupe.embed({ text: ["fog", "horn"] });
  // @ts-expect-error - there is no such option
  await codeloupe.embed({ text: "fog horn", options: { model: "large" } });
  // @ts-expect-error - seconds are a number
  await codeloupe.embed({ text: "fog horn", options: { timeout: "30s" } });
  // @ts-expect-error - a server is made by connect
  new Codeloupe();
  // @ts-expect-error - there may be no first hit
  console.log(result.hits[0].file_path);
  // @ts-expect-error - there may be no next page
  await codeloupe.search({ query: "ship", offset: result.next_offset });
  // @ts-expect-error - an answer is not to be changed
  result.hits.push();
  // @ts-expect-error - nor is a vector
  embedding.vector[0] = 1;
  // @ts-expect-error - no such tier
  result.hits.some((hit) => hit.found_by.includes("magic"));
}

export const right: [EmbeddingRequest, SearchRequest] = [
  { text: "fog horn", options: { cache: true, timeout: 30 } },
  { query: "fog horn", limit: 5, filters: { file_path: "web/**", min_similarity: 0.3 } },
];
