import { SvirtError } from "../../../errors.ts";
import {
  readDescription,
  readMetadata,
  writeDescription,
  writeMetadata,
} from "../../../vm/change/describe-domain.ts";
import { int, struct, uint } from "../../xdr/form.ts";
import { askOf, IMPACT_FLAGS, readAskOf } from "../impact.ts";
import { aText, changesDomain, domain, maybeText, nothing, readsDomain } from "../objects.ts";
import { invalidArgument, type Procedure, procedure } from "../procedure.ts";

/** virDomainMetadataType of libvirt's libvirt-domain.h */
const TYPES = ["description", "title", "element"] as const;

/** Procedures about the title, the description and the metadata of applications. */
export const metadataProcedures: readonly Procedure[] = [
  procedure({
    ...changesDomain(264, "virDomainSetMetadata"),
    args: struct({ dom: domain, type: int, text: maybeText, key: maybeText, uri: maybeText, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainSetMetadata" },
    result: nothing,
    async run(call) {
      const { flags, key, text, type: number, uri } = call.args;
      const which = typeOf(number);
      const named = (name: string, value: string | undefined, isWanted: boolean): string =>
        argument({ name, value, isWanted, api: "virDomainSetMetadata" });
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
    ...readsDomain(265, "virDomainGetMetadata"),
    args: struct({ dom: domain, type: int, uri: maybeText, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "virDomainObjGetMetadata" },
    result: aText,
    run(call) {
      const { flags, type: number, uri: value } = call.args;
      const which = typeOf(number);
      const isWanted = which === "element";
      const uri = argument({ name: "uri", value, isWanted, api: "virDomainGetMetadata" });
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

function typeOf(number: number): (typeof TYPES)[number] {
  const type = TYPES[number];
  if (type !== undefined) return type;
  throw invalidArgument(`unknown metadata type '${number}'`, "Use 0, 1 or 2.", "DOMAIN");
}

/** Returns an argument that must be there, or must not. virCheckNonNullArgGoto() and virCheckNullArgGoto() of libvirt */
function argument({
  api,
  isWanted,
  name,
  value,
}: {
  readonly api: string;
  readonly isWanted: boolean;
  readonly name: string;
  readonly value: string | undefined;
}): string {
  if ((value !== undefined) === isWanted) return value ?? "";
  const must = isWanted ? "must not be NULL" : "must be NULL";
  throw invalidArgument(
    `${name} in ${api} ${must}`,
    "Only an element has a namespace and a prefix.",
    "DOMAIN",
  );
}
