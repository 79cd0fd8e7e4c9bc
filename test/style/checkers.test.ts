import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

// A green check that checks nothing has happened (docs/decisions/code.md). Here every checker must report a
// deliberate fault, under the project's own configuration.

const ROOT = new URL("../../", import.meta.url).pathname;
let trial = "";

beforeAll(() => {
  trial = mkdtempSync(join(tmpdir(), "svirt-checkers-"));
  for (const file of ["package.json", "tsconfig.json", "biome.json", "knip.json"])
    cpSync(join(ROOT, file), join(trial, file));
  symlinkSync(join(ROOT, "node_modules"), join(trial, "node_modules"));
});
afterAll(() => rmSync(trial, { recursive: true }));

test.each([
  ["noNodejsModules", "src/xml/a.ts", 'import { join } from "node:path";\nexport const a = join;\n'],
  ["noNodejsModules", "src/run/a.ts", 'import { join } from "node:path";\nexport const a = join;\n'],
  ["noProcessGlobal", "src/vm/a.ts", "export const a = process.pid;\n"],
  ["noBunModules", "src/plan/a.ts", 'import { file } from "bun";\nexport const a = file;\n'],
  ["noRestrictedGlobals", "src/label/a.ts", "export const a = new Date();\n"],
  ["noDefaultExport", "src/vm/a.ts", "export default 1;\n"],
  ["noNonNullAssertion", "src/vm/a.ts", "export function a(b: unknown): void {\n  b!;\n}\n"],
  ["noFloatingPromises", "src/vm/a.ts", "export function a(b: () => Promise<void>): void {\n  b();\n}\n"],
  ["noExcessiveLinesPerFile", "src/vm/a.ts", `export const a = [\n${"  1,\n".repeat(300)}];\n`],
  ["noConsole", "src/vm/a.ts", "export const a = (): void => console.log(1);\n"],
  ["format", "src/vm/a.ts", "export const a  =  1;\n"],
])("biome finds: %s", async (rule, file, text) => {
  const { code, output } = await check(file, text, ["biome", "check", ".", "--max-diagnostics=none"]);
  expect(output).toContain(rule);
  expect(code).toBe(1);
});

test("tsc finds a wrong type", async () => {
  const { code, output } = await check("src/main.ts", "export const a: string = 1;\n", ["tsc"]);
  expect(output).toContain("TS2322");
  expect(code).not.toBe(0);
});

test("knip finds an export that nobody uses", async () => {
  writeFileSync(join(trial, "src/main.ts"), 'import { used } from "./used.ts";\nused();\n');
  const text = "export function used(): void {}\nexport function forgotten(): void {}\n";
  const { code, output } = await check("src/used.ts", text, ["knip"]);
  expect(output).toContain("forgotten");
  expect(code).toBe(1);
});

test.if(Bun.which("shellcheck") !== null)("shellcheck finds an unquoted variable", async () => {
  const script = "#!/usr/bin/env bash\nrm -- $1\n";
  const { code, output } = await check("scripts/a", script, ["shellcheck", "scripts/a"]);
  expect(output).toContain("SC2086");
  expect(code).toBe(1);
});

async function check(
  file: string,
  text: string,
  command: string[],
): Promise<{ code: number; output: string }> {
  mkdirSync(dirname(join(trial, file)), { recursive: true });
  writeFileSync(join(trial, file), text);
  const argv = command[0] === "shellcheck" ? command : [process.execPath, "--bun", "x", ...command];
  const child = Bun.spawn(argv, { cwd: trial, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  rmSync(join(trial, file));
  return { code, output: out + err };
}
