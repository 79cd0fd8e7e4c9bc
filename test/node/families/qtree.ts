/** Device as `info qtree` of QEMU shows it. */
export interface QemuDevice {
  readonly driver: string;
  /** Bus of the device. */
  readonly bus: string;
  /**
   * Properties of the device, and of its parts without an ID, such as the virtio device behind a PCI card.
   */
  readonly properties: ReadonlyMap<string, string>;
}

/** Parses the devices of a tree that have an ID, by ID. qemu.git system/qdev-monitor.c qtree_print() */
export function parseQtree(text: string): ReadonlyMap<string, QemuDevice> {
  const lines = text.split(/\r?\n/);
  return new Map(
    lines.flatMap((line, at) => {
      const [, driver, id] = /^ *dev: ([^,]+), id "([^"]+)"/.exec(line) ?? [];
      if (driver === undefined || id === undefined) return [];
      const properties = propertiesIn(lines.slice(at + 1), indentOf(line));
      return [[id, { driver, bus: busAround(lines.slice(0, at), line), properties }] as const];
    }),
  );
}

const indentOf = (line: string): number => line.search(/\S/);

/** Returns the nearest bus before the line with less indentation. */
function busAround(before: readonly string[], line: string): string {
  const around = before.findLast((one) => /^ *bus: /.test(one) && indentOf(one) < indentOf(line));
  return around?.replace(/^ *bus: /, "") ?? "";
}

/**
 * Parses lines `key = value` of a device, up to the next device with an ID; the first value of a key counts.
 */
function propertiesIn(after: readonly string[], indent: number): ReadonlyMap<string, string> {
  const end = after.findIndex((line) => indentOf(line) <= indent || /^ *dev: .*, id "[^"]/.test(line));
  const own = end === -1 ? after : after.slice(0, end);
  const pairs = own.flatMap((line) => {
    const [, key, value = ""] = /^ *([^=]+?) = (.*)$/.exec(line) ?? [];
    // QEMU prints numbers twice: 1016 (0x3f8).
    return key === undefined ? [] : [[key, value.replace(/^"(.*)"$|^(\d+) \(.*\)$/, "$1$2")] as const];
  });
  return new Map(pairs.toReversed());
}
