import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Coverage } from "./coverage.ts";
import { listFiles } from "./sandbox.ts";

/**
 * Returns the last measurement if no file of the checkout has changed since; otherwise measures and keeps it.
 */
export async function keepCoverage(folder: string, measure: () => Promise<Coverage>): Promise<Coverage> {
  const [file, key] = [join(folder, "coverage.json"), digestFiles()];
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Kept) : undefined;
  if (kept?.key === key) return { places: new Map(kept.places), broken: kept.broken };
  const { broken, places } = await measure();
  writeFileSync(file, JSON.stringify({ key, places: [...places], broken } satisfies Kept));
  return { places, broken };
}

interface Kept {
  readonly key: string;
  readonly places: readonly (readonly [string, ReturnType<Coverage["places"]["get"]> & object])[];
  readonly broken: Coverage["broken"];
}

function digestFiles(): string {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const file of listFiles().filter((path) => existsSync(path)))
    hasher.update(`${file}\0`).update(readFileSync(file));
  return hasher.digest("hex");
}
