import type { QmpCommand } from "./qmp.ts";

/** The key that names what a command makes, and the command that deletes it. qemu.git qapi/ */
const MAKERS: ReadonlyMap<string, { readonly key: string; readonly remove: string }> = new Map([
  ["chardev-add", { key: "id", remove: "chardev-remove" }],
  ["blockdev-add", { key: "node-name", remove: "blockdev-del" }],
  ["netdev_add", { key: "id", remove: "netdev_del" }],
  ["object-add", { key: "id", remove: "object-del" }],
]);

/** The monitor's word for each option of the command line that makes something by JSON. */
const OPTIONS: ReadonlyMap<string, string> = new Map([
  ["-blockdev", "blockdev-add"],
  ["-device", "device_add"],
  ["-netdev", "netdev_add"],
  ["-object", "object-add"],
]);

/** The name of what a command makes, deletes or concerns. */
export function nameOf({ arguments: args = {}, execute }: QmpCommand): string | undefined {
  const key = execute.startsWith("blockdev-") ? "node-name" : "id";
  const name = args[key] ?? args["name"];
  return typeof name === "string" ? name : undefined;
}

/** The command that deletes what another has made; undefined for one that makes nothing, and for a device. */
export function deleteCommand(made: QmpCommand): QmpCommand | undefined {
  const maker = MAKERS.get(made.execute);
  if (maker === undefined) return undefined;
  return { execute: maker.remove, arguments: { [maker.key]: nameOf(made) } };
}

/** The device that commands add, and the commands that delete the rest, last first. */
export function deleteCommands(made: readonly QmpCommand[]): {
  readonly device?: string;
  readonly commands: QmpCommand[];
} {
  const added = made.find(({ execute }) => execute === "device_add");
  const device = added === undefined ? undefined : nameOf(added);
  const commands = made.toReversed().flatMap((command) => deleteCommand(command) ?? []);
  return { ...(device === undefined ? {} : { device }), commands };
}

/** What words of a command line would be told a running QEMU. Words that cannot be are left out. */
export function commandsOf(words: readonly string[]): QmpCommand[] {
  return words.flatMap((word, at) => {
    const execute = OPTIONS.get(word);
    const value = words[at + 1] ?? "";
    if (word === "-chardev") return socketChardev(value);
    if (execute === undefined || !value.startsWith("{")) return [];
    return [{ execute, arguments: JSON.parse(value) as Record<string, unknown> }];
  });
}

/** One that has nothing but a connection, or a socket in the guest's own folder. ChardevSocket of qemu.git qapi/char.json */
function socketChardev(value: string): QmpCommand[] {
  const [, id, fd, path] =
    /^socket,id=([^,]+),(?:fd=([^,]+)|path=((?:[^,]|,,)+),server=on,wait=off)$/.exec(value) ?? [];
  if (id === undefined) return [];
  const data =
    path === undefined
      ? { addr: { type: "fd", data: { str: fd } }, server: false }
      : { addr: { type: "unix", data: { path: path.replaceAll(",,", ",") } }, server: true, wait: false };
  return [{ execute: "chardev-add", arguments: { id, backend: { type: "socket", data } } }];
}
