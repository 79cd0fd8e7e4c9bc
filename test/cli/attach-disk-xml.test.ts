import { expect, test } from "bun:test";
import { domainXml, makeMachine, putText } from "../scenes/scene.ts";
import { runOn, type Said } from "./in-memory.ts";

const isThere = Bun.which("virsh") !== null;

async function attach(words: readonly string[]): Promise<Said> {
  const machine = makeMachine();
  putText(machine, "/vm.xml", new TextDecoder().decode(domainXml({})));
  await runOn(machine, "define", "/vm.xml");
  return await runOn(machine, "attach-disk", "vm1", ...words);
}

// virsh makes the XML before it asks a server: libvirt's test driver is one without a daemon.
test
  .skipIf(!isThere)
  .each([
    "/a.img vdb --iothread 1 --cache none --io native --driver qemu --subdriver qcow2",
    "/a.img vdb --address pci:0000.00.0A.0 --serial x --wwn 5000c50015ea71ac",
    "/a.img vdb --address pci:0x0000.0X00.0x0a.0x0",
    "/a.img vdb --address pci:0.1.1f.7 --multifunction --alias ua-a",
    "/a.img sdb --address scsi:0.1.2 --targetbus scsi --mode shareable",
    "/a.img sdb --address usb:1.2",
    "/a.img sdb --address sata:0.0.3",
    "/a.img hdb --address ide:0.1.0",
    "/a.img fda --address ide:0.0.0 --type floppy",
    "/a.img vdb --throttle-groups one,two",
    "name vdb --source-protocol nbd --source-host-name host:10809 --source-host-transport tcp",
    "name vdb --source-protocol nbd --source-host-transport unix --source-host-socket /s",
    "name vdb --source-protocol rbd --sourcetype network",
  ])("attach-disk %s --print-xml prints what stock virsh prints", async (line) => {
  const words = [...line.split(" "), "--print-xml"];
  const virsh = Bun.spawnSync(["virsh", "-c", "test:///default", "attach-disk", "test", ...words]);
  expect(await attach(words)).toEqual({
    code: virsh.exitCode,
    out: virsh.stdout.toString(),
    err: virsh.stderr.toString(),
  });
});

// Its messages are those of stock virsh.
test
  .skipIf(!isThere)
  .each([
    "/a.img vdb --address 0.0",
    "/a.img vdb --address scsi:0.0.0",
    "/a.img sdb --address pci:0.0.0.0",
    "/a.img hdb --address usb:0.1",
    "/a.img vdb --address drive:0.0.0",
    "/a.img vdb --source-host-name host",
    "/a.img vdb --source-host-socket /s --source-protocol nbd",
    "/a.img vdb --sourcetype network",
    "/a.img vdb --source-protocol nbd --sourcetype file",
    "/a.img vdb --source-protocol nbd --source-host-name a --source-host-socket /s --source-host-transport unix",
  ])("attach-disk %s is refused as by stock virsh", async (line) => {
  const words = line.split(" ");
  const virsh = Bun.spawnSync(["virsh", "-c", "test:///default", "attach-disk", "test", ...words]);
  const [message] = virsh.stderr.toString().split("\n");
  const { code, err } = await attach(words);
  expect([code, err.split("\n")[0]?.replace("address.", "")]).toEqual([
    2,
    message?.replace(" or ccw:00.0.0000", "").replace("address.", ""),
  ]);
});

test.each(["", ":10809", "host:", "host:port", "host:65536", "host:100000", "a:1:2", "::1", "[::1]:1"])(
  "attach-disk refuses the server '%s', which virsh, libvirtd or its XML refuses",
  async (server) => {
    const words = ["a", "vdb", "--source-protocol", "nbd", "--source-host-name", server, "--print-xml"];
    const { code, err, out } = await attach(words);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("--source-host-name is malformed");
    expect(err).toContain("An IPv6 address: svirt attach-device");
  },
);

test("attach-disk gives a disk its place in the guest", async () => {
  const machine = makeMachine();
  putText(machine, "/vm.xml", new TextDecoder().decode(domainXml({})));
  await runOn(machine, "define", "/vm.xml");
  const words = ["/var/lib/images/private1.raw", "vdb", "--address", "pci:0000.00.0a.0", "--config"];
  expect(await runOn(machine, "attach-disk", "vm1", ...words)).toMatchObject({ code: 0, err: "" });
  const [disk] = /<disk .*<\/disk>/s.exec((await runOn(machine, "dumpxml", "vm1")).out) ?? [];
  expect(disk).toContain(" slot='0x0a'");
});
