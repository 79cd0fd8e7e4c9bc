import { describe, expect } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testInTurn } from "../sample.ts";
import { lackOf, makeFolder, onNewNode, QEMU, readOutput, type Said, TEST_MS } from "./client-node.ts";

const inTurn = testInTurn(4);

const UUID = crypto.randomUUID();
const ASIDE = lackOf(["virsh"]);
const folder = makeFolder();

const XML = `<domain type='qemu'><name>vm1</name><uuid>${UUID}</uuid><memory unit='MiB'>64</memory>
  <os><type>hvm</type></os><seclabel type='none'/></domain>`;
writeFileSync(join(folder, "vm1.xml"), XML);

/** Runs calls of virsh on a new node. One in brackets is a line of the shell. */
function virsh(...calls: readonly string[]): Said[] {
  return onNewNode(
    folder,
    calls.map((words) => (words.startsWith("(") ? words : `virsh ${words}`)),
  );
}

/** Returns the rows of a table or of facts, each as words. */
function rows({ out }: Said): string[][] {
  return out.split("\n").map((line) => line.trim().split(/\s{2,}|:\s+/));
}

describe.skipIf(ASIDE !== "")(`stock virsh on svirt${ASIDE}`, () => {
  inTurn(
    "reads the node",
    () => {
      const said = virsh(
        "version --daemon",
        "hostname",
        "nodeinfo",
        "capabilities",
        "freecell",
        "maxvcpus",
        "uri",
      );
      expect(said.map(({ code, err }) => [code, err])).toEqual(said.map(() => [0, ""]));
      const [version, hostname, nodeinfo, capabilities] = said.map(({ out }) => out);
      const qemu = /version (\d+\.\d+\.\d+)/.exec(Bun.spawnSync([QEMU, "--version"]).stdout.toString())?.[1];
      expect(version).toContain(`Running hypervisor: QEMU ${qemu}`);
      expect(hostname).toBe(Bun.spawnSync(["uname", "-n"]).stdout.toString().trim());
      expect(nodeinfo).toMatch(/^CPU model: +x86_64\nCPU\(s\): +\d+$/m);
      expect(capabilities).toContain("<os_type>hvm</os_type>");
    },
    TEST_MS,
  );

  inTurn(
    "defines, starts, pauses, resumes, ends and undefines a domain",
    () => {
      const [
        define,
        listed,
        start,
        again,
        info,
        suspend,
        paused,
        resume,
        resumed,
        shutdown,
        destroy,
        off,
        undefine,
        none,
      ] = virsh(
        ...["define vm1.xml", "list --all", "start vm1", "create vm1.xml", "dominfo vm1", "suspend vm1"],
        ...["domstate --reason vm1", "resume vm1", "domstate --reason vm1", "shutdown vm1", "destroy vm1"],
        ...["domstate --reason vm1", "undefine vm1", "list --all --name"],
      );
      expect(define?.out).toBe("Domain 'vm1' defined from vm1.xml");
      expect(rows(listed ?? EMPTY).at(-1)).toEqual(["-", "vm1", "shut off"]);
      expect(start).toEqual({ code: 0, out: "Domain 'vm1' started", err: "" });
      expect(again?.err).toContain("error: Requested operation is not valid: domain 'vm1' is already active");
      // Layout of cmdDominfo() of libvirt's tools/virsh-domain-monitor.c; the values are those of the XML.
      const facts = Object.fromEntries(rows(info ?? EMPTY).map(([name = "", value]) => [name, value]));
      expect(facts).toMatchObject({ Id: "1", Name: "vm1", UUID, "OS Type": "hvm", State: "running" });
      expect(facts).toMatchObject({ "CPU(s)": "1", "Max memory": "65536 KiB", "Used memory": "65536 KiB" });
      expect(facts).toMatchObject({ Persistent: "yes", Autostart: "disable", "Managed save": "no" });
      expect([suspend?.code, paused?.out, resume?.code, resumed?.out]).toEqual([
        ...[0, "paused (user)", 0],
        "running (unpaused)",
      ]);
      expect([shutdown?.out, destroy?.out, off?.out]).toEqual([
        "Domain 'vm1' is being shutdown",
        "Domain 'vm1' destroyed",
        "shut off (destroyed)",
      ]);
      expect([undefine?.out, none?.out]).toEqual(["Domain 'vm1' has been undefined", ""]);
    },
    TEST_MS,
  );

  inTurn(
    "sees a transient domain become persistent, as virt-install makes it",
    () => {
      const said = virsh(
        "create vm1.xml",
        "define vm1.xml",
        "dominfo vm1",
        "destroy vm1",
        "list --all --name",
      );
      expect(said.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
      expect(said[2]?.out).toMatch(/^State: +running$/m);
      expect(said[2]?.out).toMatch(/^Persistent: +yes$/m);
      expect(said[4]?.out).toBe("vm1");
    },
    TEST_MS,
  );

  inTurn(
    "dumps XML that a second definition does not change",
    () => {
      const said = virsh(
        "define vm1.xml",
        "dumpxml vm1 >first.xml",
        "define first.xml",
        "dumpxml vm1",
        "dumpxml vm1 --inactive",
      );
      expect(said.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
      expect([said[3]?.out, said[4]?.out]).toEqual([
        readOutput(folder, "first.xml"),
        readOutput(folder, "first.xml"),
      ]);
      expect(said[3]?.out).toContain(`<uuid>${UUID}</uuid>`);
    },
    TEST_MS,
  );

  inTurn(
    "lists the host's devices and interfaces, shows them, and is refused a change of the computer",
    () => {
      const [list, tree, info, dump, detach, ifaces, models, others] = virsh(
        ...["nodedev-list", "nodedev-list --tree", "nodedev-info computer", "nodedev-dumpxml computer"],
        ...["nodedev-detach computer", "iface-list --all", "cpu-models x86_64", "cpu-models aarch64"],
      );
      expect(list?.out.split("\n")).toContain("computer");
      expect(tree?.out).toStartWith("computer\n  |\n  +- ");
      expect(Object.fromEntries(rows(info ?? EMPTY))).toMatchObject({ Active: "yes", Persistent: "yes" });
      expect(dump?.out).toContain("<capability type='system'>");
      expect(detach?.err).toEndWith("device computer is not a PCI device");
      expect(ifaces?.out).toContain("00:00:00:00:00:00");
      expect(models?.out.split("\n")).toContain("qemu64");
      expect(others?.err).toEndWith("unable to find any emulator to serve 'aarch64' architecture");
    },
    TEST_MS,
  );

  inTurn(
    "lists pools and networks",
    () => {
      const [pools, networks] = virsh("pool-list --all", "net-list --all");
      expect(rows(pools ?? EMPTY)[0]).toEqual(["Name", "State", "Autostart"]);
      expect(rows(networks ?? EMPTY)[0]).toEqual(["Name", "State", "Autostart", "Persistent"]);
    },
    TEST_MS,
  );

  inTurn(
    "defines, shows, marks and undefines a network, and says that it is not active",
    () => {
      writeFileSync(
        join(folder, "net.xml"),
        "<network><name>net1</name><forward mode='bridge'/><bridge name='br-none'/></network>",
      );
      const [define, info, dump, mark, listed, destroy, undefine, unknown] = virsh(
        ...[
          "net-define net.xml",
          "net-info net1",
          "net-dumpxml net1",
          "net-autostart net1",
          "net-list --all",
        ],
        ...["net-destroy net1", "net-undefine net1", "net-dumpxml net1"],
      );
      expect(define?.out).toBe("Network net1 defined from net.xml");
      expect(Object.fromEntries(rows(info ?? EMPTY))).toMatchObject({
        Active: "no",
        Persistent: "yes",
        Autostart: "no",
        Bridge: "br-none",
      });
      expect(dump?.out).toContain("<bridge name='br-none'/>");
      expect(mark?.out).toBe("Network net1 marked as autostarted");
      expect(rows(listed ?? EMPTY).at(-1)).toEqual(["net1", "inactive", "yes", "yes"]);
      expect(destroy?.err).toEndWith("Requested operation is not valid: network 'net1' is not active");
      expect(undefine?.out).toBe("Network net1 has been undefined");
      expect(unknown?.err).toContain("Network not found: no network with matching name 'net1'");
    },
    TEST_MS,
  );

  inTurn(
    "defines, builds, starts, shows, ends, deletes and undefines a storage pool",
    () => {
      const target = `/srv/${folder.slice(folder.lastIndexOf("/") + 1)}`;
      const [define, build, start, info, active, listed, dump, destroy, remove, undefine, none] = virsh(
        ...[`pool-define-as pool1 dir --target ${target}`, "pool-build pool1", "pool-start pool1"],
        ...["pool-info pool1", "pool-start pool1", "pool-list", "pool-dumpxml pool1", "pool-destroy pool1"],
        ...["pool-delete pool1", "pool-undefine pool1", "pool-info pool1"],
      );
      expect([define?.out, build?.out, start?.out]).toEqual([
        "Pool pool1 defined",
        "Pool pool1 built",
        "Pool pool1 started",
      ]);
      expect(Object.fromEntries(rows(info ?? EMPTY))).toMatchObject({
        State: "running",
        Persistent: "yes",
        Autostart: "no",
      });
      expect(active?.err).toContain(
        "Requested operation is not valid: storage pool 'pool1' is already active",
      );
      expect(rows(listed ?? EMPTY).at(-1)).toEqual(["pool1", "active", "no"]);
      expect(dump?.out).toContain(`<path>${target}</path>`);
      expect([destroy?.out, remove?.out, undefine?.out]).toEqual([
        "Pool pool1 destroyed",
        "Pool pool1 deleted",
        "Pool pool1 has been undefined",
      ]);
      expect(none?.err).toContain("Storage pool not found: no storage pool with matching name 'pool1'");
    },
    TEST_MS,
  );

  inTurn(
    "creates, shows and deletes a volume of a pool",
    () => {
      const target = `/srv/${folder.slice(folder.lastIndexOf("/") + 1)}`;
      const path = `${target}/v1.qcow2`;
      const [, create, listed, info, key, pool, dump, missing, remove, none] = virsh(
        `pool-create-as pool1 dir --target ${target} --build`,
        ...["vol-create-as pool1 v1.qcow2 4M --format qcow2", "vol-list pool1", `vol-info ${path}`],
        ...["vol-key v1.qcow2 --pool pool1", `vol-pool ${path}`, "vol-dumpxml v1.qcow2 --pool pool1"],
        ...[`vol-info ${target}/none`, "vol-delete v1.qcow2 --pool pool1", "vol-list pool1"],
        ...["pool-destroy pool1"],
      );
      rmSync(target, { recursive: true });
      expect(create?.out).toBe("Vol v1.qcow2 created");
      expect(rows(listed ?? EMPTY).at(-1)).toEqual(["v1.qcow2", path]);
      expect(Object.fromEntries(rows(info ?? EMPTY))).toMatchObject({ Type: "file", Capacity: "4.00 MiB" });
      expect([key?.out, pool?.out]).toEqual([path, "pool1"]);
      expect(dump?.out).toContain("<format type='qcow2'/>");
      expect(missing?.err).toContain(`no storage vol with matching path '${target}/none'`);
      expect([remove?.out, rows(none ?? EMPTY)]).toEqual([
        "Vol v1.qcow2 deleted",
        [expect.anything(), expect.anything()],
      ]);
    },
    TEST_MS,
  );

  inTurn(
    "leaves a guest its reaper if the file of the executable is virt-ssh-helper",
    () => {
      // A hard link or a copy: the reaper calls it by that path. An unknown UUID is no error.
      const [said] = virsh(`(./virt-ssh-helper reap ${UUID})`);
      expect(said).toEqual({ code: 0, out: "", err: "" });
    },
    TEST_MS,
  );

  inTurn(
    "-r changes nothing",
    () => {
      const [define, list] = virsh("-r define vm1.xml", "list --all --name");
      expect(define?.err).toContain(
        "error: operation forbidden: read only access prevents virDomainDefineXML",
      );
      expect(list?.out).toBe("");
    },
    TEST_MS,
  );

  inTurn(
    "keeps a connection on which it asks each second whether svirt lives, and gives up after one silence",
    () => {
      const [said] = virsh("(echo uri; sleep 4; echo hostname) | virsh -q -k1 -K1");
      expect([said?.code, said?.err]).toEqual([0, ""]);
      expect(said?.out).toContain(Bun.spawnSync(["uname", "-n"]).stdout.toString().trim());
    },
    TEST_MS,
  );
});

const EMPTY: Said = { code: 0, out: "", err: "" };
