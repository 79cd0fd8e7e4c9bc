import { SvirtError } from "../../../errors.ts";
import type { OpenedMount } from "../../../host/mounts.ts";
import { privateRange, readPolicyFacts } from "../../../report/policy-facts.ts";
import { refuseFolderLabel } from "../../../resolve/places/writable-places.ts";
import { putLabel } from "../../../run/labels/file-label.ts";
import { keepsLabels } from "../../../run/labels/machine-marks.ts";
import { formatContext } from "../../../selinux/context.ts";
import { type Instance, registryOf } from "../../../state/instance.ts";
import { readRecord } from "../../../state/record.ts";
import { backendOf } from "../../../storage/pool/backends/table.ts";
import { addOption, type MountOrder } from "../../../storage/pool/mount/mount-order.ts";
import { planDeviceMount } from "../../../storage/pool/mount/plan-mount.ts";
import type { TargetPool } from "../../../storage/pool/rules/startable.ts";
import { sourceDevice, typeOfDevice } from "../device/source-device.ts";
import { targetLabel } from "../target-label.ts";

// Rule: A mount without labels per file has the label in the XML, or is content.

const LABEL = "security.selinux";

/**
 * Opens the file system of a pool, with the labels that its files need. The caller attaches and closes it. A
 * server may take long, so no lock may be held. Throws "unsupported", "denied", "timeout" and errors of the
 * kernel.
 */
export async function openPoolMount(instance: Instance, pool: TargetPool): Promise<OpenedMount> {
  const { host } = instance;
  const order = orderOf(instance, pool);
  const hasLabels = host.getSelinux().mode !== "disabled";
  // No file can be labelled there, so each has the mount's label.
  if (hasLabels && order.flags.includes("ro")) return await openLabelled(instance, pool, order);
  const opened = await host.openMount(order);
  if (!hasLabels) return opened;
  const isKept = await orClosed(opened, () => keepsLabels(opened));
  if (!isKept) {
    await opened.close();
    return await openLabelled(instance, pool, order);
  }
  await orClosed(opened, () => labelRoot(instance, pool, opened));
  return opened;
}

function orderOf(instance: Instance, pool: TargetPool): MountOrder {
  const { mount } = backendOf(pool.type);
  if (mount !== "none" && mount.plan !== "by the device") return mount.plan(pool);
  const device = sourceDevice(instance, pool);
  return planDeviceMount(pool, device.path, typeOfDevice(instance, pool, device));
}

/**
 * Gives the root the label in the XML. Throws "denied" for a label with which no guest may have files there.
 */
function labelRoot(instance: Instance, { target }: TargetPool, opened: OpenedMount): void {
  const { path } = target;
  const label = targetLabel(instance, target);
  const is = opened.getXattr(LABEL);
  refuseFolderLabel(instance.host, path, label ?? is);
  if (label !== undefined && label !== is) putLabel(opened, path, label);
}

/**
 * Opens a file system without labels of files: all have the mount's. Without a label in the XML they are
 * read-only content for guests: no guest can change another's file.
 */
async function openLabelled(instance: Instance, pool: TargetPool, order: MountOrder): Promise<OpenedMount> {
  const { target } = pool;
  const label =
    targetLabel(instance, target, true) ?? formatContext(readPolicyFacts(instance.host).image.content);
  refuseFolderLabel(instance.host, target.path, label);
  refuseOtherGuest(instance, label);
  const opened = await openWithContext(instance, order, label);
  const is = await orClosed(opened, () => opened.getXattr(LABEL));
  if (is === label) return opened;
  await opened.close();
  throw otherLabel(
    order,
    label,
    is === undefined ? "its files have no label" : `its files have ${is} instead`,
  );
}

/** Throws "in-use" for the label of a guest running with it by chance: all files would be this guest's. */
function refuseOtherGuest(instance: Instance, label: string): void {
  const range = privateRange(instance.host, label);
  if (range === undefined) return;
  const [holder] = registryOf(instance).listHolders("level", range);
  const other = holder === undefined ? undefined : readRecord(instance, holder.owner);
  if (other?.label.type !== "dynamic") return;
  throw new SvirtError(
    `Cannot mount files with the label ${label}: the guest ${other.name} got its range by chance`,
    {
      kind: "in-use",
      remedy: `Stop that guest, and define the guest with the static label: svirt shutdown ${other.name}`,
    },
  );
}

async function openWithContext({ host }: Instance, order: MountOrder, label: string): Promise<OpenedMount> {
  try {
    return await host.openMount(addOption(order, `context=${label}`));
  } catch (error) {
    if (!(error instanceof SvirtError) || error.kind === "timeout") throw error;
    throw otherLabel(order, label, error.message);
  }
}

function otherLabel({ server, source }: MountOrder, label: string, why: string): SvirtError {
  const own =
    server === undefined
      ? "Unmount it elsewhere."
      : "Unmount it elsewhere, or export another folder for each label.";
  return new SvirtError(
    `Cannot mount ${source} with the label ${label}: ${why}. Another mount of it may have another label`,
    { kind: "denied", remedy: own },
  );
}

async function orClosed<Result>(opened: OpenedMount, look: () => Result): Promise<Result> {
  try {
    return look();
  } catch (error) {
    await opened.close();
    throw error;
  }
}
