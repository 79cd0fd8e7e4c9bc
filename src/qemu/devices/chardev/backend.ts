import type { Channel } from "../../../domain/devices/chardev.ts";
import { pipeEnds } from "../../../domain/resources/chardev.ts";
import { type Arguments, escapeCommas, keyValues, onOffWord } from "../../argument/argument.ts";
import { reconnectMs } from "../../argument/reconnect-ms.ts";
import { type Launch, passedName, peerOf, peerPair } from "../../launch.ts";
import { cannotTranslate, hostDependent, notStartable, refuseUnproven } from "../../refusal.ts";

type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never;

/** Backend of a character device of any kind. */
export type ChardevBackend = Without<Channel, "target" | "alias" | "address">;

/** A backend with the id of its device. */
export interface NamedBackend {
  readonly id: string;
  readonly chardev: ChardevBackend;
  /** The device's path in the XML. */
  readonly path: string;
}

/** Maximum length in bytes of a Unix socket's path. unix(7) */
const LONGEST_SOCKET_PATH = 107;

/** Returns QEMU's listening socket at a start without a socket in the XML: in the guest's folder. */
export function socketPath(folder: string, id: string): string {
  const path = `${folder}/${id}.sock`;
  if (new TextEncoder().encode(path).length <= LONGEST_SOCKET_PATH) return path;
  throw cannotTranslate(
    "/domain/devices",
    `the path of the socket ${path} is too long`,
    "Use a shorter alias.",
  );
}

/** Number of descriptors for a backend's files. */
export function countDescriptors({ type, log }: ChardevBackend): number {
  return Number(type === "file") + Number(log !== undefined);
}

/**
 * Formats -chardev of a device other than a port. Without a launch, throws "unsupported" for a device with
 * files: libvirt's descriptor sets for them are not known for certain.
 */
export function formatFilelessBackend(named: NamedBackend, launch: Launch | undefined): Arguments {
  if (countDescriptors(named.chardev) > 0) refuseUnproven(launch, named.path, "the file of such a device");
  return formatBackend(named, launch, 0);
}

/** Formats -chardev, with its descriptor sets numbered from `fdset`. qemuBuildChardevCommand() of libvirt */
export function formatBackend(named: NamedBackend, launch: Launch | undefined, fdset: number): Arguments {
  const { chardev, id } = named;
  const isFile = chardev.type === "file";
  const source = isFile
    ? appended(chardev.source.path, launch, { set: fdset, opaque: `${id}-source` })
    : NONE;
  const logged = { set: isFile ? fdset + 1 : fdset, opaque: `${id}-log` };
  const log = chardev.log === undefined ? NONE : appended(chardev.log.file, launch, logged);
  const pairs = isFile ? `file,id=char${id},path=${source.name},append=on` : backendPairs(named, launch);
  return [
    ...source.add,
    ...log.add,
    "-chardev",
    log === NONE ? pairs : `${pairs},logfile=${log.name},logappend=on`,
  ];
}

const NONE = { add: [], name: "" };

/** File in append mode: by svirt's descriptor, or by a set with libvirt's number. */
function appended(
  path: string,
  launch: Launch | undefined,
  { opaque, set }: { readonly set: number; readonly opaque: string },
): { readonly add: Arguments; readonly name: string } {
  const wanted = { path, purpose: "chardev", access: "append" } as const;
  const name = passedName(launch, wanted);
  if (name !== path) return { add: [], name };
  // libvirt counts descriptors from 3. The numbers are placeholders before a start.
  return { add: ["-add-fd", `set=${set},fd=${set + 3},opaque=${opaque}`], name: `/dev/fdset/${set}` };
}

