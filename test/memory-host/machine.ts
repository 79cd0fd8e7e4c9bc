import type { ByteStream, DataStream, DeviceWatch, FolderWatch } from "../../src/host/channels.ts";
import type { Host } from "../../src/host/host.ts";
import type { ProgramEnd, ProgramOutput } from "../../src/host/processes.ts";
import type { SelinuxState } from "../../src/host/selinux.ts";
import type { LaunchSpec } from "../../src/plan/facts/launch-spec.ts";
import { registryLock, SYSTEM_PATHS } from "../../src/plan/paths.ts";
import { Agent } from "./agent.ts";
import { EventFeeds } from "./event-feeds.ts";
import { FileTree, factsOf, hostCall, type Inode, type Place } from "./file-tree.ts";
import { Groups, type ThreadState } from "./groups.ts";
import { GuestProcesses, type Process, type QemuBehaviour } from "./guest-processes.ts";
import { makeMemoryHost } from "./memory-host.ts";
import { Mounts } from "./mounts.ts";
import { PacketRules } from "./packet-rules.ts";
import { PciBus } from "./pci-bus.ts";
import { Ports } from "./ports.ts";
import { type Strike, Svirt } from "./svirt.ts";
import { Taps } from "./taps.ts";

/** Installed emulators, which svirt inspects before it runs one. */
const PROGRAMS = ["/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-system-i386"];
const FIRST_BOOT_SECONDS = 1_700_000_000;
const POLICY = "/etc/selinux/svirt/contexts";

/** A machine in memory. It survives the death of svirt; a reboot resets the state that is not on disk. */
export class Machine {
  static #made = 0;
  /** Unique for each machine. */
  readonly id: string;
  readonly name: string;
  readonly files: FileTree;
  readonly processes = new GuestProcesses(this);
  /** Watches that are not closed. */
  readonly watchedFolders = new Set<FolderWatch>();
  readonly watchedDevices = new Set<DeviceWatch>();
  /** What the kernel has said about devices. */
  readonly uevents: { readonly action: "add" | "change" | "remove"; readonly path: string }[] = [];
  /** Files that svirt has locked as a QEMU that writes to them. */
  readonly lockedImages = new Set<string>();
  /** Monitors for events. */
  readonly eventFeeds = new EventFeeds();
  readonly taps = new Taps(this);
  readonly mounts = new Mounts(this);
  readonly packetRules = new PacketRules((name) => this.files.find(`/sys/class/net/${name}`) !== undefined);
  /** Arguments of each daemon. */
  readonly daemons = new Set<string>();
  readonly agent = new Agent();
  readonly ports = new Ports(this);
  readonly groups = new Groups(this);
  readonly pci = new PciBus(this);
  /** States of threads as set by svirt, by thread ID. */
  readonly threads = new Map<number, ThreadState>();
  /** Locked files, with the svirt process that holds each lock. */
  readonly locks = new Map<string, Svirt>();
  /** Whether a svirt defers the signals that end it. */
  defersSignals = false;
  /** Guests, by UUID, whose reaper is about to become `svirt reap`. */
  readonly reaps: string[] = [];
  /** States that must never occur, recorded at their occurrence. */
  readonly violations: string[] = [];
  selinux: SelinuxState = { mode: "enforcing", policyName: "svirt" };
  /** Labels that no guest may read. */
  readonly forbiddenLabels = new Set<string>();
  ownContext = "system_u:system_r:svirt_manager_t:s0-s0:c0.c1023";
  knowsContext: (context: string) => boolean = (context) => !context.includes("unknown_t");
  qemu: QemuBehaviour = {};
  kernelLog: string[] | undefined = [];
  /** Change that the user makes to a text in the editor. */
  edit: (text: string) => string | Promise<string> = (text) => text;
  /** Runs while a user is connected to the console at that path. */
  duringTalk: (path: string) => Promise<void> = async () => undefined;
  /**
   * Returns the guest's side of a console at that path, for a client. SIGTERM to svirt is a call of
   * `onTaken`.
   */
  openConsole: (path: string, onAsked: () => void) => DataStream = () => ({ close: async () => undefined });
  /** Standard input and output of svirt as a client's connection. */
  caller: ByteStream = { read: () => new ReadableStream(), write: async () => undefined };
  /** Helper programs end at once. */
  helperEnds = false;
  uid = 0;
  /** Result of each program of the host that svirt runs. */
  runProgram: (words: readonly string[], input?: string) => ProgramEnd | Promise<ProgramEnd> = () => ({
    fault: "missing",
  });
  /** Output of each program of the host that svirt reads. */
  readOutput: (words: readonly string[], input?: string) => ProgramOutput = () => ({ fault: "failed" });
  /** Space of every file system. */
  space = { sizeBytes: 107_374_182_400, freeBytes: 64_424_509_440 };
  /** Writing texts to the disk or a guest's state to a file fails with ENOSPC. */
  isDiskFull = false;
  nowMs = FIRST_BOOT_SECONDS * 1000;
  /** Virtual CPUs that KVM gives a guest; undefined if /dev/kvm cannot be opened. */
  kvmVcpus: number | undefined = 1024;
  bootSeconds = FIRST_BOOT_SECONDS;
  /** Files written without a sync, which a power failure leaves empty. */
  readonly unsynced = new Set<Inode>();
  /** Files that several guests may write to. */
  readonly sharedFiles = new Set<string>();
  /** Network devices by which the host has a default route. */
  readonly defaultRoutes: string[] = [];
  #boots = 1;
  #uuids = 0;
  #events: { readonly atMs: number; readonly run: () => void }[] = [];

