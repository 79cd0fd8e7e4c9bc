import { readFileSync, readSync, statfsSync, writeSync } from "node:fs";
import { asSvirtError, type ErrorKind } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { MountAttempt, MountOrder } from "../../../storage/pool/mount/mount-order.ts";
import type { ControlWrite } from "../../processes.ts";
import { libc } from "../calls/libc.ts";
import { withFile } from "../files/file-id.ts";
import { writeControl } from "../files/write-control.ts";
import {
  type CallFailure,
  configure,
  create,
  type Opened,
  openContext,
  openMountOf,
  unmountAt,
} from "./mount-calls.ts";

/** Work of the child. */
export type ChildOrder =
  | { readonly work: "mount"; readonly order: MountOrder }
  | { readonly work: "unmount"; readonly above: FileId; readonly path: string }
  | { readonly work: "look"; readonly path: string }
  | { readonly work: "read"; readonly path: string }
  | { readonly work: "write"; readonly writes: readonly ControlWrite[] };

/** Error of a write refused by the kernel. */
interface RefusedWrite {
  readonly message: string;
  readonly kind: ErrorKind;
  readonly remedy: string;
}

/** Result of the child: a descriptor of it, or the failure. */
export type ChildAnswer =
  | { readonly fd?: number }
  | { readonly errno: number; readonly why: string }
  | { readonly refused: RefusedWrite };

/** Address of IPv4 or IPv6, never a name of a host. */
const ADDRESS = /^[0-9.]+$|:/;
const STDIN = 0;
const STDOUT = 1;
/** asm-generic/errno.h */
const EPROTONOSUPPORT = 93;
const EHOSTUNREACH = 113;
/** Answers leading to another version, as in mount.nfs. nfs_autonegotiate() of nfs-utils */
const OTHER_VERSION: ReadonlySet<number> = new Set([2, EPROTONOSUPPORT, 95, 111]);

/**
 * Does an order of another svirt, which kills this process if a server does not answer. Reads the order as a
 * line from standard input and writes the answer as a line. Holds the mount until standard input ends.
 */
export async function runMountChild(): Promise<void> {
  const line = readLine();
  if (line === "") return;
  const order: ChildOrder = JSON.parse(line);
  if (order.work === "look") {
    // The caller's limit begins.
    writeSync(STDOUT, "\n");
    // Asks the server of a path for its space, which no kernel keeps. The end is the answer.
    return tryTo(() => statfsSync(order.path));
  }
  const answer = await carryOut(order);
  writeSync(STDOUT, `${JSON.stringify(answer)}\n`);
  const rest = new Uint8Array(1);
  while (readSync(STDIN, rest) > 0);
}

/** Asks the kernel. Any answer counts. */
function tryTo(ask: () => unknown): void {
  try {
    ask();
  } catch {
    // The caller looks itself.
  }
}

async function carryOut(order: Exclude<ChildOrder, { readonly work: "look" }>): Promise<ChildAnswer> {
  switch (order.work) {
    case "mount":
      return await mount(order.order);
    case "unmount":
      return unmount(order.above, order.path);
    case "write":
      return write(order.writes);
    case "read":
      return read(order.path);
  }
}

function read(path: string): ChildAnswer {
  tryTo(() => readFileSync(path));
  return {};
}

function write(writes: readonly ControlWrite[]): ChildAnswer {
  try {
    for (const { path, value } of writes) writeControl(path, value);
    return {};
  } catch (error) {
    const { kind, message, remedy } = asSvirtError(error);
    return { refused: { message, kind, remedy } };
  }
}

function readLine(): string {
  const bytes: number[] = [];
  const one = new Uint8Array(1);
  while (readSync(STDIN, one) === 1 && one[0] !== 0x0a) bytes.push(one[0] ?? 0);
  return new TextDecoder().decode(new Uint8Array(bytes));
}

async function mount(order: MountOrder): Promise<ChildAnswer> {
  const address = order.server === undefined ? undefined : await addressOf(order.server);
  if (address === "") return { errno: EHOSTUNREACH, why: `the name ${order.server} has no address` };
  const failures: { readonly errno: number; readonly why: string }[] = [];
  for (const attempt of order.attempts) {
    const result = open(order, addAddress(attempt, address));
    if ("fd" in result) return result;
    failures.push({ errno: result.errno, why: explain(attempt, result) });
    if (!OTHER_VERSION.has(result.errno)) break;
  }
  return { errno: failures[0]?.errno ?? 0, why: failures.map(({ why }) => why).join("; ") };
}

/** Returns the first address of a server; none if its name has none. getaddrinfo(3) */
async function addressOf(server: string): Promise<string> {
  if (ADDRESS.test(server)) return server;
  try {
    // By the C library, which reads /etc/hosts and /etc/nsswitch.conf. Not node:dns: images of nodes lack it.
    const [found] = await Bun.dns.lookup(server, { backend: "libc" });
    return found?.address ?? "";
  } catch {
    return "";
  }
}

function addAddress(attempt: MountAttempt, address: string | undefined): MountAttempt {
  return address === undefined ? attempt : { ...attempt, options: [...attempt.options, `addr=${address}`] };
}

function open({ flags, source }: MountOrder, { options, type }: MountAttempt): Opened {
  const context = openContext(type);
  if (!("fd" in context)) return context;
  const readOnly = flags.includes("ro") ? ["ro"] : [];
  for (const option of [`source=${source}`, ...readOnly, ...options]) {
    const failure = configure(context.fd, option);
    if (failure !== undefined) return { ...failure, said: [option, failure.said].filter(Boolean).join(": ") };
  }
  return create(context.fd) ?? openMountOf(context.fd, flags);
}

function explain({ options, type }: MountAttempt, { errno, said }: CallFailure): string {
  const version = options.find((option) => option.startsWith("vers="));
  const words = said === "" ? "" : `: ${said}`;
  return `${[type, version].filter(Boolean).join(" ")}: ${libc().strerror(errno)} (errno ${errno})${words}`;
}

function unmount(above: FileId, path: string): ChildAnswer {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const failure = withFile(above, (at) => unmountAt(`${at}/${name}`));
  return failure === undefined
    ? {}
    : { errno: failure.errno, why: `${libc().strerror(failure.errno)} (errno ${failure.errno})` };
}
