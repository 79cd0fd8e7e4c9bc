import { type Device, withDevice, withOther, withoutDevice } from "../../domain/device.ts";
import { formatDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import type { Step } from "../../plan/step.ts";
import { refuseDouble } from "../../qemu/hot-rules.ts";
import type { Watch } from "../../run/run-plan.ts";
import { type AskedChange, changeGuest } from "../change-guest.ts";
import { completeDomain, makeMac } from "../complete-domain.ts";
import { defineDomain } from "../define.ts";
import { findDomain } from "../find-domain.ts";
import type { Node } from "../node.ts";
import { findDevice, findDisk } from "./find-device.ts";
import { decideImpact, type Wish } from "./impact.ts";
import { attachLive, changeMediumLive, detachLive, type MediumChange, setLinkLive } from "./live-change.ts";
import { changeSource, refuseOtherInterface } from "./update-rules.ts";

/** What is asked for, besides the device. */
export interface Ask {
  /** Name, id or uuid of the domain. */
  readonly key: string;
  readonly wish: Wish;
  /** Nothing is changed. */
  readonly isDryRun: boolean;
  readonly watch?: Watch;
}

/** What was done, or would be: the steps on the running guest, none when only its definition is concerned. */
export interface Changed {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** How each of the two changes. */
interface Change {
  readonly live: AskedChange;
  config(domain: Domain): Domain;
}

/** Gives a domain a device. Throws what the decisions and the host throw; then nothing has changed. */
export async function attachDevice(node: Node, ask: Ask, device: Device): Promise<Changed> {
  // The running guest and the definition have one and the same address.
  const whole = withMac(node, device);
  return await change(node, ask, {
    live: attachLive(node, whole),
    config(domain) {
      refuseDouble(domain, whole);
      return withDevice(domain, whole);
    },
  });
}

/** Takes a device away from a domain. Throws "not-found", and "timeout" when the guest does not let go in time. */
export async function detachDevice(node: Node, ask: Ask, meant: Device): Promise<Changed> {
  return await change(node, ask, {
    live: detachLive(node, meant),
    config: (domain) => withoutDevice(domain, findDevice(domain, meant)),
  });
}

/** Puts another medium in a drive, or none. */
export async function changeMedium(node: Node, ask: Ask, wish: MediumChange): Promise<Changed> {
  return await change(node, ask, {
    live: changeMediumLive(node, wish),
    config(domain) {
      const old = findDisk(domain, wish.target);
      return withOther(domain, old, { element: "disk", value: wish.change(old.value) });
    },
  });
}

/** Changes what a device can change while its guest runs: a drive's medium, a network card's cable. */
export async function updateDevice(
  node: Node,
  ask: Ask,
  to: { readonly device: Device; readonly force: boolean },
): Promise<Changed> {
  const { device, force } = to;
  switch (device.element) {
    case "disk": {
      const target = device.value.target.dev;
      return await changeMedium(node, ask, {
        target,
        force,
        change: (drive) => changeSource(drive, device.value),
      });
    }
    case "interface":
      return await change(node, ask, {
        live: setLinkLive(node, device),
        config(domain) {
          const old = findDevice(domain, device);
          return withOther(domain, old, refuseOtherInterface(old, device));
        },
      });
    case "rng":
      throw new SvirtError("Operation not supported: cannot modify device 'rng'", {
        kind: "unsupported",
        remedy: "Detach it, and attach another.",
      });
  }
}

async function change(node: Node, ask: Ask, how: Change): Promise<Changed> {
  const found = findDomain(node, ask.key);
  const { definition, guest } = decideImpact(found, ask.wish);
  // First, and refused before the guest changes.
  const config = definition === undefined ? undefined : changeDefinition(node, definition.xml, how);
  if (ask.isDryRun) {
    const { after, steps } = guest === undefined ? { after: [], steps: [] } : how.live.decide(guest);
    return { name: found.name, steps: [...steps, ...after] };
  }
  if (guest !== undefined) {
    const { watch } = ask;
    await changeGuest(node, guest.uuid, { asked: how.live, ...(watch === undefined ? {} : { watch }) });
  }
  if (config !== undefined) await defineDomain(node, config);
  return { name: found.name, steps: [] };
}

function changeDefinition(node: Node, xml: string, how: Change): Uint8Array {
  const changed = how.config(parseDomainText(xml));
  const bytes = new TextEncoder().encode(formatDomain(changed));
  // For its refusals: defining it decides the same once more.
  completeDomain(node, bytes);
  return bytes;
}

function withMac(node: Node, device: Device): Device {
  if (device.element !== "interface" || device.value.mac !== undefined) return device;
  return { ...device, value: { ...device.value, mac: { address: makeMac(node.host) } } };
}
