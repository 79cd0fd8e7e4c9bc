import { describe, expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { IMAGES_UUID, OTHER_POOLS, otherPoolXml, poolXml, TARGET } from "../../../scenes/pools.ts";
import { makeMachine } from "../../../scenes/scene.ts";
import { makeUsersMachine, USER } from "../../../scenes/session.ts";
import { runOn } from "../../in-memory.ts";

/** Returns a machine with the document of the pool `images` in /images.xml. */
function machineWith(machine = makeMachine()): Machine {
  machine.files.put("/images.xml", "file", {
    bytes: poolXml(TARGET, { uuid: IMAGES_UUID }),
    uid: machine.uid,
  });
  machine.space = { sizeBytes: 107_374_182_400, freeBytes: 53_687_091_200 };
  return machine;
}

async function said(machine: Machine, line: string): Promise<string> {
  const { code, err, out } = await runOn(machine, ...line.split(" "));
  return `${code} ${out}${err}`;
}

async function afterAll(machine: Machine, ...lines: readonly string[]): Promise<Machine> {
  for (const line of lines)
    expect([line, (await runOn(machine, ...line.split(" "))).code]).toEqual([line, 0]);
  return machine;
}

describe("the commands of pools", () => {
  test("say what virsh says", async () => {
    const machine = machineWith();
    const lines = [
      ["pool-define /images.xml", "Pool images defined from /images.xml\n\n"],
      ["pool-autostart images", "Pool images marked as autostarted\n\n"],
      ["pool-autostart images --disable", "Pool images unmarked as autostarted\n\n"],
      ["pool-build images", "Pool images built\n\n"],
      ["pool-start images", "Pool images started\n\n"],
      ["pool-refresh images", "Pool images refreshed\n\n"],
      [`pool-name ${IMAGES_UUID}`, "images\n\n"],
      ["pool-uuid images", `${IMAGES_UUID}\n\n`],
      ["pool-edit images", "Pool images XML configuration not changed.\n\n"],
      ["pool-destroy images", "Pool images destroyed\n\n"],
      ["pool-start images --build", "Pool images started\n\n"],
      ["pool-destroy images", "Pool images destroyed\n\n"],
      ["pool-delete images", "Pool images deleted\n\n"],
      ["pool-undefine images", "Pool images has been undefined\n\n"],
      ["pool-create /images.xml --build", "Pool images created from /images.xml\n\n"],
      ["pool-destroy images", "Pool images destroyed\n\n"],
      [`pool-define-as iso dir --target /srv/iso`, "Pool iso defined\n\n"],
      [`pool-create-as iso2 dir --target /srv/iso2 --build`, "Pool iso2 created\n\n"],
    ] as const;
    for (const [line, text] of lines) expect([line, await said(machine, line)]).toEqual([line, `0 ${text}`]);
  });

  test.each([
    ["pool-start images", "storage pool 'images' is already active"],
    ["pool-build images", "storage pool 'images' is already active"],
    ["pool-create /images.xml", "pool is already active as 'images'"],
    ["pool-undefine images", "storage pool 'images' is still active"],
    ["pool-delete images", "storage pool 'images' is still active"],
  ])("%s of an active pool is refused in libvirt's words", async (line, why) => {
    const machine = await afterAll(machineWith(), "pool-define /images.xml", "pool-start images --build");
    const { code, err } = await runOn(machine, ...line.split(" "));
    expect([code, err]).toEqual([
      4,
      expect.stringContaining(`error: Requested operation is not valid: ${why}\n`),
    ]);
  });

  test.each(["pool-destroy", "pool-refresh"])(
    "%s of an inactive pool is refused in libvirt's words",
    async (name) => {
      const machine = await afterAll(machineWith(), "pool-define /images.xml");
      const { code, err } = await runOn(machine, name, "images");
      expect([code, err]).toEqual([4, expect.stringContaining("storage pool 'images' is not active")]);
    },
  );

  // virStorageBackendMakeFileSystem() of libvirt
  test.each(["pool-build images", "pool-start images --build"])(
    "%s makes no file system in a folder",
    async (line) => {
      const machine = await afterAll(machineWith(), "pool-define /images.xml");
      for (const option of ["--overwrite", "--no-overwrite"]) {
        const { code, err } = await runOn(machine, ...line.split(" "), option);
        expect([code, err]).toEqual([
          4,
          expect.stringContaining("No source device specified when formatting pool 'images'"),
        ]);
      }
      expect((await runOn(machine, ...line.split(" "), "--overwrite", "--no-overwrite")).code).toBe(2);
      expect(machine.files.find(TARGET)).toBeUndefined();
    },
  );

  test("find no pool that is missing, with libvirt's message", async () => {
    const names = ["start", "build", "destroy", "delete", "refresh", "undefine", "info", "dumpxml", "name"];
    for (const name of [...names, "uuid", "autostart", "edit"]) {
      const { code, err } = await runOn(makeMachine(), `pool-${name}`, "../domains/vm1");
      expect([name, code, err]).toEqual([
        name,
        3,
        expect.stringContaining(
          "Storage pool not found: no storage pool with matching name '../domains/vm1'",
        ),
      ]);
    }
  });

  test("pool-start of another type says what to do instead", async () => {
    const machine = machineWith();
    machine.files.put("/fs.xml", "file", { bytes: otherPoolXml("vstorage", OTHER_POOLS.vstorage) });
    await afterAll(machine, "pool-define /fs.xml");
    const { code, err } = await runOn(machine, "pool-start", "other");
    expect([code, err]).toEqual([2, expect.stringContaining("storage pool 'other' of type vstorage: ")]);
    expect(err).toContain("remedy: Mount it yourself");
  });
});

describe("svirt pool-list", () => {
  // cmdPoolList() and vshTablePrint() of libvirt: two blanks after the widest cell, and one before each cell.
  test("has virsh's columns, and with --details those of the space", async () => {
    const machine = machineWith();
    expect(await said(machine, "pool-list")).toBe(
      "0  Name   State   Autostart\n---------------------------\n\n",
    );
    await afterAll(
      machine,
      "pool-define /images.xml",
      "pool-autostart images",
      "pool-create-as Backup dir --target /srv/backup --build",
    );
    expect(await said(machine, "pool-list --all")).toBe(
      "0 " +
        " Name     State      Autostart\n" +
        "--------------------------------\n" +
        " Backup   active     no\n" +
        " images   inactive   yes\n\n",
    );
    expect(await said(machine, "pool-list --all --details")).toBe(
      "0 " +
        " Name     State      Autostart   Persistent   Capacity     Allocation   Available\n" +
        "-----------------------------------------------------------------------------------\n" +
        " Backup   running    no          no           100.00 GiB   50.00 GiB    50.00 GiB\n" +
        " images   inactive   yes         yes          -            -            -\n\n",
    );
  });

  test.each([
    ["", ["Backup"]],
    ["--inactive", ["images", "vg"]],
    ["--all", ["Backup", "images", "vg"]],
    ["--all --persistent", ["images", "vg"]],
    ["--all --transient", ["Backup"]],
    ["--all --autostart", ["images"]],
    ["--all --no-autostart", ["Backup", "vg"]],
    ["--all --type dir", ["Backup", "images"]],
    ["--all --type logical,iscsi", ["vg"]],
    ["--type logical", []],
  ])("with %p selects", async (options, names) => {
    const machine = await afterAll(
      machineWith(),
      "pool-define /images.xml",
      "pool-autostart images",
      "pool-define-as vg logical --source-dev /dev/vdb",
      "pool-create-as Backup dir --target /srv/backup --build",
    );
    expect(await said(machine, `pool-list --name ${options}`.trim())).toBe(
      `0 ${names.map((name) => `${name}\n`).join("")}`,
    );
  });

  test("prints uuids, names, JSON, and refuses options that exclude each other", async () => {
    const machine = await afterAll(machineWith(), "pool-define /images.xml");
    expect(await said(machine, "pool-list --all --uuid")).toBe(`0 ${IMAGES_UUID}\n`);
    expect(await said(machine, "pool-list --all --uuid --name")).toBe(`0 ${IMAGES_UUID} images\n`);
    const { out } = await runOn(machine, "pool-list", "--all", "--json");
    expect(JSON.parse(out)).toEqual([
      { name: "images", uuid: IMAGES_UUID, state: "inactive", autostart: false, persistent: true },
    ]);
    for (const options of ["--details --uuid", "--details --name", "--all --inactive", "--type nfs"])
      expect([options, (await runOn(machine, "pool-list", ...options.split(" "))).code]).toEqual([
        options,
        2,
      ]);
  });

  test("lists a pool with a damaged file", async () => {
    const machine = machineWith();
    machine.files.putFolder("/etc/svirt/storage");
    machine.files.put("/etc/svirt/storage/broken.xml", "file", { bytes: new TextEncoder().encode("<pool") });
    expect(await said(machine, "pool-list --all --name")).toBe("0 broken\n");
    expect((await runOn(machine, "pool-list", "--all", "--details")).out).toContain(
      " broken   inaccessible ",
    );
    expect(await said(machine, "pool-list --all --name --type dir")).toBe("0 ");
  });
});

describe("svirt pool-info", () => {
  test("has virsh's lines, in units or bytes, and no space of an inactive pool", async () => {
    const machine = await afterAll(machineWith(), "pool-define /images.xml");
    const head = (state: string): string =>
      `0 Name:           images\nUUID:           ${IMAGES_UUID}\nState:          ${state}\n` +
      "Persistent:     yes\nAutostart:      no\n";
    expect(await said(machine, "pool-info images")).toBe(`${head("inactive")}\n`);
    await afterAll(machine, "pool-start images --build");
    expect(await said(machine, "pool-info images")).toBe(
      `${head("running")}Capacity:       100.00 GiB\nAllocation:     50.00 GiB\nAvailable:      50.00 GiB\n\n`,
    );
    expect(await said(machine, "pool-info images --bytes")).toBe(
      `${head("running")}Capacity:       107374182400\nAllocation:     53687091200\nAvailable:      53687091200\n\n`,
    );
    const { out } = await runOn(machine, "pool-info", "images", "--json");
    expect(JSON.parse(out)).toEqual({
      name: "images",
      uuid: IMAGES_UUID,
      state: "running",
      persistent: true,
      autostart: false,
      capacityBytes: 107_374_182_400,
      allocationBytes: 53_687_091_200,
      availableBytes: 53_687_091_200,
    });
  });
});

describe("svirt pool-dumpxml", () => {
  test("prints the active pool with its space, and its definition on request", async () => {
    const machine = await afterAll(machineWith(), "pool-define /images.xml", "pool-start images --build");
    machine.edit = (text) => text.replace(TARGET, "/srv/moved");
    expect(await said(machine, "pool-edit images")).toBe("0 Pool images XML configuration edited.\n\n");
    const live = (await runOn(machine, "pool-dumpxml", "images")).out;
    expect(live).toContain("<available unit='bytes'>53687091200</available>");
    expect(live).toContain(`<path>${TARGET}</path>`);
    const defined = (await runOn(machine, "pool-dumpxml", "images", "--inactive")).out;
    expect(defined).toContain("<path>/srv/moved</path>");
    const { out } = await runOn(machine, "pool-dumpxml", "images", "--json");
    expect(JSON.parse(out)).toMatchObject({ name: "images", uuid: IMAGES_UUID, isLive: true });
  });
});

describe("svirt pool-capabilities", () => {
  test("prints libvirt's document, in which folders are supported", async () => {
    const { code, out } = await runOn(makeMachine(), "pool-capabilities");
    expect([code, out]).toEqual([0, expect.stringContaining("<pool type='dir' supported='yes'>")]);
    expect(JSON.parse((await runOn(makeMachine(), "pool-capabilities", "--json")).out)).toBe(
      out.slice(0, -1),
    );
  });
});

describe("an ordinary user's pools", () => {
  test("are in the user's folders, and none starts at boot", async () => {
    const machine = machineWith(makeUsersMachine());
    expect(machine.uid).toBe(USER);
    await afterAll(machine, "pool-define /images.xml", "pool-start images --build");
    for (const path of [
      "/home/alice/.config/svirt/storage/images.xml",
      "/run/user/1000/svirt/storage/images.xml",
    ])
      expect([path, machine.files.find(path)?.inode.type]).toEqual([path, "file"]);
    expect((await runOn(machine, "pool-autostart", "images")).code).toBe(2);
  });
});

describe("svirt recover --autostart", () => {
  test("starts networks, then pools, then domains", async () => {
    const machine = await afterAll(
      machineWith(),
      "pool-define /images.xml",
      "pool-autostart images",
      "pool-build images",
    );
    expect(await said(machine, "recover")).toBe("0 ");
    expect(await said(machine, "recover --autostart")).toBe("0 Pool images started\n");
    const { out } = await runOn(machine, "recover", "--autostart", "--json");
    expect(JSON.parse(out)).toMatchObject({ networks: [], pools: [], started: [] });
  });
});
