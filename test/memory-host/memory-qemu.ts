import type { FileId } from "../../src/plan/facts/file.ts";
import type { LaunchSpec, PassedFile } from "../../src/plan/facts/launch-spec.ts";
import { MemoryJobs } from "./memory-jobs.ts";
import { qmpError } from "./qmp-error.ts";

/** Arguments of the command that created an object. */
export type Facts = Readonly<Record<string, unknown>>;

/** A descriptor of an fd set. */
interface Member {
  readonly fd: number;
  readonly file: PassedFile;
}

/** How QEMU treats the files that it holds. */
interface HeldFiles {
  /** While it returns true, QEMU reports files as closed and keeps them open. */
  keepsFiles(): boolean;
  /** Writes the name of the backing file into an image's header. */
  writeBacking(image: FileId, path: string): void;
}

/** Devices of a QEMU and their backends, with the rules that a real QEMU enforces between them. */
export class MemoryQemu {
  readonly #sets = new Map<number, readonly Member[]>();
  readonly #nodes = new Map<string, Facts>();
  readonly #others = new Map<string, Facts>();
  readonly #devices = new Map<string, Facts>();
  /** Names of descriptors that are still unused. */
  readonly #names = new Set<string>();
  /** Drives whose trays are open. */
  readonly #open = new Set<string>();
  /** Sizes that block nodes got, in bytes. */
  readonly sizes = new Map<string, number>();
  /** Limits of disks, by their devices. */
  readonly throttles = new Map<string, Facts>();
  /** Properties that were set, by path and name. */
  readonly properties = new Map<string, unknown>();
  readonly jobs: MemoryJobs;
  /** Contexts of the connections to other programs, by descriptor name. */
  readonly #connections = new Map<string, string>();
  /** Descriptors that QEMU was told to close and keeps open. */
  readonly #kept: Member[] = [];
  readonly #keptConnections: string[] = [];
  readonly #keeps: () => boolean;
  #nextFd = 100;

