import { describe, expect, test } from "bun:test";
import { startDomain } from "../../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../../memory-host/machine.ts";
import { diskXml, domainXml, labelOf, makeMachine, nodeOn, UUID } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const OTHER = "11111111-2222-4333-8444-000000000002";
const MINE = "/var/lib/images/private1.raw";
const THEIRS = "/var/lib/images/private2.raw";

/** Returns a machine with two guests, each with its own disk. */
async function twoGuests(): Promise<Machine> {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml({ disks: diskXml(MINE, "vda") }));
  await startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(THEIRS, "vda") }));
  return machine;
}

/** Adds a denial to the kernel's log, as for an access by the guest of that name. */
function deny(machine: Machine, name: string, facts: Readonly<Record<string, string | undefined>>): void {
  const guest = machine.liveGuests().find(({ words }) => words.join(" ").includes(`guest=${name}`));
  const { perms = "read", tclass = "file", ...rest } = facts;
  const fields = {
    pid: String(guest?.pid),
    comm: '"qemu-system-x86"',
    scontext: guest?.context,
    ...rest,
    tclass,
    permissive: rest["permissive"] ?? "0",
  };
  const words = Object.entries(fields).map(([key, value]) => `${key}=${value}`);
  const at = (machine.nowMs / 1000 + 5).toFixed(3);
  machine.kernelLog?.push(
    `5,1,1,-;audit: type=1400 audit(${at}:${machine.kernelLog.length}): avc:  denied  { ${perms} } for  ${words.join(" ")}`,
  );
}

/** Returns the fields that the kernel logs of a file. */
function fileFacts(machine: Machine, path: string) {
  const found = machine.files.get(path);
  return {
    name: `"${path.split("/").at(-1)}"`,
    dev: '"vda1"',
    ino: found.inode,
    tcontext: labelOf(machine, path),
  };
}

async function explained(machine: Machine, ...words: readonly string[]) {
  return JSON.parse((await runOn(machine, "explain", "--json", ...words)).out);
}

