import { describe, expect, test } from "bun:test";
import { parseDomainText } from "../../src/domain/document.ts";
import type { Os } from "../../src/domain/machine/os.ts";
import { readDefinition } from "../../src/state/definitions.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { undefineDomain } from "../../src/vm/define/undefine.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { runningGuest } from "../../src/vm/guest/running-guest.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { errorOf, makeMachine, nodeOn, reapAll, UUID } from "../scenes/scene.ts";
import { addUser } from "../scenes/session.ts";

const PACKAGES = "/usr/share/qemu/firmware";
const ADMINISTRATOR = "/etc/qemu/firmware";
const BYTES = new Uint8Array(4096).fill(7);

interface Described {
  readonly name: string;
  readonly features?: readonly string[];
  readonly machines?: readonly string[];
  readonly mapping?: object;
}

/** Firmware of Debian's package ovmf: 40 with Microsoft's keys, 50 with none, 60 without Secure Boot. */
const DEBIANS: readonly Described[] = [
  {
    name: "40-edk2-x86_64-secure-enrolled",
    features: ["acpi-s3", "amd-sev", "enrolled-keys", "requires-smm", "secure-boot", "verbose-dynamic"],
    machines: ["pc-q35-*"],
    mapping: split("CODE_4M.ms", "VARS_4M.ms"),
  },
  {
    name: "50-edk2-x86_64-secure",
    features: ["acpi-s3", "amd-sev", "requires-smm", "secure-boot", "verbose-dynamic"],
    machines: ["pc-q35-*"],
    mapping: split("CODE_4M.secboot", "VARS_4M"),
  },
  { name: "60-edk2-x86_64", mapping: split("CODE_4M", "VARS_4M") },
];

function ovmf(name: string): string {
  return `/usr/share/OVMF/OVMF_${name}.fd`;
}

function split(code: string, variables: string): object {
  return {
    device: "flash",
    executable: { filename: ovmf(code), format: "raw" },
    "nvram-template": { filename: ovmf(variables), format: "raw" },
  };
}

function describeIn(machine: Machine, folder: string, { name, ...given }: Described): void {
  const text = JSON.stringify({
    description: "for a test",
    "interface-types": ["uefi"],
    mapping: given.mapping,
    targets: [{ architecture: "x86_64", machines: given.machines ?? ["pc-i440fx-*", "pc-q35-*"] }],
    features: given.features ?? ["acpi-s3", "amd-sev", "verbose-dynamic"],
    tags: [],
  });
  machine.files.put(`${folder}/${name}.json`, "file", { bytes: new TextEncoder().encode(text) });
}

function debian(): Machine {
  const machine = makeMachine();
  for (const folder of [PACKAGES, ADMINISTRATOR, "/usr/share/OVMF"]) machine.files.putFolder(folder);
  for (const described of DEBIANS) describeIn(machine, PACKAGES, described);
  for (const name of ["CODE_4M", "CODE_4M.ms", "CODE_4M.secboot", "VARS_4M", "VARS_4M.ms", "CODE_OWN"]) {
    const file = machine.files.put(ovmf(name), "file", { bytes: BYTES, mode: 0o644 });
    file.xattrs.set("security.selinux", "system_u:object_r:usr_t:s0");
  }
  return machine;
}

interface Wanted {
  readonly os?: string;
  readonly machine?: string;
  readonly features?: string;
  readonly more?: string;
}

const xmlOf = ({ features = "<acpi/>", machine = "q35", more = "", os = "" }: Wanted): Uint8Array =>
  new TextEncoder().encode(
    `<domain type='kvm'><name>vm1</name><uuid>${UUID}</uuid><memory unit='MiB'>64</memory>` +
      `<os firmware='efi'><type machine='${machine}'>hvm</type>${os}</os>` +
      `<features>${features}</features>${more}<devices/></domain>`,
  );

/** Defines the guest and returns the <os> of its definition. */
async function chosen(machine: Machine, wanted: Wanted = {}): Promise<Os> {
  await defineDomain(nodeOn(machine), xmlOf(wanted));
  return parseDomainText(readDefinition(nodeOn(machine), "vm1")?.xml ?? "").os;
}

