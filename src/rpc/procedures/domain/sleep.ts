import { wakeGuest } from "../../../vm/lifecycle/ask-guest.ts";
import { aboutDomain, keyOf, nothing, ofDomainWithFlags } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

/** Procedures about self-suspended guests. */
export const sleepProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(267, "virDomainPMWakeup"),
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainPMWakeup" },
    result: nothing,
    async run(call) {
      await wakeGuest(call.instance, keyOf(call));
      return {};
    },
  }),
];
