import { formatDomain } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { isVfioDriver, VFIO_PCI } from "../../domain/forms/vfio-driver.ts";
import type { VfioDevice } from "../../domain/resources/resource.ts";
import { listResources } from "../../domain/resources/resources.ts";
import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { decideGuestLabel } from "../../labelling/guest-label.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { LevelOffer } from "../../registry/level-allocator.ts";
import { groupOf, refuseSharedGroup } from "../../resolve/files/vfio.ts";
import { refuseBusyDisks } from "../../resolve/host/busy-disks.ts";
import { refuseGuestDevices } from "../../resolve/host/guest-devices.ts";
import { refuseGuestNetwork } from "../../resolve/host/guest-network.ts";
import { missing } from "../../resolve/inspect-file.ts";
import { chooseDevicesAgain } from "../../resolve/networks.ts";
import { driverOf, overrideOf, PCI_DEVICES, refuseHung } from "../../run/steps/pci.ts";
import { runPlan, type StepObserver } from "../../run/steps/run-plan.ts";
import { actorFor } from "../../state/actor-for.ts";
import { chooseUid } from "../../state/guest-uid.ts";
import { type Instance, isSession } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { newRecord } from "../../state/new-record.ts";
import { type GuestRecord, writeRecord } from "../../state/record.ts";
import { undoBegun } from "../end/undo-start.ts";
import { lastOf, listFunctions, listParts, refuseChanging } from "../guest/changing-device.ts";
import { refuseConflict } from "../guest/refuse-conflict.ts";
import { refuseOthers } from "../guest/refuse-others.ts";

/** PCI devices that are detached from their host drivers for a guest. */
export interface DetachedDevices {
  readonly names: ReadonlySet<string>;
  readonly steps: readonly Step[];
}

/**
 * Decides which devices with `managed='yes'` to detach from the host. A device that a VFIO driver has stays
 * there, unless the XML names another driver, as in libvirt's virPCIDeviceBindToStub(). The caller holds the
 * registry lock. Throws "wrong-state" for a device that the host needs, "in-use" for another guest's device,
 * "denied" in a session.
 */
export function planHostDetach(instance: Instance, domain: Domain): DetachedDevices {
  const { host } = instance;
  const drivers = new Map(
    listManaged(domain).flatMap(({ name, driver }) =>
      isForGuests(driverOf(host, name), driver) ? [] : [[name, driver ?? VFIO_PCI] as const],
    ),
  );
  const names = [...drivers.keys()];
  if (names.length > 0 && isSession(instance)) {
    throw new SvirtError(`Cannot detach ${names.join(", ")} from the host: changing a driver requires root`, {
      kind: "denied",
      remedy: `Have root assign it to ${VFIO_PCI} (driverctl set-override ADDRESS ${VFIO_PCI}), and write managed='no'.`,
    });
  }
  const taken = new Set(names);
  for (const name of taken) {
    const path = `${PCI_DEVICES}/${name}`;
    const group = groupOf(host, path);
    refuseSharedGroup(host, { path, group, taken });
    // The kernel ends virtual functions and mediated devices with the device.
    for (const one of listFunctions(host, path).map(lastOf)) {
      refuseBusyDisks(instance, one);
      refuseGuestDevices(instance, one);
      refuseGuestNetwork(instance, one);
    }
    for (const part of listParts(host, path)) refuseOthers(instance, part, domain.uuid);
  }
  for (const [name, driver] of drivers) refuseAbsentDriver(host, name, driver);
  const claims = [...taken].map(
    (key): Step => ({ do: "reserve", claim: { kind: "pci", key, sharing: "exclusive" } }),
  );
  refuseChanging(instance, claims, domain.uuid);
  const steps = [...drivers].map(([name, driver]) => takeStep(host, name, driver));
  return { names: taken, steps: [...claims, ...steps] };
}

/**
 * Whether the driver that a device has keeps it for guests, and is the one that the XML names, if it names
 * one.
 */
function isForGuests(driver: string | undefined, named: string | undefined): boolean {
  return named === undefined ? driver !== undefined && isVfioDriver(driver) : driver === named;
}

