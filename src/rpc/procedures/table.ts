import type { Procedure } from "./procedure.ts";

/** Procedures declared in a file. */
interface DeclaredTogether {
  /** Numbers in libvirt's remote_protocol.x. A test compares them with the file's. */
  readonly numbers: readonly number[];
  load(): Promise<readonly Procedure[]>;
}

/**
 * svirt's procedures of libvirt's remote program. Each file is loaded at a client's first call of its
 * procedures.
 */
const REMOTE_FILES: readonly DeclaredTogether[] = [
  {
    numbers: [1, 2, 59, 60, 66, 110, 149, 360, 361, 419],
    load: async () => (await import("./connection.ts")).connectionProcedures,
  },
  {
    numbers: [277, 294, 335, 336, 337, 338, 349, 357, 418, 420, 424, 425],
    load: async () => (await import("./domain/agent.ts")).agentProcedures,
  },
  {
    numbers: [371, 372],
    load: async () => (await import("./domain/guest-vcpus.ts")).guestVcpuProcedures,
  },
  {
    numbers: [308],
    load: async () => (await import("./domain/balloon.ts")).balloonProcedures,
  },
  {
    numbers: [237, 238, 239, 240, 251, 266, 290, 345],
    load: async () => (await import("./domain/block-jobs.ts")).blockJobProcedures,
  },
  {
    numbers: [11, 29, 35, 231, 350, 358, 450],
    load: async () => (await import("./domain/definitions.ts")).definitionProcedures,
  },
  {
    numbers: [8, 13, 160, 161, 174, 392],
    load: async () => (await import("./domain/devices.ts")).deviceProcedures,
  },
  {
    numbers: [14, 16, 17, 18, 121],
    load: async () => (await import("./domain/domain-facts.ts")).factProcedures,
  },
  {
    numbers: [9, 10, 12, 27, 28, 33, 34, 196, 234, 258],
    load: async () => (await import("./domain/domain-life.ts")).lifeProcedures,
  },
  {
    numbers: [21, 22, 23, 24, 25, 37, 51, 273],
    load: async () => (await import("./domain/domain-lists.ts")).listProcedures,
  },
  {
    numbers: [15, 19, 150, 151, 183, 202, 212, 449],
    load: async () => (await import("./domain/domain-state.ts")).stateProcedures,
  },
  {
    numbers: [163, 164, 298, 442],
    load: async () => (await import("./domain/jobs.ts")).jobProcedures,
  },
  {
    numbers: [264, 265],
    load: async () => (await import("./domain/metadata.ts")).metadataProcedures,
  },
  {
    numbers: [136, 278, 396, 413, 415, 422, 426],
    load: async () => (await import("./domain/label-and-messages.ts")).moreFactProcedures,
  },
  {
    numbers: [103],
    load: async () => (await import("./domain/peek.ts")).peekProcedures,
  },
  {
    numbers: [53, 210, 226, 245, 263, 334],
    load: async () => (await import("./domain/requests.ts")).requestProcedures,
  },
  {
    numbers: [440, 441],
    load: async () => (await import("./domain/save-params.ts")).saveParamsProcedures,
  },
  {
    numbers: [236, 388, 389],
    load: async () => (await import("./domain/saved-xml.ts")).savedXmlProcedures,
  },
  {
    numbers: [54, 55, 182, 184, 232, 233, 235],
    load: async () => (await import("./domain/saving.ts")).savingProcedures,
  },
  {
    numbers: [20, 30, 31, 32, 199, 200, 204, 384],
    load: async () => (await import("./domain/sizes.ts")).sizeProcedures,
  },
  {
    numbers: [267],
    load: async () => (await import("./domain/sleep.ts")).sleepProcedures,
  },
  {
    numbers: [313, 314, 316, 317, 368, 369, 374, 375, 380, 381],
    load: async () => (await import("./event-registrations.ts")).eventProcedures,
  },
  {
    numbers: [158, 162, 393, 394],
    load: async () => (await import("./host/cpu-models.ts")).cpuModelProcedures,
  },
  {
    numbers: [126, 127, 128, 129, 130, 137, 138, 156, 284],
    load: async () => (await import("./host/interfaces.ts")).interfaceProcedures,
  },
  {
    numbers: [111, 112, 113, 114, 115, 116, 117, 118, 119, 120, 285, 301, 433, 435, 436],
    load: async () => (await import("./host/node-devices.ts")).nodeDeviceProcedures,
  },
  {
    numbers: [101, 203, 227, 228, 289, 340, 395],
    load: async () => (await import("./host/node-statistics.ts")).nodeStatisticsProcedures,
  },
  {
    numbers: [3, 4, 5, 6, 7, 102, 122, 157, 293, 312, 342],
    load: async () => (await import("./host/node.ts")).nodeProcedures,
  },
  {
    numbers: [397, 398, 401],
    load: async () => (await import("./network/filter-bindings.ts")).filterBindingProcedures,
  },
  {
    numbers: [175, 176, 177, 178, 179, 180, 181, 286, 431],
    load: async () => (await import("./network/filters.ts")).filterProcedures,
  },
  {
    numbers: [341],
    load: async () => (await import("./network/leases.ts")).leaseProcedures,
  },
  {
    numbers: [444, 445],
    load: async () => (await import("./network/network-metadata.ts")).networkMetadataProcedures,
  },
  {
    numbers: [404, 405, 409],
    load: async () => (await import("./network/network-ports.ts")).networkPortProcedures,
  },
  {
    numbers: [39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 152, 153, 291, 432, 437],
    load: async () => (await import("./network/networks.ts")).networkProcedures,
  },
  {
    numbers: [139, 140, 141, 142, 143, 144, 145, 146, 147, 287],
    load: async () => (await import("./secrets.ts")).secretProcedures,
  },
  {
    numbers: [187, 188, 246, 247, 274, 275],
    load: async () => (await import("./snapshot/snapshot-lists.ts")).snapshotListProcedures,
  },
  {
    numbers: [185, 186, 189, 190, 191, 192, 193, 244, 271, 272],
    load: async () => (await import("./snapshot/snapshots.ts")).snapshotProcedures,
  },
  {
    numbers: [344],
    load: async () => (await import("./statistics/all-domains.ts")).allDomainProcedures,
  },
  {
    numbers: [262, 353],
    load: async () => (await import("./statistics/guest.ts")).guestProcedures,
  },
  {
    numbers: [64, 65, 159, 194, 229, 243],
    load: async () => (await import("./statistics/one-domain.ts")).oneDomainProcedures,
  },
  {
    numbers: [75, 378, 391, 403],
    load: async () => (await import("./storage/discovery.ts")).discoveryProcedures,
  },
  {
    numbers: [76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 87, 88, 89, 90, 154, 155],
    load: async () => (await import("./storage/pools.ts")).poolProcedures,
  },
  {
    numbers: [125, 165, 259, 260],
    load: async () => (await import("./storage/volume-contents.ts")).contentProcedures,
  },
  {
    numbers: [86, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 282],
    load: async () => (await import("./storage/volumes.ts")).volumeProcedures,
  },
  {
    numbers: [36, 38, 50, 52, 71, 72, 73, 74, 281, 283],
    load: async () => (await import("./stored-lists.ts")).storedProcedures,
  },
  {
    numbers: [201, 208, 209, 211, 296],
    load: async () => (await import("./streams.ts")).streamProcedures,
  },
  {
    numbers: [252, 253],
    load: async () => (await import("./tuning/disk-limits.ts")).diskLimitProcedures,
  },
  {
    numbers: [352, 355, 356, 402],
    load: async () => (await import("./tuning/iothreads.ts")).iothreadProcedures,
  },
  {
    numbers: [390],
    load: async () => (await import("./tuning/lifecycle-action.ts")).lifecycleActionProcedures,
  },
  {
    numbers: [56, 57, 58, 197, 198, 205, 206, 219, 223, 256, 257],
    load: async () => (await import("./tuning/limits.ts")).limitProcedures,
  },
  {
    numbers: [254, 255],
    load: async () => (await import("./tuning/numa.ts")).numaProcedures,
  },
  {
    numbers: [365, 366],
    load: async () => (await import("./tuning/perf-events.ts")).perfProcedures,
  },
  {
    numbers: [26, 225, 230, 279, 280, 351],
    load: async () => (await import("./tuning/pins.ts")).pinProcedures,
  },
];

