import type { Device, HotDevice, HotElement } from "../../domain/device.ts";
import type { HostDevice } from "../../domain/devices/hostdev.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import type { PassedDevice } from "../../plan/actions/passthrough.ts";
import { guestPaths } from "../../plan/paths.ts";
import type { Step } from "../../plan/steps/step.ts";
import { readPolicyFacts } from "../../report/policy-facts.ts";
import type { ResolvedFiles } from "../../resolve/files/all.ts";
import { listGroupLinks } from "../../resolve/files/vfio.ts";
import { bindUsbDevice } from "../../resolve/usb-devices.ts";
import { parseContextOrUndefined } from "../../selinux/context.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { memlockOf } from "../start/guest-command.ts";
import { addedLabelOf } from "./new-files.ts";

/** Decisions about a device of a family, passed through from the host. */
interface PassedFamily<E extends HotElement> {
  /** Returns the device with its address on the host. Throws "not-found", "unsupported". */
  bind(instance: Instance, value: HotDevice<E>): HotDevice<E>;
  /** Returns the device of the host. */
  passed(value: HotDevice<E>): HostDevice;
}

/** Devices of the host by family. "none": no device of the family belongs to the host. */
const PASSED: { readonly [E in HotElement]: PassedFamily<E> | "none" } = {
  disk: "none",
  controller: "none",
  interface: "none",
  rng: "none",
  channel: "none",
  hostdev: {
    bind: ({ host }, value) => (value.type === "usb" ? bindUsbDevice(host, value) : value),
    passed: (value) => value,
  },
};

/** Resolves a USB host device to its address on the bus. Throws "not-found", "unsupported". */
export function bindPassthrough<E extends HotElement>(instance: Instance, device: Device<E>): Device<E> {
  const family: PassedFamily<E> | "none" = PASSED[device.element];
  return family === "none" ? device : { ...device, value: family.bind(instance, device.value) };
}

/** Returns the device of the host that is passed through; undefined for another device. */
export function passedOf<E extends HotElement>(device: Device<E>): HostDevice | undefined {
  const family: PassedFamily<E> | "none" = PASSED[device.element];
  return family === "none" ? undefined : family.passed(device.value);
}

/** Returns the domain without disks and without host devices other than this one. */
export function keepOnly(domain: Domain, device: Device): Domain {
  const passed = passedOf(device);
  const hostdevs = passed === undefined ? [] : [passed];
  return { ...domain, devices: { ...domain.devices, disks: [], hostdevs } };
}

/** Maps the paths in a device's XML to QEMU's paths. */
export function nameFiles(device: Device, { files }: ResolvedFiles): ReadonlyMap<string, string> {
  if (passedOf(device)?.type !== "scsi") return new Map();
  return new Map(files.map(({ facts, named }) => [named, facts.id.path]));
}

/**
 * Decides the parts of a host device opened by QEMU itself; undefined for other devices. `domain` has the
 * device. Throws "denied" if the guest's SELinux domain is not permitted to search for it: a process keeps
 * the domain of its start.
 */
export function decidePassed(
  instance: Instance,
  guest: GuestRecord,
  found: { readonly device: Device; readonly domain: Domain; readonly resolved: ResolvedFiles },
): PassedDevice | undefined {
  const { device, domain, resolved } = found;
  const passed = passedOf(device);
  if (passed === undefined) return undefined;
  refuseBlind(instance, guest, passed);
  const isByName = passed.type !== "usb";
  return {
    links: listGroupLinks(instance.host, keepOnly(domain, device)),
    label: addedLabelOf(instance, guest, "guest-folder"),
    workFolder: guestPaths(instance.paths, guest.uuid).workFolder,
    grants: isByName ? resolved.files.map(({ facts }) => ({ file: facts.id, uid: guest.uid })) : [],
    memlock: decideMemlock(instance, guest, domain),
  };
}

function decideMemlock(
  { host }: Instance,
  { process }: GuestRecord,
  domain: Domain,
): Extract<Step, { do: "set-memlock" }> | undefined {
  const to = memlockOf(domain).memlockKiB;
  if (to === undefined || process === undefined) return undefined;
  const text = host.readText(`/proc/${process.pid}/limits`) ?? "";
  const is = /^Max locked memory +(\d+|unlimited)/m.exec(text)?.[1] ?? "0";
  const from = is === "unlimited" ? is : Math.floor(Number(is) / 1024);
  const isEnough = from === "unlimited" || (to !== "unlimited" && from >= to);
  return isEnough ? undefined : { do: "set-memlock", process, from, to };
}

function refuseBlind(
  instance: Instance,
  { label: { baseLabel, label, type } }: GuestRecord,
  passed: HostDevice,
): void {
  if (passed.type !== "usb" || type !== "dynamic" || label === undefined || baseLabel !== undefined) return;
  const { domain } = readPolicyFacts(instance.host);
  const is = parseContextOrUndefined(label)?.type;
  const keys = ["kvm", "kvmWithNetwork", "qemu", "qemuWithNetwork"] as const;
  if (!keys.some((key) => domain[key].type === is && domain.withUsb[key].type !== is)) return;
  throw new SvirtError(
    `Cannot attach the hostdev: the guest was started without USB host devices, and ${is} may not search for USB devices`,
    {
      kind: "denied",
      remedy:
        "Attach it to the definition (--config), or define an optional one (startupPolicy='optional'), and start the guest again.",
    },
  );
}
