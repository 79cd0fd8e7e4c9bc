import type { ProgramEnd, ProgramOutput } from "../../src/host/processes.ts";
import { registryLock, SYSTEM_PATHS } from "../../src/plan/paths.ts";
import type { Machine } from "../memory-host/machine.ts";

const DATABASE = "/etc/openvswitch/ports";
const DONE: ProgramEnd = { code: 0, errors: "" };

/**
 * Open vSwitch of a machine in memory: its bridges, and its ports with the words that configured them, which
 * survive their devices. Its messages are those of Open vSwitch 3.5.
 */
export class MemorySwitch {
  readonly run: string[] = [];
  /** The database answers no program. */
  isDatabaseDown = false;
  /** The database takes a change, and the switch does not apply it. */
  isSwitchDown = false;
  readonly #machine: Machine;
  readonly #bridges: readonly string[];

  constructor(machine: Machine, ...bridges: readonly string[]) {
    this.#machine = machine;
    this.#bridges = bridges;
    const { files } = machine;
    files.putFolder("/usr/bin");
    files.put("/usr/bin/ovs-vsctl", "file", { bytes: new Uint8Array() });
    files.putFolder(DATABASE);
    for (const bridge of bridges) machine.taps.addSwitch(bridge);
    machine.runProgram = (words) => this.#change(words.slice(words.indexOf("--") + 1));
    machine.readOutput = (words) => this.#find(words);
  }

  /** Returns the ports, each with its bridge and configuration in one line. */
  get ports(): readonly string[] {
    const { files } = this.#machine;
    return [...files.get(DATABASE).entries.keys()]
      .toSorted()
      .map((name) => `${name} ${new TextDecoder().decode(files.get(`${DATABASE}/${name}`).bytes)}`);
  }

  /** Returns the names of the ports. */
  get names(): readonly string[] {
    return this.ports.map((line) => line.split(" ")[0] ?? "");
  }

  /** Adds a port of another program, or one left over. */
  addPort(name: string, configured: string): void {
    this.#machine.files.put(`${DATABASE}/${name}`, "file", { bytes: new TextEncoder().encode(configured) });
  }

  #change(words: readonly string[]): ProgramEnd {
    this.#record(words);
    if (this.isDatabaseDown) {
      const errors =
        "ovs-vsctl: unix:/var/run/openvswitch/db.sock: database connection failed (No such file or directory)\n";
      return { code: 1, errors };
    }
    const [, , ...commands] = words;
    for (const command of split(commands)) {
      const end = this.#apply(command, words);
      if (end !== DONE) return end;
    }
    if (!this.isSwitchDown) return DONE;
    return {
      code: -1,
      errors: "2026-11-29T16:10:48Z|00002|fatal_signal|WARN|terminating with signal 14 (Alarm clock)\n",
    };
  }

  /**
   * Records a violation if the registry's lock is held: a switch that does not answer would delay all other
   * guests.
   */
  #record(words: readonly string[]): void {
    this.run.push(words.join(" "));
    if (this.#machine.locks.has(registryLock(SYSTEM_PATHS)))
      this.#machine.violations.push(`Open vSwitch is asked under the registry's lock: ${words.join(" ")}`);
  }

  #apply(command: readonly string[], words: readonly string[]): ProgramEnd {
    const [verb, first = "", second = ""] = command.filter((word) => word !== "--if-exists");
    const { files } = this.#machine;
    if (verb === "del-port") {
      if (files.find(`${DATABASE}/${first}`) !== undefined) files.remove(`${DATABASE}/${first}`);
      return DONE;
    }
    if (verb !== "add-port") return DONE;
    if (!this.#bridges.includes(first)) return { code: 1, errors: `ovs-vsctl: no bridge named ${first}\n` };
    const set = split(words).flatMap((part) => (part[0] === "set" ? part.slice(3) : []));
    this.addPort(second, [first, ...command.slice(3), ...set].join(" "));
    return DONE;
  }

  #find(words: readonly string[]): ProgramOutput {
    this.#record(words);
    if (this.isDatabaseDown) return { fault: "failed" };
    const [, name = ""] = /name="([^"]*)"/.exec(words.join(" ")) ?? [];
    const ids = words.flatMap((word) => /^external_ids:([a-z-]+="[^"]+")$/.exec(word)?.[1] ?? []);
    // The command for a port of any kind asks for one with a vm-id, too.
    if (words.includes("Port")) {
      const holders = this.ports.filter((line) => line.startsWith(`${name} `));
      const guests = holders.filter((line) => line.includes("external-ids:vm-id="));
      return { text: [...holders, ...guests].map(() => `${name}\n`).join("\n") };
    }
    const isOwn = this.ports.some(
      (line) => line.startsWith(`${name} `) && ids.every((id) => line.includes(`external-ids:${id}`)),
    );
    return { text: isOwn ? `${name}\n` : "" };
  }
}

/** Splits commands at "--". */
function split(words: readonly string[]): readonly (readonly string[])[] {
  return words
    .join("\n")
    .split("\n--\n")
    .map((part) => part.split("\n").filter((word) => word !== "--"));
}