/** svirt's procedures of libvirt's program for QEMU. */
const QEMU_FILES: readonly DeclaredTogether[] = [
  { numbers: [1, 3, 4], load: async () => (await import("./qemu/commands.ts")).qemuCommandProcedures },
];

/** Procedures of a program, by their numbers. All others are unknown to svirt. */
class ProcedureTable {
  readonly #files: ReadonlyMap<number, DeclaredTogether>;
  readonly #loaded = new Map<number, Procedure>();

  constructor(files: readonly DeclaredTogether[]) {
    this.#files = new Map(files.flatMap((file) => file.numbers.map((number) => [number, file] as const)));
  }

  get numbers(): readonly number[] {
    return [...this.#files.keys()];
  }

  /** Loads the file of a procedure. */
  async load(number: number): Promise<void> {
    if (this.#loaded.has(number)) return;
    for (const declared of (await this.#files.get(number)?.load()) ?? []) {
      this.#loaded.set(declared.number, declared);
    }
  }

  /** Returns a loaded procedure; undefined if unknown. */
  find(number: number): Procedure | undefined {
    return this.#loaded.get(number);
  }
}

export const PROCEDURES = new ProcedureTable(REMOTE_FILES);
export const QEMU_PROCEDURES = new ProcedureTable(QEMU_FILES);
