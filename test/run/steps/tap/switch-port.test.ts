import { describe, expect, test } from "bun:test";
import { planStop } from "../../../../src/plan/steps/inverse.ts";
import { removeTap } from "../../../../src/run/steps/tap/switch-port.ts";
import { startDomain } from "../../../../src/vm/start/start.ts";
import { snapshot } from "../../../memory-host/machine.ts";
import { recordOf } from "../../../scenes/hotplug.ts";
import { domainXml, errorOf, nodeOn, reapAll } from "../../../scenes/scene.ts";
import { ONE, switched } from "../../../scenes/switched.ts";

describe("removeTap()", () => {
  // A copied domain has the addresses and identifiers of the first one. A kill between the release of a name
  // and the removal of the record repeats the steps, when another guest may have the name.
  test("leaves the port of another guest with the same interfaceid", async () => {
    const { machine, vswitch } = switched();
    const node = nodeOn(machine);
    await startDomain(node, domainXml({ devices: ONE }));
    const step = planStop(recordOf(machine).steps).find((one) => one.do === "remove-tap");
    if (step?.port === undefined) throw new Error("no port is removed");
    vswitch.addPort("vnet0", vswitch.ports[0]?.replaceAll(step.port.guestUuid, "another") ?? "");
    await removeTap(node.host, step);
    expect(vswitch.names).toEqual(["vnet0"]);
  });
});

describe("setUpTap()", () => {
  test("says how to start a database that does not run", async () => {
    const { machine, vswitch } = switched();
    vswitch.isDatabaseDown = true;
    const error = await errorOf(startDomain(nodeOn(machine), domainXml({ devices: ONE })));
    expect(error.message).toContain("database connection failed");
    expect(error.remedy).toContain("Start Open vSwitch: systemctl start openvswitch-switch");
  });

  test("refuses a tap whose name ends a command", async () => {
    const { machine, vswitch } = switched();
    const devices = ONE.replace("<model", "<target dev='--'/><model");
    const error = await errorOf(startDomain(nodeOn(machine), domainXml({ devices })));
    expect([error.message, error.remedy]).toEqual([
      "Cannot connect the guest to Open vSwitch: ovs-vsctl reads '--' as the end of a command",
      "Rename the tap in <target>.",
    ]);
    expect(vswitch.run).toEqual([]);
  });

  test.each(["patch-tun ovsbr0 type=patch", "bond0 ovsbr0 eth8 eth9", "eth9 ovsbr0 tag=3"])(
    "refuses the name of a port that is not a guest's: %s",
    async (port) => {
      const { machine, vswitch } = switched();
      const [name = "", ...configured] = port.split(" ");
      vswitch.addPort(name, configured.join(" "));
      const before = snapshot(machine);
      const devices = ONE.replace("<model", `<target dev='${name}'/><model`);
      const error = await errorOf(startDomain(nodeOn(machine), domainXml({ devices })));
      expect([error.kind, error.message, error.remedy]).toEqual([
        "in-use",
        `Unable to add port ${name} to OVS bridge ovsbr0: Open vSwitch has a port of that name that is not a guest's`,
        `Write another name into <target>, or remove that port: ovs-vsctl del-port ${name}`,
      ]);
      await reapAll(machine);
      expect(snapshot(machine)).toEqual(before);
    },
  );
});
