import { describe, expect, test } from "bun:test";
import type { Instance } from "../../../../src/state/instance.ts";
import { getPoolFacts } from "../../../../src/vm/pool/pool-facts.ts";
import { startDomain } from "../../../../src/vm/start/start.ts";
import { downloadVolume } from "../../../../src/vm/volume/content/download-volume.ts";
import { findVolume } from "../../../../src/vm/volume/find-volume.ts";
import { listPoolVolumes } from "../../../../src/vm/volume/list-volumes.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { makeDevicePools } from "../../../scenes/devices.ts";
import { domainXml, errorOf, nodeOn, putText } from "../../../scenes/scene.ts";

const FOLDER = "/sys/devices/platform/host3/session1/iscsi_session/session1";
const OTHER = "/sys/devices/platform/host4/session2/iscsi_session/session2";
const VOLUME = "unit:0:0:0";
const DISK = `<disk type='volume' device='disk'><source pool='iscsi' volume='${VOLUME}'/><target dev='vda'/></disk>`;
const WHOLE = { offset: 0, mostBytes: undefined, isSparse: false };

/** Returns a machine whose session with the target is in a state. iscsi_session_state_names of Linux */
function machineIn(state: string): Machine {
  const machine = makeDevicePools();
  // So that the host does not use the disk.
  machine.files.remove("/sys/dev/block/8:32/holders/dm-0");
  putText(machine, `${FOLDER}/state`, `${state}\n`);
  return machine;
}

// FREE is the state after node.session.timeo.replacement_timeout.
describe.each(["FAILED", "FREE"])("a pool of an iSCSI target whose session is in the state %s", (state) => {
  test("is inaccessible", async () => {
    expect(await getPoolFacts(nodeOn(machineIn(state)), "iscsi")).toMatchObject({
      state: "inaccessible",
      space: undefined,
    });
  });

  test.each<readonly [string, (node: Instance) => unknown]>([
    ["vol-list", async (node) => await listPoolVolumes(node, "iscsi")],
    ["a volume by its name", async (node) => await findVolume(node, VOLUME, "iscsi")],
    ["a volume by its path", async (node) => await findVolume(node, "/dev/sdc")],
    [
      "vol-download",
      (node) => downloadVolume(node, { key: VOLUME, pool: "iscsi" }, { file: "/tmp/out", part: WHOLE }),
    ],
    ["a start with a volume of it", (node) => startDomain(node, domainXml({ disks: DISK }))],
  ])("%s says that the target does not answer", async (_, work) => {
    const node = nodeOn(machineIn(state));
    const { kind, message } = await errorOf((async () => work(node))());
    expect([kind, message]).toEqual([
      "timeout",
      expect.stringContaining("Cannot use the iSCSI target iqn.2013-06.com.example:a: it does not answer"),
    ]);
  });

  test("runs while another session with the target has a connection", async () => {
    const machine = machineIn(state);
    putText(machine, `${OTHER}/targetname`, "iqn.2013-06.com.example:a\n");
    putText(machine, `${OTHER}/state`, "LOGGED_IN\n");
    machine.files.put("/sys/class/iscsi_session/session2", "symlink", { target: OTHER });
    expect((await getPoolFacts(nodeOn(machine), "iscsi")).state).toBe("running");
  });
});

test("a pool of an iSCSI target runs while its session has a connection", async () => {
  const machine = machineIn("LOGGED_IN");
  expect((await getPoolFacts(nodeOn(machine), "iscsi")).state).toBe("running");
  expect((await findVolume(nodeOn(machine), "/dev/sdc")).name).toBe(VOLUME);
  expect((await startDomain(nodeOn(machine), domainXml({ disks: DISK }))).did).toBe(true);
});
