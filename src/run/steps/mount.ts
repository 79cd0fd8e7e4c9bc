import { asSvirtError, SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { OpenedMount } from "../../host/mounts.ts";
import type { MountStep } from "../../plan/steps/mount.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import { addOption } from "../../storage/pool/mount/mount-order.ts";
import { findMountAt } from "../mount-at.ts";
import type { Runs } from "./step-effects.ts";

const LABEL = "security.selinux";
/** Time for another program to close a file of the mount, as a command that inspects it. */
const BUSY_MS = 2000;
const POLL_MS = 50;

/**
 * Effects of the steps on a guest's own mounts. Neither runs under the registry's lock, since a server may be
 * slow.
 */
export const runMount: Runs<MountStep> = {
  "mount-folder": ({ host }, step) => mountFolder(host, step),
  "unmount-folder": ({ host }, step) => unmountFolder(host, step),
};

/**
 * Mounts the folder over itself with the label, and checks the mount before and after it is attached. A
 * repetition changes nothing. Throws "denied" if the files would not have the label, or the server has
 * another folder; the errors of a mount.
 */
async function mountFolder(host: Host, step: StepOf<"mount-folder">): Promise<void> {
  if (isMounted(host, step)) return;
  const opened = await openLabelled(host, step);
  try {
    refuseOther(step, opened);
    opened.attach(step.folder);
  } finally {
    await opened.close();
  }
  if (isMounted(host, step)) return;
  throw shownOtherwise(step, findMountAt(host, step.path)?.source ?? "nothing");
}

/**
 * Unmounts the folder. A missing mount, or a mount with another label, is left alone. The source does not
 * count: a server may show the folder under another name. Throws "in-use" if a program keeps using it, or
 * another file system is mounted over it.
 */
async function unmountFolder(host: Host, step: StepOf<"unmount-folder">): Promise<void> {
  const until = host.nowMs() + BUSY_MS;
  while (isPresent(host, step)) {
    if (findMountAt(host, step.path)?.context !== step.label) throw hidden(step.path);
    try {
      await host.unmount(step.above, step.path);
    } catch (error) {
      if (asSvirtError(error).kind !== "in-use" || host.nowMs() >= until) throw error;
      await host.sleep(POLL_MS);
    }
  }
}

/** Reports whether a mount with the label is at the path, also below another mount. */
function isPresent(host: Host, { label, path }: MountStep): boolean {
  return host.listMounts().some((mount) => mount.path === path && mount.context === label);
}

/** Reports whether the visible mount at the path is the step's. */
function isMounted(host: Host, { label, path, source }: MountStep): boolean {
  const mount = findMountAt(host, path);
  return mount?.source === source && mount.context === label;
}

function shownOtherwise({ path, source }: MountStep, shown: string): SvirtError {
  return new SvirtError(`Cannot mount ${source} for the guest: ${shown} is mounted at ${path} instead`, {
    kind: "denied",
    remedy:
      "If the server's folder has that name, write it into the pool's XML. If not, unmount it, then try again.",
  });
}

function hidden(path: string): SvirtError {
  return new SvirtError(`Cannot unmount ${path}: another file system is mounted over it`, {
    kind: "in-use",
    remedy: `Unmount that one, then clear up: umount ${path} && svirt recover`,
  });
}

async function openLabelled(host: Host, step: StepOf<"mount-folder">): Promise<OpenedMount> {
  const { attempts, flags, label, server, source } = step;
  try {
    return await host.openMount(addOption({ source, server, attempts, flags }, `context=${label}`));
  } catch (error) {
    const { kind, message } = asSvirtError(error);
    throw kind === "timeout" ? error : refusal(step, message);
  }
}

function refuseOther(step: StepOf<"mount-folder">, opened: OpenedMount): void {
  const { folder, label, path, source } = step;
  const is = opened.getXattr(LABEL);
  if (is !== label) throw refusal(step, `its files have ${is ?? "no label"} instead`);
  if (opened.inode === folder.inode) return;
  throw new SvirtError(`Cannot mount ${source} for the guest: it is another folder than ${path}`, {
    kind: "denied",
    remedy:
      "See whether the server exports another folder there now, and start the pool and the guest again.",
  });
}

function refusal({ label, source }: MountStep, why: string): SvirtError {
  return new SvirtError(
    `Cannot mount ${source} for the guest, with the label ${label}: ${why}. The kernel may give each file system one label only`,
    {
      kind: "denied",
      remedy:
        "Export that folder by itself, define a pool of type netfs for it with the guest's label as <label>, and give the guest a static label.",
    },
  );
}
