import { unlessRefused } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { LoadedPolicy } from "../host/selinux.ts";
import type { ModelDescription } from "../label/label-model.ts";
import type { NamedCpu } from "../qemu/cpu-model/baseline.ts";
import type { EmulatorFacts } from "../qemu/monitor/emulator-facts.ts";
import { attributesDraft, type Draft, emptyDraft, parentDraft, textDraft } from "../xml/draft.ts";
import { formatDocument } from "../xml/format-document.ts";
import { formatCells, type HostCell, listHostCells } from "./host-cells.ts";
import { formatHostCpu, getHostCpu, type HostCpu } from "./host-cpu.ts";
import { getHostUuid } from "./host-uuid.ts";
import { hostModel } from "./label-models.ts";

const EMULATOR = "/usr/bin/qemu-system-x86_64";
/** Machine types of svirt's guests, with or without a version. */
const STARTED = /^(?:pc|q35|pc-(?:i440fx|q35)-.*)$/;
/** Namespace of svirt's elements in libvirt's documents. */
const NAMESPACE = "urn:svirt:capabilities:1.0";

/** Machine type of the emulator; an alias has a canonical name. */
interface MachineType {
  readonly name: string;
  readonly canonical?: string;
  readonly maxCpus?: number;
}

/** Loaded policy of SELinux, the guests' confinement. */
type ReportedPolicy = LoadedPolicy & { readonly name: string | undefined; readonly mode: string };

/** Capabilities of a host, with its security model. */
export interface Capabilities {
  readonly uuid: string;
  readonly arch: "x86_64";
  readonly cpu: HostCpu;
  readonly hasIommu: boolean;
  /** None without /sys. */
  readonly cells: readonly HostCell[];
  readonly secmodel: ModelDescription;
  /** Undefined without SELinux. */
  readonly policy: ReportedPolicy | undefined;
  readonly emulator: string;
  readonly machines: readonly MachineType[];
  readonly virtTypes: readonly ("qemu" | "kvm")[];
}

/**
 * Reads the host's capabilities. `machines` are the emulator's, and `cpu` is the host's processor as KVM can
 * give it to guests; both are undefined if the emulator does not answer. Throws "failed" if the loaded policy
 * does not know guests.
 */
export function getCapabilities(
  host: Host,
  machines: EmulatorFacts["machines"] | undefined,
  cpu: NamedCpu | undefined,
): Capabilities {
  const hasKvm = host.inspectFile("/dev/kvm")?.type === "character";
  return {
    uuid: getHostUuid(host),
    arch: "x86_64",
    cpu: getHostCpu(host, cpu),
    hasIommu: host.listFolder("/sys/kernel/iommu_groups").length > 0,
    cells: unlessRefused(() => listHostCells(host)) ?? [],
    secmodel: getSecurityModel(host),
    policy: getLoadedPolicy(host),
    emulator: EMULATOR,
    machines: machines === undefined ? [{ name: "pc" }, { name: "q35" }] : listTypes(machines),
    virtTypes: hasKvm ? ["qemu", "kvm"] : ["qemu"],
  };
}

/** Returns the host's security model. Throws "failed" if a policy is loaded that does not know guests. */
export function getSecurityModel(host: Host): ModelDescription {
  return hostModel(host).describe();
}

function getLoadedPolicy(host: Host): ReportedPolicy | undefined {
  const policy = host.getPolicy();
  const { mode, policyName: name } = host.getSelinux();
  return policy === undefined ? undefined : { ...policy, name, mode };
}

/**
 * Lists machine types, the default first, each with its alias behind it. virQEMUCapsGetMachineTypesCaps() of
 * libvirt
 */
function listTypes(machines: EmulatorFacts["machines"]): readonly MachineType[] {
  const started = machines.filter(({ name }) => STARTED.test(name));
  const sorted = started.toSorted((one, other) => Number(other.isDefault) - Number(one.isDefault));
  return sorted.flatMap(({ alias, mostCpus: maxCpus, name }) => [
    { name, maxCpus },
    ...(alias === undefined ? [] : [{ name: alias, canonical: name, maxCpus }]),
  ]);
}

/** Formats libvirt's `<capabilities>`. https://libvirt.org/formatcaps.html */
export function formatCapabilities(capabilities: Capabilities): string {
  const { arch, cells, cpu, hasIommu, policy, secmodel, uuid } = capabilities;
  const host = parentDraft("host", [
    textDraft("uuid", uuid),
    formatHostCpu(arch, cpu),
    // svirt neither suspends the host nor migrates guests.
    emptyDraft("power_management"),
    attributesDraft("iommu", { support: hasIommu ? "yes" : "no" }),
    ...(cells.length === 0 ? [] : [formatCells(cells)]),
    formatSecurityModel(secmodel),
    ...(policy === undefined ? [] : [formatPolicy(policy)]),
  ]);
  return formatDocument(parentDraft("capabilities", [host, formatGuest(capabilities)]));
}

function formatGuest({ arch, emulator, machines, virtTypes }: Capabilities): Draft {
  const guestArch = parentDraft("arch", [
    textDraft("wordsize", "64"),
    textDraft("emulator", emulator),
    ...machines.map(({ canonical, maxCpus, name }) => ({
      ...attributesDraft("machine", {
        ...(canonical === undefined ? {} : { canonical }),
        ...(maxCpus === undefined ? {} : { maxCpus: String(maxCpus) }),
      }),
      text: name,
    })),
    ...virtTypes.map((type) => attributesDraft("domain", { type })),
  ]);
  guestArch.attributes.set("name", arch);
  const features = [
    attributesDraft("acpi", { default: "on", toggle: "yes" }),
    attributesDraft("apic", { default: "on", toggle: "no" }),
    ...["cpuselection", "deviceboot"].map(emptyDraft),
    attributesDraft("disksnapshot", { default: "on", toggle: "no" }),
    emptyDraft("externalSnapshot"),
  ];
  return parentDraft("guest", [textDraft("os_type", "hvm"), guestArch, parentDraft("features", features)]);
}

/** Formats the loaded policy, which libvirt does not report: an element of svirt's own. */
function formatPolicy({ contexts, denyUnknown, isMls, mode, name, sha256, version }: ReportedPolicy): Draft {
  const yesNo = (is: boolean): string => (is ? "yes" : "no");
  return attributesDraft("svirt:policy", {
    "xmlns:svirt": NAMESPACE,
    ...(name === undefined ? {} : { type: name }),
    version: String(version),
    mls: yesNo(isMls),
    denyUnknown: yesNo(denyUnknown),
    mode,
    ...(sha256 === undefined ? {} : { digest: `sha256:${sha256}` }),
    ...(contexts === undefined ? {} : { contexts: `sha256:${contexts}` }),
  });
}

function formatSecurityModel({ baseLabels, doi, model }: ModelDescription): Draft {
  const labels = [...baseLabels].map(([type, label]) => {
    const draft = textDraft("baselabel", label);
    draft.attributes.set("type", type);
    return draft;
  });
  return parentDraft("secmodel", [textDraft("model", model), textDraft("doi", doi), ...labels]);
}
