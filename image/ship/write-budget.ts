// Usage: bun image/ship/write-budget.ts lean|full OUT ROOT
//
// Measures each part of the image, raw and packed, and writes the table into image/README.md between its
// marks. Fails if the image is over its budget. Each part is packed alone, with the image's options. A
// separate row has the difference to packing all parts together, so that the rows sum up to the total.

import { lstatSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BUDGETS } from "./budgets.ts";
import { putBetweenMarks } from "./marks.ts";

/** Parts of the root, by their folders and files; all other files are the rest. */
const PARTS: readonly { readonly name: string; readonly paths: readonly string[] }[] = [
  { name: "svirt", paths: ["usr/libexec/svirt-node/svirt.xz"] },
  { name: "QEMU", paths: ["usr/bin/qemu-system-x86_64"] },
  { name: "kernel modules", paths: ["usr/lib/modules"] },
  { name: "libraries", paths: ["usr/lib/x86_64-linux-gnu"] },
  { name: "SELinux policy and contexts", paths: ["etc/selinux"] },
  { name: "guests' firmware and key maps", paths: ["usr/share"] },
];

interface Row {
  readonly name: string;
  readonly raw: number;
  readonly packed: number;
}

const [set = "", out = "", root = ""] = process.argv.slice(2);
const budget = BUDGETS.get(set);
if (budget === undefined) throw new Error(`Cannot measure ${set}: no such set`);
const vmlinuz = statSync(`${out}/vmlinuz`).size;
const initrd = statSync(`${out}/initrd`).size;
const cd = statSync(`${out}/svirt-node.iso`).size;
await writeTable(listRows());
refuseOver("vmlinuz and initrd", vmlinuz + initrd, budget.pxe);
refuseOver("the CD", cd, budget.cd);

function listRows(): readonly Row[] {
  const parts = PARTS.map(({ name, paths }) => measure(name, paths));
  const rest = measure("busybox, SSH, clock, attributes, settings", restOf(root, ""));
  const kernel = { name: "vmlinuz", raw: vmlinuz, packed: vmlinuz };
  const apart = [kernel, ...parts, rest].reduce((sum, { packed }) => sum + packed, 0);
  return [
    kernel,
    ...parts,
    rest,
    { name: "stage 0, and packing together", raw: 0, packed: vmlinuz + initrd - apart },
  ];
}

/** Lists the paths outside all parts; a folder that contains a part is split. */
function restOf(base: string, folder: string): string[] {
  return readdirSync(join(base, folder)).flatMap((name) => {
    const path = join(folder, name);
    const named = PARTS.flatMap(({ paths }) => paths);
    if (named.includes(path)) return [];
    return named.some((other) => other.startsWith(`${path}/`)) ? restOf(base, path) : [path];
  });
}

function measure(name: string, paths: readonly string[]): Row {
  const folder = mkdtempSync(join(tmpdir(), "svirt-budget-"));
  try {
    const image = join(folder, "part.squashfs");
    const options = [
      "-comp",
      "xz",
      "-Xbcj",
      "x86",
      "-b",
      "1M",
      "-noappend",
      "-no-progress",
      "-quiet",
      "-nopad",
      "-all-root",
    ];
    const full = paths.map((path) => join(root, path));
    const made = Bun.spawnSync(["mksquashfs", ...full, image, "-keep-as-directory", ...options], {
      stderr: "pipe",
    });
    if (made.exitCode !== 0) throw new Error(`Cannot pack ${name}: ${made.stderr.toString()}`);
    return { name, raw: full.reduce((sum, path) => sum + sizeOf(path), 0), packed: statSync(image).size };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function sizeOf(path: string): number {
  const stat = lstatSync(path);
  if (stat.isDirectory()) return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
  return stat.isFile() ? stat.size : 0;
}

async function writeTable(rows: readonly Row[]): Promise<void> {
  const number = (value: number): string => value.toLocaleString("en-US");
  const lines = [
    "| part | raw | packed |",
    "| --- | --: | --: |",
    ...rows.map(
      ({ name, packed, raw }) => `| ${name} | ${raw === 0 ? "" : number(raw)} | ${number(packed)} |`,
    ),
    `| **vmlinuz and initrd** (budget ${number(budget?.pxe ?? 0)}) | | **${number(vmlinuz + initrd)}** |`,
    `| **the CD** (budget ${number(budget?.cd ?? 0)}) | | **${number(cd)}** |`,
  ];
  await putBetweenMarks(new URL("../README.md", import.meta.url).pathname, `budget ${set}`, lines);
}

function refuseOver(what: string, bytes: number, most: number): void {
  if (bytes <= most) return;
  process.stderr.write(`Over budget: ${what} take ${bytes} bytes, at most ${most} are allowed\n`);
  process.exitCode = 1;
}
