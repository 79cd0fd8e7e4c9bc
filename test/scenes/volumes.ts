import type { Instance } from "../../src/state/instance.ts";
import { poolStore } from "../../src/state/pools/pools.ts";
import { formatPool, parsePool } from "../../src/storage/pool/document.ts";
import { parseVolume, type Volume } from "../../src/storage/volume/document.ts";
import type { Machine } from "../memory-host/machine.ts";
import { makeMachine, nodeOn } from "./scene.ts";

/** Folder of the images of makeMachine(), and of the pool of makePoolMachine(). */
export const IMAGES = "/var/lib/images";
/** UUID of the pool of makePoolMachine(). */
export const POOL_UUID = "aaaaaaaa-2222-4333-8444-00000000000a";

/** Returns a machine on which the images are in an active pool named images. */
export function makePoolMachine(): Machine {
  const machine = makeMachine();
  activatePool(nodeOn(machine), { name: "images", folder: IMAGES, uuid: POOL_UUID });
  return machine;
}

/** Makes a pool active, as its start does. */
export function activatePool(
  node: Instance,
  { folder, name, uuid }: { readonly name: string; readonly folder: string; readonly uuid: string },
): void {
  const xml = `<pool type='dir'><name>${name}</name><uuid>${uuid}</uuid><target><path>${folder}</path></target></pool>`;
  poolStore.writeActive(node, name, formatPool(parsePool(new TextEncoder().encode(xml))));
}

/** Returns a volume named new.img of 4 MiB, with this content of its target and beside it. */
export function volumeWith(target: string, around = ""): Volume {
  const sizes = around.includes("<capacity") ? "" : "<capacity unit='MiB'>4</capacity>";
  return parseVolume(
    new TextEncoder().encode(
      `<volume><name>new.img</name>${sizes}${around}<target>${target}</target></volume>`,
    ),
  );
}
