const [GROUPS, GROUP_BITS] = [8, 16];
const GROUP_MASK = 0xffffn;

/** Family of an IP address. */
export type Family = "ipv4" | "ipv6";

/**
 * Returns the address in its canonical text, or undefined for any other text. inet_pton(3), inet_ntop(3), RFC
 * 5952
 */
export function canonicalAddress(text: string): string | undefined {
  const ipv4 = readIpv4(text);
  if (ipv4 !== undefined) return formatAddress("ipv4", ipv4);
  const ipv6 = readIpv6(text);
  return ipv6 === undefined ? undefined : formatAddress("ipv6", ipv6);
}

/** Returns the family of an address in its canonical text. */
export function familyOf(address: string): Family {
  return address.includes(":") ? "ipv6" : "ipv4";
}

/** Returns the number of bits of an address. */
export function bitsOf(family: Family): number {
  return family === "ipv4" ? 32 : GROUPS * GROUP_BITS;
}

/** Returns the number that an address in its canonical text stands for. Throws for any other text. */
export function numberOf(address: string): bigint {
  const value = readIpv4(address) ?? readIpv6(address);
  if (value === undefined) throw new Error(`${address} is not an IP address`);
  return value;
}

/**
 * Returns the canonical text of an address, as glibc writes it: the longest run of two or more zero groups is
 * `::`.
 */
export function formatAddress(family: Family, value: bigint): string {
  if (family === "ipv4") return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join(".");
  const groups = groupsOf(value);
  if (holdsIpv4(groups))
    return `${shorten(groups.slice(0, 6))}${formatAddress("ipv4", value & 0xffff_ffffn)}`;
  return shorten(groups);
}

function readIpv4(text: string): bigint | undefined {
  if (!/^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$/.test(text)) return undefined;
  const bytes = text.split(".").map(Number);
  if (bytes.some((byte) => byte > 255)) return undefined;
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function readIpv6(text: string): bigint | undefined {
  const [front = "", back, ...more] = text.split("::");
  if (more.length > 0 || !/^[0-9a-fA-F:.]{2,45}$/.test(text)) return undefined;
  const [before, after] = [readGroups(front, back === undefined), readGroups(back ?? "", true)];
  if (before === undefined || after === undefined) return undefined;
  const zeros = GROUPS - before.length - after.length;
  if (back === undefined ? zeros !== 0 : zeros < 1) return undefined;
  const groups = [...before, ...Array<bigint>(zeros).fill(0n), ...after];
  return groups.reduce((value, group) => (value << BigInt(GROUP_BITS)) | group, 0n);
}

/** The last group may be an IPv4 address, which fills two. RFC 4291, 2.2 */
function readGroups(text: string, isLast: boolean): readonly bigint[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const ipv4 = isLast ? readIpv4(parts.at(-1) ?? "") : undefined;
  const words = ipv4 === undefined ? parts : parts.slice(0, -1);
  if (!words.every((word) => /^[0-9a-fA-F]{1,4}$/.test(word))) return undefined;
  const groups = words.map((word) => BigInt(`0x${word}`));
  return ipv4 === undefined ? groups : [...groups, ipv4 >> BigInt(GROUP_BITS), ipv4 & GROUP_MASK];
}

function groupsOf(value: bigint): readonly bigint[] {
  return Array.from(
    { length: GROUPS },
    (_, at) => (value >> BigInt((GROUPS - 1 - at) * GROUP_BITS)) & GROUP_MASK,
  );
}

/**
 * Whether an address is IPv4-compatible or IPv4-mapped, which glibc writes with dots: `::1.2.3.4`,
 * `::ffff:1.2.3.4`.
 */
function holdsIpv4(groups: readonly bigint[]): boolean {
  if (groups.slice(0, 5).some((group) => group !== 0n)) return false;
  return groups[5] === GROUP_MASK || (groups[5] === 0n && groups[6] !== 0n);
}

/** Six groups are followed by an IPv4 address, which needs a separator. */
function shorten(groups: readonly bigint[]): string {
  const words = groups.map((group) => group.toString(16));
  const isPart = groups.length < GROUPS;
  const { at, length } = longestZeros(groups);
  if (length < 2) return words.join(":") + (isPart ? ":" : "");
  const after = words.slice(at + length).join(":");
  return `${words.slice(0, at).join(":")}::${after}${isPart && after !== "" ? ":" : ""}`;
}

function longestZeros(groups: readonly bigint[]): { readonly at: number; readonly length: number } {
  let best = { at: 0, length: 0 };
  for (const at of groups.keys()) {
    const length = groups.slice(at).findIndex((group) => group !== 0n);
    const run = length === -1 ? groups.length - at : length;
    if (run > best.length) best = { at, length: run };
  }
  return best;
}
