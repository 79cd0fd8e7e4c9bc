import { describe, expect, test } from "bun:test";
import { registryLock, SYSTEM_PATHS } from "../../../../src/plan/paths.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { domainXml, makeMachine, UUID } from "../../../scenes/scene.ts";
import { runOn, type Said } from "../../in-memory.ts";

const TEXT = `/run/svirt/edit/${UUID}.xml`;

async function defined(): Promise<Machine> {
  const machine = makeMachine();
  machine.files.put("/vm.xml", "file", { bytes: domainXml({}) });
  await runOn(machine, "define", "/vm.xml");
  return machine;
}

describe("svirt edit", () => {
  test("stores what becomes of the definition, and leaves nothing behind", async () => {
    const machine = await defined();
    machine.edit = (text) => text.replace("<on_crash>destroy", "<on_crash>restart");
    expect(await runOn(machine, "edit", "vm1")).toEqual({
      code: 0,
      out: "Domain 'vm1' XML configuration edited.\n\n",
      err: "",
    });
    expect((await runOn(machine, "dumpxml", "vm1")).out).toContain("<on_crash>restart</on_crash>");
    expect(machine.files.find(TEXT)).toBeUndefined();
  });

  test("stores nothing when nothing was changed", async () => {
    const machine = await defined();
    expect((await runOn(machine, "edit", "vm1")).out).toBe("Domain 'vm1' XML not changed\n\n");
    expect(machine.files.find(TEXT)).toBeUndefined();
  });

  test("keeps a text that is refused, and says where; the definition is as it was", async () => {
    const machine = await defined();
    const before = (await runOn(machine, "dumpxml", "vm1")).out;
    machine.edit = (text) => text.replace("<devices>", "<devices><frob/>");
    const { code, err } = await runOn(machine, "edit", "vm1");
    expect(code).toBe(2);
    expect(err).toContain("/domain/devices/frob");
    expect(err).toContain(`Correct your text in ${TEXT}`);
    expect((await runOn(machine, "dumpxml", "vm1")).out).toBe(before);
    expect(new TextDecoder().decode(machine.files.get(TEXT).bytes)).toContain("<frob/>");
  });

  test("stores nothing over what somebody else has stored meanwhile", async () => {
    const machine = await defined();
    const path = "/etc/svirt/domains/vm1.xml";
    machine.edit = (text) => {
      const file = machine.files.get(path);
      file.bytes = new TextEncoder().encode(text.replace("<on_crash>destroy", "<on_crash>restart"));
      return text.replace("<on_poweroff>destroy", "<on_poweroff>restart");
    };
    const { code, err } = await runOn(machine, "edit", "vm1");
    expect([code, err]).toEqual([4, expect.stringContaining("was changed by another user")]);
    expect(new TextDecoder().decode(machine.files.get(path).bytes)).toContain("<on_poweroff>destroy");
  });

  test("nor over what somebody stores while it waits for him", async () => {
    const machine = await defined();
    const unlock = await machine.svirt().host.lock(registryLock(SYSTEM_PATHS), 0);
    const file = machine.files.get("/etc/svirt/domains/vm1.xml");
    machine.edit = (text) => {
      machine.after(100, () => {
        file.bytes = new TextEncoder().encode(text.replace("<on_crash>destroy", "<on_crash>restart"));
        unlock();
      });
      return text.replace("<on_poweroff>destroy", "<on_poweroff>restart");
    };
    const { code } = await runOn(machine, "edit", "vm1");
    expect([code, new TextDecoder().decode(file.bytes)]).toEqual([
      4,
      expect.stringContaining("<on_crash>restart"),
    ]);
  });

  test("one at a time; a guest that only runs has no definition", async () => {
    const machine = await defined();
    let second: Said | undefined;
    machine.edit = async (text) => {
      machine.edit = (other) => other;
      second = await runOn(machine, "edit", "vm1");
      return text;
    };
    await runOn(machine, "edit", "vm1");
    expect(second?.err).toContain("another svirt edit is running");
    await runOn(machine, "start", "vm1");
    await runOn(machine, "undefine", "vm1");
    expect((await runOn(machine, "edit", "vm1")).code).toBe(4);
  });
});

describe("svirt desc", () => {
  test("shows and sets the description and the title, of the guest and of the definition", async () => {
    const machine = await defined();
    const desc = async (...words: readonly string[]): Promise<string> =>
      (await runOn(machine, "desc", "vm1", ...words)).out;
    expect(await desc()).toBe("No description for domain: vm1\n");
    expect(await desc("the", "<web> server")).toBe("Domain description updated successfully\n");
    expect(await desc()).toBe("the <web> server\n");
    await runOn(machine, "start", "vm1");
    expect(await desc("--title", "Web")).toBe("Domain title updated successfully\n");
    expect(await desc("--title")).toBe("Web\n");
    expect(await desc("--title", "--config")).toBe("No title for domain: vm1\n");
    expect((await runOn(machine, "dumpxml", "vm1")).out).toContain("<title>Web</title>");
    expect(await desc("--config", "")).toBe("Domain description updated successfully\n");
    expect((await runOn(machine, "dumpxml", "vm1", "--inactive")).out).not.toContain("<description>");
    expect((await runOn(machine, "desc", "vm1", "--title", "a\nb")).code).toBe(2);
  });
});
