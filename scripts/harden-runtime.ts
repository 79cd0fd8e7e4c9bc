// Usage: bun scripts/harden-runtime.ts RUNTIME OUTPUT
//
// Makes a copy of bun's runtime that ignores the environment. An executable of `bun build --compile` still
// obeys BUN_BE_BUN (be a general bun), BUN_OPTIONS (--preload=FILE), BUN_INSPECT (open a debugger) and
// BUN_JSC_* (switch the engine's options). It also obeys some variables that write files; no flag of the
// build disables any of these. docs/building.md lists them. Offsets and counts hold for one runtime only, so
// that runtime's digest is pinned.

import { createHash } from "node:crypto";
import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";

/** bun 1.4.5 for linux-x64, as npm provides it; readelf -S names the section. */
const RUNTIME_SHA256 = "f05d28a3862f4b84395c7fa32480b835dd47482e80b7e7a49a115227f0c06083";
const RODATA = { start: 0x13000, end: 0x15a2b3c };

/**
 * Names that getenv() gets, with their counts in .rodata. The first byte becomes NUL, which no variable name
 * has.
 */
const NAMES: ReadonlyMap<string, number> = new Map([
  // All names of bun. BUN_FFI_ is text of a C header, BUN_ENV a key of define.
  ["BUN_(?!FFI_|ENV)", 188],
  // Accepts messages from an inherited descriptor.
  ["NODE_CHANNEL_FD(?!=)", 2],
  // Disables the check of TLS certificates, for etcd.
  ["NODE_TLS_REJECT_UNAUTHORIZED", 2],
  // Writes compiled code to a folder and reads it back.
  ["NODE_COMPILE_CACHE(?!_)", 1],
  // Disables the JIT, and bun:ffi with it.
  ["JavaScriptCoreUseJIT", 1],
]);

/**
 * Two places of the allocator that read an option, `MIMALLOC_` and its name, and the option's former name:
 * `lea name; lea result; call getenv; test %eax,%eax`. The name is assembled on the stack, so no impossible
 * name can replace it. Instead the call, at that offset, becomes `xor %eax,%eax`, which is "not set".
 * mimalloc src/options.c mi_option_init()
 */
const ALLOCATOR_CALLS: readonly (readonly [code: Buffer, callAt: number])[] = [
  [Buffer.from("4c8d7590488db540ffffff4c89f7e85d3c52fb31c931d285c0", "hex"), 14],
  [Buffer.from("488d7d90488db540ffffffe8903b52fb31c985c0", "hex"), 11],
];
const NOT_SET = Buffer.from("31c0909090", "hex");

/**
 * Loop over the environment that searches for BUN_JSC_, byte by byte: `cmpb $'N',2(%r14); jne next`, then '_'
 * and 'J'. The first jne, at offset 5, becomes jmp.
 */
const JSC_LOOP = Buffer.from("41807e024e75d741807e035f75d041807e044a75", "hex");
const JMP = 0xeb;

const [input = "", output = ""] = process.argv.slice(2);
const runtime = readFileSync(input);
const digest = createHash("sha256").update(runtime).digest("hex");
if (digest !== RUNTIME_SHA256) throw new Error(`Cannot harden ${input}: sha256 is ${digest}`);

const rodata = runtime.subarray(RODATA.start, RODATA.end);
for (const [name, count] of NAMES) {
  for (const at of offsetsOf(new RegExp(name, "g"), rodata, count)) rodata[at] = 0;
}
runtime[onlyOffsetOf(JSC_LOOP) + 5] = JMP;
for (const [code, callAt] of ALLOCATOR_CALLS) runtime.set(NOT_SET, onlyOffsetOf(code) + callAt);

writeFileSync(`${output}.new`, runtime);
chmodSync(`${output}.new`, 0o755);
renameSync(`${output}.new`, output);

function onlyOffsetOf(code: Buffer): number {
  const at = runtime.indexOf(code);
  if (at >= 0 && at === runtime.lastIndexOf(code)) return at;
  throw new Error(`Cannot harden ${input}: ${code.toString("hex")} does not stand there once`);
}

function offsetsOf(pattern: RegExp, bytes: Buffer, count: number): number[] {
  const offsets = [...bytes.toString("latin1").matchAll(pattern)].map((match) => match.index);
  if (offsets.length !== count) {
    throw new Error(
      `Cannot harden ${input}: ${pattern.source} stands there ${offsets.length} times, not ${count}`,
    );
  }
  return offsets;
}
