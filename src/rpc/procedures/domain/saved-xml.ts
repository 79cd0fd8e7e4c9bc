import { changeManagedSave, changeSaveImage, getManagedSaveXml } from "../../../vm/save/change-save-image.ts";
import { struct, uint } from "../../xdr/form.ts";
import {
  aboutDomain,
  aText,
  domain,
  keyOf,
  maybeText,
  nothing,
  ofDomainWithFlags,
  text,
} from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";
import { absolute, bytesOf, resumesOf, SAVE_FLAGS, SECURE } from "./saving.ts";

/** Procedures about the XML in saved states of domains. */
export const savedXmlProcedures: readonly Procedure[] = [
  procedure({
    number: 236,
    api: "virDomainSaveImageDefineXML",
    recovers: () => [],
    args: struct({ path: text, xml: text, flags: uint }),
    flags: { known: SAVE_FLAGS, refusedBy: "qemuDomainSaveImageDefineXML" },
    result: nothing,
    async run({ args: { flags, path, xml }, instance }) {
      const change = { xml: new TextEncoder().encode(xml), resumes: resumesOf(flags) };
      await changeSaveImage(instance, absolute(path), change);
      return {};
    },
  }),
  procedure({
    ...aboutDomain(388, "virDomainManagedSaveGetXMLDesc"),
    args: ofDomainWithFlags,
    flags: { known: SECURE, refusedBy: "qemuDomainManagedSaveGetXMLDesc" },
    result: aText,
    alsoUses: ({ flags }) =>
      (flags & SECURE) === 0 ? undefined : "virDomainManagedSaveGetXMLDesc with secure flag",
    run: (call) => ({
      value: getManagedSaveXml(call.instance, keyOf(call), {
        showsSecrets: (call.args.flags & SECURE) !== 0,
      }),
    }),
  }),
  procedure({
    ...aboutDomain(389, "virDomainManagedSaveDefineXML"),
    args: struct({ dom: domain, xml: maybeText, flags: uint }),
    flags: { known: SAVE_FLAGS, refusedBy: "qemuDomainManagedSaveDefineXML" },
    result: nothing,
    async run(call) {
      const { flags, xml } = call.args;
      await changeManagedSave(call.instance, keyOf(call), { xml: bytesOf(xml), resumes: resumesOf(flags) });
      return {};
    },
  }),
];
