import type { SvirtError } from "../../../errors.ts";
import { joined, record } from "../calls/byte-records.ts";
import { EINTR, ENODEV } from "../calls/errno.ts";
import { basicCalls, cString, hostCallError, libc, readErrno } from "../calls/libc.ts";
import { IFLA_ADDRESS, IFLA_GROUP, IFLA_IFNAME, RTM_NEWLINK } from "./rtnetlink.ts";

/** linux/socket.h, linux/netlink.h */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_ROUTE = 0;
const NETLINK_NETFILTER = 12;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLM_F_EXCL = 0x200;
const NLM_F_CREATE = 0x400;
const NLA_F_NESTED = 0x8000;
/**
 * Sizes of struct nlmsghdr and struct ifinfomsg; nlmsgerr's error follows the former. netlink(7),
 * rtnetlink(7)
 */
const HEADER_BYTES = 16;
const LINK_BYTES = 16;
const ANSWER_BYTES = 16_384;
/** linux/rtnetlink.h, linux/if_link.h */
const RTM_GETLINK = 18;

/** A message about a link. linux/rtnetlink.h */
export interface LinkMessage {
  readonly type: number;
  readonly family: number;
  readonly index: number;
  /** Flags to set: IFF_UP. */
  readonly flags?: number;
  /** Flags to clear. */
  readonly cleared?: number;
  /** Creates a link; its name must be unused. */
  readonly isNew?: true;
  readonly attributes: readonly Uint8Array[];
}

const NLM_F_DUMP = 0x300;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;

/** Opens a socket for network devices, runs `work` and closes it. Throws "host-call". */
export function withRoutes<Result>(work: (fd: number) => Result): Result {
  const fd = libc().socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) throw hostCallError("talk to the kernel about network devices", readErrno());
  try {
    return work(fd);
  } finally {
    basicCalls().close(fd);
  }
}

/** A message about an address, a route or a rule. linux/rtnetlink.h */
export interface RouteMessage {
  readonly type: number;
  /** Struct before the attributes: ifaddrmsg, rtmsg or fib_rule_hdr. */
  readonly head: Uint8Array;
  /** Creates an object; an equal object is an error. */
  readonly isNew?: true;
  readonly attributes: readonly Uint8Array[];
}

/** Sends a message about a link and returns the kernel's answer: 0, or an errno. */
export function tell(fd: number, { cleared = 0, family, flags = 0, index, ...message }: LinkMessage): number {
  return tellRoute(fd, { ...message, head: linkHead({ family, index, flags, cleared }) });
}

/** Sends a message and returns the kernel's answer: 0, or an errno. */
export function tellRoute(fd: number, message: RouteMessage): number {
  const making = message.isNew === true ? NLM_F_CREATE | NLM_F_EXCL : 0;
  const answer = ask(fd, formatMessage(message, NLM_F_REQUEST | NLM_F_ACK | making));
  return errnoIn(answer);
}

/**
 * Sends messages to the kernel's packet filter, applied together, and returns its answer: 0, or an errno. The
 * first and the last message enclose a change, answered by the kernel. linux/netfilter/nfnetlink.h
 */
export function tellBatch(messages: readonly RouteMessage[]): number {
  const fd = libc().socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) return readErrno();
  try {
    const bytes = messages.map((message, at) => {
      const isChange = at > 0 && at < messages.length - 1;
      return formatMessage(message, NLM_F_REQUEST | (isChange ? NLM_F_ACK : 0));
    });
    return errnoIn(ask(fd, joined(bytes)));
  } finally {
    basicCalls().close(fd);
  }
}

/**
 * Asks for all objects of a kind, and returns the bodies of the kernel's messages: a struct and attributes
 * each. Throws "host-call".
 */
export function listRoutes(fd: number, message: RouteMessage): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let answer = ask(fd, formatMessage(message, NLM_F_REQUEST | NLM_F_DUMP)); ; answer = readAnswer(fd)) {
    const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
    for (let at = 0; at + HEADER_BYTES <= answer.length; ) {
      const length = view.getUint32(at, true);
      const type = view.getUint16(at + 4, true);
      if (type === NLMSG_DONE) return found;
      if (type === NLMSG_ERROR) {
        throw hostCallError("list parts of a network device", -view.getInt32(at + HEADER_BYTES, true));
      }
      found.push(answer.slice(at + HEADER_BYTES, at + length));
      at += Math.max(HEADER_BYTES, (length + 3) & ~3);
    }
  }
}

