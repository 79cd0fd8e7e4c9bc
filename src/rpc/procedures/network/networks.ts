import type { ApiUse } from "../../../access/uses.ts";
import { SvirtError } from "../../../errors.ts";
import { UPDATE_COMMANDS } from "../../../network/edits/lists.ts";
import { UPDATE_SECTIONS } from "../../../network/edits/update.ts";
import type { Instance } from "../../../state/instance.ts";
import { markNetwork } from "../../../vm/network/autostart-network.ts";
import { defineNetwork, undefineNetwork } from "../../../vm/network/define-network.ts";
import { lookUpKnownNetwork, lookUpNetwork } from "../../../vm/network/find-network.ts";
import { getNetworkFacts, getNetworkXml, type NetworkFacts } from "../../../vm/network/network-facts.ts";
import { createNetwork, destroyNetwork, startNetwork } from "../../../vm/network/start-network.ts";
import { updateStoredNetwork } from "../../../vm/network/update-network.ts";
import { int, struct, uint, type ValueOf } from "../../xdr/form.ts";
import { IMPACT_FLAGS, impactOf } from "../impact.ts";
import { aNumber, aText, nothing, remoteStored, stored, text, uuid, uuidText } from "../objects.ts";
import { notValid, type Procedure, procedure, type RemoteCall } from "../procedure.ts";

/** VIR_NETWORK_XML_INACTIVE of libvirt's libvirt-network.h */
const INACTIVE = 1;
/**
 * VIR_NETWORK_DEFINE_VALIDATE and VIR_NETWORK_CREATE_VALIDATE. svirt refuses what libvirt's schema does not
 * allow in any case.
 */
const VALIDATE = 1;

const ofNetwork = struct({ net: stored });
const aNetwork = struct({ net: stored });
const xmlAndFlags = struct({ xml: text, flags: uint });
/** A call about a network. */
type NetworkCall = Pick<RemoteCall<ValueOf<typeof ofNetwork>>, "args" | "instance">;

