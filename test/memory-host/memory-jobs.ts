import type { Facts } from "./memory-qemu.ts";
import { qmpError } from "./qmp-error.ts";

/** Block nodes and devices of the QEMU that runs the jobs. */
export interface Graph {
  readonly nodes: Map<string, Facts>;
  readonly devices: Map<string, Facts>;
  /** Writes the name of the backing file into the header of a node's image. */
  nameBacking(node: string, path: string): void;
}

interface Job {
  readonly id: string;
  readonly type: string;
  status: string;
  speed: number;
  error?: string;
  readonly uses: readonly string[];
  /** A mirror stays "ready" until a command ends it. */
  readonly isMirror: boolean;
  replaces: boolean;
  /** Applies the result of the job to the block nodes and devices. */
  apply(): void;
}

const COPY_MS = 30;
const STEP_MS = 5;

/** Commit, stream and mirror jobs, with the states of a real QEMU and its rules for write access. */
export class MemoryJobs {
  readonly #jobs = new Map<string, Job>();
  readonly #graph: Graph;
  /** Every job fails when it is finalized. */
  failsAtEnd = false;
  readonly #later: (ms: number, run: () => void) => void;

  constructor(graph: Graph, later: (ms: number, run: () => void) => void) {
    this.#graph = graph;
    this.#later = later;
  }

  /** Returns whether an unfinished job uses a block node. */
  uses(node: string): boolean {
    return [...this.#jobs.values()].some(({ status, uses }) => status !== "concluded" && uses.includes(node));
  }

  list(): string[] {
    return [...this.#jobs.values()].map(({ id, status }) => `job ${id} ${status}`);
  }

  /** Returns undefined for a command that is not about jobs. */
  answer(command: string, args: Facts): unknown {
    switch (command) {
      case "transaction":
        return this.#transact(args);
      case "block-commit":
        return this.#commit(args);
      case "block-stream":
        return this.#stream(args);
      case "blockdev-mirror":
        return this.#mirror(args);
      case "query-jobs":
        return [...this.#jobs.values()].map(({ error, id, status, type }) => ({
          id,
          type,
          status,
          "current-progress": status === "running" ? 1 : 2,
          "total-progress": 2,
          ...(error === undefined ? {} : { error }),
        }));
      case "query-block-jobs":
        return [...this.#jobs.values()].map(({ id, speed }) => ({ device: id, speed }));
      case "job-complete":
        return this.#complete(this.#jobIn(args["id"], ["ready"]));
      case "job-finalize":
        return this.#finalize(this.#jobIn(args["id"], ["pending"]));
      case "job-cancel":
        return this.#cancel(this.#jobIn(args["id"], ["running", "ready", "pending"]));
      case "block-job-cancel":
        return this.#pend(this.#jobIn(args["device"], ["ready"]));
      case "block-job-set-speed":
        this.#jobIn(args["device"], ["running", "ready"]).speed = Number(args["speed"]);
        return {};
      case "job-dismiss":
        this.#jobs.delete(this.#jobIn(args["id"], ["concluded"]).id);
        return {};
      default:
        return undefined;
    }
  }

  #transact(args: Facts): Facts {
    const actions = args["actions"] as readonly { readonly type: string; readonly data: Facts }[];
    for (const { data, type } of actions) {
      if (type !== "blockdev-snapshot") throw qmpError(`no transaction of ${type}`);
      const overlay = this.#node(data["overlay"]);
      this.#node(data["node"]);
      if (overlay["backing"] !== null) throw qmpError("The overlay already has a backing image");
    }
    for (const { data } of actions) {
      const [node, overlay] = [String(data["node"]), String(data["overlay"])];
      this.#setNode(overlay, { backing: node });
      this.#replace(node, overlay);
      // Only the image's node is reopened; the access mode of its file stays.
      if (this.#node(node)["driver"] === "qcow2") this.#setNode(node, { "read-only": true });
    }
    return {};
  }

  #commit(args: Facts): Facts {
    const [device, top, base] = ["device", "top-node", "base-node"].map((key) => String(args[key]));
    if (device === undefined || top === undefined || base === undefined)
      throw qmpError("parameters are missing");
    this.#requireWritable(base);
    if (!this.#chain(top).includes(base) || base === top)
      throw qmpError(`'${base}' is not in this backing file chain`);
    const isActive = device === top;
    if (!isActive && args["backing-file"] === undefined) throw qmpError("the image above would name a set");
    return this.#start(args, {
      type: "commit",
      uses: this.#chain(device),
      isMirror: isActive,
      apply: () => {
        if (isActive) return this.#replace(top, base);
        const above = [...this.#graph.nodes.entries()].find(([, { backing }]) => backing === top)?.[0];
        if (above === undefined) return;
        this.#setNode(above, { backing: base });
        this.#graph.nameBacking(above, String(args["backing-file"]));
      },
    });
  }

