import type { Host, SelinuxState } from "../../src/host/host.ts";
import type { GuestOrder } from "../../src/plan/facts/guest-order.ts";
import { registryLock, SYSTEM_PATHS } from "../../src/plan/paths.ts";
import { Agent } from "./agent.ts";
import { FileTree, factsOf, hostCall, type Inode, type Place } from "./file-tree.ts";
import { Groups, type ThreadState } from "./groups.ts";
import { GuestProcesses, type Process, type QemuBehaviour } from "./guest-processes.ts";
import { makeMemoryHost } from "./memory-host.ts";
import { PciBus } from "./pci-bus.ts";
import { Ports } from "./ports.ts";
import { type Strike, Svirt } from "./svirt.ts";
import { Taps } from "./taps.ts";

const FIRST_BOOT_SECONDS = 1_700_000_000;
const POLICY = "/etc/selinux/svirt/contexts";

/** A machine in memory: what stays when svirt is killed, and what does not when it is switched off. */
export class Machine {
  static #made = 0;
  /** Each is another one. */
  readonly id: string;
  readonly name: string;
  readonly files: FileTree;
  readonly processes = new GuestProcesses(this);
  readonly taps = new Taps(this);
  readonly agent = new Agent();
  readonly ports = new Ports(this);
  readonly groups = new Groups(this);
  readonly pci = new PciBus(this);
  /** Where threads run, and how, as far as somebody has said so. */
  readonly threads = new Map<number, ThreadState>();
  /** Lock files, and whose they are. */
  readonly locks = new Map<string, Svirt>();
  /** The guests whose reaper wants to become `svirt reap`. */
  readonly reaps: string[] = [];
  /** What must never be, noted when it was. */
  readonly violations: string[] = [];
  selinux: SelinuxState = { mode: "enforcing", policyName: "svirt" };
  /** Labels that no guest may read. */
  readonly forbiddenLabels = new Set<string>();
  ownContext = "system_u:system_r:svirt_manager_t:s0-s0:c0.c1023";
  knowsContext: (context: string) => boolean = (context) => !context.includes("unknown_t");
  qemu: QemuBehaviour = {};
  kernelLog: string[] | undefined = [];
  /** What somebody makes of a text in his editor. */
  edit: (text: string) => string | Promise<string> = (text) => text;
  /** What happens while somebody talks to the console at that path. */
  duringTalk: (path: string) => Promise<void> = async () => undefined;
  /** The programs beside QEMU end at once. */
  helperEnds = false;
  uid = 0;
  /** Nothing can be written to a file that grows. */
  isDiskFull = false;
  nowMs = FIRST_BOOT_SECONDS * 1000;
  bootSeconds = FIRST_BOOT_SECONDS;
  /** Files that were written without a sync: a power failure leaves them empty. */
  readonly unsynced = new Set<Inode>();
  /** Files that guests share for writing by their own wish. */
  readonly sharedFiles = new Set<string>();
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
    // As an administrator labels a folder for disks, and as policy has the others.
    for (const [path, type] of [
      ["/var/lib/images", "xen_image_t"],
      ["/var/lib/libvirt", "virt_var_lib_t"],
      ["/srv", "var_t"],
      ["/tmp", "tmp_t"],
    ] as const)
      this.files.putFolder(path).xattrs.set("security.selinux", `system_u:object_r:${type}:s0`);
    const contexts = (name: string, lines: readonly string[]): void => {
      this.files.put(`${POLICY}/${name}`, "file").bytes = new TextEncoder().encode(`${lines.join("\n")}\n`);
    };
    // The reference's own test data, securityselinuxhelperdata.
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

  /** A new process of svirt on this machine. */
  svirt(strike?: Strike): { readonly host: Host; readonly svirt: Svirt } {
    const svirt: Svirt = new Svirt({
      strike,
      onDeath: () => this.#dropLocks(svirt),
      makeError: (call) => hostCall(call, "EIO: input/output error"),
    });
    return { host: svirt.watch(this.makeHost(svirt)), svirt };
  }

  /** The calls of one process, before any of them is struck. */
  protected makeHost(svirt: Svirt): Host {
    return makeMemoryHost(this, svirt);
  }

  /** Something happens in a while. */
  after(ms: number, run: () => void): void {
    this.#events.push({ atMs: this.nowMs + ms, run });
  }

