import { numberState } from "../../../qemu/monitor/state-numbers.ts";
import { isAutostarted } from "../../../state/definitions.ts";
import { hasManagedSave } from "../../../state/managed-save.ts";
import { stateOf } from "../../../vm/query/domain-state.ts";
import { int, struct } from "../../xdr/form.ts";
import { aboutDomain, aNumber, aText, foundBy, keyOf, ofDomain, ofDomainWithFlags } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

/**
 * Procedures called by clients for each domain of a list. None of them reads the XML, so this file loads no
 * form of it.
 */
export const stateProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(212, "virDomainGetState"),
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainGetState" },
    result: struct({ state: int, reason: int }),
    run: async ({ args, instance }) => numberState(await stateOf(instance, foundBy(instance, args.dom))),
  }),
  procedure({
    ...aboutDomain(19, "virDomainGetOSType"),
    args: ofDomain,
    result: aText,
    run(call) {
      keyOf(call);
      return { value: "hvm" };
    },
  }),
  procedure({
    ...aboutDomain(150, "virDomainIsActive"),
    args: ofDomain,
    result: aNumber,
    run: ({ args, instance }) => isTrue(foundBy(instance, args.dom).guest !== undefined),
  }),
  procedure({
    ...aboutDomain(151, "virDomainIsPersistent"),
    args: ofDomain,
    result: aNumber,
    run: ({ args, instance }) => isTrue(foundBy(instance, args.dom).definition !== undefined),
  }),
  // qemuDomainIsUpdated() of libvirt: whether the definition changed outside of its API, which it never does.
  procedure({
    ...aboutDomain(202, "virDomainIsUpdated"),
    args: ofDomain,
    result: aNumber,
    run(call) {
      keyOf(call);
      return { value: 0 };
    },
  }),
  procedure({
    ...aboutDomain(15, "virDomainGetAutostart"),
    args: ofDomain,
    result: aNumber,
    run: ({ args, instance }) => isTrue(isAutostarted(instance, foundBy(instance, args.dom).name)),
  }),
  procedure({
    ...aboutDomain(449, "virDomainGetAutostartOnce"),
    args: ofDomain,
    result: aNumber,
    run: ({ args, instance }) => isTrue(isAutostarted(instance, foundBy(instance, args.dom).name, "once")),
  }),
  procedure({
    ...aboutDomain(183, "virDomainHasManagedSaveImage"),
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainHasManagedSaveImage" },
    result: aNumber,
    run: ({ args, instance }) => isTrue(hasManagedSave(instance, foundBy(instance, args.dom).name)),
  }),
];

function isTrue(value: boolean): { readonly value: number } {
  return { value: value ? 1 : 0 };
}
