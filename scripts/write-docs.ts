/** Writes what is made from the commands' own specifications: `bun scripts/write-docs.ts`. */
import { fileURLToPath } from "node:url";
import { generateDocs } from "./docs/generate.ts";

for (const [path, text] of await generateDocs()) {
  await Bun.write(fileURLToPath(new URL(`../${path}`, import.meta.url)), text);
  process.stderr.write(`${path}\n`);
}
