import { describe, expect, test } from "bun:test";
import type { StepObserver } from "../../../src/run/steps/run-plan.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { defineSecret } from "../../../src/vm/secret/define-secret.ts";
import { setSecretValue } from "../../../src/vm/secret/secret-value.ts";
import { planDomainStart, startDomain } from "../../../src/vm/start/start.ts";
import { luksBytes, PAYLOAD } from "../../images/luks-bytes.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { deviceOf, recordOf } from "../../scenes/hotplug.ts";
import {
  domainXml,
  errorOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  orderOf,
  reapAll,
  UUID,
} from "../../scenes/scene.ts";
import { SECRET_UUID, secretValue, secretXml } from "../../scenes/secrets.ts";
import { leavesNothing, type Work, withoutInodes } from "../../scenes/strikes.ts";

const PASSPHRASE = "geheim und lang";
const ID = "libvirt-1-format-encryption-secret0";
const FILE = `/run/svirt/${UUID}/${ID}`;
const CEPH = "55806c7d-8e93-456f-829b-607d8c198368";
const ASK = { key: "vm1", options: {}, isDryRun: false };
const volumeSecret = new TextEncoder().encode(
  `<secret private='yes'><uuid>${SECRET_UUID}</uuid><usage type='volume'><volume>/luks</volume></usage></secret>`,
);

function luksDisk(target: string, name: string, secret = `uuid='${SECRET_UUID}'`): string {
  return `<disk type='file'><driver name='qemu' type='raw'/><source file='/var/lib/images/${name}.luks'><encryption format='luks'><secret type='passphrase' ${secret}/></encryption></source><target dev='${target}' bus='virtio'/></disk>`;
}

async function machineWithSecret({
  xml = volumeSecret,
  value = PASSPHRASE,
}: {
  readonly xml?: Uint8Array;
  readonly value?: string | undefined;
} = {}): Promise<Machine> {
  const machine = makeMachine();
  for (const name of ["a", "b"]) {
    const bytes = new Uint8Array(PAYLOAD * 512 + 4096);
    bytes.set(luksBytes());
    machine.files
      .put(`/var/lib/images/${name}.luks`, "file", { bytes })
      .xattrs.set("security.selinux", ORIGINAL);
  }
  await defineSecret(nodeOn(machine), xml);
  if (value !== "") await setSecretValue(nodeOn(machine), SECRET_UUID, secretValue(value));
  return machine;
}

