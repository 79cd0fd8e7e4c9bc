import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { type ConnectionMemory, measureConnections, pssBeyondFile } from "./client-memory.ts";
import { QEMU_SETTINGS, startLibvirt, untilAnswered } from "./libvirtd.ts";
import { type LocalSsh, startLocalSsh } from "./local-ssh.ts";
import { comparePairs, type Pair } from "./pairs.ts";
import type { Ratio } from "./timings.ts";
import { mountOwnFolders } from "./verbs/own-folders.ts";

/** Most that a list and a start may take, over the same client with libvirtd. */
const [LIST_AIM, START_AIM] = [1, 0.3];
const DOMAINS = 100;
const CONNECTIONS = [1, 3, 10];
/** Without SELinux on this machine, guests are not confined by svirt either. */
const SVIRT_SETTINGS = "security_require_confined = 0\n";

/** Results beside libvirtd. */
export interface ClientsMeasured {
  readonly ratios: readonly Ratio[];
  readonly ours: readonly ConnectionMemory[];
  /** Of virt-ssh-helper together with libvirtd. */
  readonly theirs: readonly ConnectionMemory[];
  /** What stays of libvirtd without a connection, in KiB. */
  readonly residentKiB: number;
}

/** The same for each of the two. */
type Sides<Each> = Readonly<Record<"ours" | "theirs", Each>>;

/**
 * Compares stock virsh with svirt and with libvirtd from Debian, which runs already: a list, a start, 100
 * domains, and what connections hold. Mounts empty folders over those of svirt and libvirt, so the process
 * must have its own mount namespace.
 */
export async function measureClients(tools: string, svirt: string, rounds: number): Promise<ClientsMeasured> {
  mountOwnFolders();
  writeFileSync("/etc/svirt/svirt.conf", SVIRT_SETTINGS);
  writeFileSync("/etc/libvirt/qemu.conf", `${QEMU_SETTINGS.join("\n")}\n`);
  const work = mkdtempSync(`${tmpdir()}/svirt-bench-`);
  const helpers: Sides<string> = {
    ours: script(`${work}/ours`, `${svirt} virt-ssh-helper qemu:///system`),
    theirs: script(`${work}/theirs`, "/usr/bin/virt-ssh-helper qemu:///system"),
  };
  const virsh = both(helpers, (helper) => `/usr/bin/virsh -q -c qemu+ext:///system?command=${helper}`);
  const daemon = startLibvirt("/run/libvirt");
  let ssh: LocalSsh | undefined;
  try {
    await untilAnswered(`${virsh.theirs} list`);
    ssh = await startLocalSsh(work, [`${svirt} shell`, helpers.theirs]);
    const first = await comparePairs(tools, rounds, [...listPairs(virsh, ssh), ...startPairs(work, virsh)]);
    defineMany(work, virsh);
    const many = { ...pairOf(virsh, "list --all"), what: `list of ${DOMAINS} domains`, aim: LIST_AIM };
    const ratios = [...first, ...(await comparePairs(tools, rounds, [many]))];
    const ours = await measureConnections([helpers.ours], CONNECTIONS);
    const residentKiB = pssBeyondFile(daemon.pid);
    const theirs = await measureConnections([helpers.theirs], CONNECTIONS, daemon.pid);
    return { ratios, ours, theirs, residentKiB };
  } finally {
    await ssh?.stop();
    daemon.kill();
    await daemon.exited;
    rmSync(work, { recursive: true });
  }
}

function both(sides: Sides<string>, of: (side: string) => string): Sides<string> {
  return { ours: of(sides.ours), theirs: of(sides.theirs) };
}

function pairOf(virsh: Sides<string>, words: string): Pick<Pair, "ours" | "over"> {
  return { ours: `${virsh.ours} ${words}`, over: `${virsh.theirs} ${words}` };
}

/** A connection and a list of nothing: by a program on this machine, and over SSH. */
function listPairs(virsh: Sides<string>, ssh: LocalSsh | undefined): Pair[] {
  const here = { ...pairOf(virsh, "list"), what: "connect and list, here", aim: LIST_AIM };
  const [ours, theirs] = ssh?.clients ?? [];
  if (ours === undefined || theirs === undefined) return [here];
  const over = (kind: "alone" | "shared"): Pick<Pair, "ours" | "over"> =>
    pairOf(
      both(
        { ours: ours[kind], theirs: theirs[kind] },
        (client) => `/usr/bin/virsh -q -c qemu+ssh://root@127.0.0.1/system?proxy=native&command=${client}`,
      ),
      "list",
    );
  return [
    here,
    { ...over("alone"), what: "connect and list, ssh", aim: LIST_AIM },
    { ...over("shared"), what: "connect and list, ssh with ControlMaster", aim: LIST_AIM },
  ];
}

/** A start of an emulated guest, which is destroyed after each one. */
function startPairs(work: string, virsh: Sides<string>): Pair[] {
  define(work, virsh, "bench-start");
  const undone = (side: string): string => `${side} start bench-start => ${side} destroy bench-start`;
  return [{ ours: undone(virsh.ours), over: undone(virsh.theirs), what: "start, tcg", aim: START_AIM }];
}

function defineMany(work: string, virsh: Sides<string>): void {
  for (let at = 1; at < DOMAINS; at += 1) define(work, virsh, `bench-${at}`);
}

function define(work: string, virsh: Sides<string>, name: string): void {
  const file = `${work}/domain.xml`;
  writeFileSync(
    file,
    `<domain type='qemu'><name>${name}</name><uuid>${crypto.randomUUID()}</uuid><memory unit='MiB'>64</memory>
  <os><type>hvm</type></os><devices/><seclabel type='none'/></domain>`,
  );
  run(`${virsh.ours} define ${file}`, `${virsh.theirs} define ${file}`);
}

function script(path: string, command: string): string {
  writeFileSync(path, `#!/bin/sh\nexec ${command}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Runs commands. Throws if one fails. */
function run(...commands: readonly string[]): void {
  for (const command of commands) {
    const { exitCode, stderr } = Bun.spawnSync(command.split(" "), { stdout: "ignore", stderr: "pipe" });
    if (exitCode !== 0) throw new Error(`Cannot measure: ${command} ended with ${exitCode}: ${stderr}`);
  }
}
