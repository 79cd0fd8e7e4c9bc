import { SvirtError } from "../../errors.ts";
import type { BlockStep } from "../../plan/steps/block.ts";
import { isBlockStep } from "../../plan/steps/block-inverse.ts";
import { isShareStep } from "../../plan/steps/host-inverse.ts";
import { isOwnerStep, type OwnerStep } from "../../plan/steps/owner.ts";
import { isPciStep } from "../../plan/steps/pci-inverse.ts";
import type { FileStep, Step } from "../../plan/steps/step.ts";
import type { StreamStep } from "../../plan/steps/stream.ts";
import { isStreamStep } from "../../plan/steps/stream-inverse.ts";
import { isTreeStep } from "../../plan/steps/tree-inverse.ts";
import type { Actor } from "../actor.ts";
import { restoreFileLabel, setFileLabel } from "../labels/file-label.ts";
import { runOwnerStep } from "../labels/file-owner.ts";
import { removeUdevRule, writeUdevRule } from "../labels/udev-rule.ts";
import { greetMonitor, resumeGuest } from "../monitor/converse.ts";
import { killGuest, listGuestProcesses } from "../process/kill-guest.ts";
import { runBlockStep } from "./block.ts";
import { revokeFileAccess } from "./file-access.ts";
import { refuseTaken, removeSocket } from "./guest-socket.ts";
import { runShareStep } from "./host.ts";
import { lendFolder, returnFolder } from "./lent-folder.ts";
import { giveDevice, takeDevice } from "./pci-device.ts";
import { plugIn, setLink, unplug } from "./plug.ts";
import { setMedium } from "./set-medium.ts";
import { shareTree, unshareTree } from "./shared-tree.ts";
import { runStreamStep } from "./stream/step.ts";

/** Carries out one step. It decides nothing, because the step has all data. Throws the errors of the host. */
export async function runStep(actor: Actor, step: Step): Promise<void> {
  if (isBlockStep(step)) return await runBlockStep(actor, step);
  if (isStreamStep(step)) return await runStreamStep(actor, step);
  if (isOwnerStep(step)) return runOwnerStep(actor.host, step);
  await runOtherStep(actor, step);
}

async function runOtherStep(
  actor: Actor,
  step: Exclude<Step, { do: (BlockStep | StreamStep | OwnerStep)["do"] }>,
): Promise<void> {
  const { host, registry, owner } = actor;
  if (isShareStep(step)) return await runShareStep(actor, step);
  if (isPciStep(step))
    return step.do === "take-device" ? await takeDevice(host, step) : giveDevice(host, step);
  if (isTreeStep(step)) return step.do === "share-tree" ? shareTree(actor, step) : unshareTree(actor, step);
  switch (step.do) {
    case "reserve":
      return registry.reserve(step.claim, owner);
    case "release":
      return registry.release(step.claim, owner);
    case "make-folder":
    case "remove-folder":
    case "make-link":
    case "set-label":
    case "restore-label":
    case "write-udev-rule":
    case "remove-udev-rule":
    case "lend-folder":
    case "return-folder":
    case "grant":
    case "revoke":
    case "expect-socket":
    case "remove-socket":
    case "link-socket":
    case "unlink-socket":
      return runOnFiles(actor, step);
    case "spawn-helper":
      return await host.spawnHelper(step.order);
    case "spawn":
      await host.spawnGuest(step.order);
      return;
    case "kill":
      return await killGuest(host, { ...actor, uuid: owner }, step.graceMs);
    case "check-context":
      return checkContext(actor, step.context);
    case "greet":
      return await greetMonitor(actor, step);
    case "resume":
      return await resumeGuest(host, step);
    case "plug":
      return await plugIn(host, step);
    case "unplug":
      return await unplug(host, step);
    case "set-medium":
      return await setMedium(host, step);
    case "set-link":
      return await setLink(host, step);
    case "set-memlock":
      return host.setMemlock(step.process, step.to);
  }
}

function runOnFiles(actor: Actor, step: FileStep): void {
  const { host } = actor;
  switch (step.do) {
    case "make-folder":
      host.makeFolder(step);
      return;
    case "remove-folder":
      host.removeFolder(step.path, step.isMounted);
      return;
    case "make-link":
      host.makeSymlink(step.path, step.target);
      return;
    case "set-label":
      setFileLabel(actor, step);
      return;
    case "restore-label":
      restoreFileLabel(actor, step);
      return;
    case "write-udev-rule":
      writeUdevRule(host, step);
      return;
    case "remove-udev-rule":
      removeUdevRule(host, step);
      return;
    case "lend-folder":
      lendFolder(host, step);
      return;
    case "return-folder":
      returnFolder(host, step);
      return;
    case "grant":
      host.grantAccess(step.file, step);
      return;
    case "revoke":
      revokeFileAccess(host, step);
      return;
    case "expect-socket":
      refuseTaken(host, step.path);
      return;
    case "remove-socket":
      removeSocket(host, step);
      return;
    case "link-socket":
      host.makeLinkWithin(step.folder, step);
      return;
    case "unlink-socket":
      host.removeLink(step.path, step.target);
      return;
  }
}

/** Fails closed. Throws "denied" unless the guest has a process and all its processes are in the decided context. */
function checkContext(actor: Actor, wanted: string): void {
  const found = listGuestProcesses(actor.host, { ...actor, uuid: actor.owner });
  const other = found.find((process) => process.context !== wanted);
  if (found.length > 0 && other === undefined) return;
  const is =
    other === undefined ? "it is gone" : `process ${other.pid} is in ${other.context ?? "no context"}`;
  throw new SvirtError(`Cannot confine the guest in ${wanted}: ${is}`, {
    kind: "denied",
    remedy: "See the denials (dmesg | grep avc), and svirt doctor.",
  });
}
