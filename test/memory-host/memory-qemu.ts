import { SvirtError } from "../../src/errors.ts";
import type { GuestOrder, HandedFile } from "../../src/plan/guest-order.ts";

type Facts = Readonly<Record<string, unknown>>;

/** What a QEMU in memory says when it does not do something. */
export function qmpError(description: string): SvirtError {
  return new SvirtError(`internal error: unable to execute QEMU command: ${description}`, { kind: "failed" });
}

/** The devices of a QEMU, and what is behind them: it keeps to the rules that a real one enforces between them. */
export class MemoryQemu {
  readonly #sets = new Map<number, HandedFile>();
  readonly #nodes = new Map<string, Facts>();
  readonly #others = new Map<string, Facts>();
  readonly #devices = new Map<string, Facts>();
  /** Of descriptors that no netdev has taken yet. */
  readonly #names = new Set<string>();
  /** Of drives whose trays are open. */
  readonly #open = new Set<string>();

  constructor(order: GuestOrder) {
    for (const file of order.files) this.#sets.set(file.fd, file);
    const tables = new Map([
      ["-blockdev", "blockdev-add"],
      ["-netdev", "netdev_add"],
      ["-object", "object-add"],
      ["-device", "device_add"],
    ]);
    for (const [at, option] of order.words.entries()) {
      const [command, value = ""] = [tables.get(option), order.words[at + 1]];
      if (command !== undefined && value.startsWith("{")) this.answer(command, JSON.parse(value) as Facts);
    }
  }

  has(device: string): boolean {
    return this.#devices.has(device);
  }

