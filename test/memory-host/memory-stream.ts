import type { GuestPipe, PipeOptions } from "../../src/host/channels.ts";
import { hostCall } from "./file-tree.ts";
import type { Process } from "./guest-processes.ts";
import type { Machine } from "./machine.ts";
import { qmpError } from "./qmp-error.ts";
import type { Svirt } from "./svirt.ts";

/** First bytes of QEMU's stream. qemu.git migration/savevm.h QEMU_VM_FILE_MAGIC */
const MAGIC = "QEVM";
const [WRITE_MS, POLL_MS] = [30, 5];

/** Data that passes through one pipe. */
interface Flow {
  bytes: Uint8Array;
  isEnded: boolean;
  /** Whether svirt's end is still open. */
  isHeard: boolean;
}

/** State of a guest that leaves or enters a QEMU in memory. */
export class MemoryStream {
  /** Content of the guest's memory, which must be equal after a restore. */
  memory = "as it booted";
  #migration: { readonly status: string; readonly why?: string } = { status: "none" };
  #dump: "none" | "active" | "completed" | "failed" = "none";
  readonly #machine: Machine;
  readonly #flows = new Map<string, Flow>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Creates a pipe. It must have the guest's label, or QEMU could not use it. */
  open(svirt: Svirt, guest: Process, options: PipeOptions): GuestPipe {
    if (!isOf(guest, options.label))
      this.#machine.violations.push(`a pipe of ${options.label} for ${guest.context}`);
    const flow: Flow = { bytes: new Uint8Array(), isEnded: false, isHeard: !svirt.isDead };
    svirt.atDeath(() => {
      flow.isHeard = false;
    });
    this.#flows.set(options.name, flow);
    return svirtEnd(this.#machine, svirt, flow);
  }

  answer(guest: Process, command: string, args: Readonly<Record<string, unknown>>): unknown {
    switch (command) {
      case "migrate":
        return this.#save(guest, this.#take(args["uri"]));
      case "migrate-incoming":
        return this.#load(guest, this.#take(args["uri"]));
      case "dump-guest-memory":
        return this.#dumpMemory(guest, args);
      case "migrate_cancel":
        if (this.#migration.status === "active") this.#migration = { status: "cancelled" };
        return {};
      case "query-migrate":
        return this.#tellMigration();
      case "query-dump":
        return { status: this.#dump, completed: 1, total: 2 };
      case "closefd":
        return this.#close(String(args["fdname"]));
      case "migrate-set-parameters":
      case "blockdev-set-active":
        return {};
      case "qom-get":
        return "pc-i440fx-10.0-machine";
      case "query-qmp-schema":
        return [{ name: "1", values: this.#machine.qemu.lacksPng === true ? ["ppm"] : ["ppm", "png"] }];
      case "screendump":
        return this.#draw(guest, args);
      case "system_reset":
        this.memory = "as it booted";
        return {};
      default:
        return undefined;
    }
  }

  #tellMigration() {
    const { status, why } = this.#migration;
    const ram = status === "active" ? { ram: { total: 100, remaining: 40 } } : {};
    return { status, ...ram, ...(why === undefined ? {} : { "error-desc": why }) };
  }

  #save(guest: Process, flow: Flow): unknown {
    this.#migration = { status: "active" };
    this.#machine.after(this.#machine.qemu.savesForMs ?? WRITE_MS, () => {
      flow.isEnded = true;
      if (this.#migration.status !== "active") return;
      const why = this.#whyNot(flow);
      if (why === undefined) {
        flow.bytes = new TextEncoder().encode(MAGIC + this.memory);
        guest.status = "postmigrate";
      }
      this.#migration = why === undefined ? { status: "completed" } : { status: "failed", why };
    });
    return {};
  }

  #whyNot(flow: Flow): string | undefined {
    if (this.#machine.qemu.failsToSave === true) return "State blocked by a device";
    return flow.isHeard ? undefined : "Unable to write to file: Broken pipe";
  }

  #load(guest: Process, flow: Flow): unknown {
    this.#migration = { status: "active" };
    const look = (): void => {
      if (!flow.isEnded && flow.isHeard) {
        this.#machine.after(POLL_MS, look);
        return;
      }
      const text = new TextDecoder().decode(flow.bytes);
      if (!text.startsWith(MAGIC)) {
        this.#migration = { status: "failed", why: "Not a migration stream" };
        return;
      }
      this.memory = text.slice(MAGIC.length);
      this.#migration = { status: "completed" };
      guest.status = "paused";
    };
    this.#machine.after(POLL_MS, look);
    return {};
  }

  /** Dumps the memory. QEMU stops the vCPUs during the dump and resumes them even if it fails. */
  #dumpMemory(guest: Process, { detach, format, protocol }: Readonly<Record<string, unknown>>): unknown {
    if (detach !== true) this.#machine.violations.push("a dump that keeps QEMU's monitor until its end");
    const flow = this.#take(protocol);
    const before = guest.status;
    this.#dump = "active";
    guest.status = "paused";
    this.#machine.after(WRITE_MS, () => {
      const isHeard = this.#whyNot(flow) === undefined;
      if (isHeard) flow.bytes = new TextEncoder().encode(`${String(format)} of ${this.memory}`);
      flow.isEnded = true;
      this.#dump = isHeard ? "completed" : "failed";
      guest.status = before;
    });
    return {};
  }

  /** Writes the screen into a set; the file must have the guest's label. */
  #draw(guest: Process, { filename, format = "ppm" }: Readonly<Record<string, unknown>>): unknown {
    const set = Number(/^\/dev\/fdset\/(\d+)$/.exec(String(filename))?.[1]);
    const file = guest.devices?.listFiles().find(({ fd }) => fd === set)?.file;
    if (file === undefined) throw qmpError(`failed to open file '${String(filename)}'`);
    const inode = this.#machine.files.getSame(file);
    const label = inode.xattrs.get("security.selinux");
    if (!isOf(guest, label)) this.#machine.violations.push(`a screen in a file of ${label}`);
    inode.bytes = new TextEncoder().encode(`${String(format)} of ${this.memory}`);
    return {};
  }

  #take(uri: unknown): Flow {
    const name = String(uri).replace(/^fd:/, "");
    const flow = this.#flows.get(name);
    if (flow === undefined) throw qmpError(`File descriptor named '${name}' has not been found`);
    this.#flows.delete(name);
    return flow;
  }

  #close(name: string): unknown {
    const flow = this.#flows.get(name);
    if (flow === undefined) return undefined;
    flow.isEnded = true;
    this.#flows.delete(name);
    return {};
  }
}

