import { beforeAll } from "bun:test";
import { fileURLToPath } from "node:url";
import { node } from "../harness/on-the-node.ts";
import { isNodeUp } from "../isolation/on-the-node.ts";

const BUILD = fileURLToPath(new URL("build", import.meta.url));

/** Copies the program of this folder to the node, /srv/lifecycle/peer, before the first test of a file. */
export function bringPeer(): void {
  beforeAll(async () => {
    if (!(await isNodeUp())) return;
    const built = Bun.spawnSync([BUILD], { stderr: "inherit" });
    if (!built.success) throw new Error("Cannot build what guests are connected to");
    await node(["put", built.stdout.toString().trim(), "/srv/lifecycle"]);
  });
}