  constructor(files = new FileTree()) {
    this.files = files;
    Machine.#made += 1;
    this.id = Machine.#made.toString(16).padStart(32, "0");
    this.name = `node${Machine.#made}`;
    this.files.root.xattrs.set("security.selinux", "system_u:object_r:root_t:s0");
    for (const path of [
      "/etc/svirt",
      "/var/log",
      "/var/lib",
      "/var/lib/images",
      POLICY,
      "/run",
      "/dev",
      "/proc/net",
    ]) {
      this.files.putFolder(path);
    }
    // Labels of a folder for disks by an administrator, and of other folders by the policy.
    for (const [path, type] of [
      ["/var/lib/images", "xen_image_t"],
      ["/var/lib/libvirt", "virt_var_lib_t"],
      ["/srv", "var_t"],
      ["/tmp", "tmp_t"],
    ] as const)
      this.files.putFolder(path).xattrs.set("security.selinux", `system_u:object_r:${type}:s0`);
    for (const path of PROGRAMS) {
      this.files.putFolder(path.slice(0, path.lastIndexOf("/")));
      this.files.put(path, "file", { mode: 0o755 });
    }
    const contexts = (name: string, lines: readonly string[]): void => {
      this.files.put(`${POLICY}/${name}`, "file").bytes = new TextEncoder().encode(`${lines.join("\n")}\n`);
    };
    // Test data of libvirt, securityselinuxhelperdata.
    contexts("virtual_domain_context", ["system_u:system_r:svirt_t:s0", "system_u:system_r:svirt_tcg_t:s0"]);
    contexts("virtual_image_context", [
      "system_u:object_r:svirt_image_t:s0",
      "system_u:object_r:virt_content_t:s0",
    ]);
    this.#boot();
  }

  get bootId(): string {
    return `00000000-0000-4000-8000-${String(this.#boots).padStart(12, "0")}`;
  }

  /** Starts a new svirt process on this machine, optionally struck at one call. */
  svirt(strike?: Strike): { readonly host: Host; readonly svirt: Svirt } {
    const svirt: Svirt = new Svirt({
      strike,
      onDeath: () => this.#dropLocks(svirt),
      makeError: (call) => hostCall(call, "EIO: input/output error"),
    });
    return { host: svirt.watch(this.makeHost(svirt)), svirt };
  }

  /** Returns the calls of one svirt process, before strikes are added. */
  protected makeHost(svirt: Svirt): Host {
    return makeMemoryHost(this, svirt);
  }

  /** Schedules work after this time. */
  after(ms: number, run: () => void): void {
    this.#events.push({ atMs: this.nowMs + ms, run });
  }

