import { beforeEach, describe, expect, test } from "bun:test";
import { readRecord } from "../../../src/state/record.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { planDomainStart, startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { domainXml, errorOf, folderLabelOf, labelOf, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";
import { leavesNothing, type Work, withoutInodes } from "../../scenes/strikes.ts";

/** Time for hundreds of kills: a busy machine needs more than the runner's five seconds. */
const TIMEOUT_MS = 120_000;
const OWN = "system_u:object_r:public_content_rw_t:s0";
const CONTENT = "system_u:object_r:virt_content_t:s0";
const LABEL = "security.selinux";
const MEMORY = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>";

/** https://libvirt.org/kbase/virtiofs.html */
const share = (more = "", dir = "/srv/all"): string =>
  `<filesystem type='mount'><driver type='virtiofs'/>${more}<source dir='${dir}'/><target dir='all'/></filesystem>`;

let machine: Machine;

beforeEach(() => {
  machine = withTree();
});

function withTree(): Machine {
  const made = makeMachine();
  made.files.putFolder("/srv/all/sub").xattrs.set(LABEL, OWN);
  made.files.get("/srv/all").xattrs.set(LABEL, OWN);
  for (const path of ["/srv/all/a", "/srv/all/sub/b"]) made.files.put(path, "file").xattrs.set(LABEL, OWN);
  return made;
}

const xml = (devices = share(), options: object = {}) =>
  domainXml({ devices, lifecycle: MEMORY, ...options });
const start = (devices = share(), options: object = {}) =>
  startDomain(nodeOn(machine), xml(devices, options));
const helpers = () => machine.processes.list().filter(({ words }) => words.includes("--shared-dir"));
const record = () => readRecord(nodeOn(machine), UUID);

describe("a folder that a guest shares by virtiofs", () => {
  test("has a server that is the guest's own process, in that folder, on a socket in the guest's own", async () => {
    const before = snapshot(machine);
    await start();
    const guest = record();
    const [helper] = helpers();
    expect(helper).toMatchObject({ uid: guest?.uid, context: guest?.label.label });
    const socket = `/run/svirt/${UUID}/guest/fs0-fs.sock`;
    // virtiofsd(1) of version 1.13
    expect(helper?.words).toEqual([
      ...["/usr/libexec/virtiofsd", "--shared-dir", ".", "--socket-path", socket],
      ...["--sandbox", "none", "--log-level", "warn"],
      ...["--translate-uid", `squash-guest:0:${guest?.uid}:4294967295`],
      ...["--translate-gid", `squash-guest:0:${guest?.uid}:4294967295`],
      ...["--translate-uid", `host:${guest?.uid}:0:1`, "--translate-gid", `host:${guest?.uid}:0:1`],
      ...["--rlimit-nofile", "0"],
    ]);
    const order = guest?.steps.find((step) => step.do === "spawn-helper")?.order;
    expect(order?.mostDescriptors).toBe(524_288);
    expect(order?.workFolder).toMatchObject({ path: "/srv/all" });
    const words = machine.processes.qemuOf(UUID)?.words ?? [];
    // -chardev as in libvirt's vhost-user-fs-fd-memory.x86_64-latest.args.
    expect(words).toContain(`socket,id=chr-vu-fs0,path=${socket}`);
    expect(words.join(" ")).not.toContain("/srv/all");
    expect(labelOf(machine, "/srv/all/sub/b")).toBe(folderLabelOf(guest));
    expect([...machine.files.get("/srv/all/sub/b").acl]).toEqual([[guest?.uid ?? 0, "read-write"]]);
    expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(helpers()).toEqual([]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("is told its server as the XML says", async () => {
    const binary =
      "<binary path='/opt/virtiofsd' xattr='on'><cache mode='none'/><thread_pool size='8'/><openfiles max='99'/></binary>";
    await start(share(`${binary}<readonly/>`));
    const { words = [] } = helpers()[0] ?? {};
    expect(words[0]).toBe("/opt/virtiofsd");
    expect(words.slice(words.indexOf("--rlimit-nofile"))).toEqual([
      ...["--rlimit-nofile", "99", "--readonly", "--xattr", "--cache", "never", "--thread-pool-size", "8"],
    ]);
    expect(labelOf(machine, "/srv/all/a")).toBe(CONTENT);
  });

  test("beside one by 9p: each has its own way", async () => {
    machine.files.putFolder("/srv/nine").xattrs.set(LABEL, OWN);
    const nine = "<filesystem accessmode='mapped'><source dir='/srv/nine'/><target dir='nine'/></filesystem>";
    await start(nine + share());
    expect(helpers().map(({ words }) => words[4])).toEqual([`/run/svirt/${UUID}/guest/fs1-fs.sock`]);
    expect(record()?.steps.flatMap((step) => (step.do === "share-tree" ? [step.folder.path] : []))).toEqual([
      "/srv/nine",
      "/srv/all",
    ]);
    const order = machine.processes.qemuOf(UUID)?.order;
    expect(order?.files.some(({ file }) => file.path === "/srv/all")).toBe(false);
  });

  test("in two elements has two servers and is labelled once", async () => {
    await start(share() + share().replace("<target dir='all'/>", "<target dir='twice'/>"));
    expect(helpers()).toHaveLength(2);
    expect(record()?.steps.filter((step) => step.do === "share-tree")).toHaveLength(1);
  });

  test("is refused where the guest's memory is not shared, before anything is done", async () => {
    const before = snapshot(machine);
    const error = await errorOf(start(share(), { lifecycle: "" }));
    expect(error.message).toContain("requires shared guest memory");
    expect(snapshot(machine)).toEqual(before);
  });

  test.each([
    ["<binary><sandbox mode='namespace'/></binary>", "binary/sandbox"],
    ["<binary><lock posix='on'/></binary>", "binary/lock"],
    ["<idmap><uid start='0' target='1000' count='10'/></idmap>", "idmap"],
  ])("is refused with %s", async (more, place) => {
    const error = await errorOf(planDomainStart(nodeOn(machine), xml(share(more))));
    expect([error.kind, error.message]).toEqual([
      "unsupported",
      expect.stringContaining(`/domain/devices/filesystem[1]/${place}: svirt does not`),
    ]);
  });

  test("whose server does not begin is given back", async () => {
    const before = withoutInodes(machine);
    machine.helperEnds = true;
    expect((await errorOf(start())).message).toContain("Cannot start /usr/libexec/virtiofsd");
    machine.files.remove("/var/log/svirt/vm1.log");
    expect(withoutInodes(machine)).toEqual(before);
  });
});

describe("killed before, within and after every call that changes something,", () => {
  const begin: Work = (node) => startDomain(node, xml());
  const end: Work = (node) => destroyDomain(node, "vm1");
  const prepared = async (): Promise<Machine> => {
    const made = withTree();
    await begin(nodeOn(made));
    return made;
  };

  test.each([
    ["a start", async () => withTree(), begin],
    ["an end", prepared, end],
  ])(
    "%s of a guest with such a folder leaves nothing of the guest's",
    async (name, prepare, work) => {
      await leavesNothing({ name, prepare, work }, { clean: withoutInodes(withTree()), end });
    },
    TIMEOUT_MS,
  );
});
