import { expect, test } from "bun:test";
import { readDefinition, writeDefinition } from "../../../src/state/definitions.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { attachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { deviceOf, machineWithDisks, recordOf, SECOND } from "../../scenes/hotplug.ts";
import { nodeOn, UUID } from "../../scenes/scene.ts";

test("a definition that another call changes beside a change of guest and definition has both changes", async () => {
  const machine = await machineWithDisks();
  const node = nodeOn(machine);
  await defineDomain(node, new TextEncoder().encode(recordOf(machine).xml));
  let isChanged = false;
  await attachDevice(
    node,
    {
      key: UUID,
      options: { live: true, config: true },
      isDryRun: false,
      observer(moment, step) {
        if (isChanged || moment !== "before" || step.do !== "plug") return;
        isChanged = true;
        const xml = readDefinition(node, "vm1")?.xml ?? "";
        writeDefinition(node, { name: "vm1", xml: xml.replace("<memory", "<title>other</title><memory") });
      },
    },
    deviceOf(SECOND),
  );
  expect(isChanged).toBe(true);
  const xml = readDefinition(node, "vm1")?.xml;
  expect(xml).toContain("<title>other</title>");
  expect(xml?.match(/target dev='vdb'/g)).toHaveLength(1);
  expect(recordOf(machine).change).toBeUndefined();
});
