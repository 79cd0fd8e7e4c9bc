import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import { SvirtError } from "../../errors.ts";
import { RULE_DEVICE } from "../../network/bridge/packet-rules.ts";
import { filterTable } from "../../network/filter/format-filter.ts";
import { readVariables } from "../../network/filter/variables.ts";
import type { TapFilter } from "../facts/tap.ts";

/** The guest of a tap, and the interface in its XML. */
interface FilterOwner {
  readonly uuid: string;
  readonly place: string;
}

/**
 * Decides the filter of an interface's tap; undefined without `<filterref>`. Throws "unsupported" for a macvtap of a network, as
 * virDomainActualNetDefValidate() of libvirt, and for a name of the tap that nft would read as a pattern; and the errors of
 * readVariables().
 */
export function decideTapFilter(
  { filterref, mac, type }: NetworkInterface,
  tap: string,
  { place, uuid }: FilterOwner,
): TapFilter | undefined {
  if (filterref === undefined) return undefined;
  const at = `${place}/filterref`;
  if (type === "direct") {
    throw new SvirtError(
      `Cannot filter the frames of the macvtap ${tap}: only a tap can have a packet filter`,
      {
        kind: "unsupported",
        place: at,
        remedy: "Leave <filterref> out, or use a network with a bridge.",
      },
    );
  }
  if (!RULE_DEVICE.test(tap)) {
    throw new SvirtError(
      `Cannot filter the frames of the tap ${tap}: its name has characters that nft interprets`,
      {
        kind: "unsupported",
        place: at,
        remedy: "Write a name of letters, digits, _ . and - into <target dev='…'/>.",
      },
    );
  }
  const variables = readVariables(filterref, { mac: (mac?.address ?? "").toLowerCase(), place: at });
  return {
    table: filterTable(uuid, tap),
    tap,
    filter: filterref.filter,
    variables: variables.map(({ name, values }) => ({ name, values: [...values] })),
  };
}
