/** Writes all generated documents and the completion: `bun scripts/write-docs.ts`. */
import { fileURLToPath } from "node:url";
import { generateDocs } from "./docs/generate.ts";

for (const [path, text] of await generateDocs()) {
  await Bun.write(fileURLToPath(new URL(`../${path}`, import.meta.url)), text);
  process.stderr.write(`${path}\n`);
}