  /** Advances the clock and runs the scheduled work that becomes due, in order. */
  pass(ms: number): void {
    const end = this.nowMs + ms;
    for (let next = this.#takeDue(end); next !== undefined; next = this.#takeDue(end)) {
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
    this.nowMs = end;
  }

  /** Switches the machine off and on. Memory is lost, and the disk may have another device number. */
  reboot(diskNumber = this.files.disk.device): void {
    for (const inode of this.unsynced) inode.bytes = new Uint8Array();
    this.unsynced.clear();
    this.processes.clear();
    this.locks.clear();
    this.mounts.clear();
    this.reaps.splice(0);
    this.daemons.clear();
    this.packetRules.clear();
    this.#events = [];
    this.nowMs += 30_000;
    this.bootSeconds = Math.floor(this.nowMs / 1000);
    this.#boots += 1;
    this.files.disk.device = diskNumber;
    this.pci.reset();
    this.#boot();
  }

  makeUuid(): string {
    this.#uuids += 1;
    return `dddddddd-0000-4000-8000-${String(this.#uuids).padStart(12, "0")}`;
  }

  liveGuests(): Process[] {
    return this.processes.list().filter(({ role }) => role === "qemu");
  }

  /** Records a violation for two guests with one level, or that write to one file that is not shared. */
  noteLiveGuests(): void {
    const guests = this.liveGuests();
    for (const [at, one] of guests.entries()) {
      for (const other of guests.slice(at + 1)) this.#notePair(one, other);
    }
  }

  /**
   * Records a violation for each guest with a descriptor that allows writing to this file, if it is labelled
   * as content.
   */
  noteContent(inode: Inode): void {
    if (inode.xattrs.get("security.selinux")?.includes(":virt_content_t:") !== true) return;
    for (const { devices, order } of this.liveGuests()) {
      for (const { access, file } of devices?.listFiles() ?? []) {
        if (access !== "read-only" && this.files.find(file.path)?.inode === inode)
          this.violations.push(`${order?.uuid} may write to ${file.path}, which is content`);
      }
    }
  }

  /**
   * Records a violation if the registry lock is not held. Without it, a concurrent change of the whole ACL
   * would be lost.
   */
  noteAcl(path: string, svirt: Svirt): void {
    if (this.locks.get(registryLock(SYSTEM_PATHS)) !== svirt)
      this.violations.push(`the ACL of ${path} is changed without the registry's lock`);
  }

  /**
   * Records a violation if the registry lock is held: a guest with many open files would delay all others.
   */
  noteLook(svirt: Svirt): void {
    if (this.locks.get(registryLock(SYSTEM_PATHS)) === svirt)
      this.violations.push("what processes hold is looked at with the registry's lock held");
  }

  /** Records a violation if the registry lock is held: a guest with a full folder would delay all others. */
  noteRemoval(path: string, svirt: Svirt): void {
    const isGuests = path.startsWith(`${SYSTEM_PATHS.run}/`);
    if (isGuests && this.locks.get(registryLock(SYSTEM_PATHS)) === svirt)
      this.violations.push(`${path} is removed with the registry's lock held`);
  }

  #notePair(one: Process, other: Process): void {
    if (one.context !== undefined && levelOf(one) === levelOf(other)) {
      this.violations.push(`${one.order?.uuid} and ${other.order?.uuid} have the level ${levelOf(one)}`);
    }
    const written = new Set(writtenBy(one.order));
    for (const path of writtenBy(other.order)) {
      if (written.has(path) && !this.sharedFiles.has(path))
        this.violations.push(`two guests write to ${path}`);
    }
  }

  #boot(): void {
    const storage = { fileSystems: [{ magic: 0x01021994, type: "tmpfs" }], disks: [] };
    const tmpfs = { device: `0:${20 + this.#boots}`, keepsLabels: true, storage };
    const devtmpfs = { device: "0:6", keepsLabels: true };
    const run = this.files.put("/run", "folder", { mode: 0o755, fileSystem: tmpfs });
    run.xattrs.set("security.selinux", "system_u:object_r:var_run_t:s0");
    const dev = this.files.put("/dev", "folder", { mode: 0o755, fileSystem: devtmpfs });
    dev.xattrs.set("security.selinux", "system_u:object_r:device_t:s0");
    const node = (
      path: string,
      type: "block" | "character",
      facts: { node: string; label: string },
    ): void => {
      const made = this.files.put(path, type, { node: facts.node });
      made.xattrs.set("security.selinux", facts.label);
    };
    node("/dev/kvm", "character", { node: "10:232", label: "system_u:object_r:kvm_device_t:s0" });
    node("/dev/urandom", "character", { node: "1:9", label: "system_u:object_r:urandom_device_t:s0" });
    node("/dev/vdb", "block", { node: "254:16", label: "system_u:object_r:fixed_disk_device_t:s0" });
    this.files.putFolder("/dev/input");
    node("/dev/input/event3", "character", { node: "13:67", label: "system_u:object_r:event_device_t:s0" });
    this.processes.add({ command: "init", context: "system_u:system_r:init_t:s0" });
  }

  #takeDue(endMs: number): { readonly atMs: number; readonly run: () => void } | undefined {
    const next = this.#events.toSorted((a, b) => a.atMs - b.atMs)[0];
    if (next === undefined || next.atMs > endMs) return undefined;
    this.#events.splice(this.#events.indexOf(next), 1);
    return next;
  }

  #dropLocks(svirt: Svirt): void {
    for (const [path, holder] of this.locks) if (holder === svirt) this.locks.delete(path);
  }
}

