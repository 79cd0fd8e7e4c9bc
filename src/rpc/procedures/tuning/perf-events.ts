import { listPerfEvents, setPerfEvents } from "../../../vm/tuning/perf-events.ts";
import { array, struct, uint } from "../../xdr/form.ts";
import { type TypedParameter, typedParameter } from "../../xdr/typed-parameter.ts";
import { askOf, IMPACT_FLAGS, readAskOf } from "../impact.ts";
import { aboutDomain, domain, nothing, ofDomainWithFlags } from "../objects.ts";
import { invalidArgument, type Procedure, procedure } from "../procedure.ts";

/** REMOTE_DOMAIN_PERF_EVENTS_MAX of libvirt's remote_protocol.x */
const parameters = array(typedParameter, 64);
/**
 * VIR_TYPED_PARAM_STRING_OKAY of libvirt's libvirt-common.h, with the flags that select a form of the domain.
 */
const READ_FLAGS = IMPACT_FLAGS | 4;

/** Procedures showing and disabling performance events. */
export const perfProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(365, "virDomainGetPerfEvents"),
    args: ofDomainWithFlags,
    flags: { known: READ_FLAGS, refusedBy: "qemuDomainGetPerfEvents" },
    result: struct({ params: parameters }),
    run: (call) => ({
      params: listPerfEvents(call.instance, readAskOf(call, call.args.flags)).map(
        ({ isEnabled, name: field }): TypedParameter => ({
          field,
          value: { type: "boolean", value: isEnabled },
        }),
      ),
    }),
  }),
  procedure({
    ...aboutDomain(366, "virDomainSetPerfEvents"),
    args: struct({ dom: domain, params: parameters, flags: uint }),
    flags: { known: IMPACT_FLAGS, refusedBy: "qemuDomainSetPerfEvents" },
    result: nothing,
    async run(call) {
      const events = call.args.params.map(({ field: name, value: { type, value } }) => {
        if (type === "boolean") return { name, isEnabled: value };
        throw invalidArgument(
          `invalid type '${type}' for parameter '${name}', expected 'boolean'`,
          "Set each event to true or false.",
          "NONE",
        );
      });
      await setPerfEvents(call.instance, askOf(call, call.args.flags), events);
      return {};
    },
  }),
];
