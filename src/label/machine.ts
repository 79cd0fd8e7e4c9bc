/** A machine that runs svirt, as marks on files name it. */
export interface Machine {
  /** 32 hexadecimal digits. machine-id(5) */
  readonly id: string;
  /** Its host name, for people. */
  readonly name: string;
}

/** Beside the records, which last as long. */
export const KEPT_ID = "/var/lib/svirt/machine-id";

/** Where a machine's id may come from. */
export interface MachineFacts {
  /** /etc/machine-id; undefined where there is none. */
  readonly machineId: string | undefined;
  /** Whether /run/machine-id is there: the id was made for this boot only. machine-id(5), "First boot semantics" */
  readonly isTransient: boolean;
  /** /sys/class/dmi/id/product_uuid; undefined where there is none, or svirt may not read it. */
  readonly productUuid: string | undefined;
  /** What svirt made up and keeps where neither tells: `KEPT_ID`. */
  readonly keptId: string | undefined;
  readonly bootId: string;
  /** /proc/sys/kernel/hostname */
  readonly hostName: string | undefined;
}

const ID = /^[0-9a-f]{32}$/;
/** What a board says that was given none: all digits are the same. */
const NONE = /^(.)\1*$/;
/** The same, of boards of several vendors. dmidecode(8), and systemd src/libsystemd/sd-id128/id128-util.c */
const COMMON = new Set(["03000200040005000006000700080009", "00020003000400050006000700080009"]);

/**
 * The id that a machine has across boots: its machine-id or, where that is missing or made anew at each boot, the UUID of its
 * board or, without one, what svirt made up and keeps. With none it is the boot's: then marks from before a reboot count as
 * another machine's, which is the safe side.
 */
export function decideMachine(facts: MachineFacts): Machine {
  const kept = facts.isTransient ? undefined : idOf(facts.machineId);
  const id = kept ?? boardIdOf(facts.productUuid) ?? idOf(facts.keptId) ?? idOf(facts.bootId) ?? "";
  return { id, name: facts.hostName?.trim() || "localhost" };
}

function boardIdOf(text: string | undefined): string | undefined {
  const id = idOf(text);
  return id === undefined || NONE.test(id) || COMMON.has(id) ? undefined : id;
}

/** With or without the dashes of a UUID. */
function idOf(text: string | undefined): string | undefined {
  const id = text?.trim().toLowerCase().replaceAll("-", "") ?? "";
  return ID.test(id) ? id : undefined;
}
