import { SvirtError } from "../../errors.ts";
import { hasOwnBridge } from "../forms/mode-rules.ts";
import type { Network } from "../forms/network.ts";

/** Interface that is to get a guaranteed share of a network's bandwidth, in kilobytes per second. */
interface FloorRequest {
  readonly mac: string;
  readonly floor: number;
  /** Sum of the shares of the other interfaces on the network. */
  readonly others: number;
  /** Whether another interface with this address has a share. The kernel finds a share by its address. */
  readonly isTwin: boolean;
  /** Path of the request in its document. */
  readonly place: string;
}

/**
 * Refuses a share beyond the network's, with libvirt's messages. Throws "unsupported" for a network without a
 * bridge of its own or without `<inbound>`, "in-use" for an address with a share, "wrong-state" if all shares
 * together exceed the network's. networkCheckBandwidth() of libvirt
 */
export function refuseFloor(network: Network, { floor, isTwin, mac, others, place }: FloorRequest): void {
  const { name } = network;
  if (!hasOwnBridge(network)) {
    throw new SvirtError(
      `Operation not supported: Invalid use of 'floor' on interface with MAC address ${mac} - 'floor' is only supported for interface type 'network' with forward type 'nat', 'route', 'open' or none (${place})`,
      {
        kind: "unsupported",
        libvirt: "OPERATION_UNSUPPORTED",
        from: "NETWORK",
        remedy: "Leave floor out of <inbound>.",
        place,
      },
    );
  }
  const inbound = network.bandwidth?.inbound;
  if (inbound?.average === undefined) {
    throw new SvirtError(
      `Operation not supported: Invalid use of 'floor' on interface with MAC address ${mac} - network '${name}' has no inbound QoS set (${place})`,
      {
        place,
        kind: "unsupported",
        libvirt: "OPERATION_UNSUPPORTED",
        from: "NETWORK",
        remedy: `Write <bandwidth><inbound average='…'/></bandwidth> into the network: svirt net-edit ${name}`,
      },
    );
  }
  if (isTwin) {
    throw new SvirtError(
      `Cannot guarantee a share to the interface with MAC address ${mac}: an interface with that address has a guaranteed share of the network '${name}' already (${place})`,
      {
        place,
        kind: "in-use",
        remedy: "Write another address into <mac>, or leave floor out of <inbound>.",
      },
    );
  }
  const [word, most] = inbound.peak === undefined ? ["average", inbound.average] : ["peak", inbound.peak];
  const sum = others + floor;
  if (sum <= most) return;
  throw new SvirtError(
    `Requested operation is not valid: Cannot plug '${mac}' interface into '${network.bridge?.name}' because new combined inbound floor=${sum} would overcommit ${word}=${most} on network '${name}' (${place})`,
    {
      place,
      kind: "wrong-state",
      from: "NETWORK",
      remedy: `Write a floor of at most ${Math.max(most - others, 0)}, or end other guests of the network: svirt net-port-list ${name}`,
    },
  );
}
