import type { Domain } from "../../domain/domain.ts";
import type { NetworkInterface } from "../../domain/network-interface.ts";
import type { Unready } from "./unready.ts";

/** What stands in an element that a start does not do anything about. */
interface Rule {
  readonly place: string;
  readonly missing: string;
  isAsked(found: NetworkInterface): boolean;
}

const INTERFACES: readonly Rule[] = [
  {
    place: "@type",
    missing: "connect guests to anything but QEMU's own network",
    isAsked: ({ type }) => type !== "user",
  },
  { place: "backend", missing: "start passt", isAsked: ({ backend }) => backend !== undefined },
  {
    place: "filterref",
    missing: "filter guests' traffic",
    isAsked: ({ filterref }) => filterref !== undefined,
  },
  {
    place: "bandwidth",
    missing: "limit guests' traffic",
    isAsked: ({ bandwidth }) => bandwidth !== undefined,
  },
  { place: "vlan", missing: "tag guests' traffic", isAsked: ({ vlan }) => vlan !== undefined },
  { place: "port", missing: "isolate ports of a bridge", isAsked: ({ port }) => port !== undefined },
  { place: "target", missing: "name devices of the host", isAsked: ({ target }) => target !== undefined },
  { place: "coalesce", missing: "gather a tap's packets", isAsked: ({ coalesce }) => coalesce !== undefined },
  {
    place: "@trustGuestRxFilters",
    missing: "tell the host's device which addresses a guest listens to",
    isAsked: ({ trustGuestRxFilters }) => trustGuestRxFilters === true,
  },
];

/** What interfaces, and devices of the host or of somebody else, ask that a start does not do yet. */
export function listUnreadyPassthrough({ devices }: Domain): readonly Unready[] {
  const { hostdevs, interfaces, leases, redirdevs, smartcards } = devices;
  return [
    ...interfaces.flatMap((found, index) =>
      INTERFACES.filter((rule) => rule.isAsked(found)).map(({ place, missing }) =>
        unready(`interface[${index + 1}]/${place}`, missing),
      ),
    ),
    ...hostdevs.map((_, index) => unready(`hostdev[${index + 1}]`, "pass devices of the host through")),
    ...redirdevs.map((_, index) => unready(`redirdev[${index + 1}]`, "redirect USB devices")),
    ...smartcards.map((_, index) => unready(`smartcard[${index + 1}]`, "give guests smartcards")),
    ...leases.map((_, index) => unready(`lease[${index + 1}]`, "take a lock manager's leases")),
  ];
}

function unready(place: string, missing: string): Unready {
  return { place: `/domain/devices/${place}`, missing, remedy: "Leave it out." };
}
