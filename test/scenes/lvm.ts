import type { ProgramEnd, ProgramOutput } from "../../src/host/processes.ts";
import type { Machine } from "../memory-host/machine.ts";

const EXTENT_BYTES = 4 * 1024 * 1024;
const FIRST_DEVICE = 10;

/** Logical volume of MemoryLvm. */
interface Volume {
  name: string;
  readonly id: string;
  readonly origin: string;
  readonly isSnapshot: boolean;
  readonly sizeBytes: number;
  readonly shownBytes: number;
  device: number | undefined;
}

interface Group {
  readonly id: string;
  readonly volumes: Volume[];
}

/**
 * LVM of a machine in memory: the disks and volume groups that the commands make, and the nodes of active
 * volumes. Its reports and messages have the form of those of lvm2 2.03.31, run on two loop devices;
 * device-mapper's names and identifiers are of lvm2's source.
 */
export class MemoryLvm {
  readonly run: string[] = [];
  readonly physical = new Map<string, string>();
  readonly groups = new Map<string, Group>();
  /** Error of the next command that begins with these words. */
  failing: { readonly start: string; readonly end: ProgramEnd } | undefined;
  readonly #machine: Machine;
  readonly #sizeBytes: number;
  #made = 0;

  constructor(machine: Machine, sizeBytes: number) {
    this.#machine = machine;
    this.#sizeBytes = sizeBytes;
    machine.files.putFolder("/usr/sbin");
    machine.files.put("/usr/sbin/lvm", "file", { bytes: new Uint8Array() });
    machine.readOutput = (words) => this.#report(words);
    machine.runProgram = (words) => this.#change(words);
  }

  /** Makes a volume that svirt does not make, such as a pool of thin volumes. */
  addVolume(group: string, volume: Partial<Volume> & { readonly name: string }): void {
    const { volumes } = this.groups.get(group) ?? this.#newGroup(group);
    const sizeBytes = volume.sizeBytes ?? EXTENT_BYTES;
    volumes.push({
      id: this.#id(),
      origin: "",
      isSnapshot: false,
      sizeBytes,
      shownBytes: sizeBytes,
      device: undefined,
      ...volume,
    });
  }

  #report([, command = "", ...words]: readonly string[]): ProgramOutput {
    const group = words.at(-1) ?? "";
    if (command === "pvs")
      return asReport(
        "pv",
        [...this.physical].map(([pv_name, vg_name]) => ({ pv_name, vg_name })),
      );
    const found = this.groups.get(group);
    // Volume group "vg0" not found, exit code 5
    if (found === undefined) return { fault: "failed" };
    if (command === "vgs") {
      const parts = [...this.physical.values()].filter((one) => one === group).length;
      const size = parts * (this.#sizeBytes - EXTENT_BYTES);
      const used = found.volumes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      return asReport("vg", [{ vg_size: `${size}`, vg_free: `${size - used}` }]);
    }
    return asReport("lv", this.#rows(group, found));
  }

  #rows(group: string, { volumes }: Group): readonly object[] {
    const [device] = [...this.physical].find(([, of]) => of === group) ?? [];
    let extent = 0;
    return volumes.map(({ device: active, isSnapshot, name, origin, sizeBytes }) => {
      const row = {
        lv_name: name,
        origin,
        devices: `${device}(${extent})`,
        segtype: "linear",
        stripes: "1",
        seg_size: `${sizeBytes}`,
        vg_extent_size: `${EXTENT_BYTES}`,
        lv_size: `${sizeBytes}`,
        lv_attr: `${isSnapshot ? "s" : "-"}wi-${active === undefined ? "-" : "a"}-----`,
      };
      extent += sizeBytes / EXTENT_BYTES;
      return row;
    });
  }