const feature = (name: string, enabled: "yes" | "no"): string =>
  `<firmware><feature enabled='${enabled}' name='${name}'/></firmware>`;

describe("<os firmware='efi'> is the first of what the host describes", () => {
  test.each<[string, Wanted, string]>([
    ["on a q35", {}, "CODE_4M.ms"],
    ["on a pc", { machine: "pc" }, "CODE_4M"],
    ["on a board with a version", { machine: "pc-i440fx-10.0" }, "CODE_4M"],
    ["without SMM", { features: "<acpi/><smm state='off'/>" }, "CODE_4M"],
    ["without Secure Boot", { os: feature("secure-boot", "no") }, "CODE_4M"],
    ["without keys", { os: feature("enrolled-keys", "no") }, "CODE_4M.secboot"],
    ["with a loader that is not secure", { os: "<loader secure='no'/>" }, "CODE_4M"],
    ["with a template", { os: `<nvram template='${ovmf("VARS_4M")}'/>` }, "CODE_4M.secboot"],
    ["with a loader by its path", { os: `<loader>${ovmf("CODE_4M")}</loader>` }, "CODE_4M"],
  ])("%s", async (_, wanted, code) => {
    const { loader, nvram } = await chosen(debian(), wanted);
    expect(loader?.path).toBe(ovmf(code));
    expect(nvram).toMatchObject({ path: "/var/lib/libvirt/qemu/nvram/vm1_VARS.fd" });
  });

  test.each<[string, Wanted]>([
    ["no firmware sleeps on disk", { more: "<pm><suspend-to-disk enabled='yes'/></pm>" }],
    ["none is without variables", { os: "<loader stateless='yes'/>" }],
    ["none is in one file with them", { os: "<loader readonly='no'/>" }],
    ["none is qcow2", { os: "<loader format='qcow2'/>" }],
    ["none has keys on a pc", { machine: "pc", os: feature("enrolled-keys", "yes") }],
  ])("but is refused where %s", async (_, wanted) => {
    const error = await errorOf(chosen(debian(), wanted));
    expect(error.message).toContain("Unable to find 'efi' firmware");
    expect(error.remedy).toContain("package ovmf");
  });

  test("of the same name, the administrator's; an empty file hides one", async () => {
    const machine = debian();
    const own = { mapping: split("CODE_OWN", "VARS_4M") };
    describeIn(machine, ADMINISTRATOR, { name: "50-edk2-x86_64-secure", ...own });
    expect((await chosen(machine)).loader?.path).toBe(ovmf("CODE_4M.ms"));
    machine.files.put(`${ADMINISTRATOR}/40-edk2-x86_64-secure-enrolled.json`, "file");
    expect((await chosen(machine)).loader?.path).toBe(ovmf("CODE_OWN"));
  });

  test("that svirt can load: others are passed over", async () => {
    const machine = debian();
    const names = ["kernel", "igvm"].map((device) => ({ name: `10-${device}`, mapping: { device } }));
    for (const strange of names) describeIn(machine, PACKAGES, strange);
    machine.files.put(`${PACKAGES}/11-broken.json`, "file", { bytes: new TextEncoder().encode("{") });
    describeIn(machine, PACKAGES, {
      name: "12-arm",
      machines: ["virt-*"],
      mapping: split("CODE_OWN", "VARS_4M"),
    });
    expect((await chosen(machine)).loader?.path).toBe(ovmf("CODE_4M.ms"));
  });

  test("its variables in the same file, which the guest may write", async () => {
    const machine = debian();
    const executable = { filename: "/srv/both.fd", format: "raw" };
    const mapping = { device: "flash", mode: "combined", executable };
    describeIn(machine, PACKAGES, { name: "70-combined", mapping });
    const { loader, nvram } = await chosen(machine, { os: "<loader readonly='no'/>" });
    expect([loader?.path, loader?.readonly, nvram]).toEqual(["/srv/both.fd", false, undefined]);
  });
});