function backendPairs(named: NamedBackend, launch: Launch | undefined): string {
  const { chardev, id } = named;
  const name = `id=char${id}`;
  switch (chardev.type) {
    case "pty":
    case "null":
    case "vc":
    case "stdio":
      return `${chardev.type},${name}`;
    case "spicevmc":
      return `spicevmc,${name},name=${spiceChannel(id)}`;
    case "file":
      return `file,${name},path=${escapeCommas(chardev.source.path)}`;
    case "pipe":
      return pipePairs(name, chardev.source.path, launch);
    case "dev":
      return `${id.startsWith("parallel") ? "parallel" : "serial"},${name},path=${nodeName(chardev.source.path, launch)}`;
    case "unix":
      return `socket,${name},${unixPairs(named, launch)}`;
    case "tcp":
      return `socket,${name},${tcpPairs(chardev, named.path)}`;
    case "udp": {
      const why = "svirt does not accept datagrams, which any program can send to the guest";
      throw hostDependent(`${named.path}/@type`, why, "Use a Unix socket.");
    }
    case "spiceport":
    case "dbus":
      return `${chardev.type},${name},name=${chardev.source.channel}`;
    case "qemu-vdagent":
      return `qemu-vdagent,${name},name=vdagent${vdagentPairs(chardev.source)}`;
  }
}

/** QEMU opens a pipe's two FIFOs by name only. With descriptors, `file` with `input-path` is equivalent. */
function pipePairs(name: string, path: string, launch: Launch | undefined): string {
  if (launch === undefined) return `pipe,${name},path=${escapeCommas(path)}`;
  const { read, write } = pipeEnds(path);
  const input = passedName(launch, { path: read, purpose: "chardev", access: "read-only" });
  const output = passedName(launch, { path: write, purpose: "chardev", access: "append" });
  return `file,${name},path=${escapeCommas(output)},append=on,input-path=${escapeCommas(input)}`;
}

function nodeName(path: string, launch: Launch | undefined): string {
  return escapeCommas(passedName(launch, { path, purpose: "chardev", access: "read-write" }));
}

/** Name of the SPICE channel for that device. */
function spiceChannel(id: string): string {
  if (id.startsWith("redir")) return "usbredir";
  return id.startsWith("smartcard") ? "smartcard" : "vdagent";
}

type BackendOf<T extends ChardevBackend["type"]> = Extract<ChardevBackend, { readonly type: T }>;

function unixPairs({ chardev, id, path }: NamedBackend, launch: Launch | undefined): string {
  const source = chardev.type === "unix" ? chardev.source : undefined;
  if (source?.mode === "connect") {
    if (source.path === undefined) {
      throw cannotTranslate(`${path}/source`, "the path of the socket is missing", "Write source/@path.");
    }
    // QEMU takes no reconnect-ms with a descriptor, and a start refuses `enabled='yes'`.
    const again = peerOf(launch, path) === undefined ? reconnectMs(source.reconnect) : undefined;
    return keyValues([peerPair(launch, { place: path, path: source.path }), ["reconnect-ms", again]]);
  }
  return `${listenPairs({ path, id, wanted: source?.path }, launch)},server=on,wait=off`;
}

/** QEMU creates a socket only in the guest's folder. */
function listenPairs(
  { id, path, wanted }: { readonly id: string; readonly path: string; readonly wanted: string | undefined },
  launch: Launch | undefined,
): string {
  if (launch === undefined) return "fd=3";
  if (wanted === undefined) return keyValues([["path", socketPath(launch.folder, id)]]);
  const listener = launch.listeners.find((found) => found.path === wanted);
  if (listener !== undefined) return `fd=${listener.fd}`;
  throw cannotTranslate(
    `${path}/source/@path`,
    "svirt did not create a socket at that path",
    "Leave the path out.",
  );
}

function tcpPairs({ source, protocol }: BackendOf<"tcp">, path: string): string {
  if (source.tls === true) {
    const why = "TLS depends on settings of the host";
    throw notStartable(`${path}/source/@tls`, why, "Write tls='no', and use a Unix socket and SSH.");
  }
  const listens = source.mode === "bind";
  return keyValues([
    ["host", source.host],
    ["port", source.service],
    ["telnet", protocol?.type === "telnet" ? "on" : undefined],
    ["server", listens ? "on" : undefined],
    ["wait", listens ? "off" : undefined],
    ["reconnect-ms", reconnectMs(source.reconnect)],
  ]);
}

function vdagentPairs(source: BackendOf<"qemu-vdagent">["source"]): string {
  const pairs = keyValues([
    ["clipboard", source?.clipboard && onOffWord(source.clipboard.copypaste)],
    ["mouse", source?.mouse && onOffWord(source.mouse.mode === "client")],
  ]);
  return pairs === "" ? "" : `,${pairs}`;
}
