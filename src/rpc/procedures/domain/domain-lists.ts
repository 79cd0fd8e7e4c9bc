import { lookUpDomain } from "../../../vm/guest/find-domain.ts";
import { type DomainGroup, type SelectedDomain, selectDomains } from "../../../vm/query/domain-selection.ts";
import { array, int, struct } from "../../xdr/form.ts";
import { listAsked, listing, listOf } from "../listing.ts";
import {
  aDomain,
  aNumber,
  domain,
  LIST_MAX,
  nothing,
  remoteDomain,
  text,
  uuid,
  uuidText,
} from "../objects.ts";
import { type Procedure, procedure, type RemoteCall } from "../procedure.ts";

/** virConnectListAllDomainsFlags of libvirt's libvirt-domain.h: groups of bits, and what each asks for. */
const GROUPS: readonly (readonly (readonly [number, DomainGroup[number]])[])[] = [
  [
    [1, ["active", true]],
    [2, ["active", false]],
  ],
  [
    [4, ["persistent", true]],
    [8, ["persistent", false]],
  ],
  [
    [16, ["running", true]],
    [32, ["paused", true]],
    [64, ["shut off", true]],
    [128, ["other state", true]],
  ],
  [
    [256, ["managed save", true]],
    [512, ["managed save", false]],
  ],
  [
    [1024, ["autostart", true]],
    [2048, ["autostart", false]],
  ],
  [
    [4096, ["snapshot", true]],
    [8192, ["snapshot", false]],
  ],
  [
    [16_384, ["checkpoint", true]],
    [32_768, ["checkpoint", false]],
  ],
];
const ALL_FLAGS = 0xff_ff;

const ACTIVE: readonly DomainGroup[] = [[["active", true]]];
const INACTIVE: readonly DomainGroup[] = [[["active", false]]];

const recovers = (): "all" => "all";

/** Procedures listing or finding domains. */
export const listProcedures: readonly Procedure[] = [
  procedure({
    number: 273,
    api: "virConnectListAllDomains",
    args: listAsked,
    flags: { known: ALL_FLAGS, refusedBy: "qemuConnectListAllDomains" },
    result: listing(domain),
    recovers,
    async run(call) {
      const selected = await select(call, groupsOf(call.args.flags));
      return listOf(call.args, selected.map(remoteDomain));
    },
  }),
  procedure({
    number: 51,
    api: "virConnectNumOfDomains",
    args: nothing,
    result: aNumber,
    recovers,
    run: ({ running }) => ({ value: running.length }),
  }),
  procedure({
    number: 37,
    api: "virConnectListDomains",
    args: struct({ most: int }),
    result: struct({ ids: array(int, LIST_MAX) }),
    recovers,
    run: async (call) => ({ ids: (await select(call, ACTIVE)).map(({ id = 0 }) => id).slice(0, most(call)) }),
  }),
  procedure({
    number: 25,
    api: "virConnectNumOfDefinedDomains",
    args: nothing,
    result: aNumber,
    recovers,
    run: async (call) => ({ value: (await select(call, INACTIVE)).length }),
  }),
  procedure({
    number: 21,
    api: "virConnectListDefinedDomains",
    args: struct({ most: int }),
    result: struct({ names: array(text, LIST_MAX) }),
    recovers,
    run: async (call) => ({
      names: (await select(call, INACTIVE)).map(({ name }) => name).slice(0, most(call)),
    }),
  }),
  procedure({
    number: 22,
    api: "virDomainLookupByID",
    args: struct({ id: int }),
    result: aDomain,
    recovers: ({ id }) => [String(id)],
    run: ({ args, instance }) => ({ dom: remoteDomain(lookUpDomain(instance, "id", String(args.id))) }),
  }),
  procedure({
    number: 23,
    api: "virDomainLookupByName",
    args: struct({ name: text }),
    result: aDomain,
    recovers: ({ name }) => [name],
    run: ({ args, instance }) => ({ dom: remoteDomain(lookUpDomain(instance, "name", args.name)) }),
  }),
  procedure({
    number: 24,
    api: "virDomainLookupByUUID",
    args: struct({ uuid }),
    result: aDomain,
    recovers: (args) => [uuidText(args.uuid)],
    run: ({ args, instance }) => ({ dom: remoteDomain(lookUpDomain(instance, "uuid", uuidText(args.uuid))) }),
  }),
];

function groupsOf(flags: number): readonly DomainGroup[] {
  return GROUPS.map((group) =>
    group.filter(([bit]) => (flags & bit) !== 0).map(([, property]) => property),
  ).filter(({ length }) => length > 0);
}

async function select(
  { instance, running, session: { onDamaged } }: RemoteCall<unknown>,
  groups: readonly DomainGroup[],
): Promise<readonly SelectedDomain[]> {
  return await selectDomains(instance, { running, onDamaged }, groups);
}

function most({ args }: RemoteCall<{ readonly most: number }>): number {
  return Math.max(0, args.most);
}
