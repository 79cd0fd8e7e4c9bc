import { matching, type ValueForm } from "../../xml/value-form.ts";

/** Maximum bytes of a path. PATH_MAX in linux/limits.h, without the closing NUL. */
const PATH_BYTES = 4095;

/**
 * Absolute path on the host, as written: it is not resolved or shortened here. `..` is refused, so that the
 * displayed path is the opened path.
 */
export const absolutePath: ValueForm<string> = {
  expects: 'an absolute path without "..", NUL or line breaks, at most 4095 bytes',
  decode: (text) => (isAbsolutePath(text) ? text : undefined),
  encode: (text) => text,
};

/**
 * Name that is also a file name. virXMLCheckIllegalChars() and virDomainDefPostParse of libvirt: no `/`, not
 * `.` or `..`, no line break. svirt also refuses control characters, blanks at either end, and more than 200
 * bytes.
 */
export const domainName: ValueForm<string> = {
  expects: 'a name of 1 to 200 bytes without "/", control characters or outer blanks, and not "." or ".."',
  decode: (text) => (isDomainName(text) ? text : undefined),
  encode: (text) => text,
};

/** UUID with or without hyphens, as virUUIDParse accepts it; written in lower case with hyphens. RFC 9562 */
export const uuid: ValueForm<string> = {
  expects: "a UUID of 32 hexadecimal digits, not all zero or all f",
  decode(text) {
    const digits = text.trim().replaceAll("-", "").toLowerCase();
    if (!/^[0-9a-f]{32}$/.test(digits) || /^(?:0{32}|f{32})$/.test(digits)) return undefined;
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  },
  encode: (text) => text,
};

/**
 * UUID, or empty text: svirt then generates it when the domain is defined. virDomainDefParseIDs() of libvirt
 */
export const generationId: ValueForm<string> = {
  expects: `${uuid.expects}, or nothing for a new one`,
  decode: (text) => (text.trim() === "" ? "" : uuid.decode(text)),
  encode: uuid.encode,
};

/** Word for a name in QEMU's arguments: no comma, blank or quote. */
export const word = matching(/^[A-Za-z0-9][A-Za-z0-9_.+-]{0,127}$/, "a word of letters, digits and _ . + -");

/** Name passed on unchanged by libvirt, in a single line: of a secret, a snapshot, a network. */
export const objectName = matching(/^[^\p{Cc}]{1,255}$/u, "a name in one line, of 1 to 255 characters");
/** IP address or name of a host. */
export const hostAddress = matching(/^[0-9A-Za-z.:_-]{1,255}$/, "an IP address or a host's name");

/** Name or IP address of a host, without brackets. */
export const hostName = matching(
  /^(?:[0-9A-Za-z][0-9A-Za-z._-]{0,254}|[0-9a-fA-F:.]{2,64})$/,
  "a host's name or an IP address",
);

/** Text without a line break. virDomainDefPostParse… of libvirt: "Domain title can't contain newlines" */
export const oneLine = matching(/^[^\n]*$/, "text in one line");

/** Text without control characters, such as a kernel command line or a serial number. */
export const lineOfText = matching(/^[^\p{Cc}]{0,4096}$/u, "one line of text, at most 4096 characters");

/**
 * Security label in the kernel's form; surrounding white space is dropped. VIR_SECURITY_LABEL_BUFLEN is 4097.
 */
export const securityLabel: ValueForm<string> = {
  expects: "a security label of at most 4096 bytes without blanks",
  decode: (text) => (/^[\x21-\x7e]{1,4096}$/.test(text.trim()) ? text.trim() : undefined),
  encode: (text) => text,
};

/** Unicast MAC address; written in lower case. */
export const macAddress: ValueForm<string> = {
  expects: "a unicast MAC address, 52:54:00:12:34:56",
  decode: (text) =>
    /^[0-9a-fA-F][02468aceACE](?::[0-9a-fA-F]{2}){5}$/.test(text) ? text.toLowerCase() : undefined,
  encode: (text) => text,
};

function isAbsolutePath(text: string): boolean {
  if (!text.startsWith("/") || text.split("/").includes("..")) return false;
  return !/[\0\n\r]/.test(text) && byteLength(text) <= PATH_BYTES;
}

function isDomainName(text: string): boolean {
  if (text === "" || text === "." || text === ".." || text.trim() !== text) return false;
  return !/[/\p{Cc}]/u.test(text) && byteLength(text) <= 200;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
