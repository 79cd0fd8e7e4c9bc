import { describe, expect, test } from "bun:test";
import { saveDomain } from "../../../src/vm/save/save-domain.ts";
import { readSaveImage } from "../../../src/vm/save/save-image.ts";
import { FILE, guestState, machineWithGuest, restored } from "../../scenes/saving.ts";
import { diskXml, domainXml, errorOf, nodeOn, OTHER, reapAll, UUID } from "../../scenes/scene.ts";

const DISKS = diskXml("/var/lib/images/private1.raw", "vda");
const bytesOf = (xml: string): Uint8Array => new TextEncoder().encode(xml);
const domain = (lifecycle: string): string =>
  new TextDecoder().decode(domainXml({ disks: DISKS, lifecycle }));
const CHANGED = domain("<on_crash>restart</on_crash>");

describe("a save with another definition of the domain", () => {
  test("stores that one, with which the guest is restored", async () => {
    const machine = await machineWithGuest();
    const options = { resumes: undefined, path: FILE, xml: bytesOf(CHANGED) };
    await saveDomain(nodeOn(machine), "vm1", options);
    await reapAll(machine);
    expect(readSaveImage(nodeOn(machine), FILE).xml).toContain("<on_crash>restart</on_crash>");
    await restored(machine);
    expect(machine.processes.qemuOf(UUID)?.status).toBe("running");
  });

  test.each([
    ["a password", "<graphics type='vnc' passwd='secret'/>", "stores no passwords"],
    [
      "a device without its controller",
      "<controller type='usb' model='none'/><input type='tablet' bus='usb'/>",
      "usb",
    ],
  ])("refuses %s before it touches the guest", async (_, device, says) => {
    const machine = await machineWithGuest();
    const before = guestState(machine);
    const xml = bytesOf(CHANGED.replace("</devices>", `${device}</devices>`));
    const error = await errorOf(saveDomain(nodeOn(machine), "vm1", { resumes: undefined, path: FILE, xml }));
    expect(error).toMatchObject({
      kind: "unsupported",
      message: expect.stringMatching(new RegExp(says, "i")),
    });
    expect([guestState(machine), machine.files.find(FILE)]).toEqual([before, undefined]);
  });

  test.each([
    ["uuid", CHANGED.replace(UUID, OTHER)],
    ["name", CHANGED.replace("<name>vm1<", "<name>vm2<")],
  ])("refuses that of a domain with another %s, and the guest runs on", async (what, xml) => {
    const machine = await machineWithGuest();
    const before = guestState(machine);
    const error = await errorOf(
      saveDomain(nodeOn(machine), "vm1", { resumes: undefined, path: FILE, xml: bytesOf(xml) }),
    );
    // virDomainDefCheckABIStability() of libvirt
    expect(error.message).toStartWith(`unsupported configuration: Target domain ${what} `);
    expect([guestState(machine), machine.files.find(FILE)]).toEqual([before, undefined]);
  });
});
