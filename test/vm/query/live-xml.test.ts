import { expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { formatLive } from "../../../src/vm/query/live-xml.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { deviceOf, recordOf } from "../../scenes/hotplug.ts";
import { diskXml, domainXml, makeMachine, nodeOn, putText, reapAll, UUID } from "../../scenes/scene.ts";

const ASK = {
  key: "vm1",
  options: { live: true, config: false, current: false, persistent: false },
  isDryRun: false,
};
const SCHEMA = `${process.env["SVIRT_TEST_DATA"] ?? ""}/libvirt/schemas/domain.rng`;
const canValidate = Bun.which("xmllint") !== null && (await Bun.file(SCHEMA).exists());
const aside = canValidate ? "" : " (skipped: SVIRT_TEST_DATA is not set, or xmllint is missing)";

const card = (last: string): string =>
  `<interface type='bridge'><mac address='52:54:00:00:00:${last}'/><source bridge='br0'/><model type='virtio'/></interface>`;
const RNG = "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>";

async function running(options: Parameters<typeof domainXml>[0]): Promise<Machine> {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  await startDomain(nodeOn(machine), domainXml(options));
  return machine;
}

const shown = (machine: Machine): string => formatLive(nodeOn(machine), recordOf(machine));

/** Returns the element with that alias, without the text around it. */
function elementOf(xml: string, tag: string, alias: string): string {
  const all = [...xml.matchAll(new RegExp(`<${tag}[ >].*?</${tag}>`, "gs"))].map(([text]) => text);
  return all.find((text) => text.includes(`<alias name='${alias}'/>`)) ?? `no ${tag} is called ${alias}`;
}

// The forms are those of libvirt's qemuhotplugtestdomains and qemuxmlactive2xmldata.
test("a running guest's terminals, as QEMU told them before the guest ran", async () => {
  const machine = await running({
    devices: `<serial type='pty'/><channel type='pty'><target type='virtio' name='a'/></channel>
      <console type='pty'><target type='virtio'/></console><channel type='unix'><target type='virtio' name='b'/></channel>`,
  });
  const xml = shown(machine);
  expect(elementOf(xml, "serial", "serial0")).toMatch(
    /^<serial type='pty'>\s*<source path='\/dev\/pts\/0'\/>\s*<target type='isa-serial' port='0'>/,
  );
  expect(elementOf(xml, "console", "serial0")).toMatch(
    /^<console type='pty' tty='\/dev\/pts\/0'>\s*<source path='\/dev\/pts\/0'\/>\s*<target type='serial' port='0'\/>\s*<alias/,
  );
  expect(elementOf(xml, "channel", "channel0")).toContain("<source path='/dev/pts/1'/>");
  expect(elementOf(xml, "console", "console1")).toContain("tty='/dev/pts/2'");
  expect(elementOf(xml, "channel", "channel1")).toContain(
    `<source mode='bind' path='/run/svirt/${UUID}/guest/channel1.sock'/>`,
  );
  expect(recordOf(machine).xml).not.toContain("/dev/pts");
  expect(recordOf(machine).xml).not.toContain("<alias");
});

test("its images, with their numbers and what is below them", async () => {
  const machine = await running({
    disks:
      diskXml("/var/lib/images/private1.raw", "vda") +
      diskXml("/var/lib/images/top.qcow2", "vdb") +
      "<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk>",
  });
  const xml = shown(machine);
  expect(elementOf(xml, "disk", "virtio-disk0")).toMatch(
    /<source file='\/var\/lib\/images\/private1.raw' index='\d'\/>\s*<backingStore\/>\s*<target/,
  );
  // The numbers begin at the last disk, and an empty drive has one too.
  expect(elementOf(xml, "disk", "virtio-disk1")).toMatch(
    /<source file='\/var\/lib\/images\/top.qcow2' index='2'\/>\s*<backingStore type='file' index='3'>\s*<format type='raw'\/>\s*<source file='\/var\/lib\/images\/base.raw'\/>\s*<backingStore\/>\s*<\/backingStore>\s*<target/,
  );
  expect(elementOf(xml, "disk", "ide0-1-0")).not.toContain("backingStore");
});

// virDomainGraphicsDefFormatVNC() of libvirt: the port that a start has chosen. Clients read it from here.
test("the port of its screen", async () => {
  const machine = await running({ devices: "<graphics type='vnc' autoport='yes'/>" });
  expect(shown(machine)).toContain("<graphics type='vnc' port='5900' autoport='yes' listen='127.0.0.1'>");
});

test("what came later keeps the name that it came with", async () => {
  const machine = await running({ devices: card("01") + card("02") + RNG });
  const node = nodeOn(machine);
  await attachDevice(node, ASK, deviceOf(RNG.replace("<backend", "<rate bytes='1234'/><backend")));
  await attachDevice(node, ASK, deviceOf(card("03")));
  await detachDevice(node, ASK, deviceOf(card("01")));
  const xml = shown(machine);
  const names = [
    ...xml.matchAll(
      /<interface type='bridge'>\s*<mac address='52:54:00:00:00:(..)'\/>.*?<alias name='(\w+)'\/>/gs,
    ),
  ];
  expect(names.map(([, mac, alias]) => [mac, alias])).toEqual([
    ["02", "net1"],
    ["03", "net2"],
  ]);
  expect([...xml.matchAll(/<alias name='(rng\d)'\/>/g)].map(([, alias]) => alias)).toEqual(["rng0", "rng1"]);
});

test("what svirt has chosen is chosen anew where the XML of a running guest becomes a definition", async () => {
  const devices = `<serial type='pty'/><channel type='unix'><target type='virtio' name='b'/></channel>${card("01")}${RNG}
    <graphics type='vnc'><listen type='socket'/></graphics><channel type='pty'><target type='virtio' name='a'/></channel>`;
  const machine = await running({
    devices,
    seclabel: "<seclabel type='dynamic' model='selinux' relabel='yes'/>",
  });
  const stored = (await runOn(machine, "dumpxml", "vm1", "--inactive")).out;
  putText(machine, "/root/live.xml", shown(machine));
  await destroyDomain(nodeOn(machine), UUID);
  await reapAll(machine);
  expect((await runOn(machine, "define", "/root/live.xml")).err).toBe("");
  expect((await runOn(machine, "dumpxml", "vm1")).out).toBe(stored);
  expect((await runOn(machine, "start", "vm1")).err).toBe("");
});

test("a user's own aliases stay", async () => {
  const machine = await running({ devices: RNG.replace("</rng>", "<alias name='ua-dice'/></rng>") });
  expect(elementOf(shown(machine), "rng", "ua-dice")).toContain("/dev/urandom");
});

test.skipIf(!canValidate)(`it is valid by libvirt's schema${aside}`, async () => {
  const machine = await running({
    disks: diskXml("/var/lib/images/top.qcow2", "vda"),
    devices: `<serial type='pty'/>${card("01")}${RNG}<channel type='unix'><target type='virtio' name='b'/></channel>
      <graphics type='vnc'><listen type='socket'/></graphics><input type='tablet' bus='usb'/>`,
  });
  const lint = Bun.spawnSync(["xmllint", "--noout", "--relaxng", SCHEMA, "-"], {
    stdin: new TextEncoder().encode(shown(machine)),
  });
  expect([lint.exitCode, lint.stderr.toString()]).toEqual([0, "- validates\n"]);
});
