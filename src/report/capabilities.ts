import type { Host } from "../host/host.ts";
import type { LoadedPolicy } from "../host/selinux.ts";
import { formatContext } from "../selinux/context.ts";
import { attributesDraft, type Draft, parentDraft, textDraft } from "../xml/draft.ts";
import { formatDocument } from "../xml/format-document.ts";
import { readPolicyFacts } from "./policy-facts.ts";

const EMULATOR = "/usr/bin/qemu-system-x86_64";
const MACHINES = ["pc", "q35"] as const;

/** Capabilities of a host, with its security model. */
export interface Capabilities {
  readonly arch: "x86_64";
  readonly secmodel: SecurityModel;
  readonly emulator: string;
  readonly machines: readonly string[];
  readonly virtTypes: readonly ("qemu" | "kvm")[];
  /** Not in libvirt's XML: managers compare hosts by it. */
  readonly policy: (LoadedPolicy & { readonly name: string | undefined; readonly mode: string }) | undefined;
}

interface SecurityModel {
  readonly model: "selinux" | "none";
  readonly doi: "0";
  readonly baseLabels: ReadonlyMap<"kvm" | "qemu", string>;
}

/** Reads the host's capabilities. Throws "failed" if a policy is loaded that does not know guests. */
export function getCapabilities(host: Host): Capabilities {
  const hasKvm = host.inspectFile("/dev/kvm")?.type === "character";
  const policy = host.getPolicy();
  const { mode, policyName: name } = host.getSelinux();
  return {
    arch: "x86_64",
    secmodel: getSecurityModel(host),
    emulator: EMULATOR,
    machines: MACHINES,
    virtTypes: hasKvm ? ["qemu", "kvm"] : ["qemu"],
    policy: policy === undefined ? undefined : { ...policy, name, mode },
  };
}

/** Formats libvirt's `<capabilities>`. https://libvirt.org/formatcaps.html */
export function formatCapabilities(capabilities: Capabilities): string {
  const { arch, emulator, machines, secmodel, virtTypes } = capabilities;
  const host = parentDraft("host", [
    parentDraft("cpu", [textDraft("arch", arch)]),
    formatSecurityModel(secmodel),
  ]);
  const guestArch = parentDraft("arch", [
    textDraft("wordsize", "64"),
    textDraft("emulator", emulator),
    ...machines.map((machine) => textDraft("machine", machine)),
    ...virtTypes.map((type) => attributesDraft("domain", { type })),
  ]);
  guestArch.attributes.set("name", arch);
  return formatDocument(
    parentDraft("capabilities", [host, parentDraft("guest", [textDraft("os_type", "hvm"), guestArch])]),
  );
}

function getSecurityModel(host: Host): SecurityModel {
  if (host.getSelinux().mode === "disabled") return { model: "none", doi: "0", baseLabels: new Map() };
  const { domain } = readPolicyFacts(host);
  const labels = [
    ["kvm", formatContext(domain.kvm)],
    ["qemu", formatContext(domain.qemu)],
  ] as const;
  return { model: "selinux", doi: "0", baseLabels: new Map(labels) };
}

function formatSecurityModel({ baseLabels, doi, model }: SecurityModel): Draft {
  const labels = [...baseLabels].map(([type, label]) => {
    const draft = textDraft("baselabel", label);
    draft.attributes.set("type", type);
    return draft;
  });
  return parentDraft("secmodel", [textDraft("model", model), textDraft("doi", doi), ...labels]);
}
