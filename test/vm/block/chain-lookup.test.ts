import { expect, test } from "bun:test";
import { lookUpImage } from "../../../src/vm/block/chain-lookup.ts";
import type { RunningDisk } from "../../../src/vm/block/running-disk.ts";
import { makeMachine, nodeOn, putText } from "../../scenes/scene.ts";

const NAMES = ["top.s1", "top.qcow2", "base.raw"];

/** Returns the look-up in a disk whose images QEMU numbers 5, 2 and 1. */
function scene() {
  const machine = makeMachine();
  const node = nodeOn(machine);
  const images = NAMES.map((name, at) => {
    const path = `/srv/${name}`;
    putText(machine, path, name);
    return {
      found: { path, facts: node.host.inspectFile(path) },
      layer: { node: `libvirt-${[5, 2, 1][at]}-format` },
    };
  });
  machine.files.put("/srv/link", "symlink", { target: "/srv/base.raw" });
  const disk = { type: "file", target: { dev: "vda" }, source: { file: "/srv/top.s1" } };
  const running = { disk, images } as unknown as RunningDisk;
  return (name: string, above = -1): number => lookUpImage(node, running, { name, above });
}

test("an image of a chain is found by its path, by another path of it, and by QEMU's number for it", () => {
  const find = scene();
  expect(NAMES.map((name) => find(`/srv/${name}`))).toEqual([0, 1, 2]);
  expect(find("/srv/link")).toBe(2);
  expect(["vda[5]", "vda[2]", "vda[1]"].map((name) => find(name))).toEqual([0, 1, 2]);
});

// virStorageSourceChainLookup() of libvirt
test("an image is not found by a number of another disk, by none, nor above the place that is meant", () => {
  const find = scene();
  for (const name of ["vdb[2]", "vda[3]", "vda[]", "/srv/other", "top.s1"])
    expect(() => find(name)).toThrow(`could not find image '${name}' in chain for '/srv/top.s1'`);
  expect(find("vda[1]", 1)).toBe(2);
  expect(() => find("/srv/other")).toThrow(
    expect.objectContaining({ remedy: "Its images are: /srv/top.s1, /srv/top.qcow2, /srv/base.raw" }),
  );
  expect(() => find("vda[2]", 1)).toThrow("could not find image 'vda[2]' beneath '/srv/top.qcow2' in chain");
});
