import { findFilter, getFilterXml, listFilters } from "../../../vm/network/filter-list.ts";
import { array, int, struct, uint } from "../../xdr/form.ts";
import { listAsked, listing, listOf } from "../listing.ts";
import { aNumber, aText, LIST_MAX, nothing, remoteStored, stored, text, uuid, uuidText } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

/** A filter is a name and a UUID, as a network is. remote_nonnull_nwfilter */
const aFilter = struct({ filter: stored });

/** Procedures about the filters that interfaces may name. Others cannot be defined. */
export const filterProcedures: readonly Procedure[] = [
  procedure({
    number: 175,
    api: "virNWFilterLookupByName",
    access: "reads",
    args: struct({ name: text }),
    result: aFilter,
    run: ({ args }) => ({ filter: remoteStored(findFilter("name", args.name)) }),
  }),
  procedure({
    number: 176,
    api: "virNWFilterLookupByUUID",
    access: "reads",
    args: struct({ uuid }),
    result: aFilter,
    run: ({ args }) => ({ filter: remoteStored(findFilter("uuid", uuidText(args.uuid))) }),
  }),
  procedure({
    number: 177,
    api: "virNWFilterGetXMLDesc",
    access: "reads",
    args: struct({ filter: stored, flags: uint }),
    flags: { known: 0, refusedBy: "nwfilterGetXMLDesc" },
    result: aText,
    run: ({ args }) => ({ value: getFilterXml(uuidText(args.filter.uuid)) }),
  }),
  procedure({
    number: 178,
    api: "virConnectNumOfNWFilters",
    access: "reads",
    args: nothing,
    result: aNumber,
    run: () => ({ value: listFilters().length }),
  }),
  procedure({
    number: 179,
    api: "virConnectListNWFilters",
    access: "reads",
    args: struct({ most: int }),
    result: struct({ names: array(text, LIST_MAX) }),
    run: ({ args }) => ({
      names: listFilters()
        .slice(0, Math.max(0, args.most))
        .map(({ name }) => name),
    }),
  }),
  procedure({
    number: 286,
    api: "virConnectListAllNWFilters",
    access: "reads",
    args: listAsked,
    flags: { known: 0, refusedBy: "nwfilterConnectListAllNWFilters" },
    result: listing(stored),
    run: ({ args }) => listOf(args, listFilters().map(remoteStored)),
  }),
];
