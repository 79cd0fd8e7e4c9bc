import * as v from "valibot";
import { SvirtError } from "../../errors.ts";
import { count, parseAnswer } from "./parse-answer.ts";
import type { QmpCommand } from "./qmp.ts";

const slots = v.array(
  v.looseObject({
    type: v.string(),
    props: v.record(v.string(), count),
    "qom-path": v.exactOptional(v.string()),
  }),
);

/** A slot for a vCPU. */
export interface VcpuSlot {
  /** libvirt's number: 0 is the boot vCPU. */
  readonly number: number;
  readonly type: string;
  readonly props: Readonly<Record<string, number>>;
  /** QOM path of the vCPU in the slot; undefined if the slot is free. */
  readonly path: string | undefined;
}

/** Parses the answer of query-hotpluggable-cpus, which lists the last slot first. Throws "failed". */
export function parseVcpuSlots(answer: unknown): readonly VcpuSlot[] {
  return parseAnswer(slots, answer, "query-hotpluggable-cpus")
    .toReversed()
    .map((found, number) => ({ number, type: found.type, props: found.props, path: found["qom-path"] }));
}

/** Change of the number of vCPUs: commands for new vCPUs, or the ids of vCPUs to remove. */
export interface VcpuChange {
  readonly add: readonly QmpCommand[];
  readonly remove: readonly string[];
}

/**
 * Adds the lowest free vCPUs, or removes the highest hot-plugged vCPUs. vCPUs of the start stay. Throws
 * "usage", "wrong-state" with libvirt's messages.
 */
export function decideVcpus(found: readonly VcpuSlot[], wanted: number): VcpuChange {
  refuseTooMany(wanted, { most: found.length, whose: "live" });
  const present = found.filter(({ path }) => path !== undefined);
  if (wanted >= present.length) {
    const free = found.filter(({ path }) => path === undefined).slice(0, wanted - present.length);
    return { add: free.map(addCommand), remove: [] };
  }
  const added = present.flatMap(
    ({ path = "" }) => /^\/machine\/peripheral\/(vcpu\d+)$/.exec(path)?.[1] ?? [],
  );
  const remove = added.toReversed().slice(0, present.length - wanted);
  if (present.length - remove.length === wanted) return { add: [], remove };
  const message = "failed to find appropriate hotpluggable vcpus to reach the desired target vcpu count";
  throw new SvirtError(`Requested operation is not valid: ${message}`, {
    kind: "wrong-state",
    remedy: `Change its definition (--config): the ${present.length - added.length} virtual CPUs that the guest was started with cannot be removed.`,
  });
}

/** Refuses more vCPUs than the maximum. Throws "usage" with libvirt's message. */
export function refuseTooMany(
  wanted: number,
  { most, whose }: { readonly most: number; readonly whose: "live" | "persistent" },
): void {
  if (wanted <= most) return;
  const message = `requested vcpus is greater than max allowable vcpus for the ${whose} domain: ${wanted} > ${most}`;
  throw new SvirtError(`invalid argument: ${message}`, {
    kind: "usage",
    remedy: `Give at most ${most}, or raise the definition's maximum: svirt setvcpus DOMAIN ${wanted} --maximum --config`,
  });
}

function addCommand({ number, props, type }: VcpuSlot): QmpCommand {
  return { execute: "device_add", arguments: { driver: type, id: `vcpu${number}`, ...props } };
}
