/** Machine running svirt, as marks on files name it. */
export interface Machine {
  /** 32 hexadecimal digits. machine-id(5) */
  readonly id: string;
  /** Host name, shown to users. */
  readonly name: string;
}

/** File of the generated id, next to the records: it persists as long as they do. */
export const KEPT_ID = "/var/lib/svirt/machine-id";

/** Sources of a machine's id. */
export interface MachineFacts {
  /** /etc/machine-id; undefined if it is missing. */
  readonly machineId: string | undefined;
  /**
   * Whether /run/machine-id exists: the id was generated for this boot only. machine-id(5), "First boot
   * semantics"
   */
  readonly isTransient: boolean;
  /** /sys/class/dmi/id/product_uuid; undefined if it is missing or svirt is not permitted to read it. */
  readonly productUuid: string | undefined;
  /** Id that svirt generated and stored in `KEPT_ID` because the machine has no other. */
  readonly keptId: string | undefined;
  readonly bootId: string;
  /** /proc/sys/kernel/hostname */
  readonly hostName: string | undefined;
}

const ID = /^[0-9a-f]{32}$/;
/** UUID of a board without a UUID: all digits are equal. */
const NONE = /^(.)\1*$/;
/**
 * Placeholder UUIDs of boards of several vendors. dmidecode(8), and systemd
 * src/libsystemd/sd-id128/id128-util.c
 */
const COMMON = new Set(["03000200040005000006000700080009", "00020003000400050006000700080009"]);

/**
 * Returns a machine's permanent id: its machine-id, the UUID of its board, or svirt's generated id. A
 * machine-id generated at each boot is skipped. Without any of them the boot id is used. Marks from before a
 * reboot then count as another machine's, which is safe.
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

/** Parses an id, with or without the dashes of a UUID. */
function idOf(text: string | undefined): string | undefined {
  const id = text?.trim().toLowerCase().replaceAll("-", "") ?? "";
  return ID.test(id) ? id : undefined;
}
