import { SvirtError } from "../../../errors.ts";
import {
  readNetworkDescription,
  readNetworkMetadata,
  writeNetworkDescription,
  writeNetworkMetadata,
} from "../../../vm/network/describe-network.ts";
import { int, struct, uint } from "../../xdr/form.ts";
import { AFFECTS, IMPACT_FLAGS, impactOf, onlyOneOf } from "../impact.ts";
import { checkedArgument, metadataTypeOf } from "../metadata-types.ts";
import { aText, maybeText, nothing, stored } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";
import { networkKeyOf } from "./networks.ts";

/** Procedures about the title, the description and the metadata of applications of a network. */
export const networkMetadataProcedures: readonly Procedure[] = [
  procedure({
    number: 444,
    api: "virNetworkSetMetadata",
    args: struct({ net: stored, type: int, text: maybeText, key: maybeText, uri: maybeText, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "networkSetMetadata" },
    result: nothing,
    async run(call) {
      const { flags, key, text, type, uri } = call.args;
      const which = metadataTypeOf(type, "NETWORK");
      const named = (name: string, value: string | undefined, isWanted: boolean): string =>
        checkedArgument({ name, value, isWanted, api: "virNetworkSetMetadata", from: "NETWORK" });
      const namespace = named("uri", uri, which === "element");
      const ask = { key: networkKeyOf(call), options: impactOf(flags) };
      if (which !== "element") {
        named("key", key, false);
        await writeNetworkDescription(call.instance, ask, { which, text: text ?? "" });
        return {};
      }
      const set = text === undefined ? undefined : { key: named("key", key, true), xml: text };
      await writeNetworkMetadata(call.instance, ask, { uri: namespace, set });
      return {};
    },
  }),
  procedure({
    number: 445,
    api: "virNetworkGetMetadata",
    args: struct({ net: stored, type: int, uri: maybeText, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "virNetworkObjGetMetadata" },
    result: aText,
    run(call) {
      const { flags, type, uri: value } = call.args;
      const which = metadataTypeOf(type, "NETWORK");
      const isWanted = which === "element";
      const uri = checkedArgument({
        name: "uri",
        value,
        isWanted,
        api: "virNetworkGetMetadata",
        from: "NETWORK",
      });
      onlyOneOf(
        flags,
        [AFFECTS.live, "VIR_NETWORK_UPDATE_AFFECT_LIVE"],
        [AFFECTS.config, "VIR_NETWORK_UPDATE_AFFECT_CONFIG"],
      );
      const ask = { key: networkKeyOf(call), options: impactOf(flags) };
      const found =
        which === "element"
          ? readNetworkMetadata(call.instance, ask, uri)
          : readNetworkDescription(call.instance, ask, which);
      if (found !== undefined) return { value: found };
      // networkGetMetadata() of libvirt
      throw new SvirtError("metadata not found: Requested metadata element is not present", {
        kind: "not-found",
        libvirt: "NO_NETWORK_METADATA",
        remedy: "Show the network's XML: virsh net-dumpxml NETWORK",
      });
    },
  }),
];
