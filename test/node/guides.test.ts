import { beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { firstMissing, PROMPT, typedIn } from "../readme/shown.ts";
import { openTerminal } from "../readme/terminal.ts";
import { listFiles } from "./guides/page.ts";

// Types each command of docs/guides at the node, in the order in which a new operator reads them, and
// compares its output with the page. The guide to install has a machine of its own.

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const GUIDES = ["first-guest", "storage", "networks", "operate", "recover", "troubleshoot", "take-over"];
const pages = new Map<string, string>(
  await Promise.all(
    GUIDES.map(
      async (name): Promise<[string, string]> => [
        name,
        await Bun.file(`${ROOT}docs/guides/${name}.md`).text(),
      ],
    ),
  ),
);

beforeAll(async () => {
  const folder = await mkdtemp("/tmp/svirt-guides-");
  const files = [...pages.values()].flatMap(listFiles);
  // The guest "web" ran in libvirt before.
  const first = files.find(({ name }) => name === "first.xml")?.text ?? "";
  const web = { name: "web.xml", text: first.replace(">first<", ">web<").replace("f1257000", "3eb00000") };
  const paths = await Promise.all(
    [...files, web].map(async ({ name, text }) => {
      await Bun.write(`${folder}/${name}`, text);
      return `${folder}/${name}`;
    }),
  );
  const { exitCode, stderr } = Bun.spawnSync([`${ROOT}scripts/node`, "put", ...paths, "/root"]);
  await rm(folder, { recursive: true });
  expect([exitCode, stderr.toString()]).toEqual([0, ""]);
}, 120_000);

test.each(GUIDES)(
  "each command of docs/guides/%s.md prints what the page shows",
  async (name) => {
    const typed = typedIn(pages.get(name) ?? "");
    expect(typed.length).toBeGreaterThan(5);
    const terminal = await openTerminal(`cd ${ROOT} && scripts/node ssh`, PROMPT);
    const faults: string[] = [];
    for (const { command, lines } of typed) {
      const out = await terminal.type(command);
      const missing = firstMissing(lines, out, true);
      if (missing !== undefined)
        faults.push(`${PROMPT}${command}\nprints:\n${out}\nthe page shows: ${missing}`);
    }
    await terminal.end();
    expect(faults.join("\n")).toBe("");
  },
  600_000,
);
