import { record } from "../calls/byte-records.ts";
import { listFolder, readText } from "../files/quick-files.ts";
import { attributeIn, listRoutes, withRoutes } from "./netlink.ts";
import { AF_UNSPEC } from "./rtnetlink.ts";

/** linux/rtnetlink.h */
const RTM_GETROUTE = 26;
const RTA_OIF = 4;
const RTA_MULTIPATH = 9;
const RT_TABLE_MAIN = 254;
const RTN_UNICAST = 1;
/** Size of struct rtmsg. linux/rtnetlink.h */
const ROUTE_BYTES = 12;
const DEVICES = "/sys/class/net";

/** Implements Host.listDefaultRoutes. rtnetlink(7) */
export function listDefaultRoutes(): readonly string[] {
  const head = record([8, AF_UNSPEC], [8, 0], [16, 0], [32, 0], [32, 0]);
  const all = withRoutes((fd) => listRoutes(fd, { type: RTM_GETROUTE, head, attributes: [] }));
  // struct rtmsg: family, length of the destination, ..., table (5th byte), protocol, scope, type (8th byte).
  const routes = all.filter(
    (route) => route[1] === 0 && route[4] === RT_TABLE_MAIN && route[7] === RTN_UNICAST,
  );
  const indexes = new Set(routes.flatMap(indexesIn));
  return listFolder(DEVICES).filter((name) =>
    indexes.has(Number(readText(`${DEVICES}/${name}/ifindex`) ?? 0)),
  );
}

/** Lists the numbers of the devices of a route, which may have several next hops. */
function indexesIn(route: Uint8Array): number[] {
  const one = attributeIn(route, RTA_OIF, ROUTE_BYTES);
  const hops = attributeIn(route, RTA_MULTIPATH, ROUTE_BYTES);
  const found = one.length < 4 ? [] : [numberAt(one, 0)];
  // struct rtnexthop: length, flags, hops, index, attributes.
  for (
    let at = 0;
    at + 8 <= hops.length;
    at += Math.max(8, ((hops[at] ?? 0) + ((hops[at + 1] ?? 0) << 8) + 3) & ~3)
  )
    found.push(numberAt(hops, at + 4));
  return found;
}

function numberAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}
