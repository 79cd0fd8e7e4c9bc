import { expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { planDomainStart, startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { errorOf, labelOf, makeMachine, nodeOn, ORIGINAL, reapAll, UUID } from "../../scenes/scene.ts";

const CONTENT = "system_u:object_r:virt_content_t:s0";
const USR = "system_u:object_r:usr_t:s0";
const CODE = "/usr/share/firmware/code.fd";
const TEMPLATE = "/usr/share/firmware/vars.fd";
const VARIABLES = "/var/lib/images/vars.fd";
const BYTES = new Uint8Array(4096).fill(7);

function machineWithFirmware(): Machine {
  const machine = makeMachine();
  machine.files.putFolder("/usr/share/firmware");
  for (const path of [CODE, TEMPLATE]) {
    machine.files.put(path, "file", { bytes: BYTES, mode: 0o644 }).xattrs.set("security.selinux", USR);
  }
  return machine;
}

function guestXml(os: string): Uint8Array {
  return new TextEncoder().encode(
    `<domain type='kvm'><name>vm1</name><uuid>${UUID}</uuid><memory unit='MiB'>64</memory>` +
      `<os><type machine='q35'>hvm</type>${os}</os><features><acpi/></features><devices/></domain>`,
  );
}

const pflash = (path: string, readonly = "yes"): string =>
  `<loader readonly='${readonly}' type='pflash'>${path}</loader>`;
const nvram = (path: string, template = ""): string => `<nvram${template}>${path}</nvram>`;
const FROM_TEMPLATE = ` template='${TEMPLATE}'`;

/** Returns the access of each descriptor, by path. */
function passedFiles(machine: Machine): ReadonlyMap<string, string> {
  const files = machine.processes.qemuOf(UUID)?.order?.files ?? [];
  return new Map(files.map(({ access, file }) => [file.path, access]));
}

test("installed code keeps its label; variables are made from the template, are the guest's own, and stay", async () => {
  const machine = machineWithFirmware();
  const xml = guestXml(pflash(CODE) + nvram(VARIABLES, FROM_TEMPLATE));
  const before = snapshot(machine);
  const planned = await planDomainStart(nodeOn(machine), xml);
  expect(snapshot(machine)).toEqual(before);
  expect(planned.some((step) => step.do === "set-label" && step.file.path === VARIABLES)).toBe(true);
  const { guest } = await startDomain(nodeOn(machine), xml);
  expect(labelOf(machine, CODE)).toBe(USR);
  expect(labelOf(machine, VARIABLES)).toBe(guest.label.imageLabel ?? "");
  expect(passedFiles(machine).get(CODE)).toBe("read-only");
  expect(passedFiles(machine).get(VARIABLES)).toBe("read-write");
  const words = machine.processes.qemuOf(UUID)?.order?.words.join(" ");
  expect(words).toContain('"node-name":"libvirt-pflash0-storage"');
  for (const path of [CODE, VARIABLES]) expect(words).not.toContain(path);
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  expect(machine.files.get(VARIABLES)).toMatchObject({ bytes: BYTES, mode: 0o600 });
  expect(labelOf(machine, VARIABLES)).not.toContain("svirt_image_t");
});

test("variables that are there are not made anew", async () => {
  const machine = machineWithFirmware();
  const own = new Uint8Array(4096).fill(9);
  machine.files.put(VARIABLES, "file", { bytes: own }).xattrs.set("security.selinux", ORIGINAL);
  await startDomain(nodeOn(machine), guestXml(pflash(CODE) + nvram(VARIABLES, FROM_TEMPLATE)));
  expect(machine.files.get(VARIABLES).bytes).toEqual(own);
});

test("without a file in the XML, the variables are where libvirt has them", async () => {
  const machine = machineWithFirmware();
  await startDomain(nodeOn(machine), guestXml(`${pflash(CODE)}<nvram template='${TEMPLATE}'/>`));
  expect(machine.files.get("/var/lib/libvirt/qemu/nvram/vm1_VARS.fd").bytes).toEqual(BYTES);
});

test("code elsewhere is content that guests share, and is put back", async () => {
  const machine = machineWithFirmware();
  const code = "/var/lib/images/code.fd";
  machine.files.put(code, "file", { bytes: BYTES }).xattrs.set("security.selinux", ORIGINAL);
  await startDomain(nodeOn(machine), guestXml(pflash(code) + nvram(VARIABLES, FROM_TEMPLATE)));
  expect(labelOf(machine, code)).toBe(CONTENT);
  await destroyDomain(nodeOn(machine), "vm1");
  expect(labelOf(machine, code)).toBe(ORIGINAL);
});

test("code that the guest may write is the guest's own", async () => {
  const machine = machineWithFirmware();
  const code = "/var/lib/images/code.fd";
  machine.files.put(code, "file", { bytes: BYTES }).xattrs.set("security.selinux", ORIGINAL);
  const { guest } = await startDomain(nodeOn(machine), guestXml(pflash(code, "no")));
  expect(labelOf(machine, code)).toBe(guest.label.imageLabel ?? "");
  expect(passedFiles(machine).get(code)).toBe("read-write");
});

test("a ROM is read by name, through the descriptor", async () => {
  const machine = machineWithFirmware();
  await startDomain(nodeOn(machine), guestXml(`<loader type='rom'>${CODE}</loader>`));
  const { files = [], words = [] } = machine.processes.qemuOf(UUID)?.order ?? {};
  const fd = files.find(({ file }) => file.path === CODE)?.fd;
  expect(words[words.indexOf("-bios") + 1]).toBe(`/proc/self/fd/${fd}`);
});

test.each([
  ["a ROM that QEMU's user may not read", "<loader type='rom'>/srv/secret</loader>", "chmod o+r /srv/secret"],
  ["code that is not there", pflash("/srv/nosuch"), "Create the file"],
  ["variables without a template", pflash("/srv/secret") + nvram("/srv/vars"), "Write <nvram template"],
  ["installed code that the guest would write", pflash(CODE, "no"), "Give the guest a copy"],
  ["variables among the host's files", pflash(CODE) + nvram(TEMPLATE), "Give the guest a copy"],
  [
    "a template of the host's secrets",
    pflash(CODE) + nvram("/srv/v", " template='/etc/shadow'"),
    "elsewhere",
  ],
  [
    "a template in another format",
    pflash(CODE) + nvram("/srv/v", `${FROM_TEMPLATE} format='qcow2'`),
    "qemu-img",
  ],
  [
    "a template that is another guest's disk",
    pflash(CODE) + nvram("/srv/v", " template='/srv/private'"),
    "Name the template",
  ],
])("a start is refused for %s, and changes nothing", async (_, os, remedy) => {
  const machine = machineWithFirmware();
  machine.files.putFolder("/srv");
  machine.files.put("/srv/secret", "file", { bytes: BYTES, mode: 0o600 });
  machine.files
    .put("/srv/private", "file", { bytes: BYTES })
    .xattrs.set("security.selinux", "system_u:object_r:svirt_image_t:s0:c1,c2");
  const paths = (): string[] =>
    [...machine.files.walk()].map(({ path }) => path).filter((path) => !path.startsWith("/run"));
  const before = paths();
  const error = await errorOf(startDomain(nodeOn(machine), guestXml(os)));
  expect(error.remedy).toContain(remedy);
  expect(paths().filter((path) => !before.includes(path) && !path.startsWith("/var/l"))).toEqual([]);
});
