import { type Device, replaceDevice } from "../../domain/device.ts";
import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import type { Instance } from "../../state/instance.ts";
import { type Ask, type Changed, changeDomain } from "../change/change-domain.ts";
import { findInterface } from "../guest/guest-interfaces.ts";
import { runningGuest } from "../guest/running-guest.ts";
import { findShown } from "../tuning/read-limits.ts";
import { setLinkLive } from "./live-change.ts";

/** `<bandwidth>` of an interface. */
export type Bandwidth = NonNullable<NetworkInterface["bandwidth"]>;

/**
 * New limit: kilobytes per second, and a burst in KiB; 0: none. Without an average and a floor there is no
 * limit.
 */
export interface RateChange {
  readonly average: number;
  readonly peak: number;
  readonly burst: number;
  readonly floor: number;
}

/** New limits of an interface. An absent side stays. */
interface BandwidthChange {
  readonly name: string;
  readonly inbound?: RateChange;
  readonly outbound?: RateChange;
}

/**
 * Returns the limits of an interface in the domain that `ask` selects. Throws "not-found" and the errors of
 * findShown().
 */
export function readBandwidth(instance: Instance, ask: Ask, name: string): Bandwidth {
  return findInterface(findShown(instance, ask).domain.devices.interfaces, name).bandwidth ?? {};
}

/**
 * Changes the limits of an interface, in the running guest and in the definition separately. Throws the
 * errors of changeDomain(). qemuDomainSetInterfaceParameters() of libvirt
 */
export async function changeBandwidth(
  instance: Instance,
  ask: Ask,
  change: BandwidthChange,
): Promise<Changed> {
  const { name } = change;
  return await changeDomain(instance, ask, {
    live: {
      what: `set the limits of the interface ${name}`,
      decide(guest) {
        const found = findInterface(runningGuest(guest).domain.devices.interfaces, name);
        return setLinkLive(instance, replaceLimits(found, change)).decide(guest);
      },
    },
    config(domain) {
      const value = findInterface(domain.devices.interfaces, name);
      return replaceDevice(domain, { element: "interface", value }, replaceLimits(value, change));
    },
  });
}

function replaceLimits(
  { bandwidth, ...rest }: NetworkInterface,
  { inbound, outbound }: BandwidthChange,
): Device<"interface"> {
  const sides = {
    ...sideOf("inbound", inbound, bandwidth),
    ...sideOf("outbound", outbound, bandwidth),
  };
  const value = Object.keys(sides).length === 0 ? rest : { ...rest, bandwidth: sides };
  return { element: "interface", value: value as NetworkInterface };
}

function sideOf<Side extends keyof Bandwidth>(
  side: Side,
  change: RateChange | undefined,
  before: Bandwidth | undefined,
): Pick<Bandwidth, Side> | Record<never, never> {
  if (change === undefined) return before?.[side] === undefined ? {} : { [side]: before[side] };
  const numbers = Object.entries(change).filter(([, number]) => number !== 0);
  return numbers.length === 0 ? {} : { [side]: Object.fromEntries(numbers) };
}
