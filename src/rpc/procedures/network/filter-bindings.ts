import { getFilterBinding, listFilterBindings } from "../../../vm/network/filter-bindings.ts";
import { struct, uint } from "../../xdr/form.ts";
import { listAsked, listing, listOf } from "../listing.ts";
import { aText, text } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

/** A filter of a tap. remote_nonnull_nwfilter_binding */
const binding = struct({ portdev: text, filter: text });

/** Procedures about the filters of guests' taps. */
export const filterBindingProcedures: readonly Procedure[] = [
  procedure({
    number: 397,
    api: "virNWFilterBindingLookupByPortDev",
    recovers: () => "all",
    args: struct({ name: text }),
    result: struct({ binding }),
    run: ({ args, instance }) => ({ binding: getFilterBinding(instance, args.name) }),
  }),
  procedure({
    number: 398,
    api: "virNWFilterBindingGetXMLDesc",
    recovers: () => "all",
    args: struct({ binding, flags: uint }),
    flags: { known: 0, refusedBy: "nwfilterBindingGetXMLDesc" },
    result: aText,
    run: ({ args, instance }) => ({ value: getFilterBinding(instance, args.binding.portdev).xml }),
  }),
  procedure({
    number: 401,
    api: "virConnectListAllNWFilterBindings",
    recovers: () => "all",
    args: listAsked,
    flags: { known: 0, refusedBy: "nwfilterConnectListAllNWFilterBindings" },
    result: listing(binding),
    run: ({ args, instance }) => listOf(args, listFilterBindings(instance)),
  }),
];