test("a start makes the variables from the chosen template, and the running guest's XML says what was chosen", async () => {
  const machine = debian();
  const { guest } = await startDomain(nodeOn(machine), xmlOf({}));
  expect(machine.files.get("/var/lib/libvirt/qemu/nvram/vm1_VARS.fd").bytes).toEqual(BYTES);
  const { os } = runningGuest(guest).domain;
  expect(os.loader).toMatchObject({ path: ovmf("CODE_4M.ms"), secure: true, readonly: true, type: "pflash" });
  expect(os.nvram).toMatchObject({ template: ovmf("VARS_4M.ms"), templateFormat: "raw", format: "raw" });
  expect(guest.xml).toContain("<smm state='on'/>");
});

test("a loader without firmware='efi' is looked up too", async () => {
  const machine = debian();
  const text = new TextDecoder().decode(
    xmlOf({ os: `<loader type='pflash' readonly='yes'>${ovmf("CODE_4M")}</loader>` }),
  );
  await startDomain(nodeOn(machine), new TextEncoder().encode(text.replace(" firmware='efi'", "")));
  expect(machine.files.get("/var/lib/libvirt/qemu/nvram/vm1_VARS.fd").bytes).toEqual(BYTES);
});

test("an ordinary user's variables lie with his guests' records, and his own descriptions count", async () => {
  const machine = debian();
  addUser(machine);
  for (const path of ["/home/alice/.config/qemu/firmware", "/home/alice/.local/state"])
    machine.files.putFolder(path);
  machine.files.put("/home/alice/.config/qemu/firmware/40-edk2-x86_64-secure-enrolled.json", "file");
  const { guest } = await startDomain(
    nodeOn(machine),
    new TextEncoder().encode(new TextDecoder().decode(xmlOf({})).replace("type='kvm'", "type='qemu'")),
  );
  expect(guest.xml).toContain(ovmf("CODE_4M.secboot"));
  expect(machine.files.get("/home/alice/.local/state/svirt/nvram/vm1_VARS.fd").bytes).toEqual(BYTES);
});

describe("what UEFI's variables are when the definition goes", () => {
  const kept = "/var/lib/libvirt/qemu/nvram/vm1_VARS.fd";

  async function defined(os = ""): Promise<Machine> {
    const machine = debian();
    await startDomain(nodeOn(machine), xmlOf({ os }));
    await defineDomain(nodeOn(machine), xmlOf({ os }));
    return machine;
  }

  async function ended(os = ""): Promise<Machine> {
    const machine = await defined(os);
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    return machine;
  }

  test("somebody has to say", async () => {
    const machine = await ended();
    const error = await errorOf(undefineDomain(nodeOn(machine), "vm1"));
    expect(error.message).toContain("cannot undefine domain with nvram");
    expect(readDefinition(nodeOn(machine), "vm1")).toBeDefined();
  });

  test.each([
    ["remove", false],
    ["keep", true],
  ] as const)("%s", async (nvram, isThere) => {
    const machine = await ended();
    await undefineDomain(nodeOn(machine), "vm1", { nvram });
    expect(readDefinition(nodeOn(machine), "vm1")).toBeUndefined();
    expect(machine.files.find(kept)?.inode !== undefined).toBe(isThere);
  });

  test("they stay while the guest runs, and elsewhere", async () => {
    const running = await defined();
    const error = await errorOf(undefineDomain(nodeOn(running), "vm1", { nvram: "remove" }));
    expect(error.remedy).toContain("svirt destroy vm1");
    const elsewhere = await ended("<nvram>/var/lib/images/vars.fd</nvram>");
    const other = await errorOf(undefineDomain(nodeOn(elsewhere), "vm1", { nvram: "remove" }));
    expect(other.message).toContain("svirt did not create that file");
    expect(elsewhere.files.find("/var/lib/images/vars.fd")).toBeDefined();
  });

  test("there is nothing to say before they have been made", async () => {
    const machine = debian();
    await defineDomain(nodeOn(machine), xmlOf({}));
    await undefineDomain(nodeOn(machine), "vm1");
    expect(readDefinition(nodeOn(machine), "vm1")).toBeUndefined();
  });
});
