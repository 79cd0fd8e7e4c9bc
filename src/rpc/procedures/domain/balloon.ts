import { setStatisticsPeriod } from "../../../vm/tuning/set-statistics-period.ts";
import { int, struct, uint } from "../../xdr/form.ts";
import { askOf, IMPACT_FLAGS } from "../impact.ts";
import { aboutDomain, domain, nothing } from "../objects.ts";
import { invalidArgument, type Procedure, procedure } from "../procedure.ts";

/** Procedures about the balloon of a domain. */
export const balloonProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(308, "virDomainSetMemoryStatsPeriod"),
    args: struct({ dom: domain, seconds: int, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainSetMemoryStatsPeriod" },
    result: nothing,
    async run(call) {
      const { flags, seconds } = call.args;
      // virDomainSetMemoryStatsPeriod() of libvirt
      if (seconds < 0)
        throw invalidArgument(
          "period in virDomainSetMemoryStatsPeriod must be zero or greater",
          "Name seconds.",
        );
      await setStatisticsPeriod(call.instance, askOf(call, flags), seconds);
      return {};
    },
  }),
];