  constructor(
    order: LaunchSpec,
    later: (ms: number, run: () => void) => void,
    { keepsFiles, writeBacking }: HeldFiles,
  ) {
    this.#keeps = keepsFiles;
    const nameBacking = (node: string, path: string): void => {
      const set = setIn(this.#nodes.get(String(this.#nodes.get(node)?.["file"])) ?? {});
      const [member] = set === undefined ? [] : (this.#sets.get(set) ?? []);
      if (member !== undefined) writeBacking(member.file.file, path);
    };
    this.jobs = new MemoryJobs({ nodes: this.#nodes, devices: this.#devices, nameBacking }, later);
    for (const file of order.files) this.addSet(file);
    for (const { context, fd } of order.peers ?? []) this.connect(String(fd), context);
    const tables = new Map([
      ["-blockdev", "blockdev-add"],
      ["-netdev", "netdev_add"],
      ["-object", "object-add"],
      ["-device", "device_add"],
    ]);
    for (const [at, option] of order.words.entries()) {
      const [command, value = ""] = [tables.get(option), order.words[at + 1]];
      if (command !== undefined && value.startsWith("{")) this.answer(command, JSON.parse(value) as Facts);
      if (option === "-chardev") this.#addChardev(value);
    }
  }

  has(device: string): boolean {
    return this.#devices.has(device);
  }

  listFiles(): readonly PassedFile[] {
    return [...this.#sets.values()].flatMap((members) => members.map(({ file }) => file));
  }

  /** Returns all files that the kernel shows as open, including those that QEMU has reported as closed. */
  listHeld(): readonly PassedFile[] {
    return [...this.listFiles(), ...this.#kept.map(({ file }) => file)];
  }

  /** Returns the contexts of the connections to other programs. */
  listConnections(): readonly string[] {
    return [...this.#connections.values()];
  }

  connect(name: string, context: string | undefined): void {
    if (context !== undefined) this.#connections.set(name, context);
  }

  /** Closes all files and connections that QEMU has kept. */
  closeKept(): void {
    this.#kept.splice(0);
    for (const name of this.#keptConnections.splice(0)) this.#connections.delete(name);
  }

  #addChardev(value: string): void {
    const [, id] = /(?:^|,)id=([^,]+)/.exec(value) ?? [];
    const [, fd] = /(?:^|,)fd=(\d+)/.exec(value) ?? [];
    if (id !== undefined) this.#others.set(id, fd === undefined ? {} : { fd });
  }

  #disconnect(name: unknown): void {
    if (typeof name !== "string" || !this.#connections.has(name)) return;
    if (this.#keeps()) this.#keptConnections.push(name);
    else this.#connections.delete(name);
  }

  /** Returns all objects, one line each, for comparison. */
  list(): string[] {
    return [
      ...[...this.#names].map((name) => `name ${name}`),
      ...[...this.#sets].map(([set, members]) => `set ${set} ${members.map(({ file }) => file.access)}`),
      ...[...this.#nodes].map(
        ([name, facts]) =>
          `node ${name} on ${facts["backing"] ?? ""} ${facts["read-only"] === true ? "read-only" : ""}`,
      ),
      ...[...this.#others.keys()].map((name) => `other ${name}`),
      ...[...this.#devices].map(([name, { drive }]) => `device ${name} ${drive ?? ""}`),
      ...this.jobs.list(),
    ];
  }

  /** Returns the block node in a drive. */
  mediumOf(device: string): unknown {
    return this.#devices.get(device)?.["drive"];
  }

  addNames(names: readonly string[]): void {
    for (const name of names) this.#names.add(name);
  }

  addSet(file: PassedFile): void {
    const members = this.#sets.get(file.fd) ?? [];
    if (members.some((one) => one.file.file.path !== file.file.path))
      throw qmpError(`the set ${file.fd} is there already, with another file`);
    this.#nextFd += 1;
    this.#sets.set(file.fd, [...members, { fd: this.#nextFd, file }]);
  }

  /** Answers device_del. The guest releases the device later, or never, as `ask` decides. */
  askToLetGo({ id }: Facts, ask: (letGo: () => void) => void): Facts {
    const name = this.#nameOf(this.#devices, id, `Device '${id}' not found`);
    ask(() => this.letGo(name));
    return {};
  }

  /** Removes a device that the guest has released. */
  letGo(device: string): void {
    this.#devices.delete(device);
  }

  answer(command: string, args: Facts): unknown {
    const id = String(args["id"]);
    switch (command) {
      case "blockdev-add":
        return this.#addNode(args);
      case "closefd":
        this.#disconnect(args["fdname"]);
        if (!this.#names.delete(String(args["fdname"])))
          throw qmpError(`File descriptor named '${args["fdname"]}' not found`);
        return {};
      case "display-update":
        for (const { str } of args["addresses"] as readonly Facts[]) this.#takeNames({ fd: str });
        return {};
      case "netdev_add":
        this.#takeNames(args);
        return this.#add(this.#others, id, args);
      case "object-add":
        this.#require(args["chardev"]);
        return this.#add(this.#others, id, args);
      case "chardev-add":
        this.#takeNames({ fd: connectionOf(args) });
        return this.#add(this.#others, id, args);
      case "device_add":
        for (const key of ["drive", "netdev", "rng", "chardev"]) this.#require(args[key]);
        return this.#add(this.#devices, id, args);
      case "blockdev-del":
        return this.#removeNode(String(args["node-name"]));
      case "netdev_del":
        return this.#removeOther(id, `Device '${id}' not found`);
      case "chardev-remove":
        return this.#removeOther(id, `Chardev '${id}' not found`);
      case "object-del":
        return this.#removeOther(id, `object '${id}' not found`);
      case "remove-fd":
        return this.#removeSet(Number(args["fdset-id"]), args["fd"]);
      case "query-fdsets":
        return [...this.#sets].map(([set, members]) => ({
          "fdset-id": set,
          fds: members.map(({ fd, file }) => ({ fd, opaque: file.file.path })),
        }));
      case "blockdev-reopen":
        for (const options of args["options"] as readonly Facts[]) this.#reopen(options);
        return {};
      default:
        return this.jobs.answer(command, args) ?? this.#answerDrive(command, args);
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
      case "block_set_io_throttle":
        if (!this.#devices.has(id.replace(/^\/machine\/peripheral\/(.*)\/virtio-backend$/, "$1")))
          throw qmpError(`Device '${id}' not found`);
        this.throttles.set(id, args);
        return {};
      case "qom-set":
        this.properties.set(`${args["path"]} ${args["property"]}`, args["value"]);
        return {};
      case "block_resize":
        if (!this.#nodes.has(String(args["node-name"]))) throw qmpError(`Cannot find device=''`);
        this.sizes.set(String(args["node-name"]), Number(args["size"]));
        return {};
      case "set_link":
        this.#nameOf(this.#devices, args["name"], `Device '${args["name"]}' not found`);
        return {};
      default:
        throw qmpError(`The command ${command} has not been found`);
    }
  }

  /** Uses up descriptors of the monitor: a value that is not a number is the name of one. */
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
    const server = args["server"] as Facts | undefined;
    if (server?.["type"] === "fd") this.#takeNames({ fd: server["str"] });
    return this.#add(this.#nodes, String(args["node-name"]), args);
  }

  /** Reopens a block node. All options are repeated, and the node of a device does not become read-only. */
  #reopen(options: Facts): void {
    const name = this.#nameOf(this.#nodes, options["node-name"], "Failed to find node");
    const before = this.#nodes.get(name) ?? {};
    for (const key of ["driver", "file", "backing", "data-file", "filename"])
      if (before[key] !== options[key]) throw qmpError(`Cannot change the option '${key}'`);
    const access = options["read-only"] === true ? "read-only" : "read-write";
    const set = setIn(options);
    if (set !== undefined && !this.#sets.get(set)?.some(({ file }) => file.access === access))
      throw qmpError(`Failed to open file: no descriptor of set ${set} is ${access}`);
    if (access === "read-only" && [...this.#devices.values()].some(({ drive }) => drive === name))
      throw qmpError(`Block node is read-only`);
    this.#nodes.set(name, options);
  }

  #removeNode(name: string): Facts {
    this.#nameOf(this.#nodes, name, `Failed to find node with node-name='${name}'`);
    const users = [...this.#nodes.values(), ...this.#devices.values()];
    if (users.some((user) => ["file", "backing", "data-file", "drive"].some((key) => user[key] === name)))
      throw qmpError(`Node '${name}' is busy: node is used`);
    if (this.jobs.uses(name)) throw qmpError(`Node '${name}' is busy: a job uses it`);
    this.#disconnect((this.#nodes.get(name)?.["server"] as Facts | undefined)?.["str"]);
    this.#nodes.delete(name);
    return {};
  }

  #removeOther(name: string, missing: string): Facts {
    this.#nameOf(this.#others, name, missing);
    const users = [...this.#devices.values(), ...this.#others.values()];
    if (users.some((user) => ["netdev", "rng", "chardev"].some((key) => user[key] === name)))
      throw qmpError(`object '${name}' is in use`);
    const gone = this.#others.get(name);
    this.#disconnect(gone?.["backend"] === undefined ? gone?.["fd"] : connectionOf(gone));
    this.#others.delete(name);
    return {};
  }

  #removeSet(set: number, fd: unknown): Facts {
    const members = this.#sets.get(set);
    if (members === undefined) throw qmpError(`File descriptor named 'fdset-id:${set}' not found`);
    const left = fd === undefined ? [] : members.filter((one) => one.fd !== fd);
    if (this.#keeps()) this.#kept.push(...members.filter((one) => !left.includes(one)));
    if (left.length > 0) {
      this.#sets.set(set, left);
      return {};
    }
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

/** Returns the descriptor of a chardev's connection. ChardevSocket of qemu.git qapi/char.json */
function connectionOf({ backend }: Facts): unknown {
  const { data } = backend as { readonly data: { readonly addr: { readonly data: Facts } } };
  return data.addr.data["str"];
}
