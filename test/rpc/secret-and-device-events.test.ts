import { describe, expect, test } from "bun:test";
import { defineSecret, undefineSecret } from "../../src/vm/secret/define-secret.ts";
import { setSecretValue } from "../../src/vm/secret/secret-value.ts";
import type { Machine } from "../memory-host/machine.ts";
import { makeMachine, nodeOn, putText } from "../scenes/scene.ts";
import { Listener, until } from "./event-listener.ts";
import { asked, call, errorIn, opening, RemoteClient, serve, text, word } from "./remote-client.ts";

// Numbers of procedures and events: remote_protocol.x, libvirt-secret.h and libvirt-nodedev.h of libvirt.

const SECRET = "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f";
const NET = "/sys/devices/virtual/net/eth9";
const bytes = (words: string): Uint8Array => new TextEncoder().encode(words);

function remote(usageType: number, usageId: string): string {
  return SECRET.replaceAll("-", "") + word(usageType) + text(usageId);
}

function putNet(machine: Machine): void {
  putText(machine, `${NET}/uevent`, "INTERFACE=eth9\n");
  putText(machine, `${NET}/address`, "52:54:00:00:00:09\n");
  machine.files.putFolder("/sys/class/net");
  machine.files.put("/sys/class/net/eth9", "symlink", { target: NET });
}

describe("a registered client", () => {
  test.each(["no", "yes"])(
    "gets what another svirt does with a secret, ephemeral='%s'",
    async (ephemeral) => {
      const machine = makeMachine();
      const client = await Listener.on(
        machine,
        call(380, word(0) + word(0)) + call(380, word(1) + word(0)),
        2,
      );
      const xml =
        `<secret ephemeral='${ephemeral}' private='yes'><uuid>${SECRET}</uuid>` +
        "<usage type='ceph'><name>pool1</name></usage></secret>";
      await defineSecret(nodeOn(machine), bytes(xml));
      await client.packets(1);
      await setSecretValue(nodeOn(machine), SECRET, bytes("value"));
      await client.packets(2);
      // The value stays: only the definition is reported.
      await defineSecret(nodeOn(machine), bytes(xml));
      await client.packets(3);
      await undefineSecret(nodeOn(machine), SECRET);
      // VIR_SECRET_USAGE_TYPE_CEPH is 2.
      expect(await client.messages(4)).toEqual([
        [382, word(0) + remote(2, "pool1") + word(0) + word(0)],
        [383, word(1) + remote(2, "pool1")],
        [382, word(0) + remote(2, "pool1") + word(0) + word(0)],
        [382, word(0) + remote(2, "pool1") + word(1) + word(0)],
      ]);
      await client.end();
    },
  );

  test("gets nothing of a file beside the secrets, and the events after it", async () => {
    const machine = makeMachine();
    const client = await Listener.on(machine, call(380, word(0) + word(0)) + call(380, word(1) + word(0)), 2);
    const xml = `<secret><uuid>${SECRET}</uuid><usage type='ceph'><name>pool1</name></usage></secret>`;
    putText(machine, "/etc/svirt/secrets/backup.xml", xml);
    putText(machine, "/etc/svirt/secrets/backup.base64", "AA==");
    await defineSecret(nodeOn(machine), bytes(xml));
    expect(await client.messages(1)).toEqual([[382, word(0) + remote(2, "pool1") + word(0) + word(0)]]);
    await client.end();
  });

  test("gets devices of the host that come, change and go, also if it registers later", async () => {
    const machine = makeMachine();
    const client = await Listener.on(machine, call(316, word(0) + word(0)));
    expect(machine.watchedDevices.size).toBe(0);
    client.send(
      call(374, word(0) + word(0)) + call(374, word(1) + word(1) + text("net_eth9_52_54_00_00_00_09")),
    );
    await until(() => machine.watchedDevices.size === 1);
    await client.packets(2);
    putNet(machine);
    machine.uevents.push({ action: "add", path: NET });
    await client.packets(3);
    machine.uevents.push({ action: "change", path: NET }, { action: "change", path: "/sys/devices/other" });
    await client.packets(4);
    machine.files.remove("/sys/class/net/eth9");
    machine.uevents.push({ action: "remove", path: NET });
    const packets = await client.packets(5);
    const name = text("net_eth9_52_54_00_00_00_09");
    expect(packets.slice(2).map(({ payload, procedure }) => [procedure, payload])).toEqual([
      [376, word(1) + name + word(0) + word(0)],
      [377, word(2) + name],
      [376, word(1) + name + word(1) + word(0)],
    ]);
    client.send(call(375, word(1)) + call(375, word(2)));
    await until(() => machine.watchedDevices.size === 0);
    await client.end();
  });

  test("is refused if the kernel reports no devices, and watches nothing then", async () => {
    const machine = makeMachine();
    const { host, ...node } = nodeOn(machine);
    const watchDevices = (): never => {
      throw new Error("no devices");
    };
    const client = new RemoteClient();
    const done = serve({ ...node, host: { ...host, watchDevices } }, client);
    client.send(opening() + call(374, word(0) + word(0)));
    await until(() => client.replies().length === 3);
    expect(client.replies()[2]?.status).toBe(1);
    expect(machine.watchedFolders.size).toBe(0);
    client.close();
    await done;
  });
});

test("a registration of a secret does not end one of a device", async () => {
  expect(errorIn(await asked(nodeOn(makeMachine()), call(381, word(0))))).toEqual({
    code: 1,
    domain: 7,
    message: "internal error: node device event callback 0 not registered",
  });
});
