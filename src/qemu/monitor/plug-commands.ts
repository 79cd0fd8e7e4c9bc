import type { QmpCommand } from "./qmp.ts";

/** Key naming the created object, and the command for its deletion, by command. qemu.git qapi/ */
const MAKERS: ReadonlyMap<string, { readonly key: string; readonly remove: string }> = new Map([
  ["chardev-add", { key: "id", remove: "chardev-remove" }],
  ["blockdev-add", { key: "node-name", remove: "blockdev-del" }],
  ["netdev_add", { key: "id", remove: "netdev_del" }],
  ["object-add", { key: "id", remove: "object-del" }],
]);

/** Monitor command for each command-line option in JSON. */
const OPTIONS: ReadonlyMap<string, string> = new Map([
  ["-blockdev", "blockdev-add"],
  ["-device", "device_add"],
  ["-netdev", "netdev_add"],
  ["-object", "object-add"],
]);

/** Returns the name of the object created, deleted or used by a command. */
export function nameOf({ arguments: args = {}, execute }: QmpCommand): string | undefined {
  const key = execute.startsWith("blockdev-") ? "node-name" : "id";
  const name = args[key] ?? args["name"];
  return typeof name === "string" ? name : undefined;
}

/**
 * Returns the command for the deletion of the object of `made`; undefined if it creates none, or a device.
 */
export function deleteCommand(made: QmpCommand): QmpCommand | undefined {
  const maker = MAKERS.get(made.execute);
  if (maker === undefined) return undefined;
  return { execute: maker.remove, arguments: { [maker.key]: nameOf(made) } };
}

/**
 * Returns the device added by the commands, and the commands for the deletion of the other objects, last
 * first.
 */
export function deleteCommands(made: readonly QmpCommand[]): {
  readonly device?: string;
  readonly commands: QmpCommand[];
} {
  const added = made.find(({ execute }) => execute === "device_add");
  const device = added === undefined ? undefined : nameOf(added);
  const commands = made.toReversed().flatMap((command) => deleteCommand(command) ?? []);
  return { ...(device === undefined ? {} : { device }), commands };
}

/** Returns the monitor commands for command-line arguments. Omits arguments without a command. */
export function commandsOf(words: readonly string[]): QmpCommand[] {
  return words.flatMap((word, at) => {
    const execute = OPTIONS.get(word);
    const value = words[at + 1] ?? "";
    if (word === "-chardev") return socketChardev(value);
    if (execute === undefined || !value.startsWith("{")) return [];
    return [{ execute, arguments: JSON.parse(value) as Record<string, unknown> }];
  });
}

/**
 * Only a socket by descriptor, or a listening socket in the guest's folder. ChardevSocket of qemu.git
 * qapi/char.json
 */
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
