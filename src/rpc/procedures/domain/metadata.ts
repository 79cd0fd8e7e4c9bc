import { SvirtError } from "../../../errors.ts";
import {
  readDescription,
  readMetadata,
  writeDescription,
  writeMetadata,
} from "../../../vm/change/describe-domain.ts";
import { int, struct, uint } from "../../xdr/form.ts";
import { askOf, IMPACT_FLAGS, readAskOf } from "../impact.ts";
import { checkedArgument, metadataTypeOf } from "../metadata-types.ts";
import { aboutDomain, aText, domain, maybeText, nothing } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

/** Procedures about the title, the description and the metadata of applications. */
export const metadataProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(264, "virDomainSetMetadata"),
    args: struct({ dom: domain, type: int, text: maybeText, key: maybeText, uri: maybeText, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainSetMetadata" },
    result: nothing,
    async run(call) {
      const { flags, key, text, type: number, uri } = call.args;
      const which = metadataTypeOf(number, "DOMAIN");
      const named = (name: string, value: string | undefined, isWanted: boolean): string =>
        checkedArgument({ name, value, isWanted, api: "virDomainSetMetadata", from: "DOMAIN" });
      const namespace = named("uri", uri, which === "element");
      if (which !== "element") {
        named("key", key, false);
        await writeDescription(call.instance, askOf(call, flags), { which, text: text ?? "" });
        return {};
      }
      const set = text === undefined ? undefined : { key: named("key", key, true), xml: text };
      await writeMetadata(call.instance, askOf(call, flags), { uri: namespace, set });
      return {};
    },
  }),
  procedure({
    ...aboutDomain(265, "virDomainGetMetadata"),
    args: struct({ dom: domain, type: int, uri: maybeText, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "virDomainObjGetMetadata" },
    result: aText,
    run(call) {
      const { flags, type: number, uri: value } = call.args;
      const which = metadataTypeOf(number, "DOMAIN");
      const isWanted = which === "element";
      const uri = checkedArgument({
        name: "uri",
        value,
        isWanted,
        api: "virDomainGetMetadata",
        from: "DOMAIN",
      });
      const ask = readAskOf(call, flags);
      const found =
        which === "element"
          ? readMetadata(call.instance, ask, uri)
          : readDescription(call.instance, ask, which);
      if (found !== undefined) return { value: found };
      // virDomainObjGetMetadata() of libvirt
      throw new SvirtError("metadata not found: Requested metadata element is not present", {
        kind: "not-found",
        libvirt: "NO_DOMAIN_METADATA",
        remedy: "List the metadata: virsh dumpxml DOMAIN --xpath /domain/metadata",
      });
    },
  }),
];
