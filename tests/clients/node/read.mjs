// What VS Code's own parser says of texts: their values and its errors. Standard input and output are JSON lists.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const { parse } = createRequire(join(process.env.HARNESS_MODULES, "package.json"))("jsonc-parser");

const read = (text) => {
  const errors = [];
  const value = parse(text, errors, { allowTrailingComma: true, disallowComments: false });
  return { value, errors };
};

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(read)));