/** Returns whether the label of a file or pipe has the level of the guest. */
function isOf({ context }: Process, label: string | undefined): boolean {
  const level = context?.split(":").slice(3).join(":");
  return level === undefined || label?.endsWith(`:${level}`) === true;
}

function svirtEnd(machine: Machine, svirt: Svirt, flow: Flow): GuestPipe {
  const close = (): void => {
    flow.isHeard = false;
  };
  return {
    async readInto(file, offset, { onMoved }) {
      onMoved();
      while (!flow.isEnded && !svirt.isDead) {
        machine.pass(POLL_MS);
        await Promise.resolve();
      }
      try {
        svirt.call("readInto", true, () => {
          const inode = machine.files.getSame(file);
          const half = flow.bytes.length >> 1;
          if (machine.isDiskFull) throw hostCall(`write ${file.path}`, "ENOSPC: no space left on device");
          inode.bytes = joined(inode.bytes.slice(0, offset), flow.bytes.slice(0, half));
          svirt.midway();
          inode.bytes = joined(inode.bytes.slice(0, offset), flow.bytes);
        });
        return flow.bytes.length;
      } finally {
        close();
      }
    },
    async sendFrom(file, offset) {
      try {
        svirt.call("sendFrom", true, () => {
          const bytes = machine.files.getSame(file).bytes.slice(offset);
          flow.bytes = bytes.slice(0, MAGIC.length >> 1);
          svirt.midway();
          flow.bytes = bytes;
          flow.isEnded = true;
        });
      } finally {
        close();
      }
    },
    close,
  };
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
