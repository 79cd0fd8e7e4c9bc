import { unlessRefused } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { attributesDraft, type Draft, textDraft } from "../../xml/draft.ts";

/**
 * Returns the text of a file of sysfs without blanks around it; undefined if it is missing, empty or not
 * readable.
 */
export function readFact(host: Host, path: string): string | undefined {
  // Many files of sysfs fail with EINVAL or ENODEV where the device has no such fact. libvirt removes control
  // characters too.
  const text = unlessRefused(() => host.readText(path));
  return text?.replace(/\p{Cc}/gu, "").trim() || undefined;
}

/**
 * Returns a number of sysfs, decimal or with 0x; `base` 16: hexadecimal without 0x. Undefined as readFact().
 */
export function readNumber(host: Host, path: string, base?: 16): number | undefined {
  const text = readFact(host, path);
  if (text === undefined) return undefined;
  const number = base === undefined ? Number(text) : Number.parseInt(text, base);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Returns the target of a link; undefined if it is missing. */
export function realPath(host: Host, link: string): string | undefined {
  return host.inspectFile(link)?.id.path;
}

/** Returns the name at the end of a path. */
export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Reads at most `length` bytes of a file of sysfs; none if it is missing or not readable. */
export function readBinary(host: Host, path: string, length: number): Uint8Array {
  const found = unlessRefused(() => {
    const file = host.inspectFile(path);
    return file === undefined ? undefined : host.readBytes(file.id, 0, length);
  });
  return found ?? new Uint8Array();
}

/**
 * Returns a value of the kernel's description of a device, such as DEVNAME.
 * Documentation/ABI/testing/sysfs-uevent of Linux
 */
export function ueventOf(host: Host, folder: string, key: string): string | undefined {
  const text = unlessRefused(() => host.readText(`${folder}/uevent`)) ?? "";
  const line = text.split("\n").find((one) => one.startsWith(`${key}=`));
  return line?.slice(key.length + 1);
}

/** Returns elements with text, without elements of undefined text. */
export function texts(entries: Readonly<Record<string, string | number | undefined>>): Draft[] {
  return Object.entries(entries).flatMap(([tag, value]) =>
    value === undefined ? [] : [textDraft(tag, String(value))],
  );
}

/** Returns `<capability type='…'>`. */
export function capabilityDraft(type: string, children: readonly Draft[] = []): Draft {
  const draft = attributesDraft("capability", { type });
  draft.children.push(...children);
  return draft;
}

/**
 * Returns `<link>` of a network device: its state, and its speed in Mbit/s while it is up.
 * virNetDevGetLinkInfo() of libvirt
 */
export function linkDrafts(host: Host, folder: string): Draft[] {
  const state = readFact(host, `${folder}/operstate`);
  if (state === undefined) return [];
  const speed = state === "up" ? (readNumber(host, `${folder}/speed`) ?? 0) : 0;
  return [attributesDraft("link", { ...(speed > 0 ? { speed: String(speed) } : {}), state })];
}
