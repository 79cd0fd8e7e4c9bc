import type { Instance } from "../../../state/instance.ts";
import { markAutostart } from "../../../vm/define/autostart.ts";
import { defineDomain } from "../../../vm/define/define.ts";
import { renameDomain } from "../../../vm/define/rename-domain.ts";
import { type Leavings, undefineDomain } from "../../../vm/define/undefine.ts";
import { lookUpDomain } from "../../../vm/guest/find-domain.ts";
import { int, struct, uint, type ValueOf } from "../../xdr/form.ts";
import {
  aDomain,
  aNumber,
  domain,
  domainKeys,
  keyOf,
  maybeText,
  nothing,
  ofDomain,
  ofDomainWithFlags,
  remoteDomain,
  text,
} from "../objects.ts";
import { invalidArgument, notValid, type Procedure, procedure } from "../procedure.ts";

/** VIR_DOMAIN_DEFINE_VALIDATE. svirt refuses what libvirt's schema does not allow in any case. */
const VALIDATE = 1;
/**
 * virDomainUndefineFlagsValues of libvirt's libvirt-domain.h. svirt has no checkpoints, so there is nothing
 * to remove for their bit.
 */
const UNDEFINE = {
  managedSave: 1,
  snapshots: 2,
  nvram: 4,
  keepNvram: 8,
  checkpoints: 16,
  tpm: 32,
  keepTpm: 64,
};
const UNDEFINE_FLAGS = Object.values(UNDEFINE).reduce((all, bit) => all | bit);

/** Procedures changing the definition of a domain. */
export const definitionProcedures: readonly Procedure[] = [
  procedure({
    number: 11,
    api: "virDomainDefineXML",
    args: struct({ xml: text }),
    result: aDomain,
    recovers: () => [],
    run: async ({ args, instance }) => await define(instance, args.xml),
  }),
  procedure({
    number: 350,
    api: "virDomainDefineXMLFlags",
    args: struct({ xml: text, flags: uint }),
    flags: { known: VALIDATE, refusedBy: "qemuDomainDefineXMLFlags" },
    result: aDomain,
    recovers: () => [],
    run: async ({ args, instance }) => await define(instance, args.xml),
  }),
  procedure({
    number: 35,
    api: "virDomainUndefine",
    args: ofDomain,
    result: nothing,
    recovers: domainKeys,
    async run(call) {
      await undefineDomain(call.instance, keyOf(call));
      return {};
    },
  }),
  procedure({
    number: 231,
    api: "virDomainUndefineFlags",
    args: ofDomainWithFlags,
    flags: { known: UNDEFINE_FLAGS, refusedBy: "qemuDomainUndefineFlags" },
    result: nothing,
    recovers: domainKeys,
    async run(call) {
      await undefineDomain(call.instance, keyOf(call), leavingsOf(call.args.flags));
      return {};
    },
  }),
  ...(
    [
      [29, "virDomainSetAutostart", "always"],
      [450, "virDomainSetAutostartOnce", "once"],
    ] as const
  ).map(([number, api, when]) =>
    procedure({
      number,
      api,
      args: struct({ dom: domain, autostart: int }),
      result: nothing,
      recovers: domainKeys,
      run(call) {
        markAutostart(call.instance, keyOf(call), { wanted: call.args.autostart !== 0, when });
        return {};
      },
    }),
  ),
  procedure({
    number: 358,
    api: "virDomainRename",
    args: struct({ dom: domain, name: maybeText, flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainRename" },
    result: aNumber,
    recovers: domainKeys,
    async run(call) {
      const { name = "" } = call.args;
      if (name === "")
        throw invalidArgument(
          "string 'new_name' in virDomainRename must not be empty",
          "Give a name.",
          "DOMAIN",
        );
      await renameDomain(call.instance, keyOf(call), name);
      return { value: 0 };
    },
  }),
];

async function define(instance: Instance, xml: string): Promise<ValueOf<typeof aDomain>> {
  const { uuid } = await defineDomain(instance, new TextEncoder().encode(xml));
  return { dom: remoteDomain(lookUpDomain(instance, "uuid", uuid)) };
}

/** qemuDomainUndefineFlags() of libvirt */
function leavingsOf(flags: number): Leavings {
  const has = (bit: number): boolean => (flags & bit) !== 0;
  const treatmentOf = (removes: boolean, keeps: boolean, thing: string): "remove" | "keep" | undefined => {
    if (removes && keeps) throw notValid(`cannot both keep and delete ${thing}`);
    if (removes) return "remove";
    return keeps ? "keep" : undefined;
  };
  return {
    managedSave: has(UNDEFINE.managedSave),
    snapshots: has(UNDEFINE.snapshots),
    nvram: treatmentOf(has(UNDEFINE.nvram), has(UNDEFINE.keepNvram), "nvram"),
    tpm: treatmentOf(has(UNDEFINE.tpm), has(UNDEFINE.keepTpm), "TPM"),
  };
}