/**
 * Returns all files, processes and locks with their state. Equal snapshots mean that the machine is
 * unchanged.
 */
export function snapshot(machine: Machine): string[] {
  const files = [...machine.files.walk()].flatMap((place) => {
    if (isExpectedToStay(place.path) || isReturned(place)) return [];
    const { gid, mode, type, uid } = place.inode;
    // Snapshots of two machines are compared, so the machine's own names are replaced.
    // The format of a guest's file is kept by design: format-marks.test.ts.
    const xattrs = [...place.inode.xattrs]
      .filter(([name]) => name !== "trusted.svirt.format")
      .sort()
      .map(([name, value]) => `${name}=${value}`.replace(machine.id, "OWN").replace(machine.name, "OWN"));
    const acl = [...place.inode.acl].map(([user, access]) => `user ${user} ${access}`);
    return [
      `${factsOf(place).id.inode} ${place.path} ${type} ${mode.toString(8)} ${uid}:${gid} ${[...xattrs, ...acl].join(" ")}`,
    ];
  });
  const processes = machine.processes.list().map(({ command, pid }) => `process ${pid} ${command}`);
  const locks = [...machine.locks.keys()].map((path) => `lock ${path}`);
  const rules = [...machine.packetRules.tables].map(([table, text]) => `table ${table} ${text}`);
  return [...files, ...processes, ...locks, ...rules];
}

/** Folders of a user's instance, with their counterparts of the system instance. */
const SESSION_FOLDERS: readonly (readonly [RegExp, string])[] = [
  [/^\/home\/[^/]+\/\.local\/state\/svirt\/log(?=$|\/)/, "/var/log/svirt"],
  [/^\/home\/[^/]+\/\.local\/state\/svirt(?=$|\/)/, "/var/lib/svirt"],
  [/^\/home\/[^/]+\/\.config\/svirt(?=$|\/)/, "/etc/svirt"],
  [/^\/run\/user\/\d+\/svirt(?=$|\/)/, "/run/svirt"],
];

/**
 * Returns whether a path may stay: permanent folders of svirt, logs, and half-written files that no call
 * reads.
 */
function isExpectedToStay(given: string): boolean {
  const path = SESSION_FOLDERS.reduce((name, [of, as]) => name.replace(of, as), given);
  return (
    /^\/(?:run|var\/lib|var\/log)\/svirt$/.test(path) ||
    path === "/run/udev/rules.d" ||
    path === "/run/svirt/ending" ||
    path === "/etc/svirt/changes" ||
    /^\/(?:run|var\/lib)\/svirt\/unfinished$/.test(path) ||
    /^\/var\/lib\/svirt\/formats(?:$|\/)/.test(path) ||
    /^\/run\/svirt\/(?:locks|ended|restart|next-id|pool-notes|domain-notes)(?:$|\/|\.new$)/.test(path) ||
    /^\/var\/lib\/svirt\/(?:records|claims|claims\/(?:level|uid|file|static|tap|port|pci))$/.test(path) ||
    /^\/(?:var\/lib\/svirt\/records|etc\/svirt\/domains)\/[^/]*\.new$/.test(path) ||
    path.startsWith("/var/log/svirt/")
  );
}

/**
 * Returns whether a path is the state of an emulated TPM, owned by root and without a guest's label. It may
 * stay.
 */
function isReturned({ inode, path }: Place): boolean {
  const label = inode.xattrs.get("security.selinux") ?? "";
  return path.startsWith("/var/lib/svirt/tpm") && inode.uid === 0 && !label.includes("svirt_image_t");
}

function levelOf(process: Process): string {
  return process.context?.split(":").slice(3).join(":") ?? "";
}

function writtenBy(order: LaunchSpec | undefined): string[] {
  return (order?.files ?? [])
    .filter(({ access, file }) => access !== "read-only" && !file.path.startsWith("/dev/kvm"))
    .map(({ file }) => file.path);
}
