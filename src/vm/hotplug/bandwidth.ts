import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import type { Instance } from "../../state/instance.ts";
import type { Ask, Changed } from "../change/change-domain.ts";
import { findInterface } from "../guest/guest-interfaces.ts";
import { findShown } from "../tuning/read.ts";
import { updateDevice } from "./change-devices.ts";
import { findNamedInterface } from "./named-interface.ts";

/** `<bandwidth>` of an interface. */
export type Bandwidth = NonNullable<NetworkInterface["bandwidth"]>;

/** New limit: kilobytes per second, and a burst in KiB. 0: none. */
export interface RateChange {
  readonly average: number;
  readonly peak: number;
  readonly burst: number;
}

/** New limits of an interface. A side that is absent stays. */
interface BandwidthChange {
  readonly name: string;
  readonly inbound?: RateChange;
  readonly outbound?: RateChange;
}

/** Returns the limits of an interface in the domain that `ask` selects. Throws "not-found" and the errors of findShown(). */
export function readBandwidth(instance: Instance, ask: Ask, name: string): Bandwidth {
  return findInterface(findShown(instance, ask).domain.devices.interfaces, name).bandwidth ?? {};
}

/** Changes the limits of an interface. Throws the errors of updateDevice(). qemuDomainSetInterfaceParameters() of libvirt */
export async function changeBandwidth(
  instance: Instance,
  ask: Ask,
  { inbound, name, outbound }: BandwidthChange,
): Promise<Changed> {
  const { bandwidth: before, ...rest } = findNamedInterface(instance, ask, name);
  const sides = {
    ...sideOf("inbound", inbound, before),
    ...sideOf("outbound", outbound, before),
  };
  const value = Object.keys(sides).length === 0 ? rest : { ...rest, bandwidth: sides };
  return await updateDevice(instance, ask, {
    device: { element: "interface", value: value as NetworkInterface },
    force: false,
  });
}

function sideOf<Side extends keyof Bandwidth>(
  side: Side,
  change: RateChange | undefined,
  before: Bandwidth | undefined,
): Pick<Bandwidth, Side> | Record<never, never> {
  if (change === undefined) return before?.[side] === undefined ? {} : { [side]: before[side] };
  const { average, burst, peak } = change;
  if (average === 0) return {};
  return {
    [side]: { average, ...(peak === 0 ? {} : { peak }), ...(burst === 0 ? {} : { burst }) },
  };
}
