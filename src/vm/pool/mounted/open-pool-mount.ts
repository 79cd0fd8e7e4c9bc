import { SvirtError } from "../../../errors.ts";
import type { OpenedMount } from "../../../host/mounts.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
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
import type { PoolTarget } from "../../../storage/pool/stored-pool.ts";
import { sourceDevice, typeOfDevice } from "../device/source-device.ts";
import { targetLabel } from "../target-label.ts";

// Rule: A mount without labels per file has the label in the XML, or is content.

const LABEL = "security.selinux";

/**
 * Returns the step that mounts the file system of a pool, with the labels that its files need. Throws
 * "unsupported", "denied", and the errors of a device. The caller holds no lock.
 */
export function planPoolMount(instance: Instance, pool: TargetPool): StepOf<"mount-pool"> {
  const { target } = pool;
  const { attempts, flags, server, source } = orderOf(instance, pool);
  return {
    do: "mount-pool",
    path: target.path,
    source,
    ...(server === undefined ? {} : { server }),
    attempts: attempts.map(({ options, type }) => ({ type, options: [...options] })),
    flags: [...flags],
    ...labelsOf(instance, target),
  };
}

/**
 * Returns the label for the root, and the label for a file system without labels of files. Without a label in
 * the XML these are read-only content for guests: no guest can change another's file.
 */
function labelsOf(
  instance: Instance,
  target: PoolTarget,
): Pick<StepOf<"mount-pool">, "label" | "labelOfAll"> {
  const { host } = instance;
  if (host.getSelinux().mode === "disabled") return {};
  const label = targetLabel(instance, target, true);
  if (label !== undefined) return { label, labelOfAll: label };
  return { labelOfAll: formatContext(readPolicyFacts(host).image.content) };
}

/**
 * Opens the file system of such a step. The caller attaches and closes it. A server may take long, so no lock
 * may be held. Throws "unsupported", "denied", "timeout" and errors of the kernel.
 */
export async function openPoolMount(
  instance: Instance,
  { target }: TargetPool,
  { attempts, flags, labelOfAll, server, source }: StepOf<"mount-pool">,
): Promise<OpenedMount> {
  const { host } = instance;
  const order: MountOrder = { source, server, attempts, flags };
  if (labelOfAll === undefined) return await host.openMount(order);
  const all = { path: target.path, order, label: labelOfAll };
  // No file can be labelled there, so each has the mount's label.
  if (order.flags.includes("ro")) return await openLabelled(instance, all);
  const opened = await host.openMount(order);
  const isKept = await orClosed(opened, () => keepsLabels(opened));
  if (!isKept) {
    await opened.close();
    return await openLabelled(instance, all);
  }
  await orClosed(opened, () => labelRoot(instance, target, opened));
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
function labelRoot(instance: Instance, target: PoolTarget, opened: OpenedMount): void {
  const { path } = target;
  // Not the label of one guest, which only a mount may have.
  const label = targetLabel(instance, target);
  const is = opened.getXattr(LABEL);
  refuseFolderLabel(instance.host, path, label ?? is);
  if (label !== undefined && label !== is) putLabel(opened, path, label);
}

/** Mount whose files have the same label. */
interface LabelledMount {
  readonly path: string;
  readonly order: MountOrder;
  readonly label: string;
}

/** Opens a file system without labels of files: all have the mount's. */
async function openLabelled(instance: Instance, { label, order, path }: LabelledMount): Promise<OpenedMount> {
  refuseFolderLabel(instance.host, path, label);
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
