import {
  LIFECYCLE_ACTIONS,
  LIFECYCLE_TYPES,
  setLifecycleAction,
} from "../../../vm/tuning/set-lifecycle-action.ts";
import { struct, uint } from "../../xdr/form.ts";
import { askOf, IMPACT_FLAGS } from "../impact.ts";
import { aboutDomain, domain, nothing } from "../objects.ts";
import { invalidArgument, type Procedure, procedure } from "../procedure.ts";

/** The procedure that sets what follows a power-off, reboot or crash of a domain. */
export const lifecycleActionProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(390, "virDomainSetLifecycleAction"),
    args: struct({ dom: domain, type: uint, action: uint, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainSetLifecycleAction" },
    result: nothing,
    async run(call) {
      const type = LIFECYCLE_TYPES[call.args.type];
      const action = LIFECYCLE_ACTIONS[call.args.action];
      // virDomainSetLifecycleAction() of libvirt
      if (type === undefined)
        throw invalidArgument(`invalid lifecycle type '${call.args.type}'`, "Use 0 to 2.", "DOMAIN");
      if (action === undefined)
        throw invalidArgument(`invalid lifecycle action '${call.args.action}'`, "Use 0 to 5.", "DOMAIN");
      await setLifecycleAction(call.instance, askOf(call, call.args.flags), { type, action });
      return {};
    },
  }),
];
