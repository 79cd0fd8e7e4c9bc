import { SvirtError } from "../../errors.ts";
import { vendorOfModel } from "../../qemu/cpu-model/vendor.ts";
import { runsOn } from "../../qemu/firmware/choose.ts";
import type { EmulatorFacts } from "../../qemu/monitor/emulator-facts.ts";
import { hostFirmware } from "../../resolve/host-firmware.ts";
import type { Instance } from "../../state/instance.ts";
import { attributesDraft, type Draft, parentDraft, textDraft } from "../../xml/draft.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { DEVICES, type Enumeration, isOffered } from "./offers.ts";

/** Kind of guest of the requested capabilities. */
export interface CapabilitiesOptions {
  readonly emulator: string;
  readonly type: "kvm" | "qemu";
  /** Name or alias of a machine type; undefined: QEMU's default. */
  readonly machine: string | undefined;
}

/**
 * Formats libvirt's `<domainCapabilities>` for a kind of guest. Throws "not-found" for an unknown machine
 * type.
 */
export function formatDomainCapabilities(
  instance: Instance,
  { emulator, machine, type }: CapabilitiesOptions,
  facts: EmulatorFacts,
): string {
  const board = findBoard(facts, emulator, machine);
  return formatDocument(
    parentDraft("domainCapabilities", [
      textDraft("path", emulator),
      textDraft("domain", type),
      textDraft("machine", board.name),
      textDraft("arch", "x86_64"),
      attributesDraft("vcpu", { max: String(limitVcpus(instance, type, board.mostCpus)) }),
      supported("iothreads", true),
      formatOs(instance, board.name),
      formatCpu(facts, type),
      supported("memoryBacking", true, [formatEnum("sourceType", ["file", "anonymous", "memfd"])]),
      formatDevices(facts),
      formatFeatures(facts),
    ]),
  );
}

/**
 * Returns the number of virtual CPUs of a machine type, or of KVM if that gives fewer.
 * virQEMUCapsFillDomainCaps() of libvirt
 */
export function limitVcpus({ host }: Instance, type: "kvm" | "qemu", mostCpus: number): number {
  return type === "kvm" ? Math.min(mostCpus, host.getKvmVcpuLimit() ?? mostCpus) : mostCpus;
}

/**
 * Returns a machine type of the emulator, by its name or alias; undefined: QEMU's default. Throws "not-found"
 * for an unknown type.
 */
export function findBoard(
  facts: EmulatorFacts,
  emulator: string,
  machine: string | undefined,
): EmulatorFacts["machines"][number] {
  const board = facts.machines.find(({ alias, isDefault, name }) =>
    machine === undefined ? isDefault : name === machine || alias === machine,
  );
  if (board !== undefined) return board;
  throw new SvirtError(
    `invalid argument: the machine '${machine}' is not supported by emulator '${emulator}'`,
    {
      kind: "not-found",
      libvirt: "INVALID_ARG",
      remedy: "Name another machine type: pc or q35",
    },
  );
}

/** Formats the host's firmware for a machine type, from its descriptors. */
function formatOs(instance: Instance, word: string): Draft {
  const chipset = word.includes("q35") ? "q35" : "i440fx";
  const found = hostFirmware(instance).firmwares.filter((firmware) => runsOn(firmware, { word, chipset }));
  const paths = [...new Set(found.map(({ path }) => path))].map((path) => textDraft("value", path));
  const secure = found.some(({ features }) => features.includes("requires-smm")) ? ["yes", "no"] : ["no"];
  const kinds = [
    ["bios", "bios"],
    ["efi", "uefi"],
  ] as const;
  const offered = kinds.filter(([, kind]) => found.some(({ interfaces }) => interfaces.includes(kind)));
  const loader = supported("loader", true, [
    ...paths,
    formatEnum("type", ["rom", "pflash"]),
    formatEnum("readonly", ["yes", "no"]),
    formatEnum("secure", secure),
  ]);
  return supported("os", true, [
    formatEnum(
      "firmware",
      offered.map(([name]) => name),
    ),
    loader,
  ]);
}

/** Formats the processors. `host-model` is unsupported, since svirt does not compute its model. */
function formatCpu({ cpus }: EmulatorFacts, type: "kvm" | "qemu"): Draft {
  const models = namedModels(cpus).map(({ deprecated, name, usable }) => {
    const model = textDraft("model", name);
    model.attributes.set("usable", usable ? "yes" : "no");
    if (deprecated) model.attributes.set("deprecated", "yes");
    model.attributes.set("vendor", vendorOfModel(name) ?? "unknown");
    return model;
  });
  const migratable = (name: string): readonly Draft[] => [formatEnum(name, ["on", "off"])];
  const isKvm = type === "kvm";
  return parentDraft("cpu", [
    mode("host-passthrough", isKvm, isKvm ? migratable("hostPassthroughMigratable") : []),
    mode("maximum", true, migratable("maximumMigratable")),
    mode("host-model", false),
    mode("custom", true, models),
  ]);
}

/** Lists the models of processors by their names, without QEMU's names of modes. */
export function namedModels(cpus: EmulatorFacts["cpus"]): EmulatorFacts["cpus"] {
  return cpus.filter(({ name }) => !MODES.has(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** QEMU's names for libvirt's modes, or for no processor. */
const MODES = new Set(["host", "max", "base"]);

function formatDevices(facts: EmulatorFacts): Draft {
  const types = new Set(facts.types);
  const chosen = ({ name, offers }: Enumeration): readonly [string, readonly string[]] => [
    name,
    offers.filter((offer) => isOffered(offer, types)).map(({ value }) => value),
  ];
  return parentDraft(
    "devices",
    [...DEVICES].map(([element, enumerations]) => {
      const found = enumerations.map(chosen);
      const isThere = found.some(([, values]) => values.length > 0);
      return supported(
        element,
        isThere,
        isThere ? found.map(([name, values]) => formatEnum(name, values)) : [],
      );
    }),
  );
}

function formatFeatures({ types }: EmulatorFacts): Draft {
  return parentDraft("features", [
    supported("gic", false),
    supported("vmcoreinfo", types.includes("vmcoreinfo")),
    supported("genid", types.includes("vmgenid")),
    supported("backingStoreInput", true),
    supported("backup", false),
    supported("async-teardown", false),
    supported("ps2", true),
    supported("sev", false),
    supported("sgx", false),
  ]);
}

function mode(name: string, isSupported: boolean, children: readonly Draft[] = []): Draft {
  const draft = attributesDraft("mode", { name, supported: isSupported ? "yes" : "no" });
  draft.children.push(...children);
  return draft;
}

function supported(tag: string, isSupported: boolean, children: readonly Draft[] = []): Draft {
  const draft = attributesDraft(tag, { supported: isSupported ? "yes" : "no" });
  draft.children.push(...children);
  return draft;
}

function formatEnum(name: string, values: readonly string[]): Draft {
  const draft = attributesDraft("enum", { name });
  draft.children.push(...values.map((value) => textDraft("value", value)));
  return draft;
}