describe("startDomain() of a guest with an encrypted disk", () => {
  test("gives QEMU the value in a file of its user with its label, which is gone when it runs", async () => {
    const machine = await machineWithSecret();
    const seen: unknown[] = [];
    const { guest } = await startDomain(nodeOn(machine), domainXml({ disks: luksDisk("vda", "a") }), {
      observer: (moment, step) => {
        if (moment !== "before" || step.do !== "spawn") return;
        const { bytes, mode, uid, xattrs } = machine.files.get(FILE);
        seen.push(new TextDecoder().decode(bytes), mode, uid, xattrs.get("security.selinux"));
      },
    });
    const range = guest.label.label?.split(":").slice(3).join(":");
    expect(seen).toEqual([PASSPHRASE, 0o400, guest.uid, `system_u:object_r:svirt_image_t:${range}`]);
    expect(machine.files.find(FILE)).toBeUndefined();
    expect(orderOf(machine).words).toContain(
      JSON.stringify({ "qom-type": "secret", id: ID, format: "raw", file: FILE }),
    );
    const told = JSON.stringify([recordOf(machine), orderOf(machine)]);
    for (const form of [PASSPHRASE, btoa(PASSPHRASE)]) expect(told).not.toContain(form);
  });

  test("changes nothing for a secret without a value, or for another use", async () => {
    const disks = luksDisk("vda", "a");
    for (const [of, message, code] of [
      [{ value: "" }, `Secret not found: secret '${SECRET_UUID}' does not have a value`, 66],
      [
        { xml: secretXml() },
        `invalid argument: secret with uuid ${SECRET_UUID} is of type 'iscsi' not expected 'volume' type`,
        8,
      ],
    ] as const) {
      const machine = await machineWithSecret(of);
      const before = snapshot(machine);
      const error = await errorOf(startDomain(nodeOn(machine), domainXml({ disks })));
      expect([error.message, error.libvirt]).toEqual([
        message,
        expect.objectContaining({ code, domain: 30 }),
      ]);
      expect(snapshot(machine)).toEqual(before);
    }
  });

  test("does not log in by a private secret for a restricted key, which names the server", async () => {
    const disk = `<disk type='network'><driver name='qemu' type='raw'/><source protocol='http' name='a'><host name='h' port='80'/><auth username='u'><secret type='iscsi' uuid='${SECRET_UUID}'/></auth></source><target dev='vda' bus='virtio'/></disk>`;
    const xml = new TextEncoder().encode(`<secret private='yes'><uuid>${SECRET_UUID}</uuid></secret>`);
    const machine = await machineWithSecret({ xml });
    const before = snapshot(machine);
    const forKey = { ...nodeOn(machine), isForKey: true as const };
    const error = await errorOf(startDomain(forKey, domainXml({ disks: disk })));
    expect([error.kind, error.message]).toEqual([
      "denied",
      `Invalid secret: secret ${SECRET_UUID} is private`,
    ]);
    expect(snapshot(machine)).toEqual(before);
    await startDomain(nodeOn(machine), domainXml({ disks: disk }));
  });

  test("logs in to RBD and iSCSI by their secrets", async () => {
    const machine = await machineWithSecret({ xml: secretXml() });
    const ceph = `<secret><uuid>${CEPH}</uuid><usage type='ceph'><name>client.a</name></usage></secret>`;
    await defineSecret(nodeOn(machine), new TextEncoder().encode(ceph));
    await setSecretValue(nodeOn(machine), CEPH, secretValue("cephkey"));
    const disk = (protocol: string, target: string, secret: string): string =>
      `<disk type='network'><driver name='qemu' type='raw'/><source protocol='${protocol}' name='a/1'><host name='h' port='3300'/><auth username='u'><secret ${secret}/></auth></source><target dev='${target}' bus='virtio'/></disk>`;
    const disks =
      disk("iscsi", "vda", `type='iscsi' uuid='${SECRET_UUID}'`) +
      disk("rbd", "vdb", "type='ceph' usage='client.a'");
    await startDomain(nodeOn(machine), domainXml({ disks }));
    const { words } = orderOf(machine);
    const secrets = ["libvirt-2-storage-auth-secret0", "libvirt-1-storage-auth-secret0"];
    expect(words.flatMap((word) => /"(?:key|password)-secret":"([^"]*)"/.exec(word)?.[1] ?? [])).toEqual(
      secrets,
    );
    expect(words.flatMap((word) => /"qom-type":"secret","id":"([^"]*)"/.exec(word)?.[1] ?? [])).toEqual(
      secrets,
    );
  });

  test("changes nothing for a secret that is not defined", async () => {
    const machine = await machineWithSecret();
    for (const [secret, what] of [
      ["usage='/x'", "usage '/x'"],
      [`uuid='${UUID}'`, `uuid '${UUID}'`],
    ] as const) {
      const xml = domainXml({ disks: luksDisk("vda", "a", secret) });
      const error = await errorOf(startDomain(nodeOn(machine), xml));
      expect(error.message).toBe(`Secret not found: no secret with matching ${what}`);
    }
  });

  test("finds the secret by its usage, and its plan has no value", async () => {
    const machine = await machineWithSecret();
    const xml = domainXml({ disks: luksDisk("vda", "a", "usage='/luks'") });
    const steps = await planDomainStart(nodeOn(machine), xml);
    const order = steps
      .map(({ do: name }) => name)
      .filter((name) => /secret|spawn|greet|remove-file/.test(name));
    expect(order).toEqual(["write-secret", "spawn", "greet", "remove-file"]);
    expect(JSON.stringify(steps)).not.toContain(btoa(PASSPHRASE));
  });

  test("names the package if QEMU lacks the driver of a server", async () => {
    const machine = await machineWithSecret();
    const said = "qemu: -blockdev {}: Unable to load module rbd.\nqemu: -blockdev {}: Unknown driver 'rbd'\n";
    const observer: StepObserver = (moment, step) => {
      if (moment !== "after" || step.do !== "spawn") return;
      machine.files.put("/var/log/svirt/vm1.log", "file", { bytes: secretValue(said) });
      for (const { order, pid, role } of machine.processes.list())
        if (order?.uuid === UUID && role !== "reaper") machine.processes.end(pid, 1);
    };
    const start = startDomain(nodeOn(machine), domainXml({ disks: luksDisk("vda", "a") }), { observer });
    expect((await errorOf(start)).remedy).toBe(
      "Install QEMU's driver of rbd. In Debian: apt install qemu-block-extra",
    );
  });

  test("leaves no value if it is killed at any call", async () => {
    const work: Work = (node) => startDomain(node, domainXml({ disks: luksDisk("vda", "a") }));
    const end: Work = (node) => destroyDomain(node, "vm1");
    const clean = withoutInodes(await machineWithSecret());
    await leavesNothing({ name: "start", prepare: machineWithSecret, work }, { clean, end });
  }, 120_000);
});

test("an encrypted disk is attached with its secret, and detached with it", async () => {
  const machine = await machineWithSecret();
  await startDomain(nodeOn(machine), domainXml({ disks: luksDisk("vda", "a") }));
  const device = deviceOf(luksDisk("vdb", "b"));
  const told = (): readonly string[] =>
    recordOf(machine).steps.flatMap((step) =>
      step.do === "plug"
        ? step.commands.map(
            ({ execute, arguments: args }) => `${execute} ${args?.["id"] ?? args?.["node-name"]}`,
          )
        : [],
    );
  await attachDevice(nodeOn(machine), ASK, device);
  expect(told()).toEqual([
    "object-add libvirt-2-format-encryption-secret0",
    "blockdev-add libvirt-2-storage",
    "blockdev-add libvirt-2-format",
    "device_add virtio-disk1",
  ]);
  expect(
    [...machine.files.get(`/run/svirt/${UUID}`).entries.keys()].filter((name) => name.includes("secret")),
  ).toEqual([]);
  const before = snapshot(machine).length;
  await detachDevice(nodeOn(machine), ASK, device);
  expect(told()).toEqual([]);
  await attachDevice(nodeOn(machine), ASK, device);
  expect(snapshot(machine)).toHaveLength(before);
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  expect(JSON.stringify(snapshot(machine))).not.toContain("svirt_image_t:s0:c");
});
