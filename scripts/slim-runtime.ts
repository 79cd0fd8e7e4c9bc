// Usage: bun scripts/slim-runtime.ts RUNTIME OUTPUT
//
// Makes a copy of the hardened runtime (harden-runtime.ts) without parts that svirt never uses:
//
// - texts of languages. ICU's data has the names of currencies, regions, units and time zones in some
//   hundred languages, and dictionaries that split Thai or Chinese into words. svirt prints English only.
// - texts for bun's other functions, each packed by zstd: rules of its linter, polyfills for browsers,
//   pages of its development server, completions of shells.
// - modules in JavaScript that implement the network protocols, databases, prompt, test runner and debugger
//   of Node.js and bun. svirt imports none of them, directly or not: `bun build --bytecode` compiles all that
//   it imports, and fails if one of them is empty.
//
// The removed parts become zeros, which compress to nothing: the file keeps its size and every offset, and an
// image loses some 9 MB. docs/building.md says what changes for a program. The counts below hold for bun
// 1.4.5 only, and are asserted.

import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";

/**
 * Start of an ICU package: DataHeader with magic 0xda27 and format "CmnD". ICU: unicode/udata.h, ucmndata.h
 */
const MAGIC = Buffer.from("da27", "hex");
const FORMAT = "CmnD";
const FORMAT_AT = 12;
/** Contents of bun 1.4.5's ICU 78. */
const ITEMS = 3990;
const EMPTIED = { kind: "items", count: 3924, bytes: 8_977_952 };

/**
 * Magic of a zstd frame. A text of bun's other functions is UTF-8, longer than TEXT_BYTES when unpacked. RFC
 * 8878 3.1.1
 */
const ZSTD_MAGIC = Buffer.from("28b52ffd", "hex");
const TEXT_BYTES = 1000;
const TEXTS = { kind: "texts", count: 40, bytes: 1_021_750 };

/** Start of a module's text, which ends with a NUL, and the modules that become empty. */
const MODULE = '(function (){"use strict";// build/release/tmp_modules/';
const UNUSED = [
  /^bun\/sql.*$/,
  /^internal\/(?:assert|dgram|http|inspector|perf_hooks|quic|sql|test_runner)(?:\/.*)?$/,
  /^internal\/(?:bake|debugger|http1_server_fallback|serve_cli|tls|trace_events)$/,
  /^internal\/repl(?:\/(?:acorn.*|await|completion|mode|utils))?$/,
  /^internal\/streams\/iter\/(?:broadcast|consumers|duplex|push|ringbuffer|share|transform)$/,
  /^internal-for-testing$/,
  /^node\/(?:_?http|_?tls|_stream_wrap|assert|dns|inspector).*$/,
  /^node\/(?:child_process|dgram|net|perf_hooks|punycode|querystring|quic|repl)$/,
  /^node\/(?:stream\.iter|test|trace_events|v8|wasi)$/,
  /^thirdparty\/.*$/,
];
const MODULES = { kind: "modules", count: 85, bytes: 1703282 };

const [input = "", output = ""] = process.argv.slice(2);
const runtime = readFileSync(input);
const items = listItems(runtime);
if (items.length !== ITEMS) throw new Error(`Cannot slim ${input}: its ICU data has ${items.length} items`);
empty(
  items.filter(({ name }) => isOfALanguage(name)),
  EMPTIED,
);
empty(listTexts(runtime), TEXTS);
empty(
  listModules(runtime).filter(({ name }) => UNUSED.some((pattern) => pattern.test(name))),
  MODULES,
);

writeFileSync(`${output}.new`, runtime);
chmodSync(`${output}.new`, 0o755);
renameSync(`${output}.new`, output);

interface Span {
  readonly begin: number;
  readonly end: number;
}

interface Emptied {
  readonly kind: string;
  readonly count: number;
  readonly bytes: number;
}

interface Item extends Span {
  /** Name as in ICU's listing, `coll/de.res`, or of a module. */
  readonly name: string;
}

/** Fills parts of the runtime with zeros. Throws if their number or size is not the expected one. */
function empty(spans: readonly Span[], expected: Emptied): void {
  for (const { begin, end } of spans) runtime.fill(0, begin, end);
  const bytes = spans.reduce((sum, { begin, end }) => sum + end - begin, 0);
  if (spans.length === expected.count && bytes === expected.bytes) return;
  throw new Error(
    `Cannot slim ${input}: ${spans.length} ${expected.kind} of ${bytes} bytes would become empty`,
  );
}

