import { describe, expect, test } from "bun:test";
import type { Machine } from "../../memory-host/machine.ts";
import {
  call,
  domain,
  errorIn,
  opening,
  RemoteClient,
  type Reply,
  text,
  word,
} from "../../rpc/remote-client.ts";
import { domainXml, makeMachine, UUID } from "../../scenes/scene.ts";
import { runOn } from "../in-memory.ts";

const VIRSH = "sh -c 'virt-ssh-helper 'qemu:///system''";

/** Returns a machine with vm1 defined, whose client undefines it, and the client. */
async function machineWithClient(): Promise<{ readonly machine: Machine; replies(): Reply[] }> {
  const machine = makeMachine();
  machine.files.put("/vm.xml", "file", { bytes: domainXml() });
  await runOn(machine, "define", "/vm.xml");
  const client = new RemoteClient();
  client.send(opening() + call(35, domain("vm1", UUID)));
  client.close();
  machine.caller = client;
  return { machine, replies: () => client.replies() };
}

function ask(machine: Machine, original: string): void {
  machine.files.putFolder("/proc/self", 0o555);
  machine.files.put("/proc/self/environ", "file", {
    bytes: new TextEncoder().encode(`SSH_ORIGINAL_COMMAND=${original}\0`),
  });
}

const names = async (machine: Machine): Promise<string> =>
  (await runOn(machine, "list", "--all", "--name")).out;

describe("svirt virt-ssh-helper", () => {
  test("serves the client at standard input and output, and prints nothing of its own", async () => {
    const { machine, replies } = await machineWithClient();
    expect(await runOn(machine, "virt-ssh-helper", "qemu:///system")).toEqual({ code: 0, out: "", err: "" });
    expect(replies().map(({ status }) => status)).toEqual([0, 0, 0]);
    expect(await names(machine)).not.toContain("vm1");
  });

  test.each(["-r", "--readonly"])("%s changes nothing", async (option) => {
    const { machine, replies } = await machineWithClient();
    await runOn(machine, "virt-ssh-helper", option, "qemu:///system");
    expect(replies().map(({ status }) => status)).toEqual([0, 0, 1]);
    expect(await names(machine)).toContain("vm1");
  });

  test("refuses another hypervisor before it reads anything", async () => {
    const { machine, replies } = await machineWithClient();
    const said = await runOn(machine, "virt-ssh-helper", "xen:///system");
    expect([said.code, said.out, replies()]).toEqual([2, "", []]);
    expect(said.err).toStartWith("error: no connection driver available for xen:///system\n");
  });
});

describe("svirt shell for the command of a libvirt client", () => {
  test("serves the client", async () => {
    const { machine, replies } = await machineWithClient();
    ask(machine, VIRSH);
    expect(await runOn(machine, "shell")).toEqual({ code: 0, out: "", err: "" });
    expect(replies().map(({ status }) => status)).toEqual([0, 0, 0]);
  });

  test("--read-only serves it for reading", async () => {
    const { machine, replies } = await machineWithClient();
    ask(machine, VIRSH);
    expect((await runOn(machine, "shell", "--read-only")).code).toBe(0);
    const last = replies().at(-1);
    expect(last === undefined ? undefined : errorIn(last)?.code).toBe(29);
    expect(await names(machine)).toContain("vm1");
  });

  test("refuses the pool of a volume group, as the command does for a restricted key", async () => {
    const xml =
      "<source><device path='/dev/sdb'/><name>vg</name></source><target><path>/dev/vg</path></target>";
    const pool = `<pool type='logical'><name>lv</name>${xml}</pool>`;
    const machine = makeMachine();
    const client = new RemoteClient();
    // virStoragePoolCreateXML()
    client.send(opening() + call(76, text(pool) + word(0)));
    client.close();
    machine.caller = client;
    ask(machine, VIRSH);
    await runOn(machine, "shell");
    const last = client.replies().at(-1);
    expect(last === undefined ? undefined : errorIn(last)?.message).toBe(
      "Cannot use a volume group for the storage pool 'lv': this is a restricted key",
    );
  });

  test.each(["svirt virt-ssh-helper qemu:///system", "virt-ssh-helper -x 'qemu:///system'"])(
    "refuses %s, by which a key for reading could change",
    async (original) => {
      const { machine, replies } = await machineWithClient();
      ask(machine, original);
      expect(await runOn(machine, "shell", "--read-only")).toMatchObject({ code: 5, out: "" });
      expect(replies()).toEqual([]);
    },
  );
});
