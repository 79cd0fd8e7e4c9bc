import type { Host } from "../host/host.ts";
import type { LoadedPolicy } from "../host/selinux.ts";
import type { ModelDescription } from "../label/label-model.ts";
import { attributesDraft, type Draft, parentDraft, textDraft } from "../xml/draft.ts";
import { formatDocument } from "../xml/format-document.ts";
import { hostModel } from "./label-models.ts";

const EMULATOR = "/usr/bin/qemu-system-x86_64";
const MACHINES = ["pc", "q35"] as const;

/** Capabilities of a host, with its security model. */
export interface Capabilities {
  readonly arch: "x86_64";
  readonly secmodel: ModelDescription;
  readonly emulator: string;
  readonly machines: readonly string[];
  readonly virtTypes: readonly ("qemu" | "kvm")[];
  /** Kept out of libvirt's XML, by which managers compare hosts. */
  readonly policy: (LoadedPolicy & { readonly name: string | undefined; readonly mode: string }) | undefined;
}

/** Reads the host's capabilities. Throws "failed" if a policy is loaded that does not know guests. */
export function getCapabilities(host: Host): Capabilities {
  const hasKvm = host.inspectFile("/dev/kvm")?.type === "character";
  const policy = host.getPolicy();
  const { mode, policyName: name } = host.getSelinux();
  return {
    arch: "x86_64",
    secmodel: hostModel(host).describe(),
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

function formatSecurityModel({ baseLabels, doi, model }: ModelDescription): Draft {
  const labels = [...baseLabels].map(([type, label]) => {
    const draft = textDraft("baselabel", label);
    draft.attributes.set("type", type);
    return draft;
  });
  return parentDraft("secmodel", [textDraft("model", model), textDraft("doi", doi), ...labels]);
}