/**
 * Reads the table of contents: a count, then for each item the offsets of its name and data from the table's
 * start.
 */
function listItems(bytes: Buffer): readonly Item[] {
  const header = findHeader(bytes);
  const table = header + bytes.readUInt16LE(header);
  const count = bytes.readUInt32LE(table);
  const offset = (at: number, field: number): number =>
    table + bytes.readUInt32LE(table + 4 + 8 * at + field);
  // The end of the last item is not stored; it is never emptied.
  return Array.from({ length: count }, (_, at) => {
    const named = offset(at, 0);
    const name = bytes.toString("latin1", named, bytes.indexOf(0, named));
    const begin = offset(at, 4);
    return {
      name: name.slice(name.indexOf("/") + 1),
      begin,
      end: at + 1 < count ? offset(at + 1, 4) : begin,
    };
  });
}

function findHeader(bytes: Buffer): number {
  for (let at = bytes.indexOf(FORMAT); at >= 0; at = bytes.indexOf(FORMAT, at + 1)) {
    const header = at - FORMAT_AT;
    if (bytes.subarray(header + 2, header + 4).equals(MAGIC)) return header;
  }
  throw new Error(`Cannot slim ${input}: no ICU data in it`);
}

/**
 * Reports whether an item has a locale's texts (`de.res`, `lang/pt_BR.res`), not English, or its rules for
 * line breaks.
 */
function isOfALanguage(name: string): boolean {
  if (/^brkitr\/(?:.*dict\.dict|.*_(?:cj|fi|el|ja|th)\.brk)$/.test(name)) return true;
  const [, locale] = /^(?:[a-z]+\/)?([A-Za-z0-9_]+)\.res$/.exec(name) ?? [];
  if (locale === undefined || /^(?:root|en|en_US|en_US_POSIX)$/.test(locale)) return false;
  return /^[a-z]{2,3}(?:_[A-Za-z0-9_]+)?$/.test(locale);
}

function listTexts(bytes: Buffer): readonly Span[] {
  const spans: Span[] = [];
  for (let begin = bytes.indexOf(ZSTD_MAGIC); begin >= 0; begin = bytes.indexOf(ZSTD_MAGIC, begin + 1)) {
    const end = endOfFrame(bytes, begin);
    if (end !== undefined && isText(bytes.subarray(begin, end))) spans.push({ begin, end });
  }
  return spans;
}

/** Returns the end of the frame's last block; undefined if the bytes are no frame. RFC 8878 3.1.1 */
function endOfFrame(bytes: Buffer, begin: number): number | undefined {
  const descriptor = bytes.readUInt8(begin + 4);
  const isSingle = (descriptor >> 5) & 1;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const content = [isSingle, 2, 4, 8][descriptor >> 6] ?? 0;
  let at = begin + 5 + (1 - isSingle) + dictionary + content;
  for (let isLast = false; !isLast; ) {
    if (at + 3 > bytes.length) return undefined;
    const block = bytes.readUIntLE(at, 3);
    const type = (block >> 1) & 3;
    if (type === 3) return undefined;
    isLast = (block & 1) === 1;
    at += 3 + (type === 1 ? 1 : block >> 3);
  }
  return at + 4 * ((descriptor >> 2) & 1);
}

/** Lists the modules that the runtime has as JavaScript: `node/http2`. */
function listModules(bytes: Buffer): readonly Item[] {
  const found: Item[] = [];
  for (let begin = bytes.indexOf(MODULE); begin >= 0; begin = bytes.indexOf(MODULE, begin + 1)) {
    const end = bytes.indexOf(0, begin);
    const [line = ""] = bytes.toString("latin1", begin + MODULE.length, end).split(".ts\n", 1);
    found.push({ name: line, begin, end });
  }
  return found;
}

function isText(frame: Uint8Array): boolean {
  try {
    const text = Bun.zstdDecompressSync(frame);
    new TextDecoder("utf-8", { fatal: true }).decode(text);
    return text.length > TEXT_BYTES;
  } catch {
    return false;
  }
}
