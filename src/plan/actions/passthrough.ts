import type { FileId } from "../facts/file.ts";
import { nameIn } from "../record/disk-chain.ts";
import type { Plugged } from "../record/qemu-objects.ts";
import { inverse } from "../steps/inverse.ts";
import type { Step } from "../steps/step.ts";
import { type GroupLink, planGroupLinks } from "./group-link.ts";

/** Resources opened by QEMU by itself for a host device attached to a running guest. */
export interface PassedDevice {
  readonly links: readonly GroupLink[];
  readonly label: string | undefined;
  readonly workFolder: string;
  /** Files readable by name to QEMU's user until QEMU has opened them. */
  readonly grants: readonly { readonly file: FileId; readonly uid: number }[];
  /** Higher limit of memory locked against swapping. */
  readonly memlock: Extract<Step, { do: "set-memlock" }> | undefined;
}

const GATE = "/dev/vfio/vfio";

/** Plans the steps before QEMU gets the device. */
export function planPassed({ grants, label, links, memlock, workFolder }: PassedDevice): Step[] {
  return [
    ...planGroupLinks(links, { label, workFolder }),
    ...grants.map(({ file, uid }): Step => ({ do: "grant", file, uid, access: "read-write" })),
    ...(memlock === undefined ? [] : [memlock]),
  ];
}

/**
 * Plans the release of resources that QEMU opened by itself, after it has released the device. `done` are the
 * guest's steps.
 */
export function planGivePassed(
  done: readonly Step[],
  { id, plugged }: { readonly plugged: Plugged; readonly id: string },
): Step[] {
  const device = plugged.devices.get(id) ?? {};
  const folder = nameIn(device["sysfsdev"]);
  const node = nameIn(plugged.nodes.get(nameIn(device["drive"]) ?? "")?.["filename"]);
  if (folder === undefined) return node?.startsWith("/dev/sg") ? planGive(done, { paths: [node] }) : [];
  const name = folder.slice(folder.lastIndexOf("/") + 1);
  const others = [...plugged.devices].flatMap(([other, facts]) =>
    other === id ? [] : (nameIn(facts["sysfsdev"]) ?? []),
  );
  // QEMU finds the group of an NVMe disk by itself, so svirt does not know it.
  const hasNvme = [...plugged.nodes.values()].some(({ driver }) => driver === "nvme");
  const group = groupNode(done, folder);
  const isKept = hasNvme || others.some((other) => groupNode(done, other) === group);
  const isLast = !hasNvme && others.length === 0;
  const paths = [...(isKept || group === undefined ? [] : [group]), ...(isLast ? [GATE] : [])];
  return planGive(done, { paths, folder, device: name, isLast });
}

interface Given {
  readonly paths: readonly string[];
  readonly folder?: string;
  /** Name of the device in sysfs. */
  readonly device?: string;
  /** Whether no other device of the guest writes to the guest's memory. */
  readonly isLast?: boolean;
}

function planGive(done: readonly Step[], given: Given): Step[] {
  const keys = new Set(
    done.flatMap((step) =>
      step.do === "set-label" && given.paths.includes(step.file.path) ? [step.claim.key] : [],
    ),
  );
  const isGiven = (step: Step): boolean => {
    switch (step.do) {
      case "reserve":
        return step.claim.kind === "pci" ? step.claim.key === given.device : keys.has(step.claim.key);
      case "set-label":
        return keys.has(step.claim.key);
      case "remember-owner":
      case "write-udev-rule":
        return given.paths.includes(step.file.path);
      case "make-folder":
        return step.path === given.folder;
      case "bind-vfio":
        return step.device === given.device;
      case "set-memlock":
        return given.isLast === true;
      default:
        return false;
    }
  };
  return done.toReversed().flatMap((step) => (isGiven(step) ? (inverse(step) ?? []) : []));
}

function groupNode(done: readonly Step[], folder: string): string | undefined {
  const link = done.findLast((step) => step.do === "make-link" && step.path === `${folder}/iommu_group`);
  if (link?.do !== "make-link") return undefined;
  return `/dev/vfio/${link.target.slice(link.target.lastIndexOf("/") + 1)}`;
}