describe("svirt explain", () => {
  test("of a neighbour's disk says whose it is, and that nothing is to be allowed", async () => {
    const machine = await twoGuests();
    deny(machine, "vm1", { ...fileFacts(machine, THEIRS), perms: "read" });
    deny(machine, "vm1", { ...fileFacts(machine, THEIRS), perms: "write" });
    const before = snapshot(machine);
    const { code, err, out } = await runOn(machine, "explain");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain(`Guest:          vm1 (${UUID}, running)\n`);
    expect(out).toContain("Denied:         svirt_t may not read, write a file of type svirt_image_t\n");
    expect(out).toContain(`Object:         ${THEIRS}\n`);
    expect(out).toContain(`Belongs to:     vm2 (${OTHER}, running)\n`);
    expect(out).toContain("Count:          2, last at ");
    expect(out).toContain("Remedy:         Allow nothing: this is an attempt to escape from the guest.");
    expect(out).not.toContain("(allow ");
    expect(snapshot(machine)).toEqual(before);
  });

  test("of a disk that was relabelled under its guest gives the order that mends it, quoted for a shell", async () => {
    const machine = makeMachine();
    const odd = "/var/lib/images/a $(reboot).raw";
    machine.files.put(odd, "file", { bytes: new Uint8Array(4096) });
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(odd, "vda") }));
    const given = labelOf(machine, odd);
    machine.files.get(odd).xattrs.set("security.selinux", "system_u:object_r:var_t:s0");
    deny(machine, "vm1", fileFacts(machine, odd));
    const [found] = await explained(machine);
    expect(found.denied).toBe("svirt_t may not read a file of type var_t");
    expect(found.remedy).toBe(`Label it again: setfattr -n security.selinux -v ${given} '${odd}'`);
    machine.files.get(odd).xattrs.set("security.selinux", String(given));
    expect((await explained(machine))[0].reason).toContain("It has the right label again.");
  });

  test("of a file that no XML names says to list it, with the rule of CIL", async () => {
    const machine = await twoGuests();
    deny(machine, "vm1", {
      path: '"/srv/x.img"',
      dev: '"vdc"',
      ino: "77",
      tcontext: "system_u:object_r:var_t:s0",
    });
    const [found] = await explained(machine);
    expect(found.rule).toBe("(allow svirt_t var_t (file (read)))");
    expect(found.remedy).toBe(
      "If vm1 needs it, list /srv/x.img in its XML; if not, inspect the programs in it.",
    );
  });

  test("of a file that carries the label of a guest that is gone says to restore it", async () => {
    const machine = await twoGuests();
    machine.files.get(MINE).xattrs.set("security.selinux", "system_u:object_r:svirt_image_t:s0:c7,c9");
    await runOn(machine, "destroy", "vm1");
    const bytes = domainXml({ disks: diskXml("/var/lib/images/private3.raw", "vda") });
    machine.files.put("/vm.xml", "file", {
      bytes: domainXml({ name: "vm3", uuid: OTHER.replace(/2$/, "3"), disks: diskXml(MINE, "vda") }),
    });
    await runOn(machine, "define", "/vm.xml");
    await startDomain(nodeOn(machine), bytes);
    machine.files.get(MINE).xattrs.set("security.selinux", "system_u:object_r:svirt_image_t:s0:c7,c9");
    deny(machine, "vm1", fileFacts(machine, MINE));
    expect((await explained(machine))[0].remedy).toBe(`svirt label restore ${MINE}`);
  });

  test.each([
    ["nfs_t", "virt_use_nfs"],
    ["cifs_t", "virt_use_samba"],
    ["fusefs_t", "virt_use_fusefs"],
  ])(
    "of %s names a mount for that guest, and %s where the policy has it and it is off",
    async (type, boolean) => {
      const machine = await twoGuests();
      deny(machine, "vm1", {
        path: '"/mnt/x.img"',
        dev: '"0:50"',
        ino: "9",
        tcontext: `system_u:object_r:${type}:s0`,
      });
      const image = labelOf(machine, MINE);
      expect((await explained(machine))[0].remedy).toBe(
        `Mount it for that guest only, with context="${image}"`,
      );
      machine.files.putFolder("/sys/fs/selinux/booleans");
      machine.files.put(`/sys/fs/selinux/booleans/${boolean}`, "file", {
        bytes: new TextEncoder().encode("0 0"),
      });
      expect((await explained(machine))[0].remedy).toContain(`(the boolean ${boolean} gives it to no guest`);
      machine.ownContext = "system_u:system_r:virtd_t:s0-s0:c0.c1023";
      expect((await explained(machine))[0].remedy).toEndWith(`setsebool -P ${boolean} on`);
      machine.files.put(`/sys/fs/selinux/booleans/${boolean}`, "file", {
        bytes: new TextEncoder().encode("1 1"),
      });
      expect((await explained(machine))[0].remedy).not.toContain("setsebool");
    },
  );

  test.each([
    [{ tclass: "process", perms: "execmem" }, "<domain type='qemu'>"],
    [{ tclass: "capability", perms: "sys_admin" }, "Allow nothing: QEMU does not need it."],
    [{ tclass: "tcp_socket", perms: "name_connect", dest: "22" }, "<interface type='user'>"],
    [{ tclass: "anon_inode", perms: "create" }, "the guest works without"],
  ])("of %o says what to do", async (facts, remedy) => {
    const machine = await twoGuests();
    const own = machine.processes.qemuOf(UUID)?.context;
    deny(machine, "vm1", { tcontext: own, ...facts });
    expect((await explained(machine))[0].remedy).toContain(remedy);
  });

  test("of what belongs to the host says so", async () => {
    const machine = await twoGuests();
    deny(machine, "vm1", {
      name: '"shadow"',
      dev: '"vda"',
      ino: "9",
      tcontext: "system_u:object_r:shadow_t:s0",
    });
    const [found] = await explained(machine);
    expect([found.object, found.remedy]).toEqual([
      "shadow (inode 9 on vda)",
      "Allow nothing. Inspect the programs in vm1.",
    ]);
  });

  test.each([
    ["svirt_t", "system_u:object_r:devtty_t:s0", "chr_file"],
    ["svirt_tcg_t", "system_u:object_r:svirt_image_t:s0:c7,c9", "file"],
  ])(
    "of an emulator that svirt asks, in %s, names svirt's own probe and no guest",
    async (type, tcontext, tclass) => {
      const machine = await twoGuests();
      const probe = `system_u:system_r:${type}:s0`;
      deny(machine, "vm1", {
        pid: "999",
        scontext: probe,
        name: '"tty"',
        dev: '"devtmpfs"',
        ino: "20",
        tcontext,
        tclass,
      });
      const [found] = await explained(machine);
      expect([found.guest, found.subject, found.rule]).toEqual([undefined, "probe", undefined]);
      expect(found.reason).toContain(`svirt's own probe caused it`);
      expect(found.remedy).toBe(
        "Allow nothing: no guest is concerned. Inspect the emulator, unless it is a packaged QEMU.",
      );
      expect((await runOn(machine, "explain")).out).toContain(
        "Guest:          none, an emulator that svirt asks for its capabilities\n",
      );
    },
  );

  test("of a guest with a static label without categories does not name svirt's probe, while it runs and after", async () => {
    const machine = makeMachine();
    const label = "system_u:system_r:svirt_t:s0";
    const seclabel = `<seclabel type='static' model='selinux' relabel='yes'><label>${label}</label></seclabel>`;
    machine.files.put("/vm.xml", "file", { bytes: domainXml({ seclabel }) });
    await runOn(machine, "define", "/vm.xml");
    await runOn(machine, "start", "vm1");
    deny(machine, "vm1", { scontext: label, name: '"tty"', tcontext: "system_u:object_r:devtty_t:s0" });
    expect((await explained(machine))[0]).toMatchObject({ subject: "guest", guest: { name: "vm1" } });
    await runOn(machine, "destroy", "vm1");
    expect((await explained(machine))[0].subject).toBe("guest");
  });

  test.each([
    [{ tclass: "unix_stream_socket", perms: "connectto", path: "00612D736F636B6574" }, "@a-socket"],
    [{ tclass: "dir", perms: "search", name: '"1"', dev: '"proc"', ino: "7" }, "/proc/1"],
    [{ tclass: "tcp_socket", perms: "name_connect", dest: "5900" }, "port 5900"],
    [{ tclass: "capability", perms: "sys_admin" }, "sys_admin"],
  ])("of %o names it as an operator does: %s", async (facts, shown) => {
    const machine = await twoGuests();
    deny(machine, "vm1", { tcontext: "system_u:system_r:init_t:s0", ...facts });
    expect((await explained(machine))[0].object).toBe(shown);
  });

  test("finds a guest that has ended by the categories that follow from its UUID", async () => {
    const machine = await twoGuests();
    machine.files.put("/vm.xml", "file", { bytes: domainXml({ disks: diskXml(MINE, "vda") }) });
    await runOn(machine, "define", "/vm.xml");
    deny(machine, "vm1", fileFacts(machine, THEIRS));
    await runOn(machine, "destroy", "vm1");
    const [found] = await explained(machine);
    expect(found.guest).toEqual({ name: "vm1", uuid: UUID, state: "shut off" });
  });

  test("tells of one domain alone, whether it asked or was asked for", async () => {
    const machine = await twoGuests();
    deny(machine, "vm1", fileFacts(machine, THEIRS));
    deny(machine, "vm1", { name: '"shadow"', tcontext: "system_u:object_r:shadow_t:s0" });
    expect(await explained(machine)).toHaveLength(2);
    expect(await explained(machine, "vm1")).toHaveLength(2);
    expect(await explained(machine, OTHER)).toHaveLength(1);
    expect((await runOn(machine, "explain", "vm9")).code).toBe(3);
  });

  test("leaves out what is before the boot, and programs that have nothing to do with guests, unless told --all", async () => {
    const machine = await twoGuests();
    const init = { scontext: "system_u:system_r:init_t:s0", tcontext: "system_u:object_r:etc_t:s0" };
    deny(machine, "vm1", init);
    machine.files.put("/old.log", "file", {
      bytes: new TextEncoder().encode(
        machine.kernelLog?.join("\n").replace(/audit\(\d+/, "audit(1000000000"),
      ),
    });
    expect((await runOn(machine, "explain")).out).toBe("No denials.\n");
    expect(await explained(machine, "--all")).toHaveLength(1);
    const old = await explained(machine, "--all", "--file", "/old.log");
    expect(old[0].last).toStartWith("2001-09-09T01:46:40");
    expect(await explained(machine, "--all", "--file", "/old.log", "--since", "2001-09-10")).toEqual([]);
    expect((await runOn(machine, "explain", "--since", "yesterday")).code).toBe(2);
  });

  test("says so where nothing was enforced", async () => {
    const machine = await twoGuests();
    deny(machine, "vm1", { ...fileFacts(machine, THEIRS), permissive: "1" });
    expect((await runOn(machine, "explain")).out).toContain("(only logged: SELinux was permissive)");
  });

  test("lets no control character of a name reach the terminal, and keeps them in JSON", async () => {
    const machine = await twoGuests();
    const name = "/srv/\u001b]0;owned\u0007\u009b31m\u202ex\ny";
    const hex = Buffer.from(name).toString("hex").toUpperCase();
    deny(machine, "vm1", { path: hex, comm: hex, tcontext: "system_u:object_r:var_t:s0" });
    const { out } = await runOn(machine, "explain");
    expect(out.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const json = (await runOn(machine, "explain", "--json")).out;
    expect(json.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(JSON.parse(json)[0].object).toBe(name);
  });

  test("finds a guest that runs without confinement by its process", async () => {
    const machine = makeMachine();
    const bytes = new TextEncoder().encode("security_require_confined = 0\n");
    machine.files.put("/etc/svirt/svirt.conf", "file", { bytes });
    await startDomain(nodeOn(machine), domainXml({ seclabel: "<seclabel type='none'/>" }));
    deny(machine, "vm1", { tcontext: "system_u:object_r:var_t:s0" });
    expect((await explained(machine))[0].guest.name).toBe("vm1");
  });

  test("refuses a file that is too large, with what to do", async () => {
    const machine = await twoGuests();
    machine.files.put("/large.log", "file", { bytes: new Uint8Array(64 * 1024 * 1024 + 1) });
    const { code, err } = await runOn(machine, "explain", "--file", "/large.log");
    expect([code, err]).toEqual([2, expect.stringContaining("tail -c 64M FILE | svirt explain --file -")]);
  });

  test("says what to do where the kernel's log may not be read", async () => {
    const machine = await twoGuests();
    machine.kernelLog = undefined;
    const { code, err } = await runOn(machine, "explain");
    expect(code).toBe(5);
    expect(err).toContain("remedy: Run svirt as root, or pass the lines on standard input");
  });
});
