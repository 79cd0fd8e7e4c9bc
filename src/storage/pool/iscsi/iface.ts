import { ISCSIADM } from "./target.ts";

const IFACE_MODE = [ISCSIADM, "--mode", "iface"] as const;
/** Name of an interface passed on by svirt. ISCSI_MAX_IFACE_LEN of open-iscsi */
const IFACE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** FNV-1a of 32 bits: two beginnings, and the factor. */
const [OFFSETS, PRIME] = [[0x811c9dc5, 0x1000193], 0x01000193] as const;

/** Returns the command that lists the interfaces of open-iscsi. virStorageBackendIQNFound() of libvirt */
export function listIfacesCommand(): readonly string[] {
  return IFACE_MODE;
}

/**
 * Returns the interface with this name of the initiator, by the list from iscsiadm; undefined if none has it.
 * Each line has the interface's name, a blank, and values with commas. The last value is the initiator's
 * name.
 */
export function findIface(listed: string, initiator: string): string | undefined {
  return listed
    .split("\n")
    .filter((line) => line.slice(line.lastIndexOf(",") + 1) === initiator)
    .map((line) => line.slice(0, line.indexOf(" ")))
    .find((name) => IFACE_NAME.test(name));
}

/**
 * Returns svirt's interface for an initiator. Its name depends on the initiator's name alone: a repeated
 * start completes an interface of a killed start.
 */
export function ifaceFor(initiator: string): string {
  return `libvirt-iface-${OFFSETS.map((offset) => hashOf(initiator, offset)).join("")}`;
}

/**
 * Returns the commands that make an interface; the first fails if it is there.
 * virStorageBackendCreateIfaceIQN() of libvirt
 */
export function ifaceCommands(
  iface: string,
  initiator: string,
): { readonly make: readonly string[]; readonly name: readonly string[] } {
  const words = [...IFACE_MODE, "--interface", iface, "--op"];
  return {
    make: [...words, "new"],
    name: [...words, "update", "--name", "iface.initiatorname", "--value", initiator],
  };
}

function hashOf(text: string, offset: number): string {
  const hash = [...text].reduce((sum, letter) => Math.imul(sum ^ letter.charCodeAt(0), PRIME), offset);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
