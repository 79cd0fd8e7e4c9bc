import { closeSync, ftruncateSync, writeSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import { runBeside } from "../calls/program-turns.ts";
import { ownWords } from "../calls/svirt-command.ts";
import { waitForLock } from "../files/lock.ts";
import { MOUNT_CHILD } from "./child-word.ts";
import type { ChildAnswer, ChildOrder } from "./mount-child.ts";

// Rule: A mount is made by a child process, which has 30 s.

/** Time for a server or a device to answer. */
const LIMIT_MS = 30_000;
const ENVIRONMENT = { LC_ALL: "C", PATH: "/usr/bin:/bin" };

/** Child with its answer. */
export interface Child {
  readonly pid: number;
  /** Ends the child, and everything held by it. */
  end(): Promise<void>;
}

/** Limits of a child. */
interface ChildLimits {
  /** Time for its answer; absent: 30 s. */
  readonly limitMs?: number | undefined;
  /**
   * File with the child's lock until its end: a child out of reach of signals stays the only child. Its
   * process number is in the file.
   */
  readonly lock?: string;
}

/**
 * Starts svirt as the child for an order and returns its answer. Throws "timeout", also if another child has
 * the lock for as long, and "failed" if it ends without an answer.
 */
export async function askChild(
  order: ChildOrder,
  attempt: string,
  { limitMs = LIMIT_MS, lock }: ChildLimits = {},
): Promise<{ readonly answer: ChildAnswer; readonly child: Child }> {
  const begun = performance.now();
  const held = lock === undefined ? [] : [await waitForLock(lock, limitMs)];
  const started = await startHolding(held);
  // A child without an immediate death in the kernel must not keep svirt.
  started.unref();
  started.stdin.write(`${JSON.stringify(order)}\n`);
  started.stdin.flush();
  const line = await within(Math.max(0, limitMs - (performance.now() - begun)), firstLine(started.stdout));
  const end = async (): Promise<void> => {
    started.kill("SIGKILL");
    await within(limitMs, started.exited);
  };
  if (line === undefined) started.kill("SIGKILL");
  if (line === undefined) throw tooSlow(attempt, limitMs);
  if (line === "") throw ended(attempt);
  const answer: ChildAnswer = JSON.parse(line);
  return { answer, child: { pid: started.pid, end } };
}

/**
 * Runs svirt as the child for an order, and returns whether it ends in time once it asks the kernel: on a
 * busy machine its own start may take longer than an answer. Only for calls ended by a fatal signal: it takes
 * no lock.
 */
export async function askChildBriefly(order: ChildOrder, limitMs: number): Promise<boolean> {
  return await runBeside(async () => {
    const started = Bun.spawn([...ownWords(), MOUNT_CHILD], {
      stdin: new TextEncoder().encode(`${JSON.stringify(order)}\n`),
      stdout: "pipe",
      stderr: "ignore",
      env: ENVIRONMENT,
    });
    // As askChild().
    started.unref();
    const asking = await within(LIMIT_MS, firstLine(started.stdout));
    const code = asking === undefined ? undefined : await within(limitMs, started.exited);
    // Only a fatal signal ends a process waiting for a server.
    if (code === undefined) started.kill("SIGKILL");
    return code !== undefined;
  });
}

/**
 * Starts the child, which has the locks of the descriptors from then on, and writes its process number into
 * their files.
 */
async function startHolding(locks: readonly number[]): Promise<Bun.Subprocess<"pipe", "pipe", "ignore">> {
  try {
    for (const fd of locks) ftruncateSync(fd);
    const started = await runBeside(async () =>
      Bun.spawn([...ownWords(), MOUNT_CHILD], {
        stdio: ["pipe", "pipe", "ignore", ...locks],
        env: ENVIRONMENT,
      }),
    );
    for (const fd of locks) writeSync(fd, `${started.pid}\n`, 0);
    return started;
  } finally {
    for (const fd of locks) closeSync(fd);
  }
}

/** Returns the result; undefined at the deadline. */
async function within<Result>(limitMs: number, work: Promise<Result>): Promise<Result | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), limitMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Returns the first line of the output, or all of it if it ends before. */
async function firstLine(output: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of output) {
    text += decoder.decode(bytes, { stream: true });
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end);
  }
  return text;
}

function tooSlow(attempt: string, limitMs: number): SvirtError {
  return new SvirtError(`Cannot ${attempt}: there was no answer within ${limitMs / 1000} seconds`, {
    kind: "timeout",
    remedy: "See whether the server runs and the network leads to it, and try again.",
  });
}

function ended(attempt: string): SvirtError {
  return new SvirtError(`Cannot ${attempt}: the process that svirt started for it ended without an answer`, {
    kind: "failed",
    remedy: "See the kernel's messages: dmesg",
  });
}