/** Formats a struct nlattr: length, type, value and padding. */
export function attribute(type: number, value: Uint8Array): Uint8Array {
  const alignment = new Uint8Array(-value.length & 3);
  return joined([record([16, 4 + value.length], [16, type]), value, alignment]);
}

/** Formats an attribute with others inside. */
export function nested(type: number, inner: readonly Uint8Array[]): Uint8Array {
  return attribute(type | NLA_F_NESTED, joined(inner));
}

/** Facts of the kernel about a link. */
export interface Link {
  readonly index: number;
  readonly address: Uint8Array;
  /** Number set by the link's creator; 0: none. */
  readonly group: number;
}

/** Returns the named link; undefined if it is missing. Throws "host-call". */
export function findLink(fd: number, name: string): Link | undefined {
  const attributes = [attribute(IFLA_IFNAME, cString(name))];
  const answer = ask(
    fd,
    formatMessage(
      { type: RTM_GETLINK, head: linkHead({ family: 0, index: 0, flags: 0, cleared: 0 }), attributes },
      NLM_F_REQUEST,
    ),
  );
  const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
  if (view.getUint16(4, true) === RTM_NEWLINK)
    return {
      index: view.getInt32(HEADER_BYTES + 4, true),
      address: attributeIn(answer, IFLA_ADDRESS),
      group: toNumber(attributeIn(answer, IFLA_GROUP)),
    };
  const errno = -view.getInt32(HEADER_BYTES, true);
  if (errno === ENODEV) return undefined;
  throw hostCallError(`find the network device ${name}`, errno);
}

/** Formats a 32-bit number for an attribute. */
export function number32(value: number): Uint8Array {
  return record([32, value]);
}

/** Formats a MAC address for an attribute. */
export function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(":"), (pair) => Number.parseInt(pair, 16));
}

/** Sends a message and reads its answer. */
function ask(fd: number, bytes: Uint8Array): Uint8Array {
  if (Number(basicCalls().write(fd, bytes, bytes.length)) !== bytes.length) throw noAnswer();
  return readAnswer(fd);
}

function readAnswer(fd: number): Uint8Array {
  const answer = new Uint8Array(ANSWER_BYTES);
  for (;;) {
    const count = Number(basicCalls().read(fd, answer, answer.length));
    if (count >= HEADER_BYTES + 4) return answer.subarray(0, count);
    if (readErrno() !== EINTR) throw noAnswer();
  }
}

/** Reads struct nlmsgerr. */
function errnoIn(answer: Uint8Array): number {
  return -new DataView(answer.buffer, answer.byteOffset).getInt32(HEADER_BYTES, true);
}

function noAnswer(): SvirtError {
  return hostCallError("talk to the kernel about network devices", readErrno());
}

function toNumber(bytes: Uint8Array): number {
  return bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

/** Returns the value of an attribute behind a header; empty if it is missing. */
export function attributeIn(bytes: Uint8Array, type: number, header = HEADER_BYTES + LINK_BYTES): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = header; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, true);
    if ((view.getUint16(at + 2, true) & ~NLA_F_NESTED) === type) return bytes.slice(at + 4, at + length);
    at += Math.max(4, (length + 3) & ~3);
  }
  return new Uint8Array();
}

/** Formats struct ifinfomsg: family, type, index, flags, mask of changed flags. */
function linkHead({
  cleared,
  family,
  flags,
  index,
}: Required<Pick<LinkMessage, "cleared" | "family" | "flags" | "index">>): Uint8Array {
  return record([8, family], [8, 0], [16, 0], [32, index], [32, flags], [32, flags | cleared]);
}

/** Formats a message with struct nlmsghdr: length, type, flags, number, port. */
function formatMessage({ attributes, head, type }: RouteMessage, request: number): Uint8Array {
  const body = joined([head, ...attributes]);
  const header = record([32, HEADER_BYTES + body.length], [16, type], [16, request], [32, 0], [32, 0]);
  return joined([header, body]);
}
