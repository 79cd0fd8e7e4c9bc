import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { LineLimits } from "../../host.ts";
import { nativeName } from "../calls/native-name.ts";
import { O_PATH } from "../files/file-id.ts";
import { failedCall, orThrow, unlessMissing } from "../files/files.ts";

const STDIN = 0;
const CHUNK_BYTES = 65_536;
/** The caller's own descriptors by name, as a shell's <(...) gives them. proc_pid_fd(5) */
const DESCRIPTOR = /^(?:\/dev|\/proc\/self)\/fd\/(\d{1,4})$/;

/** An input that is open. */
interface Input {
  readonly fd: number;
  /** As an error calls it. */
  readonly shown: string;
  readonly isOurs: boolean;
}

/** The calls that read what an operator gives. */
export const inputCalls = { readInput, readLines };

/**
 * Host.readInput: one byte more than may be is enough to see that there is too much. /dev/stdin is not opened anew, as
 * the kernel would have it: a socket cannot be, and a policy may allow to read what a caller has opened and no more.
 */
function readInput(path: string, mostBytes: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (const chunk of readChunks(openInput(path), mostBytes + 1)) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

/** Host.readLines: a file that is larger than allowed is not read in vain. */
function* readLines(path: string, limits: LineLimits): Generator<string> {
  const input = openInput(path);
  // Of standard input a part may have been read.
  if (limits.isEnd !== true && input.isOurs && fstatSync(input.fd).size > limits.mostBytes) {
    closeSync(input.fd);
    return limits.onMore?.();
  }
  yield* linesOf(input, limits);
}

function* linesOf(input: Input, limits: LineLimits): Generator<string> {
  const { isEnd, longest, mostBytes, onMore, shortest } = limits;
  const isLine = (line: string): boolean => line.length >= shortest && line.length <= longest;
  // Bytes as letters: a line is decoded once it is whole, and most lines are of no interest.
  let begun = "";
  let total = 0;
  for (const chunk of readChunks(input, isEnd ? mostBytes : mostBytes + 1, isEnd ? mostBytes : undefined)) {
    total += chunk.length;
    if (total > mostBytes) return onMore?.();
    const lines = (begun + chunk.toString("latin1")).split("\n");
    // Of a line that is too long already the rest is of no interest.
    begun = (lines.pop() ?? "").slice(0, longest + 1);
    yield* lines.filter(isLine).map(decodeLine);
  }
  yield* [begun].filter(isLine).map(decodeLine);
}

function decodeLine(letters: string): string {
  return Buffer.from(letters, "latin1").toString();
}

/** At most so many bytes, from that many before the end where it is said; each chunk lasts until the next is asked for. */
function* readChunks(input: Input, mostBytes: number, fromEnd?: number): Generator<Buffer> {
  try {
    const start = fromEnd === undefined ? null : Math.max(0, fstatSync(input.fd).size - fromEnd);
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let total = 0; total < mostBytes; ) {
      const length = Math.min(CHUNK_BYTES, mostBytes - total);
      const position = start === null ? null : start + total;
      const count = orThrow(`read ${input.shown}`, () => readSync(input.fd, chunk, 0, length, position));
      if (count === 0) return;
      yield chunk.subarray(0, count);
      total += count;
    }
  } finally {
    if (input.isOurs) closeSync(input.fd);
  }
}

/** Throws "not-found"; "unsupported" for what is no regular file: to open or read it may wait for ever, or do something. */
function openInput(path: string): Input {
  const number = path === "-" || path === "/dev/stdin" ? STDIN : DESCRIPTOR.exec(path)?.[1];
  if (number !== undefined) return openDescriptor(path, Number(number));
  // Looked at first: to open a device may do something already, as a watchdog begins to count.
  const seen = unlessMissing(`read ${path}`, () => openSync(nativeName(path), O_PATH));
  if (seen === undefined) {
    throw new SvirtError(`Cannot read ${path}: No such file or directory`, {
      kind: "not-found",
      remedy: "Correct the path, or write - and give it on standard input.",
    });
  }
  try {
    const stat = fstatSync(seen);
    if (!stat.isFile()) throw notAFile(path, stat);
    const flags = constants.O_RDONLY | constants.O_NONBLOCK;
    return {
      fd: orThrow(`read ${path}`, () => openSync(`/proc/self/fd/${seen}`, flags)),
      shown: path,
      isOurs: true,
    };
  } finally {
    closeSync(seen);
  }
}

/** Standard input may be anything; of other descriptors only a pipe or a file is the caller's. */
function openDescriptor(path: string, fd: number): Input {
  if (fd === STDIN) return { fd, shown: "standard input", isOurs: false };
  let stat: Stats;
  try {
    stat = fstatSync(fd);
  } catch (error) {
    throw failedCall(`read ${path}`, error);
  }
  if (stat.isFIFO() || stat.isFile()) return { fd, shown: path, isOurs: false };
  throw notAFile(path, stat);
}

function notAFile(path: string, stat: Stats): SvirtError {
  return new SvirtError(`Cannot read ${path}: it is a ${kindOf(stat)}, not a regular file`, {
    kind: "usage",
    remedy: stat.isDirectory() ? "Name a file, not a folder." : `Give it on standard input: - <${path}`,
  });
}

function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return "folder";
  if (stat.isFIFO()) return "pipe";
  if (stat.isSocket()) return "socket";
  return "device";
}
