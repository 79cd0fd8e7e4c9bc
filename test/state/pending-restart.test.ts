import { expect, test } from "bun:test";
import {
  hasPendingRestart,
  listPendingRestarts,
  writePendingRestart,
} from "../../src/state/pending-restart.ts";
import { makeMachine, nodeOn, UUID } from "../scenes/scene.ts";

test("a file that a killed svirt wrote in part is no pending restart", () => {
  const node = nodeOn(makeMachine());
  writePendingRestart(node, { uuid: UUID, name: "guest", xml: "<domain/>" });
  node.host.writeText(`${node.paths.run}/restart/${UUID}.new`, "gue", 0o600);
  expect(hasPendingRestart(node)).toBe(true);
  node.host.removeFile(`${node.paths.run}/restart/${UUID}`);
  expect(listPendingRestarts(node)).toEqual([]);
  expect(hasPendingRestart(node)).toBe(false);
});