  listFiles(): readonly HandedFile[] {
    return [...this.#sets.values()];
  }

  /** All that there is, a line each, for comparing. */
  list(): string[] {
    const tables = {
      name: new Map([...this.#names].map((name) => [name, name])),
      set: this.#sets,
      node: this.#nodes,
      other: this.#others,
      device: this.#devices,
    };
    return Object.entries(tables).flatMap(([kind, table]) =>
      [...table.keys()].map((key) => `${kind} ${key}`),
    );
  }

  /** The node in a drive. */
  mediumOf(device: string): unknown {
    return this.#devices.get(device)?.["drive"];
  }

  addNames(names: readonly string[]): void {
    for (const name of names) this.#names.add(name);
  }

  addSet(file: HandedFile): void {
    if (this.#sets.has(file.fd)) throw qmpError(`the set ${file.fd} is there already`);
    this.#sets.set(file.fd, file);
  }

  /** device_del: the guest lets go later, or never. */
  askToLetGo({ id }: Facts, ask: (letGo: () => void) => void): Facts {
    const name = this.#nameOf(this.#devices, id, `Device '${id}' not found`);
    ask(() => this.letGo(name));
    return {};
  }

  /** The guest has let go. */
  letGo(device: string): void {
    this.#devices.delete(device);
  }

  answer(command: string, args: Facts): unknown {
    const id = String(args["id"]);
    switch (command) {
      case "blockdev-add":
        return this.#addNode(args);
      case "closefd":
        if (!this.#names.delete(String(args["fdname"])))
          throw qmpError(`File descriptor named '${args["fdname"]}' not found`);
        return {};
      case "netdev_add":
        this.#takeNames(args);
        return this.#add(this.#others, id, args);
      case "object-add":
        return this.#add(this.#others, id, args);
      case "device_add":
        for (const key of ["drive", "netdev", "rng"]) this.#require(args[key]);
        return this.#add(this.#devices, id, args);
      case "blockdev-del":
        return this.#removeNode(String(args["node-name"]));
      case "netdev_del":
        return this.#removeOther(id, `Device '${id}' not found`);
      case "object-del":
        return this.#removeOther(id, `object '${id}' not found`);
      case "remove-fd":
        return this.#removeSet(Number(args["fdset-id"]));
      default:
        return this.#answerDrive(command, args);
    }
  }

  #answerDrive(command: string, args: Facts): unknown {
    const id = String(args["id"]);
    switch (command) {
      case "qom-list":
        return [...this.#devices.keys()].map((name) => ({ name, type: "child<device>" }));
      case "query-block":
        return [...this.#devices.entries()].map(([qdev, { drive }]) => ({
          qdev,
          tray_open: this.#open.has(qdev),
          ...(drive === undefined ? {} : { inserted: { "node-name": drive } }),
        }));
      case "blockdev-open-tray":
        this.#open.add(id);
        return {};
      case "blockdev-close-tray":
        this.#open.delete(id);
        return {};
      case "blockdev-remove-medium":
        return this.#setMedium(id, undefined);
      case "blockdev-insert-medium":
        return this.#setMedium(id, String(args["node-name"]));
      case "set_link":
        this.#nameOf(this.#devices, args["name"], `Device '${args["name"]}' not found`);
        return {};
      default:
        throw qmpError(`The command ${command} has not been found`);
    }
  }

  /** A name without digits alone is one that the monitor was given a descriptor under, and is used up. */
  #takeNames(args: Facts): void {
    for (const key of ["fd", "fds", "vhostfd", "vhostfds"]) {
      for (const name of String(args[key] ?? "0").split(":")) {
        if (!/^\d+$/.test(name) && !this.#names.delete(name))
          throw qmpError(`File descriptor named '${name}' has not been found`);
      }
    }
  }

  #add(table: Map<string, Facts>, name: string, facts: Facts): Facts {
    if (table.has(name)) throw qmpError(`Duplicate ID '${name}'`);
    table.set(name, facts);
    return {};
  }

  #addNode(args: Facts): Facts {
    const set = setIn(args);
    if (set !== undefined && !this.#sets.has(set)) throw qmpError(`Could not open '/dev/fdset/${set}'`);
    for (const key of ["file", "backing", "data-file"]) this.#require(args[key]);
    return this.#add(this.#nodes, String(args["node-name"]), args);
  }

  #removeNode(name: string): Facts {
    this.#nameOf(this.#nodes, name, `Failed to find node with node-name='${name}'`);
    const users = [...this.#nodes.values(), ...this.#devices.values()];
    if (users.some((user) => ["file", "backing", "data-file", "drive"].some((key) => user[key] === name)))
      throw qmpError(`Node '${name}' is busy: node is used`);
    this.#nodes.delete(name);
    return {};
  }

  #removeOther(name: string, missing: string): Facts {
    this.#nameOf(this.#others, name, missing);
    if ([...this.#devices.values()].some((user) => user["netdev"] === name || user["rng"] === name))
      throw qmpError(`object '${name}' is in use`);
    this.#others.delete(name);
    return {};
  }

  #removeSet(set: number): Facts {
    if (!this.#sets.has(set)) throw qmpError(`File descriptor named 'fdset-id:${set}' not found`);
    if ([...this.#nodes.values(), ...this.#others.values()].some((user) => setIn(user) === set))
      throw qmpError(`the set ${set} is taken away from a node`);
    this.#sets.delete(set);
    return {};
  }

  #setMedium(id: string, node: string | undefined): Facts {
    const { drive, ...device } = this.#devices.get(id) ?? {};
    if (!this.#open.has(id)) throw qmpError(`Tray of device '${id}' is not open`);
    if (node !== undefined && drive !== undefined) throw qmpError(`There already is a medium in '${id}'`);
    this.#require(node);
    this.#devices.set(id, node === undefined ? device : { ...device, drive: node });
    return {};
  }

  #require(name: unknown): void {
    if (typeof name !== "string" || this.#nodes.has(name) || this.#others.has(name)) return;
    throw qmpError(`Cannot find ${name}`);
  }

  #nameOf(table: ReadonlyMap<string, Facts>, name: unknown, missing: string): string {
    if (typeof name === "string" && table.has(name)) return name;
    throw qmpError(missing);
  }
}

function setIn({ filename }: Facts): number | undefined {
  const number = /^\/dev\/fdset\/(\d+)$/.exec(String(filename))?.[1];
  return number === undefined ? undefined : Number(number);
}