/** Procedures about a network. */
export const networkProcedures: readonly Procedure[] = [
  procedure({
    number: 46,
    api: "virNetworkLookupByName",
    args: struct({ name: text }),
    result: aNetwork,
    run: ({ args, instance }) => ({ net: remoteStored(lookUpNetwork(instance, "name", args.name)) }),
  }),
  procedure({
    number: 47,
    api: "virNetworkLookupByUUID",
    args: struct({ uuid }),
    result: aNetwork,
    run: ({ args, instance }) => ({
      net: remoteStored(lookUpNetwork(instance, "uuid", uuidText(args.uuid))),
    }),
  }),
  procedure({
    number: 43,
    api: "virNetworkGetXMLDesc",
    args: struct({ net: stored, flags: uint }),
    flags: { known: INACTIVE, refusedBy: "networkGetXMLDesc" },
    result: aText,
    async run(call) {
      const form = (call.args.flags & INACTIVE) === 0 ? "active" : "defined";
      return { value: `${(await getNetworkXml(call.instance, networkKeyOf(call), form)).xml}\n` };
    },
  }),
  fact(44, "virNetworkGetAutostart", "autostart"),
  fact(152, "virNetworkIsActive", "active"),
  fact(153, "virNetworkIsPersistent", "persistent"),
  procedure({
    number: 45,
    api: "virNetworkGetBridgeName",
    args: ofNetwork,
    result: aText,
    run(call) {
      const { bridge, name } = getNetworkFacts(call.instance, networkKeyOf(call));
      if (bridge === undefined) throw withoutBridge(name);
      return { value: bridge };
    },
  }),
  procedure({
    number: 291,
    api: "virNetworkUpdate",
    args: struct({ net: stored, command: uint, section: uint, parentIndex: int, xml: text, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "networkUpdate" },
    result: nothing,
    async run(call) {
      const { command, flags, parentIndex, section, xml } = call.args;
      const update = {
        command: numbered(UPDATE_COMMANDS, command, `unrecognized network update command code ${command}`),
        section: numbered(UPDATE_SECTIONS, section, "can't update unrecognized section of network"),
        entry: new TextEncoder().encode(xml),
        parentIndex: parentIndex < 0 ? undefined : parentIndex,
      };
      await updateStoredNetwork(call.instance, networkKeyOf(call), { options: impactOf(flags), update });
      return {};
    },
  }),
  procedure({
    number: 41,
    api: "virNetworkDefineXML",
    args: struct({ xml: text }),
    result: aNetwork,
    run: async ({ args, instance }) => await defined(instance, args.xml),
  }),
  procedure({
    number: 432,
    api: "virNetworkDefineXMLFlags",
    args: xmlAndFlags,
    flags: { known: VALIDATE, refusedBy: "networkDefineXMLFlags" },
    result: aNetwork,
    run: async ({ args, instance }) => await defined(instance, args.xml),
  }),
  procedure({
    number: 40,
    api: "virNetworkCreateXML",
    args: struct({ xml: text }),
    result: aNetwork,
    run: async ({ args, instance }) => await created(instance, args.xml),
  }),
  procedure({
    number: 437,
    api: "virNetworkCreateXMLFlags",
    args: xmlAndFlags,
    flags: { known: VALIDATE, refusedBy: "networkCreateXMLFlags" },
    result: aNetwork,
    run: async ({ args, instance }) => await created(instance, args.xml),
  }),
  changing(39, "virNetworkCreate", async (call) => {
    const { did } = await startNetwork(call.instance, networkKeyOf(call));
    if (!did) throw notValid("network is already active", "NETWORK");
  }),
  changing(42, "virNetworkDestroy", async (call) => {
    const { did, name } = await destroyNetwork(call.instance, networkKeyOf(call));
    if (!did) throw notValid(`network '${name}' is not active`, "NETWORK");
  }),
  changing(49, "virNetworkUndefine", async (call) => {
    await undefineNetwork(call.instance, networkKeyOf(call));
  }),
  procedure({
    number: 48,
    api: "virNetworkSetAutostart",
    args: struct({ net: stored, autostart: int }),
    result: nothing,
    async run(call) {
      await markNetwork(call.instance, networkKeyOf(call), call.args.autostart !== 0);
      return {};
    },
  }),
];

async function defined(instance: Instance, xml: string): Promise<ValueOf<typeof aNetwork>> {
  return { net: remoteStored(await defineNetwork(instance, new TextEncoder().encode(xml))) };
}

async function created(instance: Instance, xml: string): Promise<ValueOf<typeof aNetwork>> {
  const network = await createNetwork(instance, new TextEncoder().encode(xml));
  if (!network.did) throw notValid(`network is already active as '${network.name}'`, "NETWORK");
  return { net: remoteStored(network) };
}

/** Declares a procedure for a property of a network. */
function fact(number: number, api: ApiUse, property: "active" | "persistent" | "autostart"): Procedure {
  return procedure({
    number,
    api,
    args: ofNetwork,
    result: aNumber,
    run(call) {
      const facts: NetworkFacts = getNetworkFacts(call.instance, networkKeyOf(call));
      return { value: facts[property] ? 1 : 0 };
    },
  });
}

/** Declares a procedure changing a network, without a result. */
function changing(number: number, api: ApiUse, change: (call: NetworkCall) => Promise<void>): Procedure {
  return procedure({
    number,
    api,
    args: ofNetwork,
    result: nothing,
    async run(call) {
      await change(call);
      return {};
    },
  });
}

/**
 * Returns a word by its number, where 0 is none. virNetworkUpdateCommand, virNetworkUpdateSection and
 * virNetworkDefUpdateSection() of libvirt
 */
function numbered<Word>(words: readonly Word[], number: number, refusal: string): Word {
  const word = words[number - 1];
  if (word !== undefined) return word;
  throw new SvirtError(`Operation not supported: ${refusal}`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    from: "NETWORK",
    remedy: "Name the edit as virsh net-update does.",
  });
}

/** Returns the UUID of a call's network, for use cases. Throws as lookUpKnownNetwork() does. */
export function networkKeyOf({ args: { net }, instance }: NetworkCall): string {
  return lookUpKnownNetwork(instance, { name: net.name, uuid: uuidText(net.uuid) }).uuid;
}

/** networkGetBridgeName() of libvirt */
function withoutBridge(name: string): SvirtError {
  return new SvirtError(`internal error: network '${name}' does not have a bridge name.`, {
    kind: "failed",
    from: "NETWORK",
    remedy: "Use the devices in the network's XML: virsh net-dumpxml NETWORK",
  });
}