  #stream(args: Facts): Facts {
    const device = String(args["device"]);
    const base = args["base-node"];
    if (base !== undefined && !this.#chain(device).includes(String(base)))
      throw qmpError(`Can't find '${base}' in the backing chain`);
    if (base !== undefined && args["backing-file"] === undefined)
      throw qmpError("the image would name a set");
    return this.#start(args, {
      type: "stream",
      uses: this.#chain(device),
      isMirror: false,
      // A raw image has no backing file.
      apply: () => {
        if ("backing" in this.#node(device)) this.#setNode(device, { backing: base ?? null });
      },
    });
  }

  #mirror(args: Facts): Facts {
    const [device, target] = [String(args["device"]), String(args["target"])];
    this.#requireWritable(target);
    if (args["sync"] === "full" && typeof this.#node(target)["backing"] === "string")
      throw qmpError("a full copy stands alone");
    return this.#start(args, {
      type: "mirror",
      uses: [...this.#chain(device), target],
      isMirror: true,
      apply: () => this.#replace(device, target),
    });
  }

  #start(args: Facts, job: Omit<Job, "id" | "status" | "speed" | "replaces">): Facts {
    const id = String(args["job-id"]);
    if (this.#jobs.has(id)) throw qmpError(`Job ID '${id}' already in use`);
    if (args["auto-finalize"] !== false || args["auto-dismiss"] !== false)
      throw qmpError("nobody would be told how it ended");
    if (job.uses.some((node) => this.uses(node))) throw qmpError(`Node '${job.uses[0]}' is busy`);
    const started: Job = {
      ...job,
      id,
      status: "running",
      speed: Number(args["speed"] ?? 0),
      replaces: !job.isMirror,
    };
    this.#jobs.set(id, started);
    this.#later(COPY_MS, () => {
      if (started.status === "running") started.status = job.isMirror ? "ready" : "pending";
    });
    return {};
  }

  #complete(job: Job): Facts {
    job.replaces = true;
    return this.#pend(job);
  }

  #pend(job: Job): Facts {
    this.#later(STEP_MS, () => {
      if (job.status === "ready") job.status = "pending";
    });
    return {};
  }

  #finalize(job: Job): Facts {
    if (this.failsAtEnd) job.error = "Could not reopen the file";
    else if (job.replaces) job.apply();
    job.status = "concluded";
    return {};
  }

  #cancel(job: Job): Facts {
    job.status = "aborting";
    this.#later(STEP_MS, () => {
      job.error = "Operation canceled";
      job.status = "concluded";
    });
    return {};
  }

  /** Ends a job with an error, such as a full disk. */
  fail(id: string, error: string): void {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new Error(`there is no job ${id}`);
    job.error = error;
    job.status = "concluded";
  }

  #jobIn(id: unknown, states: readonly string[]): Job {
    const job = this.#jobs.get(String(id));
    if (job === undefined) throw qmpError("Job not found");
    if (states.includes(job.status)) return job;
    throw qmpError(`Job '${job.id}' in state '${job.status}' cannot accept command verb`);
  }

  #node(name: unknown): Facts {
    const node = this.#graph.nodes.get(String(name));
    if (node === undefined) throw qmpError(`Cannot find device='' nor node-name='${name}'`);
    return node;
  }

  #setNode(name: string, facts: Facts): void {
    this.#graph.nodes.set(name, { ...this.#node(name), ...facts });
  }

  /** Moves the devices of one block node to another. */
  #replace(from: string, to: string): void {
    for (const [id, device] of this.#graph.devices)
      if (device["drive"] === from) this.#graph.devices.set(id, { ...device, drive: to });
  }

  #chain(top: string): string[] {
    const chain: string[] = [];
    for (let node: unknown = top; typeof node === "string"; node = this.#node(node)["backing"])
      chain.push(node);
    return chain;
  }

  #requireWritable(name: string): void {
    const node = this.#node(name);
    const below = ["file", "data-file"].flatMap((key) => (typeof node[key] === "string" ? [node[key]] : []));
    if (node["read-only"] === true) throw qmpError(`Block node is read-only`);
    for (const one of below) this.#requireWritable(String(one));
  }
}
