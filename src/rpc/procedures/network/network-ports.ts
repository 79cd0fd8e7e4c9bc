import type { Instance } from "../../../state/instance.ts";
import { lookUpKnownNetwork } from "../../../vm/network/find-network.ts";
import { getPortXml, listPortUuids } from "../../../vm/network/network-ports.ts";
import { int, struct, uint, type ValueOf } from "../../xdr/form.ts";
import { listing, listOf } from "../listing.ts";
import { aText, stored, uuid, uuidBytes, uuidText } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

/** A guest's interface on a network. remote_nonnull_network_port */
const port = struct({ net: stored, uuid });

interface OnNetwork {
  readonly net: ValueOf<typeof stored>;
}

/** Procedures about guests' interfaces on networks, libvirt's ports. */
export const networkPortProcedures: readonly Procedure[] = [
  procedure({
    number: 404,
    api: "virNetworkListAllPorts",
    recovers: () => "all",
    args: struct({ net: stored, needsResults: int, flags: uint }),
    flags: { known: 0, refusedBy: "networkListAllPorts" },
    result: listing(port),
    run({ args, instance }) {
      const uuids = listPortUuids(instance, keyOf(instance, args));
      const ports = uuids.map((value) => ({ net: args.net, uuid: uuidBytes(value) }));
      return listOf(args, ports);
    },
  }),
  procedure({
    number: 405,
    api: "virNetworkPortLookupByUUID",
    recovers: () => "all",
    args: struct({ net: stored, uuid }),
    result: struct({ port }),
    run({ args, instance }) {
      getPortXml(instance, keyOf(instance, args), uuidText(args.uuid));
      return { port: args };
    },
  }),
  procedure({
    number: 409,
    api: "virNetworkPortGetXMLDesc",
    recovers: () => "all",
    args: struct({ port, flags: uint }),
    flags: { known: 0, refusedBy: "networkPortGetXMLDesc" },
    result: aText,
    run({ args, instance }) {
      const { xml } = getPortXml(instance, keyOf(instance, args.port), uuidText(args.port.uuid));
      return { value: xml };
    },
  }),
];

function keyOf(instance: Instance, { net }: OnNetwork): string {
  return lookUpKnownNetwork(instance, { name: net.name, uuid: uuidText(net.uuid) }).uuid;
}