  #change(line: readonly string[]): ProgramEnd {
    const [, command = "", ...words] = line;
    this.run.push([command, ...words].join(" "));
    if (this.failing !== undefined && this.run.at(-1)?.startsWith(this.failing.start) === true) {
      const { end } = this.failing;
      this.failing = undefined;
      return end;
    }
    const last = words.at(-1) ?? "";
    const first = words.find((word) => !word.startsWith("-")) ?? "";
    switch (command) {
      case "pvcreate":
        return this.#createPhysical(last);
      case "pvremove":
        return this.physical.delete(last) ? DONE : failed(`No PV found on device ${last}.`);
      case "vgcreate":
        return this.#createGroup(first, words.slice(1));
      case "vgremove":
        return this.#removeGroup(last);
      case "vgchange":
        return this.#activate(last, words.includes("-aly"));
      case "lvcreate":
        return this.#createVolume(words);
      case "lvrename":
        return this.#renameVolume(words);
      case "lvremove":
        return this.#removeVolume(last);
      default:
        return failed(`No such command '${command}'.`);
    }
  }

  #createPhysical(path: string): ProgramEnd {
    const group = this.physical.get(path) ?? "";
    if (group !== "")
      return failed(
        `Can't initialize physical volume "${path}" of volume group "${group}" without -ff\n  ${path}: physical volume not initialized.`,
      );
    this.physical.set(path, "");
    this.#machine.files.get(path).bytes.set(new TextEncoder().encode("LABELONE"), 512);
    return DONE;
  }

  #createGroup(name: string, devices: readonly string[]): ProgramEnd {
    if (this.groups.has(name)) return failed(`A volume group called ${name} already exists.`);
    this.#newGroup(name);
    for (const device of devices) this.physical.set(device, name);
    return DONE;
  }

  #newGroup(name: string): Group {
    const group = { id: this.#id(), volumes: [] };
    this.groups.set(name, group);
    return group;
  }

  #removeGroup(name: string): ProgramEnd {
    const volumes = this.groups.get(name)?.volumes ?? [];
    if (volumes.length > 0) return failed(`Volume group "${name}" not removed`);
    this.groups.delete(name);
    for (const [path, group] of this.physical) if (group === name) this.physical.set(path, "");
    return DONE;
  }

  #activate(name: string, isActive: boolean): ProgramEnd {
    for (const volume of this.groups.get(name)?.volumes ?? []) {
      if (isActive) this.#map(name, volume);
      else this.#unmap(name, volume);
    }
    return DONE;
  }

  #createVolume(words: readonly string[]): ProgramEnd {
    const wordAfter = (option: string): string | undefined => words[words.indexOf(option) + 1];
    const kib = (text = "0"): number => Number.parseInt(text, 10) * 1024;
    const whole = Math.ceil(kib(wordAfter("-L")) / EXTENT_BYTES) * EXTENT_BYTES;
    const isSparse = words.includes("--virtualsize");
    const [group = "", origin = ""] = (
      words.includes("-s") ? (wordAfter("-s") ?? "") : (words.at(-2) ?? "")
    ).split("/");
    const name = wordAfter("--name") ?? "";
    this.addVolume(group, {
      name,
      origin: isSparse ? `[${name}_vorigin]` : origin,
      isSnapshot: isSparse || origin !== "",
      sizeBytes: whole,
      shownBytes: isSparse ? kib(wordAfter("--virtualsize")) : whole,
    });
    const made = this.groups.get(group)?.volumes.at(-1);
    if (made !== undefined) this.#map(group, made);
    return DONE;
  }

  #renameVolume([group = "", name = "", to = ""]: readonly string[]): ProgramEnd {
    const volumes = this.groups.get(group)?.volumes ?? [];
    const volume = volumes.find((one) => one.name === name);
    if (volume === undefined)
      return failed(`Existing logical volume "${name}" not found in volume group "${group}"`);
    if (volumes.some((one) => one.name === to))
      return failed(`Logical Volume "${to}" already exists in volume group "${group}"`);
    const { files } = this.#machine;
    volume.name = to;
    if (volume.device === undefined) return DONE;
    files.remove(`/dev/${group}/${name}`);
    files.put(`/dev/${group}/${to}`, "symlink", { target: `../dm-${volume.device}` });
    files.put(`/sys/class/block/dm-${volume.device}/dm/name`, "file", {
      bytes: new TextEncoder().encode(`${mapName(group, to)}\n`),
    });
    return DONE;
  }

  #removeVolume(path: string): ProgramEnd {
    const [name = "", wanted = ""] = path.split("/");
    const volumes = this.groups.get(name)?.volumes ?? [];
    const at = volumes.findIndex((one) => one.name === wanted);
    const volume = volumes[at];
    if (volume === undefined) return failed(`Failed to find logical volume "${path}"`);
    this.#unmap(name, volume);
    volumes.splice(at, 1);
    return DONE;
  }

  #map(group: string, volume: Volume): void {
    if (volume.device !== undefined) return;
    const { files } = this.#machine;
    volume.device = this.#freeNumber();
    const device = `dm-${volume.device}`;
    const number = `253:${volume.device}`;
    const name = mapName(group, volume.name);
    const sectors = volume.shownBytes / 512;
    for (const [path, text] of [
      [`/sys/class/block/${device}/dm/name`, name],
      [`/sys/class/block/${device}/dm/uuid`, `LVM-${this.groups.get(group)?.id}${volume.id}`],
      [`/sys/class/block/${device}/dev`, number],
      [`/sys/dev/block/${number}/size`, `${sectors}`],
      [`/sys/dev/block/${number}/dev`, number],
    ] as const) {
      files.putFolder(path.slice(0, path.lastIndexOf("/")));
      files.put(path, "file", { bytes: new TextEncoder().encode(`${text}\n`) });
    }
    const node = files.put(`/dev/${device}`, "block", {
      node: number,
      bytes: new Uint8Array(volume.shownBytes),
    });
    node.xattrs.set("security.selinux", "system_u:object_r:fixed_disk_device_t:s0");
    files.putFolder(`/dev/${group}`);
    files.put(`/dev/${group}/${volume.name}`, "symlink", { target: `../${device}` });
  }

  /** Returns the lowest number without a device, as device-mapper does. */
  #freeNumber(): number {
    let number = FIRST_DEVICE;
    while (this.#machine.files.find(`/dev/dm-${number}`) !== undefined) number += 1;
    return number;
  }

  #unmap(group: string, volume: Volume): void {
    if (volume.device === undefined) return;
    for (const path of [
      `/sys/class/block/dm-${volume.device}`,
      `/sys/dev/block/253:${volume.device}`,
      `/dev/dm-${volume.device}`,
      `/dev/${group}/${volume.name}`,
    ])
      this.#machine.files.remove(path);
    volume.device = undefined;
  }

  #id(): string {
    this.#made += 1;
    return `${this.#made}`.padStart(32, "x");
  }
}

const DONE: ProgramEnd = { code: 0, errors: "" };

function mapName(...words: readonly string[]): string {
  return words.map((word) => word.replaceAll("-", "--")).join("-");
}

function failed(message: string): ProgramEnd {
  return { code: 5, errors: `  WARNING: a warning\n  ${message}\n` };
}

function asReport(kind: string, rows: readonly object[]): ProgramOutput {
  return { text: JSON.stringify({ report: [{ [kind]: rows }], log: [] }) };
}
