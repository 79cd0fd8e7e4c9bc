import { checked, element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, required, textOf } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, oneOf, type ValueForm } from "../../xml/value-form.ts";
import { cpuSet } from "../forms/id-set.ts";
import { memoryUnit, sizeCount } from "../forms/memory-size.ts";
import { lineOfText } from "../forms/text.ts";
import { vcpuId } from "./vcpu.ts";

const number = integer(0, 2 ** 32 - 1);
const shares = integer(2, 262_144);
const period = integer(1000, 1_000_000);

/** Quota in microseconds per period, or -1 for no limit. */
const quota: ValueForm<number> = {
  expects: "-1, or a number from 1000 to 17592186044415",
  decode(text) {
    const value = integer(-1, 17_592_186_044_415).decode(text);
    return value === -1 || (value ?? 0) >= 1000 ? value : undefined;
  },
  encode: String,
};

const vcpupin = element("vcpupin", () => ({
  vcpu: required(attribute("vcpu", vcpuId)),
  cpuset: required(attribute("cpuset", cpuSet)),
}));
const emulatorpin = element("emulatorpin", () => ({ cpuset: required(attribute("cpuset", cpuSet)) }));
const iothreadpin = element("iothreadpin", () => ({
  iothread: required(attribute("iothread", integer(1, 2 ** 32 - 1))),
  cpuset: required(attribute("cpuset", cpuSet)),
}));

const scheduler = required(attribute("scheduler", oneOf("batch", "idle", "fifo", "rr")));
const priority = attribute("priority", integer(0, 99));

interface Scheduled {
  readonly scheduler: "batch" | "idle" | "fifo" | "rr";
  readonly priority?: number;
}

// virDomainSchedulerParseCommonAttrs() of libvirt: the real-time classes have a priority, the others have
// none.
const vcpusched = checked(
  element("vcpusched", () => ({ vcpus: required(attribute("vcpus", cpuSet)), scheduler, priority })),
  refuseOtherPriority,
);
const iothreadsched = checked(
  element("iothreadsched", () => ({
    iothreads: required(attribute("iothreads", cpuSet)),
    scheduler,
    priority,
  })),
  refuseOtherPriority,
);
const emulatorsched = checked(
  element("emulatorsched", () => ({ scheduler, priority })),
  refuseOtherPriority,
);

const cachetune = element("cachetune", () => ({
  vcpus: required(attribute("vcpus", cpuSet)),
  id: attribute("id", lineOfText),
  caches: children(
    element("cache", () => ({
      id: required(attribute("id", number)),
      level: required(attribute("level", number)),
      type: required(attribute("type", oneOf("both", "code", "data"))),
      size: required(attribute("size", sizeCount())),
      unit: attribute("unit", memoryUnit),
    })),
  ),
  monitors: children(
    element("monitor", () => ({
      level: required(attribute("level", number)),
      vcpus: required(attribute("vcpus", cpuSet)),
    })),
  ),
}));

const memorytune = element("memorytune", () => ({
  vcpus: required(attribute("vcpus", cpuSet)),
  nodes: children(
    element("node", () => ({
      id: required(attribute("id", number)),
      bandwidth: required(attribute("bandwidth", number)),
    })),
  ),
  monitors: children(element("monitor", () => ({ vcpus: required(attribute("vcpus", cpuSet)) }))),
}));

/**
 * `<cputune>`: scheduling of the guest's threads on the host,
 * https://libvirt.org/formatdomain.html#cpu-tuning
 */
export const cputune = element("cputune", () => ({
  shares: textOf("shares", shares),
  periodUs: textOf("period", period),
  quotaUs: textOf("quota", quota),
  globalPeriodUs: textOf("global_period", period),
  globalQuotaUs: textOf("global_quota", quota),
  emulatorPeriodUs: textOf("emulator_period", period),
  emulatorQuotaUs: textOf("emulator_quota", quota),
  iothreadPeriodUs: textOf("iothread_period", period),
  iothreadQuotaUs: textOf("iothread_quota", quota),
  vcpupins: children(vcpupin),
  emulatorpin: child(emulatorpin),
  iothreadpins: children(iothreadpin),
  emulatorsched: child(emulatorsched),
  vcpuscheds: children(vcpusched),
  iothreadscheds: children(iothreadsched),
  cachetunes: children(cachetune),
  memorytunes: children(memorytune),
}));
export type Cputune = ValueOf<typeof cputune>;

function refuseOtherPriority({ scheduler: found, priority: given }: Scheduled, node: XmlNode): void {
  const needed = found === "fifo" || found === "rr";
  if (needed === (given !== undefined)) return;
  const [problem, remedy] = needed ? ["needs one", "Write priority='…'."] : ["has none", "Leave it out."];
  throw notUnderstood({ node, place: "@priority" }, `the scheduler "${found}" ${problem}`, remedy);
}