/** Throws "wrong-state" if the kernel has no such driver. */
export function refuseAbsentDriver(host: Host, name: string, driver: string): void {
  if (host.inspectFile(`/sys/bus/pci/drivers/${driver}`) !== undefined) return;
  throw new SvirtError(`Cannot detach ${name} from the host: the kernel has no driver ${driver}`, {
    kind: "wrong-state",
    remedy: `Run: modprobe -a ${driver} vfio_iommu_type1`,
  });
}

interface DetachingStart {
  readonly domain: Domain;
  readonly offer: LevelOffer;
  readonly observer: StepObserver;
}

/**
 * Detaches the domain's managed devices, then does the work, which depends on the resulting device nodes. The
 * guest's record is written before the first device is detached, and the work continues with it. If the work
 * fails, the devices return to the host. The caller holds the guest's lock.
 */
export async function withDetachedDevices<Result>(
  instance: Instance,
  start: DetachingStart,
  work: (taken: readonly Step[]) => Promise<Result>,
): Promise<Result> {
  const { domain, observer } = start;
  if (listManaged(domain).length === 0) return await work([]);
  await refuseHungDevices(instance, domain);
  try {
    const { record, steps } = await withRegistryLock(instance, () => claimDevices(instance, start));
    if (record !== undefined) await takeDevices(instance, record, { steps, observer });
    return await work(steps);
  } catch (error) {
    await undoBegun(instance, domain.uuid, error);
    throw error;
  }
}

/**
 * Throws "timeout" for a managed device whose driver the kernel is still unbinding. The caller holds no lock
 * for which other commands wait.
 */
export async function refuseHungDevices(instance: Instance, domain: Domain): Promise<void> {
  // A session takes no device from its driver: planHostDetach().
  if (isSession(instance)) return;
  for (const { name } of listManaged(domain))
    await refuseHung(instance.host, name, `detach ${name} from the host`);
}

/** Steps that detach devices; with them, the record of the guest, unless there are none. */
interface Claimed {
  readonly steps: readonly Step[];
  readonly record?: GuestRecord;
}

/** Records that a guest detaches its managed devices, and claims them. */
async function claimDevices(
  instance: Instance,
  { domain, offer, observer }: DetachingStart,
): Promise<Claimed> {
  refuseConflict(instance, domain);
  const { steps } = planHostDetach(instance, domain);
  if (steps.length === 0) return { steps };
  // The record counts as a use of its networks' devices. Another start may have chosen the same ones.
  const chosen = chooseDevicesAgain(instance, domain);
  const label = decideGuestLabel(instance, domain, { offer });
  const uid = chooseUid(instance, domain.uuid);
  const begun = { label, uid, steps, after: [], xml: formatDomain(chosen), isIncoming: false };
  const record = newRecord(instance, chosen, begun);
  writeRecord(instance, record);
  await runPlan(actorFor(instance, record), steps.filter(isClaim), observer);
  return { steps, record };
}

/** Detaches claimed devices. The kernel may take long, so the registry's lock is not held. */
export async function takeDevices(
  instance: Instance,
  record: GuestRecord,
  { observer, steps }: { readonly steps: readonly Step[]; readonly observer: StepObserver },
): Promise<void> {
  const claims = steps.filter(isClaim);
  await runPlan(
    actorFor(instance, record),
    steps.filter((step) => !isClaim(step)),
    (moment, step, at) => observer(moment, step, claims.length + at),
  );
}

/** Whether a step of {@link planHostDetach} claims a device. Those come first. */
export function isClaim(step: Step): boolean {
  return step.do === "reserve";
}

interface ManagedDevice extends Pick<VfioDevice, "driver"> {
  readonly name: string;
}

function listManaged(domain: Domain): ManagedDevice[] {
  return listResources(domain).flatMap((found) =>
    found.kind === "vfio-device" && found.isManaged
      ? [{ ...found, name: found.path.slice(PCI_DEVICES.length + 1) }]
      : [],
  );
}

/** Returns the step that binds a PCI device to a driver for guests. Throws "not-found". */
export function takeStep(host: Host, device: string, to: string): Step {
  const folder = `${PCI_DEVICES}/${device}`;
  if (host.inspectFile(folder) === undefined) throw missing(folder);
  const driver = driverOf(host, device);
  const override = overrideOf(host, device);
  return {
    do: "bind-vfio",
    device,
    ...(driver === undefined ? {} : { driver }),
    ...(override === undefined ? {} : { override }),
    ...(to === VFIO_PCI ? {} : { to }),
    bootId: host.getBootId(),
  };
}