  /** Time goes by, and what was to happen happens, in order. */
  pass(ms: number): void {
    const end = this.nowMs + ms;
    for (let next = this.#takeDue(end); next !== undefined; next = this.#takeDue(end)) {
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
    this.nowMs = end;
  }

  /** Power off and on: what is in memory is gone, disks may bear another number. */
  reboot(diskNumber = this.files.disk.device): void {
    for (const inode of this.unsynced) inode.bytes = new Uint8Array();
    this.unsynced.clear();
    this.processes.clear();
    this.locks.clear();
    this.reaps.splice(0);
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

  /** Notes two guests with one level, or with one file to write to that neither wanted to share. */
  noteLiveGuests(): void {
    const guests = this.liveGuests();
    for (const [at, one] of guests.entries()) {
      for (const other of guests.slice(at + 1)) this.#notePair(one, other);
    }
  }

  /** Notes a guest that may write, by what it was handed, to what guests only read. */
  noteContent(inode: Inode): void {
    if (inode.xattrs.get("security.selinux")?.includes(":virt_content_t:") !== true) return;
    for (const { devices, order } of this.liveGuests()) {
      for (const { access, file } of devices?.listFiles() ?? []) {
        if (access !== "read-only" && this.files.find(file.path)?.inode === inode)
          this.violations.push(`${order?.uuid} may write to ${file.path}, which is content`);
      }
    }
  }

  /** An ACL is read and written as a whole: without the lock, what another svirt changed meanwhile would be lost. */
  noteAcl(path: string, svirt: Svirt): void {
    if (this.locks.get(registryLock(SYSTEM_PATHS)) !== svirt)
      this.violations.push(`the ACL of ${path} is changed without the registry's lock`);
  }

  /** A guest opens as much as it likes: nobody else may have to wait until that was looked at. */
  noteLook(svirt: Svirt): void {
    if (this.locks.get(registryLock(SYSTEM_PATHS)) === svirt)
      this.violations.push("what processes hold is looked at with the registry's lock held");
  }

  /** A guest fills its folder as it likes: nobody else may have to wait until that is gone. */
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
    const tmpfs = { device: `0:${20 + this.#boots}`, keepsLabels: true };
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

/** What is where, and in what state: two of these are equal when the machine is as it was. */
export function snapshot(machine: Machine): string[] {
  const files = [...machine.files.walk()].flatMap((place) => {
    if (isExpectedToStay(place.path) || isReturned(place)) return [];
    const { gid, mode, type, uid } = place.inode;
    // Snapshots of two machines are compared: each calls itself the same.
    const xattrs = [...place.inode.xattrs]
      .sort()
      .map(([name, value]) => `${name}=${value}`.replace(machine.id, "OWN").replace(machine.name, "OWN"));
    const acl = [...place.inode.acl].map(([user, access]) => `user ${user} ${access}`);
    return [
      `${factsOf(place).id.inode} ${place.path} ${type} ${mode.toString(8)} ${uid}:${gid} ${[...xattrs, ...acl].join(" ")}`,
    ];
  });
  const processes = machine.processes.list().map(({ command, pid }) => `process ${pid} ${command}`);
  const locks = [...machine.locks.keys()].map((path) => `lock ${path}`);
  return [...files, ...processes, ...locks];
}

/** Where a user has what root has elsewhere. */
const SESSION_FOLDERS: readonly (readonly [RegExp, string])[] = [
  [/^\/home\/[^/]+\/\.local\/state\/svirt\/log(?=$|\/)/, "/var/log/svirt"],
  [/^\/home\/[^/]+\/\.local\/state\/svirt(?=$|\/)/, "/var/lib/svirt"],
  [/^\/home\/[^/]+\/\.config\/svirt(?=$|\/)/, "/etc/svirt"],
  [/^\/run\/user\/\d+\/svirt(?=$|\/)/, "/run/svirt"],
];

/** Folders that svirt keeps once it has made them, the logs, and the half-written files that nobody reads. */
function isExpectedToStay(given: string): boolean {
  const path = SESSION_FOLDERS.reduce((name, [of, as]) => name.replace(of, as), given);
  return (
    /^\/(?:run|var\/lib|var\/log)\/svirt$/.test(path) ||
    path === "/run/udev/rules.d" ||
    path === "/run/svirt/ending" ||
    /^\/run\/svirt\/(?:locks|ended|restart|next-id)(?:$|\/|\.new$)/.test(path) ||
    /^\/var\/lib\/svirt\/(?:records|claims|claims\/(?:level|uid|file|static|tap|port|pci))$/.test(path) ||
    /^\/(?:var\/lib\/svirt\/records|etc\/svirt\/domains)\/[^/]*\.new$/.test(path) ||
    path.startsWith("/var/log/svirt/")
  );
}

/** The memory of an emulated TPM stays: root's again, and without a guest's label. */
function isReturned({ inode, path }: Place): boolean {
  const label = inode.xattrs.get("security.selinux") ?? "";
  return path.startsWith("/var/lib/svirt/tpm") && inode.uid === 0 && !label.includes("svirt_image_t");
}

function levelOf(process: Process): string {
  return process.context?.split(":").slice(3).join(":") ?? "";
}

function writtenBy(order: GuestOrder | undefined): string[] {
  return (order?.files ?? [])
    .filter(({ access, file }) => access !== "read-only" && !file.path.startsWith("/dev/kvm"))
    .map(({ file }) => file.path);
}
