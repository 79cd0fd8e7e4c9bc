import { expect, test } from "bun:test";
import { type ErrorKind, SvirtError } from "../../src/errors.ts";
import type { Instance } from "../../src/state/instance.ts";
import { withFreeGuest } from "../../src/state/locks.ts";
import { makeMachine, nodeOn, UUID } from "../scenes/scene.ts";

const failure = (kind: ErrorKind): SvirtError =>
  new SvirtError("as the test wants it", { kind, remedy: "None." });

/** Returns an svirt instance whose locks fail with that error. */
function nodeWith(kind: ErrorKind): Instance {
  const node = nodeOn(makeMachine());
  return { ...node, host: { ...node.host, lock: () => Promise.reject(failure(kind)) } };
}

test("a guest that another svirt has locked is left to that", async () => {
  let isDone = false;
  await withFreeGuest(nodeWith("timeout"), UUID, async () => {
    isDone = true;
  });
  expect(isDone).toBe(false);
});

test("a lock that fails otherwise, and work that takes too long, are errors", async () => {
  const work = (): Promise<void> => Promise.reject(failure("timeout"));
  await expect(withFreeGuest(nodeWith("host-call"), UUID, work)).rejects.toMatchObject({ kind: "host-call" });
  await expect(withFreeGuest(nodeOn(makeMachine()), UUID, work)).rejects.toMatchObject({ kind: "timeout" });
});
