import { defineFilter, undefineFilter } from "../../../vm/network/define-filter.ts";
import { findFilter, getFilterXml, listFilters } from "../../../vm/network/filter-list.ts";
import { array, int, struct, uint } from "../../xdr/form.ts";
import { listAsked, listing, listOf } from "../listing.ts";
import { aNumber, aText, LIST_MAX, nothing, remoteStored, stored, text, uuid, uuidText } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

/** A filter is a name and a UUID, as a network is. remote_nonnull_nwfilter */
const aFilter = struct({ filter: stored });

/** VIR_NWFILTER_DEFINE_VALIDATE. svirt refuses what libvirt's schema does not allow in any case. */
const VALIDATE = 1;

/** Procedures about the filters of interfaces. */
export const filterProcedures: readonly Procedure[] = [
  procedure({
    number: 175,
    api: "virNWFilterLookupByName",
    args: struct({ name: text }),
    result: aFilter,
    run: ({ args, instance }) => ({ filter: remoteStored(findFilter(instance, "name", args.name)) }),
  }),
  procedure({
    number: 176,
    api: "virNWFilterLookupByUUID",
    args: struct({ uuid }),
    result: aFilter,
    run: ({ args, instance }) => ({
      filter: remoteStored(findFilter(instance, "uuid", uuidText(args.uuid))),
    }),
  }),
  procedure({
    number: 177,
    api: "virNWFilterGetXMLDesc",
    args: struct({ filter: stored, flags: uint }),
    flags: { known: 0, refusedBy: "nwfilterGetXMLDesc" },
    result: aText,
    run: ({ args, instance }) => ({ value: getFilterXml(instance, uuidText(args.filter.uuid)) }),
  }),
  procedure({
    number: 178,
    api: "virConnectNumOfNWFilters",
    args: nothing,
    result: aNumber,
    run: ({ instance, session }) => ({ value: listFilters(instance, session.onDamaged).length }),
  }),
  procedure({
    number: 179,
    api: "virConnectListNWFilters",
    args: struct({ most: int }),
    result: struct({ names: array(text, LIST_MAX) }),
    run: ({ args, instance, session }) => ({
      names: listFilters(instance, session.onDamaged)
        .slice(0, Math.max(0, args.most))
        .map(({ name }) => name),
    }),
  }),
  procedure({
    number: 286,
    api: "virConnectListAllNWFilters",
    args: listAsked,
    flags: { known: 0, refusedBy: "nwfilterConnectListAllNWFilters" },
    result: listing(stored),
    run: ({ args, instance, session }) =>
      listOf(args, listFilters(instance, session.onDamaged).map(remoteStored)),
  }),
  procedure({
    number: 180,
    api: "virNWFilterDefineXML",
    recovers: () => [],
    args: struct({ xml: text }),
    result: aFilter,
    run: async ({ args, instance }) => ({
      filter: remoteStored(await defineFilter(instance, bytesOf(args.xml))),
    }),
  }),
  procedure({
    number: 431,
    api: "virNWFilterDefineXMLFlags",
    recovers: () => [],
    args: struct({ xml: text, flags: uint }),
    flags: { known: VALIDATE, refusedBy: "nwfilterDefineXMLFlags" },
    result: aFilter,
    run: async ({ args, instance }) => ({
      filter: remoteStored(await defineFilter(instance, bytesOf(args.xml))),
    }),
  }),
  procedure({
    number: 181,
    api: "virNWFilterUndefine",
    recovers: () => [],
    args: aFilter,
    result: nothing,
    async run({ args, instance }) {
      await undefineFilter(instance, uuidText(args.filter.uuid));
      return {};
    },
  }),
];

function bytesOf(xml: string): Uint8Array {
  return new TextEncoder().encode(xml);
}
