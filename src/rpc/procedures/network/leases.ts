import { listDhcpLeases } from "../../../vm/network/dhcp-leases.ts";
import { lookUpKnownNetwork } from "../../../vm/network/find-network.ts";
import { getNetworkFacts } from "../../../vm/network/network-facts.ts";
import { hyper, int, struct, uint } from "../../xdr/form.ts";
import { listing, listOf } from "../listing.ts";
import { maybeText, stored, text, uuidText } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

/** REMOTE_NETWORK_DHCP_LEASES_MAX of libvirt's remote_protocol.x */
const LEASES_MAX = 65_536;
/** virIPAddrType of libvirt's libvirt-network.h */
const TYPES = { ipv4: 0, ipv6: 1 };

const lease = struct({
  iface: text,
  expires: hyper,
  type: int,
  mac: maybeText,
  iaid: maybeText,
  address: text,
  prefix: uint,
  hostname: maybeText,
  clientId: maybeText,
});

/** Procedures about the leases of networks' DHCP servers. */
export const leaseProcedures: readonly Procedure[] = [
  procedure({
    number: 341,
    api: "virNetworkGetDHCPLeases",
    args: struct({ net: stored, mac: maybeText, needsResults: int, flags: uint }),
    flags: { known: 0, refusedBy: "networkGetDHCPLeases" },
    result: listing(lease, LEASES_MAX),
    run({ args, instance }) {
      const { net } = args;
      const { uuid } = lookUpKnownNetwork(instance, { name: net.name, uuid: uuidText(net.uuid) });
      const iface = getNetworkFacts(instance, uuid).bridge ?? "";
      const found = listDhcpLeases(instance, uuid, args.mac).map(({ expiresAt, protocol, ...rest }) => ({
        ...rest,
        ...{ iface, expires: BigInt(expiresAt), type: TYPES[protocol], iaid: undefined },
      }));
      return listOf(args, found);
    },
  }),
];
