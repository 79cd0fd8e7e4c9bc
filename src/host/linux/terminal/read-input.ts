import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { LineLimits } from "../../files.ts";
import { nativeName } from "../calls/native-name.ts";
import { O_PATH } from "../files/file-id.ts";
import { failedCall, orThrow, unlessMissing } from "../files/files.ts";

const STDIN = 0;
const CHUNK_BYTES = 65_536;
/** The caller's descriptors by name, such as a shell's <(...). proc_pid_fd(5) */
const DESCRIPTOR = /^(?:\/dev|\/proc\/self)\/fd\/(\d{1,4})$/;

/** An open input. */
export interface Input {
  readonly fd: number;
  /** Name of the input in an error. */
  readonly shown: string;
  readonly isOurs: boolean;
}

/** Methods of Host for an operator's input. */
export const inputCalls = { readInput, readLines };

/**
 * Implements Host.readInput. A byte more than the limit shows too long an input. It does not open /dev/stdin
 * again: a socket cannot be opened, and a policy may allow only reading the caller's descriptor.
 */
function readInput(path: string, mostBytes: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (const chunk of readChunks(openInput(path), mostBytes + 1)) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

/** Implements Host.readLines. Reads nothing of too large a file. */
function* readLines(path: string, limits: LineLimits): Generator<string> {
  const input = openInput(path);
  // A part of standard input may have been read, so its size decides nothing.
  if (limits.isEnd !== true && input.isOurs && fstatSync(input.fd).size > limits.mostBytes) {
    closeSync(input.fd);
    return limits.onMore?.();
  }
  yield* linesOf(input, limits);
}

function* linesOf(input: Input, limits: LineLimits): Generator<string> {
  const { isEnd, longest, mostBytes, onMore, shortest } = limits;
  const isLine = (line: string): boolean => line.length >= shortest && line.length <= longest;
  // Bytes as characters: a line is decoded once it is complete, and most lines are skipped.
  let begun = "";
  let total = 0;
  for (const chunk of readChunks(input, isEnd ? mostBytes : mostBytes + 1, isEnd ? mostBytes : undefined)) {
    total += chunk.length;
    if (total > mostBytes) return onMore?.();
    const lines = (begun + chunk.toString("latin1")).split("\n");
    // The rest of too long a line is dropped.
    begun = (lines.pop() ?? "").slice(0, longest + 1);
    yield* lines.filter(isLine).map(decodeLine);
  }
  yield* [begun].filter(isLine).map(decodeLine);
}

function decodeLine(letters: string): string {
  return Buffer.from(letters, "latin1").toString();
}

/**
 * Yields at most `mostBytes`, from `fromEnd` bytes before the end if given. Each chunk is valid until the
 * next request.
 */
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

/**
 * Opens the input. Throws "not-found"; "no-access" if the kernel denies it; "usage" for a file that is not
 * regular, since opening or reading it may wait forever, or have an effect.
 */
export function openInput(path: string): Input {
  const number = path === "-" || path === "/dev/stdin" ? STDIN : DESCRIPTOR.exec(path)?.[1];
  if (number !== undefined) return openDescriptor(path, Number(number));
  // Inspected first: opening a device may have an effect, such as a watchdog that starts counting.
  const seen = unlessMissing(`read ${path}`, () => openSync(nativeName(path), O_PATH));
  if (seen === undefined) {
    throw new SvirtError(`Cannot read ${path}: No such file or directory`, {
      kind: "not-found",
      remedy: "Correct the path, or write - and pass the file on standard input.",
    });
  }
  try {
    // SELinux may allow svirt no look at a file whose name it may open.
    const stat = orThrow(`read ${path}`, () => fstatSync(seen));
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

/** Standard input may be anything; other descriptors must be a pipe or a file to be the caller's. */
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
    remedy: stat.isDirectory() ? "Name a file, not a folder." : `Pass it on standard input: - <${path}`,
  });
}

function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return "folder";
  if (stat.isFIFO()) return "pipe";
  if (stat.isSocket()) return "socket";
  return "device";
}
