import { describe, expect, test } from "bun:test";
import { planDomainStart, startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import { qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { asked, call, errorIn, text, word } from "../../rpc/remote-client.ts";
import { diskXml, errorOf, labelOf, makeMachine, nodeOn, ORIGINAL, UUID } from "../../scenes/scene.ts";

const LABEL = "security.selinux";
const [HOME_FOLDER, HOME] = [
  "unconfined_u:object_r:user_home_dir_t:s0",
  "unconfined_u:object_r:user_home_t:s0",
];
const USR = "system_u:object_r:usr_t:s0";
const CODE = "/usr/share/OVMF/CODE.fd";
/** Only root may read the first; only root reaches the second, which all may read. */
const SECRET = "/root/secret";
const BEHIND = "/root/note";
/** In a folder that all may pass. */
const PLAIN = "/var/backups/key";
const BYTES = new Uint8Array(4096).fill(7);

function showsSecrets(): Machine {
  const machine = makeMachine();
  const { files } = machine;
  files.putFolder("/root", 0o700).xattrs.set(LABEL, HOME_FOLDER);
  files.put(SECRET, "file", { bytes: BYTES, mode: 0o600 }).xattrs.set(LABEL, HOME);
  files.put(BEHIND, "file", { bytes: BYTES, mode: 0o644 }).xattrs.set(LABEL, HOME);
  files.putFolder("/var/backups").xattrs.set(LABEL, "system_u:object_r:backup_store_t:s0");
  files.put(PLAIN, "file", { bytes: BYTES, mode: 0o600 });
  files.put("/srv/link", "symlink", { target: SECRET });
  files.putFolder("/usr/share/OVMF");
  // A start makes these, and they stay.
  for (const path of ["/var/lib/libvirt/qemu", "/var/lib/libvirt/qemu/nvram"])
    files.putFolder(path, 0o711).xattrs.set(LABEL, "system_u:object_r:virt_var_lib_t:s0");
  for (const path of [CODE, "/usr/share/OVMF/VARS.fd"])
    files.put(path, "file", { bytes: BYTES, mode: 0o644 }).xattrs.set(LABEL, USR);
  return machine;
}

interface Parts {
  readonly os?: string;
  readonly devices?: string;
  readonly sysinfo?: string;
}

function domainOf({ devices = "", os = "", sysinfo = "" }: Parts): string {
  return (
    `<domain type='kvm'><name>vm1</name><uuid>${UUID}</uuid><memory unit='MiB'>64</memory>` +
    `<os><type machine='q35'>hvm</type>${os}</os>${sysinfo}<features><acpi/></features><devices>${devices}</devices></domain>`
  );
}

const pflash = (code: string, nvram = ""): string =>
  `<loader readonly='yes' type='pflash'>${code}</loader>${nvram}`;

/** Each kind of file of the host that svirt copies for a guest, or that a guest only reads. */
const KINDS: readonly (readonly [kind: string, of: (path: string) => Parts])[] = [
  [
    "a template of variables",
    (path) => ({ os: pflash(CODE, `<nvram template='${path}'>/var/lib/images/vars.fd</nvram>`) }),
  ],
  [
    "a template of variables whose place svirt chooses",
    (path) => ({ os: pflash(CODE, `<nvram template='${path}'/>`) }),
  ],
  ["a loader", (path) => ({ os: pflash(path, "<nvram template='/usr/share/OVMF/VARS.fd'/>") })],
  ["a ROM as a loader", (path) => ({ os: `<loader readonly='yes' type='rom'>${path}</loader>` })],
  ["a kernel", (path) => ({ os: `<kernel>${path}</kernel>` })],
  ["an initrd", (path) => ({ os: `<kernel>/var/lib/images/base.raw</kernel><initrd>${path}</initrd>` })],
  ["an ACPI table", (path) => ({ os: `<acpi><table type='slic'>${path}</table></acpi>` })],
  [
    "a value of fw_cfg",
    (path) => ({
      sysinfo: `<sysinfo type='fwcfg'><entry name='opt/org.example/a' file='${path}'/></sysinfo>`,
    }),
  ],
  ["a read-only disk", (path) => ({ devices: diskXml(path, "vda", "<readonly/>") })],
  [
    "a CD-ROM that may be missing",
    (path) => ({
      devices: `<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='${path}' startupPolicy='optional'/><target dev='sda' bus='sata'/><readonly/></disk>`,
    }),
  ],
  [
    "an image below a disk, named by the XML",
    (path) => ({
      devices: `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/var/lib/images/top.qcow2'/><backingStore type='file'><format type='raw'/><source file='${path}'/></backingStore><target dev='vda' bus='virtio'/></disk>`,
    }),
  ],
];

async function startOn(machine: Machine, parts: Parts): Promise<unknown> {
  return await startDomain(nodeOn(machine), new TextEncoder().encode(domainOf(parts)));
}

describe("a file that only root can read is not given to a guest", () => {
  for (const path of [SECRET, BEHIND, PLAIN, "/srv/link"]) {
    test.each(KINDS)(`as %s: ${path}`, async (_, of) => {
      const machine = showsSecrets();
      const before = snapshot(machine);
      const error = await errorOf(startOn(machine, of(path)));
      const target = path === "/srv/link" ? SECRET : path;
      expect([error.kind, error.message]).toEqual([
        "denied",
        `Cannot let a guest read ${target}: not every user may read it, and its folder is not a folder for guests' files`,
      ]);
      expect(snapshot(machine)).toEqual(before);
    });
  }

  test("by a header that a guest may have written", async () => {
    const machine = showsSecrets();
    const bytes = qcow2Bytes({ backingFile: SECRET, extensions: [[0xe2792aca, "raw"]] });
    machine.files.put("/var/lib/images/far.qcow2", "file", { bytes }).xattrs.set(LABEL, ORIGINAL);
    const before = snapshot(machine);
    const error = await errorOf(startOn(machine, { devices: diskXml("/var/lib/images/far.qcow2", "vda") }));
    expect(error.message).toStartWith(`Cannot let a guest read ${SECRET}: `);
    expect(snapshot(machine)).toEqual(before);
  });

  test("in a plan, which shows nothing of it", async () => {
    const machine = showsSecrets();
    const [, of] = KINDS[0] ?? KINDS[1] ?? [];
    const xml = new TextEncoder().encode(domainOf(of?.(SECRET) ?? {}));
    expect((await errorOf(planDomainStart(nodeOn(machine), xml))).kind).toBe("denied");
  });

  test("as a folder that is shared for reading, since the guest gets access to all files in it", async () => {
    const machine = showsSecrets();
    const devices =
      "<filesystem type='mount' accessmode='mapped'><source dir='/var/backups'/><target dir='t'/><readonly/></filesystem>";
    const before = snapshot(machine);
    expect((await errorOf(startOn(machine, { devices }))).message).toBe(
      "Cannot share /var/backups with the guest: it is not a folder for guests' files",
    );
    expect(snapshot(machine)).toEqual(before);
  });
});

/** Kinds that QEMU opens by name, as a user that a start lends no access. */
const BY_NAME = /^(?:a ROM|an ACPI table|a value of)/;

describe("a file for guests is given to them", () => {
  test.each(KINDS.filter(([kind]) => !BY_NAME.test(kind)))(
    "as %s, although only root may read it",
    async (_, of) => {
      const machine = showsSecrets();
      const path = "/var/lib/images/own.raw";
      machine.files.put(path, "file", { bytes: BYTES, mode: 0o600 }).xattrs.set(LABEL, ORIGINAL);
      await startOn(machine, of(path));
    },
  );

  test.each(KINDS)("as %s, if every user of the host can read it", async (_, of) => {
    const machine = showsSecrets();
    machine.files.get(PLAIN).mode = 0o644;
    await startOn(machine, of(PLAIN));
  });
});

describe("the command of a key without a shell and libvirt's call are refused alike:", () => {
  test.each(KINDS)("%s", async (_, of) => {
    const machine = showsSecrets();
    const xml = domainOf(of(SECRET));
    machine.files.putFolder("/proc/self", 0o555);
    machine.files.put("/vm.xml", "file", { bytes: new TextEncoder().encode(xml) });
    const bytes = new TextEncoder().encode("SSH_ORIGINAL_COMMAND=svirt create /vm.xml\0");
    machine.files.put("/proc/self/environ", "file", { bytes });
    const said = await runOn(machine, "shell");
    expect([said.code, said.out]).toEqual([5, ""]);
    expect(said.err).toStartWith(`error: Cannot let a guest read ${SECRET}: `);
    // virDomainCreateXML
    const error = errorIn(await asked({ ...nodeOn(machine), isForKey: true }, call(10, text(xml) + word(0))));
    expect(error?.message).toContain(`Cannot let a guest read ${SECRET}: `);
    expect(machine.files.find("/var/lib/images/vars.fd")).toBeUndefined();
    expect(labelOf(machine, SECRET)).toBe(HOME);
  });

  test("a disk for a running guest", async () => {
    const machine = showsSecrets();
    await startOn(machine, {});
    const said = await runOn(machine, "attach-disk", "vm1", SECRET, "vdb", "--mode", "readonly");
    expect(said.code).toBe(5);
    expect(said.err).toStartWith(`error: Cannot let a guest read ${SECRET}: `);
    expect(labelOf(machine, SECRET)).toBe(HOME);
  });
});
