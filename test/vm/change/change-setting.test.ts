import { describe, expect, test } from "bun:test";
import { guestPaths, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import type { Instance } from "../../../src/state/instance.ts";
import type { ImpactOptions } from "../../../src/vm/change/impact.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { setLifecycleAction } from "../../../src/vm/tuning/set-lifecycle-action.ts";
import { setStatisticsPeriod } from "../../../src/vm/tuning/set-statistics-period.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { machineWithDisks, recordOf } from "../../scenes/hotplug.ts";
import { domainXml, errorOf, makeMachine, nodeOn, putText, sweepAll, UUID } from "../../scenes/scene.ts";
import { withoutInodes } from "../../scenes/strikes.ts";

const { lock: LOCK, record: RECORD } = guestPaths(SYSTEM_PATHS, UUID);
const LIVE: ImpactOptions = { live: true };

/** Setting of a running QEMU, with the command that it gets, and two values. */
interface Setting {
  readonly name: string;
  readonly command: string;
  readonly set: (instance: Instance, options: ImpactOptions, which?: "first" | "second") => Promise<unknown>;
}

const SETTINGS: readonly Setting[] = [
  {
    name: "an action after an end",
    command: "set-action",
    set: async (instance, options, which = "first") => {
      const action = which === "first" ? "restart" : "preserve";
      await setLifecycleAction(instance, { key: UUID, options, isDryRun: false }, { type: "crash", action });
    },
  },
  {
    name: "the period of statistics",
    command: "qom-set",
    set: async (instance, options, which = "first") =>
      await setStatisticsPeriod(instance, { key: UUID, options, isDryRun: false }, which === "first" ? 5 : 7),
  },
];

/** Returns the files of the host with the guest's record, and the settings of the guest's QEMU. */
function stateOf(machine: Machine): readonly unknown[] {
  const record = new TextDecoder().decode(machine.files.find(RECORD)?.inode.bytes);
  // A record that is written again has its fields in another order.
  const facts: unknown = record.startsWith('{"') ? JSON.parse(record) : record;
  return [...withoutInodes(machine), facts, ...settingsOf(machine)];
}

function settingsOf(machine: Machine): readonly string[] {
  const { devices, panicAction } = machine.processes.qemuOf(UUID) ?? {};
  return [`${panicAction}`, JSON.stringify([...(devices?.properties ?? [])])];
}

/** A state of the host in which a setting is refused, and the kind and message of the error. */
interface Refusal {
  readonly options?: ImpactOptions;
  readonly prepare: (command: string) => Promise<Machine>;
  /** Acts once the call has found the guest, before it has the guest's lock. */
  readonly meanwhile?: (machine: Machine) => Promise<unknown>;
  readonly error: readonly [kind: string, message: string];
}

const NOT_RUNNING = ["wrong-state", "Requested operation is not valid: domain is not running"] as const;
const REFUSALS: readonly (readonly [string, Refusal])[] = [
  [
    "of no guest",
    {
      prepare: async () => makeMachine(),
      error: ["not-found", `failed to get domain '${UUID}'`],
    },
  ],
  [
    "of a guest that is off",
    {
      prepare: async () => {
        const machine = makeMachine();
        await defineDomain(nodeOn(machine), domainXml());
        return machine;
      },
      error: NOT_RUNNING,
    },
  ],
  [
    "of a guest without a definition, for its next start",
    {
      options: { live: true, config: true },
      prepare: async () => machineWithDisks(),
      error: [
        "wrong-state",
        "Requested operation is not valid: transient domains do not have any persistent config",
      ],
    },
  ],
  [
    "of a guest that ends before its turn",
    {
      prepare: async () => machineWithDisks(),
      meanwhile: (machine) => destroyDomain(nodeOn(machine), UUID),
      error: ["not-found", `failed to get domain '${UUID}'`],
    },
  ],
  [
    "of a guest whose turn another command has",
    {
      prepare: async () => machineWithDisks(),
      meanwhile: (machine) => nodeOn(machine).host.lock(LOCK, 0),
      error: ["timeout", `Cannot lock ${LOCK}`],
    },
  ],
  [
    "of a guest with a damaged record",
    {
      prepare: async () => {
        const machine = await machineWithDisks();
        putText(machine, RECORD, "{");
        return machine;
      },
      error: ["failed", `Cannot read the record ${RECORD}`],
    },
  ],
  [
    "that QEMU refuses",
    {
      prepare: async (command) => {
        const machine = await machineWithDisks();
        machine.qemu = { refuses: command };
        return machine;
      },
      error: ["failed", "internal error: unable to execute QEMU command"],
    },
  ],
];

describe.each(SETTINGS)("$name", ({ command, set }) => {
  test.each(REFUSALS)("%s changes nothing", async (_, { error, meanwhile, options = LIVE, prepare }) => {
    const machine = await prepare(command);
    const { host, ...node } = nodeOn(machine);
    let before = stateOf(machine);
    const lock: typeof host.lock = async (path, timeoutMs) => {
      if (path === LOCK) {
        await meanwhile?.(machine);
        before = stateOf(machine);
      }
      return await host.lock(path, timeoutMs);
    };
    const { kind, message } = await errorOf(set({ ...node, host: { ...host, lock } }, options));
    expect([kind, message]).toEqual([error[0], expect.stringContaining(error[1])]);
    expect(stateOf(machine)).toEqual(before);
  });

  test("that QEMU does not answer is taken back by the next call", async () => {
    const machine = await machineWithDisks();
    await set(nodeOn(machine), LIVE, "first");
    const before = stateOf(machine);
    await set(nodeOn(machine), LIVE, "second");
    const changed = settingsOf(machine);
    await set(nodeOn(machine), LIVE, "first");
    machine.qemu = { mute: new Map([[UUID, "after greeting"]]) };
    expect((await errorOf(set(nodeOn(machine), LIVE, "second"))).kind).toBe("timeout");
    expect(recordOf(machine).change?.stage).toBe("doing");
    machine.qemu = {};
    await sweepAll(machine);
    expect(stateOf(machine)).toEqual(before);
    expect(settingsOf(machine)).not.toEqual(changed);
  });
});
