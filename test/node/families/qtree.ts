/** A device as QEMU itself shows it: `info qtree`. */
export interface QemuDevice {
  readonly driver: string;
  /** The bus that it is on. */
  readonly bus: string;
  /** Its own, and those of its parts that have no id: what a virtio card is behind its PCI end. */
  readonly properties: ReadonlyMap<string, string>;
}

/** The devices of a tree that have an id, by it. qemu.git system/qdev-monitor.c qtree_print() */
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

/** The nearest bus before the line that is less indented. */
function busAround(before: readonly string[], line: string): string {
  const around = before.findLast((one) => /^ *bus: /.test(one) && indentOf(one) < indentOf(line));
  return around?.replace(/^ *bus: /, "") ?? "";
}

/** `key = value` up to the next device with an id, or one that is not below it; what stands first counts. */
function propertiesIn(after: readonly string[], indent: number): ReadonlyMap<string, string> {
  const end = after.findIndex((line) => indentOf(line) <= indent || /^ *dev: .*, id "[^"]/.test(line));
  const own = end === -1 ? after : after.slice(0, end);
  const pairs = own.flatMap((line) => {
    const [, key, value = ""] = /^ *([^=]+?) = (.*)$/.exec(line) ?? [];
    // Numbers come twice: 1016 (0x3f8).
    return key === undefined ? [] : [[key, value.replace(/^"(.*)"$|^(\d+) \(.*\)$/, "$1$2")] as const];
  });
  return new Map(pairs.toReversed());
}
