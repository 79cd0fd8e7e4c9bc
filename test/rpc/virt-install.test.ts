// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { echoKernel } from "../guest/kernel.ts";
import { lackOf, makeFolder, onNewNode, TEST_MS } from "./client-node.ts";

// virt-install and virt-xml 5.0 of Debian 13 (virtinst), which is not installed for tests.

// They import Debian's modules: another python3 of the PATH may not have them.
const PYTHON = "/usr/bin/python3";
const ASIDE = lackOf(["virsh", PYTHON, "/usr/bin/virt-install", "/usr/bin/virt-xml"]);
const folder = makeFolder();
const target = `/srv/${folder.slice(folder.lastIndexOf("/") + 1)}`;
/** A server of the folder's files, which writes its port and its process there. */
const SERVER =
  "import http.server as h, os; s = h.HTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler); " +
  "open('pid', 'w').write(str(os.getpid())); open('port', 'w').write(str(s.server_port)); s.serve_forever()";
const OPTIONS =
  "--name vm1 --memory 64 --import --osinfo detect=off,require=off --network none --graphics none --noautoconsole " +
  "--virt-type qemu --seclabel type=none";

describe.skipIf(ASIDE !== "")(`stock virt-install on svirt${ASIDE}`, () => {
  // As if it ran on another machine: it uploads both into a folder that the node does not have, and deletes
  // them as soon as the guest runs.
  test(
    "starts a guest with the kernel and the initrd of a server, and deletes both volumes",
    () => {
      writeFileSync(`${folder}/kernel`, echoKernel({ do: "halt" }));
      const remote = `--connect "$(echo "$LIBVIRT_DEFAULT_URI" | sed s,///,//node/,)"`;
      const options = OPTIONS.replace("--import ", "");
      const location = `--location "http://127.0.0.1:$(cat port)/,kernel=kernel,initrd=kernel"`;
      const [, , install, os, defined, left, , deleted] = onNewNode(folder, [
        "mkdir -p /var/lib/libvirt && mount -t tmpfs none /var/lib/libvirt",
        `${PYTHON} -c "${SERVER}" </dev/null >/dev/null 2>&1 & while [ ! -s port ] && kill -0 $!; do sleep 0.1; done`,
        `${PYTHON} /usr/bin/virt-install ${remote} ${options} --disk none ${location}; code=$?; kill $(cat pid); exit $code`,
        "virsh dumpxml vm1 --xpath /domain/os",
        "virsh dumpxml vm1 --xpath /domain/os --inactive",
        "virsh vol-list boot-scratch",
        "virsh destroy vm1",
        "virsh undefine vm1 && virsh pool-destroy boot-scratch && virsh pool-delete boot-scratch",
      ]);
      expect(install).toMatchObject({ code: 0 });
      expect(os?.out).toMatch(/<kernel>\/var\/lib\/libvirt\/boot\/virtinst-.*<\/kernel>/);
      expect(os?.out).toMatch(/<initrd>\/var\/lib\/libvirt\/boot\/virtinst-.*<\/initrd>/);
      expect(defined?.out).not.toContain("<kernel>");
      expect(left?.out).not.toContain("virtinst");
      expect(deleted).toMatchObject({ code: 0 });
    },
    TEST_MS,
  );

  test(
    "makes a pool of a folder and a volume in it, and starts a persistent guest, which virt-xml changes",
    () => {
      const [, install, again, info, listed, edit, destroy, changed] = onNewNode(folder, [
        `mkdir -p ${target}`,
        `${PYTHON} /usr/bin/virt-install ${OPTIONS} --disk path=${target}/vm1.qcow2,size=0.01`,
        `${PYTHON} /usr/bin/virt-install ${OPTIONS} --disk none`,
        "virsh dominfo vm1",
        `virsh vol-list ${target.slice("/srv/".length)}`,
        `${PYTHON} /usr/bin/virt-xml vm1 --edit --memory 96`,
        "virsh destroy vm1",
        "virsh dominfo vm1",
      ]);
      rmSync(target, { recursive: true });
      expect(install).toMatchObject({ code: 0, out: expect.stringContaining("Domain creation completed.") });
      expect(again).toMatchObject({ code: 1, err: expect.stringContaining("already in use") });
      expect(info?.out).toMatch(/^State: +running$/m);
      expect(info?.out).toMatch(/^Persistent: +yes$/m);
      expect(listed?.out).toContain(`${target}/vm1.qcow2`);
      expect(edit).toMatchObject({
        code: 0,
        out: expect.stringContaining("Domain 'vm1' defined successfully."),
      });
      expect(destroy?.code).toBe(0);
      expect(changed?.out).toMatch(/^Max memory: +98304 KiB$/m);
    },
    TEST_MS,
  );

  test(
    "reads the capabilities: writes <acpi/> and <apic/>, and finds the machine types with their aliases",
    () => {
      const read =
        "import os; from virtinst import VirtinstConnection as C; c = C(os.environ['LIBVIRT_DEFAULT_URI']); c.open(None, None); " +
        "h = c.caps.host; g = c.caps.guests[0]; print(h.cpu.arch, g.arch, g.features.acpi, g.features.apic, " +
        "[d.hypervisor_type for d in g.domains][0], [m.canonical for m in g.machines if m.name == 'q35'])";
      const [printed, facts] = onNewNode(folder, [
        `${PYTHON} /usr/bin/virt-install ${OPTIONS} --disk none --print-xml`,
        `PYTHONPATH=/usr/share/virt-manager ${PYTHON} -c "${read}"`,
      ]);
      expect([printed?.code, printed?.err]).toEqual([0, ""]);
      expect(printed?.out).toContain("<acpi/>");
      expect(printed?.out).toContain("<apic/>");
      expect(facts?.err).toBe("");
      expect(facts?.out).toMatch(/^x86_64 x86_64 True True qemu \['pc-q35-[\d.]+'\]$/);
    },
    TEST_MS,
  );
});
