import { describe, expect, test } from "bun:test";
import { startDomain } from "../../../../src/vm/start/start.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { domainXml, makeMachine, nodeOn, putText } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const NONE = "<seclabel type='none'/>";

function withoutSelinux(): Machine {
  const machine = makeMachine();
  machine.selinux = { mode: "disabled", policyName: undefined };
  return machine;
}

async function modelOf(machine: Machine): Promise<string | undefined> {
  const { out } = await runOn(machine, "dominfo", "vm1");
  return /^Security model: +(\S+)$/m.exec(out)?.[1];
}

async function modelOfDefined(machine: Machine): Promise<string | undefined> {
  putText(machine, "/root/a.xml", new TextDecoder().decode(domainXml({})));
  expect((await runOn(machine, "define", "/root/a.xml")).err).toBe("");
  return await modelOf(machine);
}

async function modelInCapabilities(machine: Machine): Promise<string | undefined> {
  const { out } = await runOn(machine, "capabilities");
  return /<model>([^<]*)<\/model>/.exec(out)?.[1];
}

describe("the security model", () => {
  test("of a domain that is off is the host's, as in capabilities", async () => {
    for (const [make, model] of [
      [makeMachine, "selinux"],
      [withoutSelinux, "none"],
    ] as const) {
      expect(await modelOfDefined(make())).toBe(model);
      expect(await modelInCapabilities(make())).toBe(model);
    }
  });

  test("of a running guest is the one that labelled it", async () => {
    const labelled = makeMachine();
    await startDomain(nodeOn(labelled), domainXml({}));
    const unconfined = makeMachine();
    putText(unconfined, "/etc/svirt/svirt.conf", "security_require_confined = 0\n");
    await startDomain(nodeOn(unconfined), domainXml({ seclabel: NONE }));
    expect([await modelOf(labelled), await modelOf(unconfined)]).toEqual(["selinux", "none"]);
  });
});
