import { dlopen, ptr } from "bun:ffi";
import fs from "node:fs";
import path from "node:path";
import { parseDomain } from "../../src/domain/document.ts";
import type { Domain } from "../../src/domain/domain.ts";
import { completeGuest } from "../../src/qemu/complete-guest.ts";
import { listDescriptors } from "../../src/qemu/descriptors.ts";
import type { FoundChains } from "../../src/qemu/devices/disk/chain.ts";
import { formatArgv } from "../../src/qemu/domain-argv.ts";
import type { Descriptor } from "../../src/qemu/launch.ts";
import { joinLine, LineBuffer } from "../../src/qemu/monitor/line-buffer.ts";
import { formatQmpCommand, parseQmpLine, type QmpMessage } from "../../src/qemu/monitor/qmp.ts";

/**
 * QEMU started as svirt starts it: every file by descriptor, the monitor on a socket that already listens.
 */
export interface RealQemu {
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  readonly events: readonly QmpMessage[];
  readonly exited: Promise<number>;
  readonly words: readonly string[];
  /** Returns the errors and warnings that QEMU printed. */
  complaints(): string;
  kill(): void;
}

/**
 * The program; null without it, or without qemu-img, which makes the tests' images: then tests skip and say
 * so.
 */
export const qemuProgram: string | null =
  Bun.which("qemu-img") === null ? null : Bun.which("qemu-system-x86_64");

/** Reports whether this QEMU has a device. Debian packages some separately. */
export function hasDevice(driver: string): boolean {
  return deviceHelp().includes(`name "${driver}"`);
}

let help: string | undefined;
function deviceHelp(): string {
  help ??= Bun.spawnSync([qemuProgram ?? "", "-device", "help"]).stdout.toString();
  return help;
}

/** Reports whether /dev/kvm can be opened. */
export function hasKvm(): boolean {
  try {
    fs.closeSync(fs.openSync("/dev/kvm", "r+"));
    return true;
  } catch {
    return false;
  }
}

/** Options of a test domain besides its devices. */
export interface DomainOptions {
  readonly type?: "qemu" | "kvm";
  readonly machine?: string;
  /** XML inside <os>. */
  readonly boot?: string;
  /** XML beside <os>. */
  readonly rest?: string;
}

/** Returns a small domain with these devices. */
export function testDomain(devices: string, options: DomainOptions = {}): Domain {
  const { type = "qemu", machine = "q35", boot = "", rest = "" } = options;
  const xml = `<domain type='${type}'><name>test</name><memory unit='MiB'>64</memory>${rest}<vcpu>1</vcpu>
    <os><type arch='x86_64' machine='${machine}'>hvm</type>${boot}</os><features><acpi/></features>
    <devices><emulator>${qemuProgram ?? "/usr/bin/qemu-system-x86_64"}</emulator>${devices}</devices></domain>`;
  return parseDomain(new TextEncoder().encode(xml), "6ca317fc-5004-49bf-8cd8-26628e15f990");
}

const MONITOR_FD = 3;

/** Opens the files of the domain, starts QEMU, and negotiates with its monitor until it accepts commands. */
export async function startQemu(domain: Domain, folder: string, chains: FoundChains): Promise<RealQemu> {
  const descriptors = listDescriptors(completeGuest(domain), chains, MONITOR_FD + 1);
  const monitorPath = path.join(folder, "monitor.sock");
  const listener = listenOn(monitorPath);
  const opened = descriptors.map(openFile);
  const words = formatArgv(domain, {
    chains,
    launch: { monitorFd: MONITOR_FD, listeners: [], descriptors, folder },
  });
  const log = path.join(folder, "qemu.log");
  const logFd = fs.openSync(log, "a");
  const child = Bun.spawn([...words], { stdio: ["ignore", logFd, logFd, listener, ...opened] });
  for (const fd of [listener, logFd, ...opened]) fs.closeSync(fd);
  const events: QmpMessage[] = [];
  const execute = await connect(monitorPath, events, log);
  return {
    execute,
    events,
    words,
    exited: child.exited,
    complaints: () => fs.readFileSync(log, "utf8"),
    kill: () => child.kill("SIGKILL"),
  };
}

function openFile({ path: file, access, truncate, direct, nonBlocking }: Descriptor): number {
  const { O_RDONLY, O_RDWR, O_WRONLY, O_APPEND, O_CREAT, O_TRUNC, O_DIRECT, O_NONBLOCK } = fs.constants;
  const past = (direct ? O_DIRECT : 0) | (nonBlocking ? O_NONBLOCK : 0);
  if (access === "read-only") return fs.openSync(file, O_RDONLY | past);
  if (access === "read-write") return fs.openSync(file, O_RDWR | past);
  return fs.openSync(file, O_WRONLY | O_APPEND | O_CREAT | past | (truncate ? O_TRUNC : 0), 0o600);
}

const libc = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
}).symbols;

/** Returns the descriptor of a listening Unix socket, which Bun and node do not expose. unix(7) */
function listenOn(file: string): number {
  const [AF_UNIX, SOCK_STREAM] = [1, 1];
  const address = new Uint8Array(110);
  address.set([AF_UNIX, 0, ...new TextEncoder().encode(file)]);
  const fd = libc.socket(AF_UNIX, SOCK_STREAM, 0);
  if (libc.bind(fd, ptr(address), address.length) !== 0) throw new Error(`cannot bind ${file}`);
  if (libc.listen(fd, 1) !== 0) throw new Error(`cannot listen on ${file}`);
  return fd;
}

type Waiting = Map<number, { resolve(value: unknown): void; reject(error: Error): void }>;

async function connect(file: string, events: QmpMessage[], log: string): Promise<RealQemu["execute"]> {
  const waiting: Waiting = new Map();
  const lines = new LineBuffer();
  const socket = await Bun.connect({
    unix: file,
    socket: {
      data(_socket, chunk) {
        for (const line of lines.add(chunk)) {
          const message = parseQmpLine(joinLine(line));
          if (message !== undefined) settle(message, waiting, events);
        }
      },
      close() {
        for (const { reject } of waiting.values())
          reject(new Error(`QEMU ended: ${fs.readFileSync(log, "utf8")}`));
      },
    },
  });
  let last = 0;
  const execute = (command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> => {
    last += 1;
    const id = last;
    socket.write(
      formatQmpCommand({ execute: command, ...(args === undefined ? {} : { arguments: args }) }, id),
    );
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  };
  await execute("qmp_capabilities");
  return execute;
}

function settle(message: QmpMessage, waiting: Waiting, events: QmpMessage[]): void {
  if (message.is === "event") events.push(message);
  if (message.is !== "return" && message.is !== "error") return;
  const asker = waiting.get(message.id ?? 0);
  waiting.delete(message.id ?? 0);
  if (message.is === "return") asker?.resolve(message.value);
  else asker?.reject(new Error(message.description));
}
