import { expect } from "bun:test";
import { outOf } from "../harness/notes.ts";
import { onNode } from "../harness/on-the-node.ts";

// What the node's kernel shows of a client's guest, read by root's own connection.

/** Folder of the clients' pool on the node. */
export const POOL = "/srv/lifecycle/pool";

/** Labels of files, by their paths. */
export type Labels = ReadonlyMap<string, string>;

/** Returns the labels of files on the node. Throws if one is missing. */
export async function labelsOf(paths: readonly string[]): Promise<Labels> {
  const notes = await onNode(notesOf(paths));
  return new Map(paths.map((path) => [path, outOf(notes, path)]));
}

function notesOf(paths: readonly string[]): string {
  return paths.map((path) => `note ${path} label_of ${path}`).join("\n");
}

/**
 * Expects the guest's QEMU to run in the domain of guests with two categories, and these files, which only
 * this guest has, to have the same ones, on a kernel that enforces.
 */
export async function expectConfined(name: string, paths: readonly string[] = []): Promise<void> {
  const notes = await onNode(`
    note mode cat /sys/fs/selinux/enforce
    note context context_of $(cat /run/svirt/$(svirt domuuid ${name})/pid)
    ${notesOf(paths)}
  `);
  expect(outOf(notes, "mode")).toBe("1");
  // Its SELinux user is that of the session: OpenSSH's, by libselinux, is not init's, which dropbear keeps.
  const context = outOf(notes, "context");
  expect(context).toMatch(/^\w+_u:system_r:svirt_(tcg_)?t:s0:c\d+,c\d+$/);
  const [user, , , ...levels] = context.split(":");
  const labels = paths.map((path) => outOf(notes, path));
  expect(labels).toEqual(paths.map(() => `${user}:object_r:svirt_image_t:${levels.join(":")}`));
}

/** Expects files that guests only read to have the label that all guests may read and none may write. */
export async function expectShared(paths: readonly string[]): Promise<void> {
  const labels = [...(await labelsOf(paths)).values()];
  expect(labels).toEqual(paths.map(() => expect.stringMatching(/:object_r:virt_content_t:s0$/)));
}

/** Expects each of these files to have its label back. */
export async function expectBack(labels: Labels): Promise<void> {
  expect(await labelsOf([...labels.keys()])).toEqual(labels);
}

/** Expects nothing of the guests to be left, nor of the pool, the network, and the folder of the pool. */
export async function expectNothingLeft(uuids: readonly string[]): Promise<void> {
  const notes = await onNode(`
    uuid_of() { echo "$1"; }
    note guests svirt list --all --name
    note pools svirt pool-list --all --name
    note networks svirt net-list --all --name
    note folder sh -c '[ ! -e ${POOL} ] || find ${POOL}'
    note bridge sh -c '[ ! -e /sys/class/net/virbr79 ] || echo virbr79'
    ${uuids.map((uuid) => `note left-${uuid} left ${uuid}`).join("\n")}
  `);
  const left = [...notes.keys()].map((name) => [name, outOf(notes, name)]);
  expect(left.filter(([, out]) => out !== "")).toEqual([]);
}

/** Removes what a failed test has left. */
export const REMOVE = `
  clean
  for name in $(svirt pool-list --all --name | grep '^life-\\|^default'); do
    svirt pool-destroy $name
    svirt pool-undefine $name
  done
  svirt net-destroy life-net
  svirt net-undefine life-net
  clean
`;
