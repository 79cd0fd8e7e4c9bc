import { dirname, join } from "node:path";

/** Lists the modules that a file imports by a relative path, named from the checkout. */
export function listImports(file: string, text: string): readonly string[] {
  return [...text.matchAll(/from "(\.[^"]+)"/g)].map(([, path = ""]) => join(dirname(file), path));
}
