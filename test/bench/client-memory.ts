import { readFileSync, readlinkSync } from "node:fs";
import { call, opening, word } from "../rpc/remote-client.ts";

/** Packets of a client that opens a connection and lists all domains. */
const LIST = opening() + call(273, word(1) + word(0));
/** Their last reply, whose serial is its procedure's number: the sixth word of its header. */
const REPLY = word(273);
const SERIAL_AT = 40;

/** Memory of all connections together, in KiB. */
export interface ConnectionMemory {
  readonly connections: number;
  readonly pssKiB: number;
}

/**
 * Measures what connections that have listed all domains hold: PSS without pages of the executable's file, of
 * which only those count that the process has changed. With a daemon, its own is added.
 */
export async function measureConnections(
  words: readonly string[],
  counts: readonly number[],
  daemonPid?: number,
): Promise<readonly ConnectionMemory[]> {
  const found: ConnectionMemory[] = [];
  for (const connections of counts) {
    const children = await Promise.all(Array.from({ length: connections }, () => connect(words)));
    const pids = [...children.map(({ pid }) => pid), ...(daemonPid === undefined ? [] : [daemonPid])];
    found.push({ connections, pssKiB: pids.reduce((sum, pid) => sum + pssBeyondFile(pid), 0) });
    for (const child of children) child.kill();
    await Promise.all(children.map(({ exited }) => exited));
  }
  return found;
}

async function connect(words: readonly string[]): Promise<Bun.Subprocess<"pipe", "pipe", "inherit">> {
  const child = Bun.spawn([...words], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  child.stdin.write(Buffer.from(LIST, "hex"));
  await child.stdin.flush();
  const reader = child.stdout.getReader();
  let received = "";
  while (!hasReply(received)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`Cannot measure: ${words.join(" ")} has ended`);
    received += value.toHex();
  }
  reader.releaseLock();
  return child;
}

function hasReply(received: string): boolean {
  for (let rest = received; rest.length >= SERIAL_AT + 8; ) {
    if (rest.slice(SERIAL_AT, SERIAL_AT + 8) === REPLY) return true;
    rest = rest.slice(2 * Number.parseInt(rest.slice(0, 8), 16));
  }
  return false;
}

/**
 * Returns the PSS of a process in KiB, with the private changed pages of its executable's file instead of
 * that file's share.
 */
export function pssBeyondFile(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps`, "utf8");
  const program = readlinkSync(`/proc/${pid}/exe`);
  let sum = 0;
  for (const mapping of text.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const isProgram = mapping.split("\n", 1)[0]?.endsWith(` ${program}`) === true;
    sum += isProgram ? fieldOf(mapping, "Private_Dirty") : fieldOf(mapping, "Pss");
  }
  return sum;
}

function fieldOf(mapping: string, field: string): number {
  return Number(new RegExp(`^${field}: +(\\d+) kB$`, "m").exec(mapping)?.[1] ?? 0);
}
