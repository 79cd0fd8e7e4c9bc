import { describe, expect, test } from "bun:test";
import { planStop } from "../../../src/plan/steps/inverse.ts";
import { removeTap } from "../../../src/run/steps/switch-port.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { recordOf } from "../../scenes/hotplug.ts";
import { domainXml, nodeOn } from "../../scenes/scene.ts";
import { ONE, switched } from "../../scenes/switched.ts";

describe("removeTap()", () => {
  // A copied domain has the addresses and identifiers of the first one. A kill between the release of a name and the removal of the
  // record repeats the steps, when another guest may have the name.
  test("leaves the port of another guest with the same interfaceid", async () => {
    const { machine, vswitch } = switched();
    const node = nodeOn(machine);
    await startDomain(node, domainXml({ devices: ONE }));
    const step = planStop(recordOf(machine).steps).find((one) => one.do === "remove-tap");
    if (step?.port === undefined) throw new Error("no port is removed");
    vswitch.addPort("vnet0", vswitch.ports[0]?.replaceAll(step.port.guestUuid, "another") ?? "");
    removeTap(node.host, step);
    expect(vswitch.names).toEqual(["vnet0"]);
  });
});
